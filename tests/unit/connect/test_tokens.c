/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens for the bridge: this file stands in for access/, for the end of a call
 * in remote/, and for time.
 */
#include "apps/connect/tokens.h"
#include "core/status.h"
#include "core/sys.h"
#include "vl_test.h"

#include <stdlib.h>

struct vl_access {
    struct vl_access_config config;
};
struct vl_access_ask {
    vl_access_done *done;
    void *ctx;
};
struct vl_remote_retry {
    valet_status status;
    bool is_done;
};
struct vl_timer {
    void (*callback)(void *ctx);
    void *ctx;
    int64_t ms; /* 0: it does not run */
};

static struct vl_access *the_access;
static struct vl_access_ask asks[2];
static size_t ask_count;
static struct vl_timer *the_timer; /* the first one is that of the tokens */
static struct vl_connect_tokens *the_tokens;
static char told[256], reminded[256];
static size_t told_count, reminded_count;

/* --- in place of access/, remote/ and io/ --- */

valet_status
vl_access_new(const struct vl_access_config *config, struct vl_access **ret,
              valet_error *err)
{
    (void)err;
    the_access = vl_alloc(sizeof *the_access);
    the_access->config = *config;
    *ret = the_access;
    return VALET_OK;
}

void
vl_access_free(struct vl_access *access)
{
    free(access);
}

const struct vl_secret *
vl_access_bearer(struct vl_access *access)
{
    (void)access;
    return NULL;
}

void
vl_access_worked(struct vl_access *access)
{
    (void)access;
}

struct vl_access_ask *
vl_access_ask(struct vl_access *access, int http_status,
              const struct vl_headers *headers, const struct vl_secret *sent,
              vl_access_done *done, void *ctx)
{
    (void)access, (void)http_status, (void)headers, (void)sent;
    assert_true(ask_count < VL_COUNT(asks));
    asks[ask_count] = (struct vl_access_ask){done, ctx};
    return &asks[ask_count++];
}

void
vl_access_ask_abort(struct vl_access_ask **ask)
{
    *ask = NULL;
}

void
vl_remote_retry(struct vl_remote_retry *retry, valet_status status,
                const valet_error *err)
{
    (void)err;
    retry->status = status;
    retry->is_done = true;
}

void
vl_keep_close(struct vl_keep *keep)
{
    (void)keep;
}

struct vl_timer *
vl_timer_new(struct vl_loop *loop, void (*callback)(void *ctx), void *ctx)
{
    (void)loop;
    struct vl_timer *timer = vl_alloc(sizeof *timer);
    *timer = (struct vl_timer){callback, ctx, 0};
    if (!the_timer)
        the_timer = timer;
    return timer;
}

void
vl_timer_start(struct vl_timer *timer, int64_t ms)
{
    timer->ms = ms;
}

void
vl_timer_stop(struct vl_timer *timer)
{
    timer->ms = 0;
}

void
vl_timer_free(struct vl_timer *timer)
{
    free(timer);
}

/* --- the rig --- */

static valet_status
open_keep(struct vl_keep **ret, struct vl_buf *lock, void *ctx,
          valet_error *err)
{
    (void)lock, (void)ctx, (void)err;
    *ret = NULL;
    return VALET_OK;
}

static void
tell(const char *text, const char *url, void *ctx)
{
    (void)url, (void)ctx;
    (void)snprintf(told, sizeof told, "%s", text);
    told_count++;
}

static void
remind(const char *text, void *ctx)
{
    (void)ctx;
    (void)snprintf(reminded, sizeof reminded, "%s", text);
    reminded_count++;
}

static int
begin(void **state)
{
    const struct vl_connect_tokens_config config = {
        .access = {.tell = tell}, .open = open_keep, .remind = remind};
    (void)state;
    ask_count = told_count = reminded_count = 0;
    the_timer = NULL;
    the_tokens = vl_connect_tokens_new(&config);
    assert_null(vl_connect_tokens_bearer(the_tokens));
    return 0;
}

static int
end(void **state)
{
    (void)state;
    vl_connect_tokens_free(the_tokens);
    return 0;
}

static void
access_tells(const char *text)
{
    the_access->config.tell(text, NULL, the_access->config.ctx);
}

static void
four_seconds_pass(void)
{
    assert_int_equal(the_timer->ms, 4000);
    the_timer->ms = 0;
    the_timer->callback(the_timer->ctx);
}

/* --- tests --- */

static void
what_is_to_be_done_is_said_again_while_somebody_waits(void **state)
{
    const struct vl_remote_refusal refusal = {.status = 401};
    static struct vl_remote_retry first, second;
    (void)state;
    vl_connect_tokens_authorize(&refusal, &first, the_tokens);
    vl_connect_tokens_authorize(&refusal, &second, the_tokens);
    assert_int_equal(the_timer->ms, 0); /* there is nothing to say yet */
    access_tells("Sign in here");
    assert_string_equal(told, "Sign in here");
    for (size_t i = 1; i <= 3; i++) {
        four_seconds_pass();
        assert_int_equal(reminded_count, i);
        assert_string_equal(reminded, "Sign in here");
    }
    access_tells("Sign in there");
    four_seconds_pass();
    assert_string_equal(reminded, "Sign in there");
    asks[0].done(VALET_OK, NULL, asks[0].ctx);
    assert_true(first.is_done && !second.is_done);
    four_seconds_pass();
    assert_int_equal(reminded_count, 5);
    asks[1].done(VALET_OK, NULL, asks[1].ctx);
    assert_true(second.is_done);
    assert_int_equal(the_timer->ms, 0);
    assert_int_equal(told_count, 2);
}

static void
what_is_told_to_nobody_who_waits_is_not_said_again(void **state)
{
    (void)state;
    access_tells("It could not be kept");
    assert_int_equal(told_count, 1);
    assert_int_equal(the_timer->ms, 0);
}

static void
an_end_in_the_midst_of_it_leaves_nothing(void **state)
{
    const struct vl_remote_refusal refusal = {.status = 401};
    static struct vl_remote_retry retry;
    (void)state;
    vl_connect_tokens_authorize(&refusal, &retry, the_tokens);
    access_tells("Sign in here");
    vl_connect_tokens_free(the_tokens);
    the_tokens = NULL;
    assert_true(retry.is_done);
    assert_int_equal(retry.status, VALET_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_to_be_done_is_said_again_while_somebody_waits),
        TEST(what_is_told_to_nobody_who_waits_is_not_said_again),
        TEST(an_end_in_the_midst_of_it_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
