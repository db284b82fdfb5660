/* SPDX-License-Identifier: Apache-2.0 */
#include "graph_bench.h"

/* @spec S-43 S-78 */
/* @spec W-42 */
static void
asks_for_the_selected_properties(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    ask(c);
    assert_int_equal(c->status, VALET_OK);
    assert_string_equal(c->json, USER);
    assert_string_equal(c->request_id, "request-of-the-peer");
    assert_int_equal(c->throttled, 0);
    assert_false(c->token_refused);
    assert_str(vl_buf_str(&b->me->query),
               "%24select=displayName%2Cmail%2CuserPrincipalName");
    assert_str(vl_buf_str(&b->me->bearer), "Bearer the-upstream-token");
    assert_str(vl_buf_str(&b->me->correlation), "our-correlation");
    assert_str(b->me->method, "GET");
}

static void
asks_for_everything_by_default(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    peer_say(b->me, (struct peer_answer){.status = 200, .body = "{}"});
    c->request.select = NULL;
    c->request.correlation = NULL;
    ask(c);
    assert_int_equal(c->status, VALET_OK);
    assert_int_equal(vl_buf_size(&b->me->query), 0);
    assert_int_equal(vl_buf_size(&b->me->correlation), 0);
}

static void
tells_a_refused_token_from_a_refused_right(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    static const char body[] =
        "{\"error\":{\"code\":\"InvalidAuthenticationToken\","
        "\"message\":\"about the tenant\"}}";
    peer_say(b->me, (struct peer_answer){.status = 401, .body = body});
    peer_say(b->me,
             (struct peer_answer){
                 .status = 403,
                 .body = "{\"error\":{\"code\":\"Authorization_Denied\"}}"});
    ask(c);
    assert_int_equal(c->status, VALET_DENIED);
    assert_true(c->token_refused);
    assert_string_equal(c->err.code, "InvalidAuthenticationToken");
    assert_null(strstr(c->err.message, "about the tenant"));
    ask(c);
    assert_int_equal(c->status, VALET_DENIED);
    assert_false(c->token_refused);
    assert_string_equal(c->err.code, "Authorization_Denied");
    assert_int_equal(b->me->asked, 2); /* neither was repeated */
}

/* @spec S-100 */
static void
waits_as_it_is_told(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    static const char *const waits[] = {"0", "Sun, 06 Nov 1994 08:49:37 GMT"};
    for (size_t i = 0; i < VL_COUNT(waits); i++) {
        peer_reset(b->me);
        peer_say(b->me, (struct peer_answer){.status = 429,
                                             .body = "{}",
                                             .retry_after = waits[i]});
        peer_say(b->me, (struct peer_answer){.status = 503,
                                             .body = "",
                                             .retry_after = waits[i]});
        peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
        ask(c);
        assert_int_equal(c->status, VALET_OK);
        assert_int_equal(c->throttled, 2);
        assert_int_equal(b->me->asked, 3);
    }
}

static void
gives_up_when_it_would_wait_too_long(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    peer_say(b->me, (struct peer_answer){
                        .status = 429, .body = "{}", .retry_after = "3600"});
    ask(c);
    assert_int_equal(c->status, VALET_RETRY);
    assert_int_equal(c->throttled, 1);
    assert_int_equal(b->me->asked, 1);
    peer_reset(b->me);
    peer_say(b->me, (struct peer_answer){
                        .status = 503, .body = "<html>", .retry_after = "0"});
    ask(c);
    assert_int_equal(c->status, VALET_RETRY);
    assert_int_equal(b->me->asked, 4);
    assert_int_equal(c->throttled, 4);
}

/* @spec S-45 */
static void
needs_a_user_object(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    static const struct peer_answer answers[] = {
        {.status = 200, .body = "<html>sign in</html>", .type = "text/html"},
        {.status = 200, .body = ""},
        {.status = 200, .body = "[]"},
        {.status = 200, .body = "null"},
        {.status = 200, .body = "{\"a\":1,\"a\":2}"},
        {.status = 200, .body = "{\"displayName\":"},
        {.status = 204, .body = NULL},
        {.status = 404, .body = "{\"error\":{\"code\":\"NotFound\"}}"},
        {.status = 400, .body = "{\"error\":\"text\"}"},
        {.status = 418, .body = "\xff"},
    };
    for (size_t i = 0; i < VL_COUNT(answers); i++) {
        peer_reset(b->me);
        peer_say(b->me, answers[i]);
        ask(c);
        assert_int_equal(c->status, VALET_INTERNAL);
        assert_int_equal(c->err.status, VALET_INTERNAL);
        assert_true(c->err.message[0] != '\0');
        assert_null(strstr(c->err.message, "html"));
    }
}

static void
keeps_its_error_to_one_line(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    peer_say(b->me,
             (struct peer_answer){
                 .status = 403,
                 .body = "{\"error\":{\"code\":\"a\\r\\nb "
                         "01234567890123456789012345678901234567890\"}}"});
    ask(c);
    assert_int_equal(c->status, VALET_DENIED);
    assert_null(strpbrk(c->err.message, "\r\n"));
    assert_null(strpbrk(c->err.code, "\r\n"));
}

static void
refuses_too_much(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    vl_auto(vl_buf) body = vl_buf_of((size_t)2 * VL_LIMIT_FETCH_BODY);
    while (vl_buf_size(&body) <= VL_LIMIT_FETCH_BODY)
        vl_buf_addz(&body, "                                ");
    peer_say(b->me,
             (struct peer_answer){.status = 200, .body = vl_buf_cstr(&body)});
    ask(c);
    assert_int_equal(c->status, VALET_INTERNAL);
    assert_string_equal(c->json, "");
}

/* @spec S-42: no bearer leaves for where a redirect points. */
static void
follows_no_redirect(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    static const int statuses[] = {301, 302, 303, 307, 308};
    struct peer evil;
    char location[96];
    peer_open(&evil, b->loop);
    struct peer_route *trap = peer_add(&evil, "/v1.0/me");
    peer_say(trap, (struct peer_answer){.status = 200, .body = USER});
    (void)snprintf(location, sizeof location, "%s/v1.0/me", evil.origin);
    for (size_t i = 0; i < VL_COUNT(statuses); i++) {
        peer_reset(b->me);
        peer_say(b->me, (struct peer_answer){.status = statuses[i],
                                             .body = USER,
                                             .location = location});
        ask(c);
        assert_int_equal(c->status, VALET_INTERNAL);
        assert_int_equal(trap->asked + evil.strays, 0);
        assert_int_equal(vl_buf_size(&trap->bearer), 0);
    }
    peer_close(&evil);
}

/* What we refuse to send is our fault, not a passing one. */
static void
sends_nothing_in_the_clear(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    b->config.url = "http://graph.example";
    make_client(b, 0);
    ask(c);
    assert_int_equal(c->status, VALET_INTERNAL);
    struct vl_upstream_token none = {.secret = {NULL, 0}};
    b->config.url = b->peer.origin;
    make_client(b, 0);
    c->request.token = &none;
    ask(c);
    assert_int_equal(c->status, VALET_INTERNAL);
    assert_int_equal(b->me->asked + b->peer.strays, 0);
}

/* @spec S-47 */
static void
is_silent_after_abort(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    peer_say(b->me, (struct peer_answer){.status = 0});
    begin(c);
    wait_for_requests(b, 1);
    vl_graph_me_abort(&c->op);
    assert_null(c->op);
    vl_graph_me_abort(&c->op);
    assert_int_equal(c->calls, 0);
    /* And before anything was sent. */
    begin(c);
    vl_graph_me_abort(&c->op);
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    ask(c);
    assert_int_equal(c->status, VALET_OK);
}

static void
may_be_aborted_by_its_callback(void **state)
{
    struct bench *b = *state;
    struct caller *c = &b->callers[0];
    c->abort_self = true;
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    ask(c);
    assert_int_equal(c->status, VALET_OK);
}

int
main(void)
{
#define AT_BENCH(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        AT_BENCH(asks_for_the_selected_properties),
        AT_BENCH(asks_for_everything_by_default),
        AT_BENCH(tells_a_refused_token_from_a_refused_right),
        AT_BENCH(waits_as_it_is_told),
        AT_BENCH(gives_up_when_it_would_wait_too_long),
        AT_BENCH(needs_a_user_object),
        AT_BENCH(keeps_its_error_to_one_line),
        AT_BENCH(refuses_too_much),
        AT_BENCH(follows_no_redirect),
        AT_BENCH(sends_nothing_in_the_clear),
        AT_BENCH(is_silent_after_abort),
        AT_BENCH(may_be_aborted_by_its_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
