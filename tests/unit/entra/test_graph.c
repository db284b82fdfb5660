/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph.h"

#include "peer.h"

enum { PATIENCE_MS = 30000 };

struct bench {
    struct vl_loop *loop;
    struct vl_timer *patience;
    struct vl_fetcher *fetcher;
    struct peer peer;
    struct peer_route *me;
    struct vl_upstream_token token;
    struct vl_graph_request request;
    struct vl_graph_me *op;
    bool abort_in_callback;
    /* What came. */
    int calls;
    valet_status status;
    valet_error err;
    char json[256], request_id[64];
    unsigned throttled;
    bool token_refused;
};

static void
out_of_patience(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happens any more");
}

static int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->patience = vl_timer_new(b->loop, out_of_patience, NULL);
    vl_timer_start(b->patience, PATIENCE_MS);
    b->fetcher = vl_fetcher_new(b->loop);
    peer_open(&b->peer, b->loop);
    b->me = peer_add(&b->peer, "/v1.0/me");
    b->token.secret = vl_secret_of(VL_STR("the-upstream-token"));
    b->request = (struct vl_graph_request){
        .fetcher = b->fetcher,
        .graph_url = b->peer.origin,
        .select = "displayName,mail,userPrincipalName",
        .token = &b->token,
        .correlation = "our-correlation",
    };
    *state = b;
    return 0;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;
    vl_graph_me_abort(&b->op);
    vl_fetcher_free(b->fetcher);
    peer_close(&b->peer);
    vl_secret_done(&b->token.secret);
    vl_timer_free(b->patience);
    vl_loop_free(b->loop);
    free(b);
    return 0;
}

static void
done(valet_status status, const struct vl_graph_answer *answer,
     const valet_error *err, void *ctx)
{
    struct bench *b = ctx;
    b->calls++;
    b->status = status;
    b->err = err ? *err : (valet_error){.status = VALET_OK};
    assert_true((status == VALET_OK) == (err == NULL));
    assert_non_null(answer);
    (void)snprintf(b->json, sizeof b->json, VL_STR_FMT,
                   VL_STR_ARG(answer->json));
    memcpy(b->request_id, answer->request_id, sizeof b->request_id);
    b->throttled = answer->throttled;
    b->token_refused = answer->token_refused;
    if (b->abort_in_callback)
        vl_graph_me_abort(&b->op);
    b->op = NULL;
    vl_loop_stop(b->loop);
}

static void
ask(struct bench *b)
{
    b->calls = 0;
    b->op = vl_graph_me_start(&b->request, done, b);
    assert_int_equal(b->calls, 0);
    vl_loop_run(b->loop);
    assert_int_equal(b->calls, 1);
}

#define USER "{\"displayName\":\"\xe0\xa6\xa8\",\"mail\":null}"

/* @spec S-43 S-78 */
/* @spec W-42 */
static void
asks_for_the_selected_properties(void **state)
{
    struct bench *b = *state;
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    ask(b);
    assert_int_equal(b->status, VALET_OK);
    assert_string_equal(b->json, USER);
    assert_string_equal(b->request_id, "request-of-the-peer");
    assert_int_equal(b->throttled, 0);
    assert_false(b->token_refused);
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
    peer_say(b->me, (struct peer_answer){.status = 200, .body = "{}"});
    b->request.select = NULL;
    b->request.correlation = NULL;
    ask(b);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(vl_buf_size(&b->me->query), 0);
    assert_int_equal(vl_buf_size(&b->me->correlation), 0);
}

static void
tells_a_refused_token_from_a_refused_right(void **state)
{
    struct bench *b = *state;
    static const char body[] =
        "{\"error\":{\"code\":\"InvalidAuthenticationToken\","
        "\"message\":\"about the tenant\"}}";
    peer_say(b->me, (struct peer_answer){.status = 401, .body = body});
    peer_say(b->me,
             (struct peer_answer){
                 .status = 403,
                 .body = "{\"error\":{\"code\":\"Authorization_Denied\"}}"});
    ask(b);
    assert_int_equal(b->status, VALET_DENIED);
    assert_true(b->token_refused);
    assert_string_equal(b->err.code, "InvalidAuthenticationToken");
    assert_null(strstr(b->err.message, "about the tenant"));
    ask(b);
    assert_int_equal(b->status, VALET_DENIED);
    assert_false(b->token_refused);
    assert_string_equal(b->err.code, "Authorization_Denied");
    assert_int_equal(b->me->asked, 2); /* neither was repeated */
}

/* @spec S-100 */
static void
waits_as_it_is_told(void **state)
{
    struct bench *b = *state;
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
        ask(b);
        assert_int_equal(b->status, VALET_OK);
        assert_int_equal(b->throttled, 2);
        assert_int_equal(b->me->asked, 3);
    }
}

static void
gives_up_when_it_would_wait_too_long(void **state)
{
    struct bench *b = *state;
    peer_say(b->me, (struct peer_answer){
                        .status = 429, .body = "{}", .retry_after = "3600"});
    ask(b);
    assert_int_equal(b->status, VALET_RETRY);
    assert_int_equal(b->throttled, 1);
    assert_int_equal(b->me->asked, 1);
    peer_reset(b->me);
    peer_say(b->me, (struct peer_answer){
                        .status = 503, .body = "<html>", .retry_after = "0"});
    ask(b);
    assert_int_equal(b->status, VALET_RETRY);
    assert_int_equal(b->me->asked, 4);
    assert_int_equal(b->throttled, 4);
}

/* @spec S-45 */
static void
needs_a_user_object(void **state)
{
    struct bench *b = *state;
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
        ask(b);
        assert_int_equal(b->status, VALET_INTERNAL);
        assert_int_equal(b->err.status, VALET_INTERNAL);
        assert_true(b->err.message[0] != '\0');
        assert_null(strstr(b->err.message, "html"));
    }
}

static void
keeps_its_error_to_one_line(void **state)
{
    struct bench *b = *state;
    peer_say(b->me,
             (struct peer_answer){
                 .status = 403,
                 .body = "{\"error\":{\"code\":\"a\\r\\nb "
                         "01234567890123456789012345678901234567890\"}}"});
    ask(b);
    assert_int_equal(b->status, VALET_DENIED);
    assert_null(strpbrk(b->err.message, "\r\n"));
    assert_null(strpbrk(b->err.code, "\r\n"));
}

static void
refuses_too_much(void **state)
{
    struct bench *b = *state;
    vl_auto(vl_buf) body = vl_buf_of((size_t)2 * VL_LIMIT_FETCH_BODY);
    while (vl_buf_size(&body) <= VL_LIMIT_FETCH_BODY)
        vl_buf_addz(&body, "                                ");
    peer_say(b->me,
             (struct peer_answer){.status = 200, .body = vl_buf_cstr(&body)});
    ask(b);
    assert_true(b->status == VALET_RETRY || b->status == VALET_INTERNAL);
    assert_string_equal(b->json, "");
}

/* @spec S-42: no bearer leaves for where a redirect points. */
static void
follows_no_redirect(void **state)
{
    struct bench *b = *state;
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
        ask(b);
        assert_int_equal(b->status, VALET_INTERNAL);
        assert_int_equal(trap->asked + evil.strays, 0);
    }
    peer_close(&evil);
}

/* What we refuse to send is our fault, not a passing one. */
static void
sends_nothing_in_the_clear(void **state)
{
    struct bench *b = *state;
    b->request.graph_url = "http://graph.example";
    ask(b);
    assert_int_equal(b->status, VALET_INTERNAL);
    struct vl_upstream_token none = {.secret = {NULL, 0}};
    b->request.graph_url = b->peer.origin;
    b->request.token = &none;
    ask(b);
    assert_int_equal(b->status, VALET_INTERNAL);
    assert_int_equal(b->me->asked + b->peer.strays, 0);
}

/* @spec S-47 */
static void
is_silent_after_abort(void **state)
{
    struct bench *b = *state;
    peer_say(b->me, (struct peer_answer){.status = 0});
    b->op = vl_graph_me_start(&b->request, done, b);
    while (b->me->asked == 0)
        vl_loop_step(b->loop);
    vl_graph_me_abort(&b->op);
    assert_null(b->op);
    vl_graph_me_abort(&b->op);
    assert_int_equal(b->calls, 0);
    /* And before anything was sent. */
    b->op = vl_graph_me_start(&b->request, done, b);
    vl_graph_me_abort(&b->op);
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    ask(b);
    assert_int_equal(b->status, VALET_OK);
}

static void
may_be_aborted_by_its_callback(void **state)
{
    struct bench *b = *state;
    b->abort_in_callback = true;
    peer_say(b->me, (struct peer_answer){.status = 200, .body = USER});
    ask(b);
    assert_int_equal(b->status, VALET_OK);
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
