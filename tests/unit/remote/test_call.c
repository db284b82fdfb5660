/* SPDX-License-Identifier: Apache-2.0
 *
 * One message and its answer, in all its forms.
 */
#include "remote_rig.h"

/* What the server answers to everything. */
static struct {
    int status;
    const char *type, *body;
} fixed;

static void
play_fixed(struct vl_exchange *x, size_t number)
{
    (void)number;
    reply(x, fixed.status, fixed.type, fixed.body);
}

static void
answer_all(int status, const char *type, const char *body)
{
    fixed.status = status;
    fixed.type = type;
    fixed.body = body;
    rig.play = play_fixed;
}

/* --- answers --- */

/* @spec HT-18 */
static void
a_json_answer_is_one_message(void **state)
{
    (void)state;
    answer_all(200, "application/json; charset=utf-8", PONG);
    struct vl_remote_call *call = send_text(PING);
    assert_ptr_equal(vl_remote_call_ctx(call), &rig);
    RIG_UNTIL(rig.ends);
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.http_status, 200);
    assert_int_equal(rig.told_count, 1);
    assert_string_equal(rig.told[0].json, PONG);
    assert_ptr_equal(rig.told[0].call, call);
}

/* @spec HT-14 HT-34 CL-17 CL-22 */
static void
a_request_carries_what_the_transport_demands(void **state)
{
    (void)state;
    answer_all(202, NULL, NULL);
    rig_set_bearer("t0");
    vl_remote_set_version(rig.remote, "2025-11-25");
    char name[] = "Mcp-Method", value[] = "ping";
    struct vl_header more[] = {{vl_str_z(name), vl_str_z(value)}};
    struct vl_remote_send in = a_send(PING);
    in.headers = more;
    in.header_count = 1;
    (void)vl_remote_send(rig.remote, &in);
    memset(name, 'x', sizeof name - 1);
    memset(value, 'x', sizeof value - 1);
    RIG_UNTIL(rig.ends);
    const struct seen *seen = &rig.seen[0];
    assert_string_equal(seen->method, "POST");
    assert_string_equal(seen->target, "/mcp");
    assert_string_equal(seen->accept, "application/json, text/event-stream");
    assert_string_equal(seen->type, "application/json");
    assert_string_equal(seen->authorization, "Bearer t0");
    assert_string_equal(seen->version, "2025-11-25");
    assert_string_equal(seen->session, "");
    assert_string_equal(seen->last_event_id, "");
    assert_string_equal(seen->extra, "ping");
    assert_string_equal(seen->body, PING);
}

static void
a_version_of_its_own_goes_before_that_of_the_session(void **state)
{
    (void)state;
    answer_all(202, NULL, NULL);
    vl_remote_set_version(rig.remote, "2025-11-25");
    struct vl_remote_send in = a_send(PING);
    in.version = "2026-07-28";
    (void)vl_remote_send(rig.remote, &in);
    RIG_UNTIL(rig.ends == 1);
    in = a_send(PING);
    in.begins_session = true;
    (void)vl_remote_send(rig.remote, &in);
    RIG_UNTIL(rig.ends == 2);
    assert_string_equal(rig.seen[0].version, "2026-07-28");
    assert_string_equal(rig.seen[1].version, "");
}

/* @spec HT-17 */
static void
an_accepted_message_has_no_answer(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *type, *body;
    } cases[] = {{202, NULL, NULL},
                 {202, "text/plain", "Accepted"},
                 {204, NULL, NULL},
                 {200, NULL, NULL},
                 {200, "application/json", NULL}};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        answer_all(cases[i].status, cases[i].type, cases[i].body);
        ping();
        assert_int_equal(rig.status, VALET_OK);
        assert_int_equal(rig.http_status, cases[i].status);
    }
    assert_int_equal(rig.told_count, 0);
}

static void
a_message_is_told_on_one_line(void **state)
{
    (void)state;
    answer_all(200, "application/json",
               "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1,\n"
               "  \"result\": { \"n\": 1.0, \"s\": \"a\\nb\" }\n}\n");
    ping();
    assert_string_equal(rig.told[0].json,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"
                        "{\"n\":1.0,\"s\":\"a\\nb\"}}");
}

static void
a_batch_is_told_as_a_whole(void **state)
{
    (void)state;
    answer_all(200, "application/json", "[" PONG "," PONG "]");
    ping();
    assert_int_equal(rig.told_count, 1);
    assert_string_equal(rig.told[0].json, "[" PONG "," PONG "]");
}

/* @spec HT-18 HT-27 */
static void
events_with_data_are_messages(void **state)
{
    (void)state;
    answer_all(200, "text/event-stream",
               ": hello\n\n"
               "id: 1\ndata: \n\n"
               "data: {\"a\":1}\n\n"
               "event: ping\ndata: {\"b\":1}\n\n"
               "event: message\ndata: {\"c\":\ndata: 1}\n\n"
               "data: {\"half\":1}\n");
    ping();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.told_count, 2);
    assert_string_equal(rig.told[0].json, "{\"a\":1}");
    assert_string_equal(rig.told[1].json, "{\"c\":1}");
}

static void
what_is_no_mcp_ends_the_call(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"text/html", "<p>"},
        {NULL, "{}"},
        {"application/json", "{"},
        {"application/json", "{\"a\":1,\"a\":2}"},
        {"application/json", "1"},
        {"application/json", "{\"a\":\"\xff\"}"},
        {"application/json", "{} {}"},
        {"text/event-stream", "data: {\n\ndata: {}\n\n"},
        {"text/event-stream", "data: {\"\xff\":1}\n\n"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        answer_all(200, cases[i][0], cases[i][1]);
        ping();
        assert_int_equal(rig.status, VALET_INTERNAL);
        assert_int_equal(rig.http_status, 200);
        assert_int_equal(rig.told_count, 0);
    }
}

static void
an_answer_that_is_too_long_ends_the_call(void **state)
{
    (void)state;
    size_t n = VL_REMOTE_MESSAGE_MAX + 100;
    char *text = vl_alloc(n + 1);
    memset(text, ' ', n);
    text[n] = '\0';
    answer_all(200, "application/json", text);
    ping();
    assert_int_equal(rig.status, VALET_LIMIT);
    memcpy(text, "data:", 5);
    answer_all(200, "text/event-stream", text);
    ping();
    assert_int_equal(rig.status, VALET_LIMIT);
    free(text);
}

/* --- refusals --- */

static void
a_status_says_how_it_ended(void **state)
{
    (void)state;
    static const struct {
        int http;
        valet_status status;
    } cases[] = {
        {400, VALET_INVALID}, {403, VALET_DENIED},  {404, VALET_NOT_FOUND},
        {405, VALET_INVALID}, {406, VALET_INVALID}, {410, VALET_INVALID},
        {500, VALET_RETRY},   {502, VALET_RETRY},   {503, VALET_RETRY},
        {504, VALET_RETRY},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        answer_all(cases[i].http, NULL, NULL);
        ping();
        assert_int_equal(rig.status, cases[i].status);
        assert_int_equal(rig.http_status, cases[i].http);
        assert_string_equal(rig.body, "");
        assert_false(rig.session_ended);
    }
    /* Nothing was asked twice. */
    assert_int_equal(rig.seen_count, VL_COUNT(cases));
    assert_int_equal(rig.authorized, 0);
}

static void
the_body_of_a_refusal_is_told_if_it_is_json(void **state)
{
    (void)state;
    answer_all(400, "application/json",
               "{\"jsonrpc\":\"2.0\",\n\"error\":{\"code\":-32022}}");
    ping();
    assert_string_equal(rig.body,
                        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32022}}");
    answer_all(400, "text/html", "<p>no</p>");
    ping();
    assert_string_equal(rig.body, "");
    assert_int_equal(rig.told_count, 0);
}

static void
play_redirect(struct vl_exchange *x, size_t number)
{
    (void)number;
    reply_with(x, 307, "Location", fixed.body);
}

/* @spec CL-16 D11 D13: neither message nor token go along. */
static void
a_redirect_is_told_and_not_followed(void **state)
{
    (void)state;
    rig.play = play_redirect;
    rig_set_bearer("t0");
    fixed.body = "/mcp/?x=1";
    ping();
    assert_int_equal(rig.status, VALET_INVALID);
    assert_int_equal(rig.http_status, 307);
    assert_non_null(strstr(rig.err.message, "127.0.0.1"));
    assert_non_null(strstr(rig.err.message, "/mcp/: "));
    assert_null(strstr(rig.err.message, "x=1"));
    fixed.body = "https://evil.example/mcp";
    ping();
    assert_int_equal(rig.status, VALET_INVALID);
    assert_null(strstr(rig.err.message, "evil"));
    assert_int_equal(rig.seen_count, 2);
}

/* --- tokens --- */

static void
play_secured(struct vl_exchange *x, size_t number)
{
    if (strcmp(rig.seen[number].authorization, "Bearer good") == 0)
        reply_json(x, PONG);
    else if (strcmp(rig.seen[number].authorization, "Bearer small") == 0)
        reply_with(x, 403, "WWW-Authenticate",
                   "Basic realm=\"a\", Bearer error=\"insufficient_scope\", "
                   "scope=\"more\"");
    else
        reply_with(x, 401, "WWW-Authenticate", "Bearer realm=\"a\"");
}

/* @spec CL-17 */
static void
a_missing_token_is_got_and_the_message_sent_again(void **state)
{
    (void)state;
    rig.play = play_secured;
    rig.new_bearer = "good";
    (void)send_text(PING);
    RIG_UNTIL(rig.retry);
    assert_int_equal(rig.refused_with, 401);
    assert_string_equal(rig.refused_token, "none");
    rig_answer_retry();
    RIG_UNTIL(rig.ends);
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.told_count, 1);
    assert_int_equal(rig.seen_count, 2);
    assert_string_equal(rig.seen[0].authorization, "");
    assert_string_equal(rig.seen[1].body, PING);
}

static void
a_token_of_too_little_scope_is_replaced(void **state)
{
    (void)state;
    rig.play = play_secured;
    rig_set_bearer("small");
    rig.new_bearer = "good";
    (void)send_text(PING);
    RIG_UNTIL(rig.seen_count == 1);
    rig_set_bearer("another");
    RIG_UNTIL(rig.retry);
    assert_int_equal(rig.refused_with, 403);
    assert_string_equal(rig.refused_token, "small");
    rig_answer_retry();
    RIG_UNTIL(rig.ends);
    assert_int_equal(rig.status, VALET_OK);
}

static void
without_a_token_the_call_ends_with_the_reason(void **state)
{
    (void)state;
    rig.play = play_secured;
    (void)send_text(PING);
    RIG_UNTIL(rig.retry);
    rig_answer_retry();
    assert_int_equal(rig.ends, 1);
    assert_int_equal(rig.status, VALET_DENIED);
    assert_int_equal(rig.http_status, 401);
    assert_string_equal(rig.err.message, "nobody signed in");
    assert_int_equal(rig.seen_count, 1);
}

static void
tokens_are_not_got_for_ever(void **state)
{
    (void)state;
    rig.play = play_secured;
    rig.new_bearer = "bad";
    (void)send_text(PING);
    while (!rig.ends) {
        RIG_UNTIL(rig.retry || rig.ends);
        if (rig.retry)
            rig_answer_retry();
    }
    assert_int_equal(rig.status, VALET_DENIED);
    assert_true(rig.authorized < 20);
}

static void
a_token_may_come_when_nobody_wants_it_any_more(void **state)
{
    (void)state;
    rig.play = play_secured;
    rig.new_bearer = "good";
    struct vl_remote_call *call = send_text(PING);
    RIG_UNTIL(rig.retry);
    vl_remote_call_abort(&call);
    assert_null(call);
    rig_answer_retry();
    (void)send_text(PING);
    rig_set_bearer("bad");
    RIG_UNTIL(rig.ends || rig.retry);
    /* rig_close() answers it after the remote is gone. */
}

/* --- another try --- */

static void
play_busy_once(struct vl_exchange *x, size_t number)
{
    if (number == 0)
        reply_with(x, 429, "Retry-After", "0");
    else
        reply_json(x, PONG);
}

static void
what_was_not_taken_is_sent_again(void **state)
{
    (void)state;
    rig.play = play_busy_once;
    ping();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.seen_count, 2);
}

static void
play_busy(struct vl_exchange *x, size_t number)
{
    (void)number;
    reply_with(x, 429, "Retry-After", "3600");
}

static void
nobody_waits_for_an_hour(void **state)
{
    (void)state;
    rig.play = play_busy;
    ping();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.http_status, 429);
    assert_int_equal(rig.seen_count, 1);
}

static void
play_reset(struct vl_exchange *x, size_t number)
{
    if (number == 0)
        reply_json(x, PONG);
    else
        vl_exchange_reset(x);
}

/* It may have been done: a tool must not run twice. The second goes by the
 * connection of the first. */
static void
what_may_have_been_taken_is_not_sent_again(void **state)
{
    (void)state;
    rig.play = play_reset;
    ping();
    assert_int_equal(rig.status, VALET_OK);
    ping();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.http_status, 0);
    rig_wait(200);
    assert_int_equal(rig.seen_count, 2);
}

static void
a_server_that_is_not_there_is_tried_a_few_times(void **state)
{
    (void)state;
    vl_http_server_free(rig.server);
    rig.server = NULL;
    int64_t before = vl_mono_now();
    ping();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.http_status, 0);
    assert_true(vl_mono_now() - before < 10000);
}

static void
a_server_that_comes_back_in_time_is_found(void **state)
{
    (void)state;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    answer_all(200, "application/json", PONG);
    vl_http_server_free(rig.server);
    rig.server = NULL;
    (void)send_text(PING);
    rig_wait(20);
    rig.server = vl_http_server_new(rig.loop, &rig.site, &limits);
    assert_ok(
        vl_http_server_listen(rig.server, "127.0.0.1", rig.port, NULL, NULL));
    RIG_UNTIL(rig.ends);
    assert_int_equal(rig.status, VALET_OK);
}

static void
play_cut(struct vl_exchange *x, size_t number)
{
    (void)number;
    vl_exchange_cut_short(x);
    reply_json(x, PONG);
}

static void
an_answer_that_breaks_off_is_none(void **state)
{
    (void)state;
    rig.play = play_cut;
    ping();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.told_count, 0);
    assert_int_equal(rig.seen_count, 1);
}

/* --- life --- */

static void
play_stream(struct vl_exchange *x, size_t number)
{
    (void)number;
    stream(x, "data: {\"n\":1}\n\ndata: {\"n\":2}\n\n");
}

/* @spec HT-62 */
static void
an_aborted_call_closes_its_stream(void **state)
{
    (void)state;
    rig.play = play_stream;
    struct vl_remote_call *call = send_text(PING);
    RIG_UNTIL(rig.told_count == 2);
    assert_int_equal(rig.closed, 0);
    vl_remote_call_abort(&call);
    RIG_UNTIL(rig.closed == 1);
    assert_int_equal(rig.ends, 0);
}

static void
abort_it(struct vl_remote_call *call)
{
    vl_remote_call_abort(&call);
}

static void
free_all(struct vl_remote_call *call)
{
    (void)call;
    vl_remote_free(rig.remote);
    rig.remote = NULL;
}

static void
free_all_at_end(void)
{
    free_all(NULL);
}

static void
a_message_may_end_its_own_call(void **state)
{
    (void)state;
    rig.play = play_stream;
    rig.on_message = abort_it;
    (void)send_text(PING);
    RIG_UNTIL(rig.closed == 1);
    assert_int_equal(rig.told_count, 1);
    answer_all(200, "application/json", PONG);
    (void)send_text(PING);
    RIG_UNTIL(rig.told_count == 2);
    rig_wait(50);
    assert_int_equal(rig.ends, 0);
}

static void
a_message_may_free_everything(void **state)
{
    (void)state;
    rig.play = play_stream;
    rig.on_message = free_all;
    (void)send_text(PING);
    (void)send_text(PING);
    RIG_UNTIL(rig.told_count == 1);
    rig_wait(50);
    assert_int_equal(rig.told_count, 1);
    assert_int_equal(rig.ends, 0);
}

static void
the_end_of_a_call_may_free_everything(void **state)
{
    (void)state;
    answer_all(200, "application/json", PONG);
    rig.on_done = free_all_at_end;
    (void)send_text(PING);
    (void)send_text(PING);
    RIG_UNTIL(rig.ends == 1);
    rig_wait(50);
    assert_int_equal(rig.ends, 1);
}

static void
more_calls_than_anybody_needs_are_refused(void **state)
{
    (void)state;
    rig.play = play_stream;
    for (size_t i = 0; i < VL_REMOTE_CALLS_MAX; i++)
        (void)send_text(PING);
    (void)send_text(PING);
    assert_int_equal(rig.ends, 0);
    RIG_UNTIL(rig.ends);
    assert_int_equal(rig.status, VALET_LIMIT);
    /* The others are not waited for: there is no room for their notes. */
    vl_remote_free(rig.remote);
    rig.remote = NULL;
}

static void
while_it_is_held_nothing_comes(void **state)
{
    (void)state;
    rig.play = play_stream;
    (void)send_text(PING);
    RIG_UNTIL(rig.told_count == 2);
    vl_remote_hold(rig.remote, true);
    (void)send_text(PING);
    RIG_UNTIL(rig.open_count == 2);
    vl_exchange_write(rig.open[0], VL_STR("data: {\"n\":3}\n\n"));
    rig_wait(100);
    assert_int_equal(rig.told_count, 2);
    vl_remote_hold(rig.remote, false);
    RIG_UNTIL(rig.told_count == 5);
}

static void
only_addresses_that_keep_a_secret_are_taken(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "http://a.example/mcp", "ftp://a.example",      "/mcp",
        "https://u@a.example/", "https://a.example/#x", ""};
    struct vl_remote *remote = NULL;
    const struct vl_remote_hooks hooks = {.message = rig_message};
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(
            vl_remote_new(rig.loop, rig.fetcher, bad[i], &hooks, &remote, NULL),
            VALET_INVALID);
    assert_ok(vl_remote_new(rig.loop, rig.fetcher, "https://a.example/mcp",
                            &hooks, &remote, NULL));
    vl_remote_free(remote);
    vl_remote_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_json_answer_is_one_message),
        RIG_TEST(a_request_carries_what_the_transport_demands),
        RIG_TEST(a_version_of_its_own_goes_before_that_of_the_session),
        RIG_TEST(an_accepted_message_has_no_answer),
        RIG_TEST(a_message_is_told_on_one_line),
        RIG_TEST(a_batch_is_told_as_a_whole),
        RIG_TEST(events_with_data_are_messages),
        RIG_TEST(what_is_no_mcp_ends_the_call),
        RIG_TEST(an_answer_that_is_too_long_ends_the_call),
        RIG_TEST(a_status_says_how_it_ended),
        RIG_TEST(the_body_of_a_refusal_is_told_if_it_is_json),
        RIG_TEST(a_redirect_is_told_and_not_followed),
        RIG_TEST(a_missing_token_is_got_and_the_message_sent_again),
        RIG_TEST(a_token_of_too_little_scope_is_replaced),
        RIG_TEST(without_a_token_the_call_ends_with_the_reason),
        RIG_TEST(tokens_are_not_got_for_ever),
        RIG_TEST(a_token_may_come_when_nobody_wants_it_any_more),
        RIG_TEST(what_was_not_taken_is_sent_again),
        RIG_TEST(nobody_waits_for_an_hour),
        RIG_TEST(what_may_have_been_taken_is_not_sent_again),
        RIG_TEST(a_server_that_is_not_there_is_tried_a_few_times),
        RIG_TEST(a_server_that_comes_back_in_time_is_found),
        RIG_TEST(an_answer_that_breaks_off_is_none),
        RIG_TEST(an_aborted_call_closes_its_stream),
        RIG_TEST(a_message_may_end_its_own_call),
        RIG_TEST(a_message_may_free_everything),
        RIG_TEST(the_end_of_a_call_may_free_everything),
        RIG_TEST(more_calls_than_anybody_needs_are_refused),
        RIG_TEST(while_it_is_held_nothing_comes),
        RIG_TEST(only_addresses_that_keep_a_secret_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
