/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens from the cache and, when they are over, from a tenant that answers by
 * a script; in one process and in eight.
 */
#include "entra/acquire.h"

#include <sys/wait.h>

#include "lot.h"

#define NEXT                                                                   \
    "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"User.Read\","  \
    "\"access_token\":\"at-2\",\"refresh_token\":\"rt-2\"}"
#define OWN                                                                    \
    "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"own\"}"

enum { AT_ONCE = 50, PROCESSES = 8, HOUR_S = 3600 };

/* Somebody signed in before; `left_s` of their access token is left. */
static void
sign_in(struct lot *l, int64_t left_s, int64_t refresh_on)
{
    struct vl_cache_account account = {.home_account_id = VL_STR(HOME),
                                       .environment = l->acquirer.host,
                                       .realm = VL_STR(TID),
                                       .local_account_id = VL_STR(OID),
                                       .username = VL_STR("user@x.example")};
    struct vl_cache_token access = token_of(l, "at-1", left_s),
                          refresh = token_of(l, "rt-1", 0);
    struct vl_cache *cache = l->acquirer.cache;
    access.refresh_on = refresh_on;
    assert_ok(vl_cache_put_account(cache, &account, now_s(l) - 10, NULL));
    assert_ok(vl_cache_put_token(cache, VL_CACHE_ACCESS_TOKEN, &access,
                                 VL_CACHE_SIGNED_IN, now_s(l) - 10, NULL));
    assert_ok(vl_cache_put_token(cache, VL_CACHE_REFRESH_TOKEN, &refresh,
                                 VL_CACHE_SIGNED_IN, now_s(l) - 10, NULL));
    assert_ok(vl_cache_save(cache, l->acquirer.keep, now_s(l), NULL));
}

/* Does what is kept hold this refresh token? */
static bool
keeps(const struct lot *l, const char *secret)
{
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_token found, want = token_of(l, "", 0);
    assert_ok(vl_cache_load(cache, l->acquirer.keep, NULL));
    bool yes = vl_cache_find_refresh(cache, &want, &found) &&
               vl_str_eqz(vl_secret_reveal(&found.secret), secret);
    vl_cache_free(cache);
    return yes;
}

static struct vl_acquire_in
person(void)
{
    return (struct vl_acquire_in){.home_account_id = VL_STR(HOME),
                                  .scopes = VL_STR(SCOPE)};
}

static void
asks_nobody_while_the_token_is_good(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, HOUR_S, 0);
    assert_string_equal(after(l, &in).access, "at-1");
    assert_int_equal(l->desk->bench->document->asked, 0);
    assert_int_equal(l->desk->bench->token->asked, 0);
}

/* @spec S-31 */
static void
finds_what_another_process_has_kept(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, HOUR_S, 0);
    vl_cache_free(l->acquirer.cache);
    l->acquirer.cache = vl_cache_new(NULL);
    assert_string_equal(after(l, &in).access, "at-1");
    assert_int_equal(l->desk->bench->token->asked, 0);
}

/* @spec S-31 */
static void
renews_once_for_all_who_ask(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    static struct caller callers[AT_ONCE];
    sign_in(l, VL_ACQUIRE_SKEW_S, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    for (size_t i = 0; i < AT_ONCE; i++)
        (void)start(l, &in, &callers[i]);
    run(l->desk->bench);
    for (size_t i = 0; i < AT_ONCE; i++)
        assert_string_equal(callers[i].access, "at-2");
    assert_int_equal(l->desk->bench->token->asked, 1);
    assert_str(vl_buf_str(&l->desk->bench->token->body),
               "grant_type=refresh_token&client_info=1&refresh_token=rt-1"
               "&scope=User.Read%20openid%20profile%20offline_access"
               "&client_id=" CLIENT);
    assert_true(keeps(l, "rt-2"));
    assert_false(callers[0].unkept);
}

/* @spec S-31: an API that refuses a token refuses it to all who use it. */
static void
renews_once_for_all_whom_the_token_does_not_do(void **state)
{
    struct lot *l = *state;
    static struct caller callers[AT_ONCE];
    for (int i = 0; i < 2; i++) {
        struct vl_acquire_in in = person();
        in.renew = i == 0;
        if (!in.renew)
            in.claims = VL_STR("{\"access_token\":{}}");
        sign_in(l, HOUR_S, 0);
        refuse(l->desk->bench, 200, NEXT, NULL);
        l->desk->bench->token->asked = 0;
        for (size_t k = 0; k < AT_ONCE; k++)
            (void)start(l, &in, &callers[k]);
        run(l->desk->bench);
        for (size_t k = 0; k < AT_ONCE; k++)
            assert_string_equal(callers[k].access, "at-2");
        assert_int_equal(l->desk->bench->token->asked, 1);
    }
}

/* One process's part: everything of its own but the tenant. */
static int
acquire_alone(struct lot *l)
{
    struct bench own = {.now_ms = l->desk->bench->now_ms};
    struct caller caller = {.bench = &own};
    struct vl_acquire_in in = person();
    own.clock = (struct vl_clock){read_clock, &own.now_ms};
    own.left = 1;
    if (vl_loop_new(&own.loop, NULL) != VALET_OK)
        return 1;
    own.fetcher = vl_fetcher_new(own.loop);
    struct vl_grant_desk desk = l->desk->desk;
    desk.fetcher = own.fetcher;
    desk.clock = &own.clock;
    desk.throttle = NULL;
    desk.authority =
        vl_authority_new(own.loop, own.fetcher, &own.clock, &l->desk->instance);
    struct vl_acquirer acquirer = {.desk = &desk,
                                   .loop = own.loop,
                                   .cache = vl_cache_new(NULL),
                                   .host = l->acquirer.host,
                                   .tenant_id = VL_STR(TID)};
    if (vl_keep_open_file(l->path, &acquirer.keep, NULL) != VALET_OK)
        return 2;
    vl_acquirer_init(&acquirer);
    (void)vl_acquire_start(&acquirer, &in, on_acquired, &caller);
    vl_loop_run(own.loop);
    return strcmp(caller.access, "at-2") == 0 ? 0 : 3;
}

struct family {
    struct bench *bench;
    struct vl_timer *timer;
    pid_t children[PROCESSES];
    int left;
};

static void
look_after(void *ctx)
{
    struct family *family = ctx;
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        if (family->children[i] == 0 ||
            waitpid(family->children[i], &status, WNOHANG) == 0)
            continue;
        family->children[i] = 0;
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        family->left--;
    }
    if (family->left == 0)
        vl_loop_stop(family->bench->loop);
    else
        vl_timer_start(family->timer, 5);
}

/* @spec S-31 */
static void
renews_once_for_eight_processes(void **state)
{
    struct lot *l = *state;
    struct family family = {.bench = l->desk->bench, .left = PROCESSES};
    sign_in(l, VL_ACQUIRE_SKEW_S, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    for (int i = 0; i < PROCESSES; i++) {
        family.children[i] = fork();
        assert_true(family.children[i] >= 0);
        if (family.children[i] == 0)
            _exit(acquire_alone(l));
    }
    family.timer = vl_timer_new(l->desk->bench->loop, look_after, &family);
    vl_timer_start(family.timer, 5);
    vl_loop_run(l->desk->bench->loop);
    vl_timer_free(family.timer);
    assert_int_equal(l->desk->bench->token->asked, 1);
    assert_true(keeps(l, "rt-2"));
}

static void
says_who_is_not_signed_in(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    struct caller caller = after(l, &in);
    assert_int_equal(caller.error.next, VALET_NEXT_SIGN_IN);
    assert_string_equal(caller.error.error.code, "no_tokens");
    assert_int_equal(l->desk->bench->token->asked, 0);
}

/* @spec S-35 */
static void
forgets_a_refresh_token_that_is_over(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 400,
           "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\","
           "\"error_codes\":[700082]}",
           NULL);
    assert_int_equal(after(l, &in).error.next, VALET_NEXT_SIGN_IN);
    assert_false(keeps(l, "rt-1"));
    assert_string_equal(after(l, &in).error.error.code, "no_tokens");
    assert_int_equal(l->desk->bench->token->asked, 1);
}

static void
keeps_a_refresh_token_that_needs_the_person(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 400,
           "{\"error\":\"invalid_grant\",\"suberror\":\"basic_action\","
           "\"error_codes\":[50076],\"claims\":\"{\\\"a\\\":1}\"}",
           NULL);
    struct caller caller = after(l, &in);
    assert_int_equal(caller.error.next, VALET_NEXT_SIGN_IN);
    assert_string_equal(caller.error.claims, "{\"a\":1}");
    assert_true(keeps(l, "rt-1"));
}

/* Runs until the token endpoint was asked so often, and has answered. */
static void
run_until_asked(struct lot *l, unsigned times)
{
    while (l->desk->bench->token->asked < times ||
           !vl_list_is_empty(&l->acquirer.ahead))
        vl_loop_step(l->desk->bench->loop);
}

static void
renews_ahead_of_time_and_lets_nobody_wait(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, HOUR_S, now_s(l) - 1);
    refuse(l->desk->bench, 200, NEXT, NULL);
    /* Three callers, one renewal. */
    for (int i = 0; i < 3; i++)
        assert_string_equal(after(l, &in).access, "at-1");
    run_until_asked(l, 1);
    assert_string_equal(after(l, &in).access, "at-2");
    assert_true(keeps(l, "rt-2"));
    assert_int_equal(l->desk->bench->token->asked, 1);
}

static void
goes_on_with_the_old_token_while_it_cannot_be_renewed(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, HOUR_S, now_s(l) - 1);
    refuse(l->desk->bench, 400, "{\"error\":\"temporarily_unavailable\"}",
           NULL);
    assert_string_equal(after(l, &in).access, "at-1");
    run_until_asked(l, 1);
    /* Not again within a minute. */
    l->desk->bench->now_ms += 59 * 1000;
    assert_string_equal(after(l, &in).access, "at-1");
    assert_true(vl_list_is_empty(&l->acquirer.ahead));
    l->desk->bench->now_ms += 2 * 1000;
    refuse(l->desk->bench, 200, NEXT, NULL);
    assert_string_equal(after(l, &in).access, "at-1");
    run_until_asked(l, 1);
    assert_string_equal(after(l, &in).access, "at-2");
}

static void
forgets_the_renewal_that_nobody_waits_for_at_its_end(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, HOUR_S, now_s(l) - 1);
    refuse(l->desk->bench, 200, NEXT, NULL);
    assert_string_equal(after(l, &in).access, "at-1");
    assert_false(vl_list_is_empty(&l->acquirer.ahead));
    vl_acquirer_done(&l->acquirer);
    assert_true(vl_list_is_empty(&l->acquirer.ahead));
}

static void
answers_a_claims_challenge_with_a_new_token(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    in.claims = VL_STR("{\"access_token\":{}}");
    sign_in(l, HOUR_S, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    assert_string_equal(after(l, &in).access, "at-2");
    assert_non_null(strstr(vl_buf_cstr(&l->desk->bench->token->body),
                           "&claims=%7B%22access_token%22%3A%7B%7D%7D"));
    in = person();
    assert_string_equal(after(l, &in).access, "at-2");
    assert_int_equal(l->desk->bench->token->asked, 1);
    in.renew = true;
    assert_string_equal(after(l, &in).access, "at-2");
    assert_int_equal(l->desk->bench->token->asked, 2);
}

/* They are told with each request, and what the cache has does all the same.
 */
static void
tells_what_we_can_do_but_asks_the_cache_first(void **state)
{
    static const char *const capabilities[] = {"cp1", NULL};
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    l->desk->desk.capabilities = capabilities;
    sign_in(l, HOUR_S, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    assert_string_equal(after(l, &in).access, "at-1");
    assert_int_equal(l->desk->bench->token->asked, 0);
    in.renew = true;
    assert_string_equal(after(l, &in).access, "at-2");
    assert_non_null(strstr(vl_buf_cstr(&l->desk->bench->token->body),
                           "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A"
                           "%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D"));
}

static void
asks_nothing_with_claims_that_are_none(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    in.claims = VL_STR("\"cp1\"");
    sign_in(l, HOUR_S, 0);
    struct caller caller = after(l, &in);
    assert_int_equal(caller.error.error.status, VALET_INVALID);
    assert_int_equal(caller.error.next, VALET_NEXT_GIVE_UP);
    assert_int_equal(l->desk->bench->token->asked, 0);
}

/* A refresh that was under way does not sign in again who signed out. */
static void
does_not_undo_a_sign_out(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    struct caller caller;
    struct vl_cache *other = vl_cache_new(NULL);
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    (void)start(l, &in, &caller);
    while (l->desk->bench->document->asked == 0)
        vl_loop_step(l->desk->bench->loop);
    assert_ok(vl_cache_load(other, l->acquirer.keep, NULL));
    assert_true(vl_cache_remove_account(other, VL_STR(HOME), l->acquirer.host,
                                        now_s(l)));
    assert_ok(vl_cache_save(other, l->acquirer.keep, now_s(l), NULL));
    run(l->desk->bench);
    assert_string_equal(caller.access, "");
    assert_string_equal(caller.error.error.code, "no_tokens");
    assert_false(keeps(l, "rt-2"));
    vl_cache_free(other);
}

static void
asks_for_the_application_itself(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = {.scopes = VL_STR("api://x/.default")};
    l->desk->auth = (struct vl_client_auth){.kind = VL_AUTH_SECRET,
                                            .secret = &l->desk->bench->secret};
    refuse(l->desk->bench, 200, OWN, NULL);
    assert_string_equal(after(l, &in).access, "own");
    assert_str(vl_buf_str(&l->desk->bench->token->body),
               "grant_type=client_credentials"
               "&scope=api%3A%2F%2Fx%2F.default&client_id=" CLIENT
               "&client_secret=the~secret%2Fof%3Dus");
    assert_string_equal(after(l, &in).access, "own");
    assert_int_equal(l->desk->bench->token->asked, 1);
}

static void
can_be_given_up_at_any_moment(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    struct caller first, second, third, fourth;
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    struct vl_acquire *a = start(l, &in, &first), *b = start(l, &in, &second),
                      *c = start(l, &in, &third), *none = NULL;
    (void)start(l, &in, &fourth);
    vl_acquire_abort(&none);
    vl_acquire_abort(&a); /* before the loop ran */
    while (l->desk->bench->document->asked == 0)
        vl_loop_step(l->desk->bench->loop);
    vl_acquire_abort(&c); /* while it waits */
    vl_acquire_abort(&b); /* while it renews */
    assert_null(c);
    l->desk->bench->left = 1;
    run(l->desk->bench);
    assert_int_equal(first.calls + second.calls + third.calls, 0);
    assert_string_equal(fourth.access, "at-2");
}

/* Fifty who wait for the same thing do not fail one after the other. */
static void
fails_once_for_all_who_ask(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person(), other = person();
    static struct caller callers[AT_ONCE];
    struct caller another;
    struct vl_acquire *last = NULL;
    other.scopes = VL_STR("Mail.Read");
    sign_in(l, 0, 0);
    struct vl_throttle *throttle = l->desk->desk.throttle;
    l->desk->desk.throttle = NULL; /* it would hold them all */
    refuse(l->desk->bench, 400,
           "{\"error\":\"invalid_grant\",\"error_codes\":[50076]}", NULL);
    for (size_t i = 0; i < AT_ONCE; i++)
        last = start(l, &in, &callers[i]);
    callers[0].abort = &last; /* one that is about to be told */
    (void)start(l, &other, &another);
    run(l->desk->bench);
    for (size_t i = 0; i + 1 < AT_ONCE; i++)
        assert_int_equal(callers[i].error.aadsts, 50076);
    assert_int_equal(callers[AT_ONCE - 1].calls, 0);
    assert_int_equal(another.error.aadsts, 50076);
    assert_int_equal(l->desk->bench->token->asked, 2);
    l->desk->desk.throttle = throttle;
}

static void
gives_a_good_token_whatever_renewing_it_says(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, HOUR_S, now_s(l) - 1);
    refuse(l->desk->bench, 400,
           "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\","
           "\"error_codes\":[700082]}",
           NULL);
    assert_string_equal(after(l, &in).access, "at-1");
    run_until_asked(l, 1);
    assert_false(keeps(l, "rt-1"));
    /* Without a refresh token nothing is asked. */
    assert_string_equal(after(l, &in).access, "at-1");
    assert_int_equal(l->desk->bench->token->asked, 1);
    in.renew = true;
    assert_string_equal(after(l, &in).error.error.code, "no_tokens");
}

static void
gives_a_token_that_cannot_be_kept_and_says_so(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    char key[128];
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    struct caller caller;
    (void)start(l, &in, &caller);
    while (l->desk->bench->document->asked == 0)
        vl_loop_step(l->desk->bench->loop);
    (void)snprintf(key, sizeof key, "%s.key", l->path);
    assert_int_equal(unlink(key), 0);
    run(l->desk->bench);
    assert_string_equal(caller.access, "at-2");
    assert_true(caller.unkept);
}

/* @spec S-31: two clients of one program share a keep, and a loop. */
static void
waits_for_the_turn_of_another_on_its_loop(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    struct vl_acquirer second = l->acquirer;
    struct caller first_told, second_told = {.bench = l->desk->bench};
    second.cache = vl_cache_new(NULL);
    assert_ok(vl_keep_open_file(l->path, &second.keep, NULL));
    vl_acquirer_init(&second);
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 200, NEXT, NULL);
    (void)start(l, &in, &first_told);
    l->desk->bench->left++;
    (void)vl_acquire_start(&second, &in, on_acquired, &second_told);
    run(l->desk->bench);
    assert_string_equal(first_told.access, "at-2");
    assert_string_equal(second_told.access, "at-2");
    assert_int_equal(l->desk->bench->token->asked, 1);
    vl_cache_free(second.cache);
    vl_keep_close(second.keep);
}

static void
takes_no_answer_for_another_account(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = person();
    sign_in(l, 0, 0);
    refuse(l->desk->bench, 200,
           "{\"token_type\":\"Bearer\",\"expires_in\":3600,"
           "\"access_token\":\"at-2\",\"refresh_token\":\"rt-2\","
           /* {"uid":"a","utid":"b"} */
           "\"client_info\":\"eyJ1aWQiOiJhIiwidXRpZCI6ImIifQ\"}",
           NULL);
    struct caller caller = after(l, &in);
    assert_int_equal(caller.error.next, VALET_NEXT_GIVE_UP);
    assert_string_equal(caller.error.error.code, "invalid_client_info");
    assert_true(keeps(l, "rt-1"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_LOT(asks_nobody_while_the_token_is_good),
        AT_LOT(finds_what_another_process_has_kept),
        AT_LOT(renews_once_for_all_who_ask),
        AT_LOT(renews_once_for_all_whom_the_token_does_not_do),
        AT_LOT(renews_once_for_eight_processes),
        AT_LOT(says_who_is_not_signed_in),
        AT_LOT(forgets_a_refresh_token_that_is_over),
        AT_LOT(keeps_a_refresh_token_that_needs_the_person),
        AT_LOT(renews_ahead_of_time_and_lets_nobody_wait),
        AT_LOT(goes_on_with_the_old_token_while_it_cannot_be_renewed),
        AT_LOT(forgets_the_renewal_that_nobody_waits_for_at_its_end),
        AT_LOT(answers_a_claims_challenge_with_a_new_token),
        AT_LOT(tells_what_we_can_do_but_asks_the_cache_first),
        AT_LOT(asks_nothing_with_claims_that_are_none),
        AT_LOT(does_not_undo_a_sign_out),
        AT_LOT(asks_for_the_application_itself),
        AT_LOT(fails_once_for_all_who_ask),
        AT_LOT(gives_a_good_token_whatever_renewing_it_says),
        AT_LOT(gives_a_token_that_cannot_be_kept_and_says_so),
        AT_LOT(waits_for_the_turn_of_another_on_its_loop),
        AT_LOT(takes_no_answer_for_another_account),
        AT_LOT(can_be_given_up_at_any_moment),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
