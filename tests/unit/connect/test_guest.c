/* SPDX-License-Identifier: Apache-2.0
 *
 * A guest of the bridge; the bridge is the test itself.
 */
#include "apps/connect/guest.h"
#include "core/str.h"
#include "core/sys.h"
#include "vl_test.h"

#include <fcntl.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static struct vl_loop *the_loop;
static struct vl_timer *tick; /* a step waits for something */
static struct vl_connect_guest *the_guest;
static bool knows_token, was_told;
static size_t dones;
static char told[2048];
static char heard[65536];
static size_t heard_size;

static bool
has_token(void *ctx)
{
    (void)ctx;
    return knows_token;
}

static void
done(const char *why, void *ctx)
{
    (void)ctx;
    dones++;
    was_told = why != NULL;
    (void)snprintf(told, sizeof told, "%s", why ? why : "");
}

static void
on_tick(void *ctx)
{
    (void)ctx;
    vl_timer_start(tick, 1);
}

static int
begin(void **state)
{
    (void)state;
    knows_token = was_told = false;
    dones = heard_size = 0;
    assert_ok(vl_loop_new(&the_loop, NULL));
    tick = vl_timer_new(the_loop, on_tick, NULL);
    vl_timer_start(tick, 1);
    const struct vl_connect_guest_config config = {
        .loop = the_loop, .has_token = has_token, .done = done};
    assert_ok(vl_connect_guest_new(&config, &the_guest, NULL));
    int fd = vl_connect_guest_fd(the_guest);
    assert_true(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    vl_connect_guest_free(the_guest);
    vl_timer_free(tick);
    vl_loop_free(the_loop);
    return 0;
}

/* The next line of the guest has this in it. */
static void
guest_says(const char *method)
{
    int64_t until = vl_mono_now() + PATIENCE_MS;
    struct vl_str all, line;
    do {
        ssize_t n = read(vl_connect_guest_fd(the_guest), heard + heard_size,
                         sizeof heard - heard_size);
        heard_size += n > 0 ? (size_t)n : 0;
        all = vl_str_of(heard, heard_size);
        if (vl_str_has(all, '\n'))
            break;
        vl_loop_step(the_loop);
    } while (vl_mono_now() < until);
    assert_true(vl_str_has(all, '\n'));
    line = vl_str_head(all, vl_str_index(all, '\n'));
    heard[line.n] = '\0';
    assert_non_null(strstr(heard, method));
    heard_size -= line.n + 1;
    memmove(heard, heard + line.n + 1, heard_size);
}

static void
bridge_says(const char *json)
{
    int fd = vl_connect_guest_fd(the_guest);
    assert_int_equal(write(fd, json, strlen(json)), strlen(json));
    assert_int_equal(write(fd, "\n", 1), 1);
    int64_t until = vl_mono_now() + 50;
    while (vl_mono_now() < until)
        vl_loop_step(the_loop);
}

#define WELCOME                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":"           \
    "\"2025-11-25\",\"capabilities\":{\"tools\":{}}}}"

/* --- tests --- */

static void
an_answer_that_took_a_token_is_enough(void **state)
{
    (void)state;
    guest_says("\"method\":\"initialize\"");
    bridge_says("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}");
    bridge_says("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
    assert_int_equal(dones, 0);
    knows_token = true;
    bridge_says(WELCOME);
    assert_int_equal(dones, 1);
    assert_false(was_told);
}

/* It may want one for what it does. */
static void
a_server_that_greets_without_a_token_is_asked_for_its_tools(void **state)
{
    (void)state;
    guest_says("\"method\":\"initialize\"");
    bridge_says(WELCOME);
    assert_int_equal(dones, 0);
    guest_says("\"method\":\"notifications/initialized\"");
    guest_says("\"method\":\"tools/list\"");
    bridge_says(WELCOME); /* not once more */
    assert_int_equal(dones, 0);
    bridge_says("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[]}}");
    assert_int_equal(dones, 1);
    assert_false(was_told);
}

static void
a_server_without_tools_has_said_all(void **state)
{
    (void)state;
    bridge_says("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"capabilities\":{}}"
                "}");
    assert_int_equal(dones, 1);
    assert_false(was_told);
}

static void
what_went_wrong_is_told_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        bridge_says("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                    "\"message\":\"nobody came\"}}");
    assert_int_equal(dones, 1);
    assert_true(was_told);
    assert_string_equal(told, "nobody came");
}

static void
an_error_without_a_word_is_one(void **state)
{
    (void)state;
    bridge_says("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}");
    assert_int_equal(dones, 1);
    assert_true(was_told && told[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_that_took_a_token_is_enough),
        TEST(a_server_that_greets_without_a_token_is_asked_for_its_tools),
        TEST(a_server_without_tools_has_said_all),
        TEST(what_went_wrong_is_told_once),
        TEST(an_error_without_a_word_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
