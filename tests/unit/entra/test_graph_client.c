/* SPDX-License-Identifier: Apache-2.0
 *
 * Who shares an answer of Graph, and who must not.
 */
#include "graph_bench.h"

enum { TTL_MS = 60000 };

static struct bench *
remembering(void **state)
{
    struct bench *b = *state;
    make_client(b, TTL_MS);
    return b;
}

/* --- memory --- */

/* @spec S-100 */
static void
asks_once_for_a_user_and_gives_them_the_same_again(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0];
    say(b, 200, USER);
    ask(c);
    assert_false(c->remembered);
    ask(c);
    assert_int_equal(b->me->asked, 1);
    assert_int_equal(c->status, VALET_OK);
    assert_true(c->remembered);
    assert_string_equal(c->json, USER);
    assert_string_equal(c->request_id, "request-of-the-peer");
    assert_int_equal(c->throttled, 0);
    b->now_ms += TTL_MS;
    say(b, 200, OTHER);
    ask(c);
    assert_string_equal(c->json, OTHER);
    assert_false(c->remembered);
}

/* @spec S-100 */
static void
never_gives_one_user_what_another_got(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0], *other = &b->callers[1];
    say(b, 200, USER);
    ask(c);
    say(b, 200, OTHER);
    other->request.user = VL_STR("tenant.another");
    ask(other);
    assert_string_equal(other->json, OTHER);
    assert_false(other->remembered);
    ask(c);
    assert_string_equal(c->json, USER);
    ask(other);
    assert_string_equal(other->json, OTHER);
    /* At one time, either: even with one token, a user is another. */
    make_client(b, TTL_MS);
    say(b, 200, USER);
    begin(c);
    begin(other);
    run(b, 2);
    assert_int_equal(b->me->asked, 2);
}

static void
asks_for_each_selection(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0];
    say(b, 200, USER);
    ask(c);
    c->request.select = "id";
    ask(c);
    assert_int_equal(b->me->asked, 2);
    assert_str(vl_buf_str(&b->me->query), "%24select=id");
    c->request.select = NULL;
    ask(c);
    c->request.select = ""; /* the same as none */
    ask(c);
    assert_int_equal(b->me->asked, 3);
}

static void
asks_anew_if_told_so(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0];
    say(b, 200, USER);
    ask(c);
    say(b, 200, OTHER);
    c->request.anew = true;
    ask(c);
    assert_string_equal(c->json, OTHER);
    c->request.anew = false;
    ask(c);
    assert_string_equal(c->json, OTHER);
    assert_true(c->remembered);
}

static void
refuses_whom_nobody_knows(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0];
    say(b, 200, USER);
    c->request.user = VL_STR("");
    ask(c);
    assert_int_equal(c->status, VALET_INTERNAL);
    assert_int_equal(b->me->asked, 0);
}

static void
forgets_who_signs_out(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0], *other = &b->callers[1];
    other->request.user = VL_STR("tenant.another");
    say(b, 200, USER);
    ask(c);
    ask(other);
    vl_graph_forget(b->graph, c->request.user);
    ask(c);
    assert_int_equal(b->me->asked, 3);
    ask(other);
    assert_true(other->remembered);
    assert_int_equal(b->me->asked, 3);
}

/* Whoever comes after a sign-out gets nothing from before it. */
static void
forgets_what_is_still_to_come(void **state)
{
    struct bench *b = remembering(state);
    struct caller *before = &b->callers[0], *after = &b->callers[1];
    say(b, 200, USER);
    begin(before);
    wait_for_requests(b, 1);
    vl_graph_forget(b->graph, before->request.user);
    begin(after);
    run(b, 2);
    assert_int_equal(b->me->asked, 2);
    assert_int_equal(before->status, VALET_OK);
    assert_int_equal(after->status, VALET_OK);
    ask(before);
    assert_true(before->remembered); /* what `after` got */
    assert_int_equal(b->me->asked, 2);
    /* And if nobody came meanwhile. */
    vl_graph_forget(b->graph, before->request.user);
    begin(before);
    wait_for_requests(b, 3);
    vl_graph_forget(b->graph, before->request.user);
    run(b, 1);
    ask(before);
    assert_false(before->remembered);
}

static void
forgets_with_a_refused_token(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0];
    say(b, 200, USER);
    ask(c);
    say(b, 401, "{\"error\":{\"code\":\"TokenExpired\"}}");
    c->request.anew = true;
    ask(c);
    assert_true(c->token_refused);
    say(b, 200, OTHER);
    c->request.anew = false;
    ask(c);
    assert_string_equal(c->json, OTHER);
}

/* @spec S-100 W-24 */
static void
does_not_let_a_refused_loop_hammer(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0];
    say(b, 403, "{\"error\":{\"code\":\"Authorization_Denied\"}}");
    for (int i = 0; i < 20; i++) {
        ask(c);
        assert_int_equal(c->status, VALET_DENIED);
        assert_string_equal(c->err.code, "Authorization_Denied");
        assert_int_equal(c->remembered, i > 0);
    }
    assert_int_equal(b->me->asked, 1);
    bring_token(c, "with-more-rights");
    say(b, 200, USER);
    ask(c);
    assert_int_equal(c->status, VALET_OK);
}

/* @spec S-100 */
static void
leaves_a_throttled_user_alone_as_long_as_it_was_told(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0], *other = &b->callers[1];
    other->request.user = VL_STR("tenant.another");
    peer_say(b->me, (struct peer_answer){
                        .status = 429, .body = "{}", .retry_after = "45"});
    ask(c);
    assert_int_equal(c->retry_after_ms, 45000);
    b->now_ms += 5000;
    ask(c);
    assert_int_equal(c->status, VALET_RETRY);
    assert_true(c->remembered);
    assert_int_equal(c->retry_after_ms, 40000);
    assert_int_equal(b->me->asked, 1);
    say(b, 200, USER);
    ask(other);
    assert_int_equal(other->status, VALET_OK);
    b->now_ms += 40000;
    ask(c);
    assert_int_equal(c->status, VALET_OK);
}

static void
wipes_what_nobody_asks_for_any_more(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    make_client(b, 20);
    say(b, 200, USER);
    ask(c);
    b->now_ms += 20;
    /* Nobody asks; its own timer has come when a later one has. */
    struct vl_timer *later =
        vl_timer_new(b->loop, (void (*)(void *))vl_loop_stop, b->loop);
    vl_timer_start(later, 200);
    vl_loop_run(b->loop);
    vl_timer_free(later);
    b->now_ms -= 20; /* it would be good again, were it still there */
    ask(c);
    assert_false(c->remembered);
}

/* --- one flight for many --- */

/* @spec S-100 */
static void
asks_once_for_all_who_ask_at_a_time(void **state)
{
    struct bench *b = *state; /* even if nothing is remembered */
    say(b, 200, USER);
    for (size_t i = 0; i < CALLERS; i++)
        begin(&b->callers[i]);
    run(b, CALLERS);
    assert_int_equal(b->me->asked, 1);
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(b->callers[i].calls, 1);
        assert_string_equal(b->callers[i].json, USER);
        assert_false(b->callers[i].remembered);
    }
    ask(&b->callers[0]);
    assert_int_equal(b->me->asked, 2);
}

static void
joins_what_is_under_way(void **state)
{
    struct bench *b = *state;
    say(b, 200, USER);
    begin(&b->callers[0]);
    wait_for_requests(b, 1);
    begin(&b->callers[1]);
    run(b, 2);
    assert_int_equal(b->me->asked, 1);
}

/* A token that was revoked is no reason to refuse a good one. */
static void
hears_everybody_with_a_token_of_their_own(void **state)
{
    struct bench *b = remembering(state);
    struct caller *bad = &b->callers[0], *good = &b->callers[1],
                  *same = &b->callers[2];
    peer_say(b->me, (struct peer_answer){.status = 401, .body = "{}"});
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    bring_token(good, "another-token");
    begin(bad);
    begin(good);
    begin(same);
    run(b, 3);
    assert_int_equal(b->me->asked, 2);
    assert_true(bad->token_refused);
    assert_true(same->token_refused);
    assert_int_equal(good->status, VALET_OK);
    assert_str(vl_buf_str(&b->me->bearer), "Bearer another-token");
}

static void
goes_on_for_those_who_stay(void **state)
{
    struct bench *b = *state;
    say(b, 200, USER);
    for (size_t i = 0; i < 3; i++)
        begin(&b->callers[i]);
    wait_for_requests(b, 1);
    vl_graph_me_abort(&b->callers[0].op);
    vl_graph_me_abort(&b->callers[2].op);
    run(b, 1);
    assert_int_equal(b->callers[0].calls, 0);
    assert_int_equal(b->callers[1].status, VALET_OK);
    assert_int_equal(b->me->asked, 1);
}

static void
ends_with_the_last_who_leaves(void **state)
{
    struct bench *b = *state;
    peer_say(b->me, (struct peer_answer){.status = 0}); /* never answers */
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    begin(&b->callers[0]);
    begin(&b->callers[1]);
    wait_for_requests(b, 1);
    vl_graph_me_abort(&b->callers[0].op);
    vl_graph_me_abort(&b->callers[1].op);
    /* Who comes now does not wait for what was given up. */
    ask(&b->callers[2]);
    assert_int_equal(b->callers[2].status, VALET_OK);
    assert_int_equal(b->me->asked, 2);
}

/* --- callbacks that do what they like --- */

static void
lets_a_callback_abort_others(void **state)
{
    struct bench *b = *state;
    struct caller *first = &b->callers[0], *second = &b->callers[1],
                  *third = &b->callers[2];
    say(b, 200, USER);
    first->abort_self = true;
    first->abort_other = second;
    begin(first);
    begin(second);
    begin(third);
    run(b, 2);
    assert_int_equal(second->calls, 0);
    assert_int_equal(third->calls, 1);
    /* Likewise among those who are answered at once. */
    make_client(b, TTL_MS);
    ask(third);
    begin(first);
    begin(second);
    begin(third);
    run(b, 2);
    assert_int_equal(second->calls, 0);
    assert_true(third->remembered);
}

static void
lets_a_callback_ask_again(void **state)
{
    struct bench *b = remembering(state);
    struct caller *first = &b->callers[0], *second = &b->callers[1];
    say(b, 200, USER);
    first->begin_other = second;
    begin(first);
    run(b, 2);
    assert_false(first->remembered);
    assert_true(second->remembered);
    begin(first);
    run(b, 2);
    assert_true(first->remembered);
    assert_int_equal(b->me->asked, 1);
}

static void
lets_a_callback_free_the_client(void **state)
{
    struct bench *b = remembering(state);
    say(b, 200, USER);
    /* In a flight, with others in it and one of another user. */
    b->callers[0].free_client = true;
    b->callers[2].request.user = VL_STR("tenant.another");
    for (size_t i = 0; i < 3; i++)
        begin(&b->callers[i]);
    run(b, 1);
    assert_int_equal(b->callers[1].calls, 0);
    assert_null(b->graph);
    /* And in a turn. */
    make_client(b, TTL_MS);
    b->callers[0].free_client = false;
    ask(&b->callers[0]);
    b->callers[0].free_client = true;
    for (size_t i = 0; i < 3; i++)
        begin(&b->callers[i]);
    run(b, 1);
    assert_true(b->callers[0].remembered);
    assert_int_equal(b->callers[1].calls, 0);
}

static void
is_silent_once_it_is_freed(void **state)
{
    struct bench *b = remembering(state);
    say(b, 200, USER);
    begin(&b->callers[0]);
    vl_graph_free(b->graph);
    b->graph = NULL;
    make_client(b, TTL_MS);
    begin(&b->callers[1]);
    wait_for_requests(b, 1);
    vl_graph_free(b->graph);
    b->graph = NULL;
    b->callers[0].op = b->callers[1].op = NULL;
    make_client(b, TTL_MS);
    ask(&b->callers[2]);
    assert_int_equal(b->callers[0].calls + b->callers[1].calls, 0);
}

/* --- the breaker --- */

/* 500 is not tried again: one request each. */
static void
break_it(struct bench *b)
{
    say(b, 500, "{}");
    for (unsigned i = 0; i < VL_GRAPH_FAILURES; i++) {
        ask(&b->callers[0]);
        assert_int_equal(b->callers[0].status, VALET_RETRY);
        assert_string_not_equal(b->callers[0].err.code, "circuit_open");
    }
    assert_int_equal(b->me->asked, VL_GRAPH_FAILURES);
}

/* @spec S-100 */
static void
leaves_a_failing_host_alone(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0], *other = &b->callers[1];
    other->request.user = VL_STR("tenant.another");
    break_it(b);
    say(b, 200, USER);
    ask(c);
    assert_int_equal(c->status, VALET_RETRY);
    assert_string_equal(c->err.code, "circuit_open");
    assert_int_equal(c->retry_after_ms, VL_GRAPH_PAUSE_MS);
    assert_false(c->remembered);
    ask(other); /* it is the host's, not a user's */
    assert_string_equal(other->err.code, "circuit_open");
    assert_int_equal(b->me->asked, 0);
    b->now_ms += VL_GRAPH_PAUSE_MS;
    ask(c);
    assert_int_equal(c->status, VALET_OK);
    ask(other);
    assert_int_equal(other->status, VALET_OK);
}

static void
gives_what_is_remembered_meanwhile(void **state)
{
    struct bench *b = remembering(state);
    struct caller *c = &b->callers[0], *known = &b->callers[1];
    known->request.user = VL_STR("tenant.known");
    say(b, 200, USER);
    ask(known);
    break_it(b);
    ask(c);
    assert_string_equal(c->err.code, "circuit_open");
    ask(known);
    assert_true(known->remembered);
    assert_string_equal(known->json, USER);
}

static void
tries_with_one_request_at_a_time(void **state)
{
    struct bench *b = *state;
    struct caller *trial = &b->callers[0], *other = &b->callers[1];
    other->request.user = VL_STR("tenant.another");
    break_it(b);
    b->now_ms += VL_GRAPH_PAUSE_MS;
    peer_reset(b->me);
    peer_say(b->me, (struct peer_answer){.status = 0});
    peer_say(b->me, (struct peer_answer){
                        .status = 503, .body = "", .retry_after = "0"});
    begin(trial);
    wait_for_requests(b, 1);
    ask(other);
    assert_string_equal(other->err.code, "circuit_open");
    assert_true(other->retry_after_ms > 0);
    /* Given up by who made it: the next one tries, and once. */
    vl_graph_me_abort(&trial->op);
    ask(other);
    assert_int_equal(other->status, VALET_RETRY);
    assert_string_not_equal(other->err.code, "circuit_open");
    assert_int_equal(b->me->asked, 2);
    /* It has failed: for longer. */
    ask(other);
    assert_int_equal(other->retry_after_ms, 2 * VL_GRAPH_PAUSE_MS);
}

static void
leaves_a_host_alone_that_is_not_there(void **state)
{
    struct bench *b = *state;
    static const char *const users[] = {"a", "b", "c", "d", "e"};
    struct peer gone;
    char origin[sizeof gone.origin];
    peer_open(&gone, b->loop);
    memcpy(origin, gone.origin, sizeof origin);
    peer_close(&gone);
    b->config.url = origin;
    make_client(b, 0);
    /* All at a time: each tries for seconds. */
    for (size_t i = 0; i < VL_GRAPH_FAILURES; i++) {
        b->callers[i].request.user = vl_str_z(users[i]);
        begin(&b->callers[i]);
    }
    run(b, VL_GRAPH_FAILURES);
    for (size_t i = 0; i < VL_GRAPH_FAILURES; i++) {
        assert_int_equal(b->callers[i].status, VALET_RETRY);
        assert_string_equal(b->callers[i].err.code, "");
    }
    ask(&b->callers[0]);
    assert_string_equal(b->callers[0].err.code, "circuit_open");
}

/* --- claims --- */

/* {"access_token":{"acrs":{"essential":true,"value":"c1"}}} */
#define CLAIMS                                                                 \
    "{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}"
#define CLAIMS_BASE64                                                          \
    "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEi" \
    "fX19"

static void
tells_what_a_policy_wants(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    peer_say(b->me,
             (struct peer_answer){
                 .status = 401,
                 .body = "{}",
                 .challenge = "Bearer realm=\"\", error=\"insufficient_claims\""
                              ", claims=\"" CLAIMS_BASE64 "\""});
    peer_say(b->me, (struct peer_answer){.status = 401,
                                         .body = "{}",
                                         .challenge = "Bearer claims=\"!\""});
    peer_say(b->me, (struct peer_answer){.status = 401, .body = "{}"});
    ask(c);
    assert_string_equal(c->claims, CLAIMS);
    ask(c);
    assert_string_equal(c->claims, "");
    ask(c);
    assert_string_equal(c->claims, "");
}

int
main(void)
{
#define AT_BENCH(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        AT_BENCH(asks_once_for_a_user_and_gives_them_the_same_again),
        AT_BENCH(never_gives_one_user_what_another_got),
        AT_BENCH(asks_for_each_selection),
        AT_BENCH(asks_anew_if_told_so),
        AT_BENCH(refuses_whom_nobody_knows),
        AT_BENCH(forgets_who_signs_out),
        AT_BENCH(forgets_what_is_still_to_come),
        AT_BENCH(forgets_with_a_refused_token),
        AT_BENCH(does_not_let_a_refused_loop_hammer),
        AT_BENCH(leaves_a_throttled_user_alone_as_long_as_it_was_told),
        AT_BENCH(wipes_what_nobody_asks_for_any_more),
        AT_BENCH(asks_once_for_all_who_ask_at_a_time),
        AT_BENCH(joins_what_is_under_way),
        AT_BENCH(hears_everybody_with_a_token_of_their_own),
        AT_BENCH(goes_on_for_those_who_stay),
        AT_BENCH(ends_with_the_last_who_leaves),
        AT_BENCH(lets_a_callback_abort_others),
        AT_BENCH(lets_a_callback_ask_again),
        AT_BENCH(lets_a_callback_free_the_client),
        AT_BENCH(is_silent_once_it_is_freed),
        AT_BENCH(leaves_a_failing_host_alone),
        AT_BENCH(gives_what_is_remembered_meanwhile),
        AT_BENCH(tries_with_one_request_at_a_time),
        AT_BENCH(leaves_a_host_alone_that_is_not_there),
        AT_BENCH(tells_what_a_policy_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
