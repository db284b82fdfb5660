/* SPDX-License-Identifier: Apache-2.0
 *
 * Both sides are of the revisions up to 2025-11-25: messages pass as they are.
 */
#include "rig.h"

#define HELLO                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"     \
    "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{"  \
    "\"name\":\"c\",\"version\":\"1\"}}}"
#define WELCOME                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-06-" \
    "18\",\"capabilities\":{},\"serverInfo\":{\"name\":\"s\",\"version\":"     \
    "\"1\"}}}"
#define BEGIN "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
#define LIST  "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"tools/list\"}"
#define TOOLS "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"tools\":[]}}"

static void
accept(size_t number)
{
    server_ends_with(number, VALET_OK,
                     &(struct vl_remote_end){.http_status = 202}, "");
}

static void
say_hello(void)
{
    client_says(HELLO);
    size_t hello = server_gets(HELLO);
    assert_true(the_remote->sent[hello].send.begins_session);
    the_remote->has_session = true;
    server_answers(hello, WELCOME);
    client_gets(WELCOME);
    client_says(BEGIN);
    accept(server_gets(BEGIN));
}

/* @spec HT-34 HT-37 D24 */
static void
what_is_said_passes_as_it_is(void **state)
{
    (void)state;
    say_hello();
    assert_string_equal(the_remote->version, "2025-06-18");
    assert_true(the_remote->is_listening);
    client_says(LIST);
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
    server_tells("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                 "\"params\":{\"level\":\"info\",\"data\":1}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                "\"params\":{\"level\":\"info\",\"data\":1}}");
    client_gets_nothing();
    server_gets_nothing();
}

/* Each message is a request of its own, and could overtake the other. */
static void
nothing_overtakes_the_beginning(void **state)
{
    (void)state;
    client_says(HELLO);
    server_answers(server_gets(HELLO), WELCOME);
    client_gets(WELCOME);
    client_says(BEGIN);
    size_t begin = server_gets(BEGIN);
    client_says(LIST);
    server_gets_nothing();
    accept(begin);
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
}

/* @spec HT-31: whoever was told that it is lost. */
static void
a_session_that_is_lost_at_its_beginning_is_begun_again(void **state)
{
    static const char note[] = "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}";
    const struct vl_remote_end lost = {.http_status = 404,
                                       .session_ended = true};
    (void)state;
    client_says(HELLO);
    the_remote->has_session = true;
    server_answers(server_gets(HELLO), WELCOME);
    client_gets(WELCOME);
    client_says(BEGIN);
    size_t begin = server_gets(BEGIN);
    client_says(LIST);
    the_remote->has_session = false;
    server_ends_with(begin, VALET_NOT_FOUND, &lost, "no");
    size_t hello = server_gets(HELLO);
    the_remote->has_session = true;
    server_answers(hello, WELCOME);
    accept(server_gets(BEGIN));
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
    /* It was a notification that met the loss. */
    client_says(note);
    the_remote->has_session = false;
    server_ends_with(server_gets(note), VALET_NOT_FOUND, &lost, "no");
    client_says(LIST);
    the_remote->has_session = true;
    server_answers(server_gets(HELLO), WELCOME);
    accept(server_gets(BEGIN));
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
}

/* @spec HT-31 */
static void
what_held_for_a_session_holds_for_the_next(void **state)
{
#define WATCH(id, method)                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"resources/" method        \
    "\",\"params\":{\"uri\":\"a:b\"}}"
#define LEVEL(id)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"logging/setLevel\","      \
    "\"params\":{\"level\":\"debug\"}}"
    (void)state;
    say_hello();
    client_says(WATCH("2", "subscribe"));
    client_says(LEVEL("3"));
    server_answers(server_gets(WATCH("2", "subscribe")),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    server_answers(server_gets(LEVEL("3")),
                   "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}");
    client_says(LIST);
    the_remote->has_session = false;
    server_ends_with(
        server_gets(LIST), VALET_NOT_FOUND,
        &(struct vl_remote_end){.http_status = 404, .session_ended = true},
        "no");
    server_answers(server_gets(HELLO), WELCOME);
    accept(server_gets(BEGIN));
    size_t level = server_gets(LEVEL("\"mcp-valet-1\""));
    size_t watch = server_gets(WATCH("\"mcp-valet-2\"", "subscribe"));
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
    server_answers(
        level, "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\",\"result\":{}}");
    server_refuses(watch, 400, "");
    client_gets_nothing();
}

/* @spec HT-31 */
static void
a_lost_session_is_begun_again_unseen(void **state)
{
    (void)state;
    say_hello();
    client_says(LIST);
    client_says("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
    size_t first = server_gets(LIST);
    size_t second =
        server_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
    the_remote->has_session = false;
    const struct vl_remote_end lost = {.http_status = 404,
                                       .session_ended = true};
    server_ends_with(first, VALET_NOT_FOUND, &lost, "no");
    size_t hello = server_gets(HELLO);
    server_ends_with(second, VALET_NOT_FOUND, &lost, "no");
    server_gets_nothing();
    the_remote->has_session = true;
    server_answers(hello, WELCOME);
    accept(server_gets(BEGIN));
    server_answers(server_gets(LIST), TOOLS);
    second = server_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
    client_gets(TOOLS);
    /* Once, and no more. */
    server_ends_with(second, VALET_NOT_FOUND, &lost, "no");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                "\"message\":\"no\"}}");
    server_gets_nothing();
}

static void
each_request_is_answered_whatever_happens(void **state)
{
    (void)state;
    say_hello();
    client_says(LIST);
    server_ends(server_gets(LIST));
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32603,"
                "\"message\":\"The server ended its answer without a "
                "result\"}}");
    client_says(LIST);
    server_refuses(server_gets(LIST), 503, "");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32603,"
                "\"message\":\"the server refuses it\"}}");
    client_says(LIST);
    server_refuses(server_gets(LIST), 400,
                   "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,"
                   "\"message\":\"m\",\"data\":[1.5]}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-1,"
                "\"message\":\"m\",\"data\":[1.5]}}");
    /* Not twice. */
    client_says(LIST);
    size_t list = server_gets(LIST);
    server_says(list, TOOLS);
    server_says(list, TOOLS);
    server_ends_with(list, VALET_RETRY, &(struct vl_remote_end){0}, "broke");
    client_gets(TOOLS);
    client_gets_nothing();
}

/* @spec D12 */
static void
nothing_of_a_challenge_is_told(void **state)
{
    (void)state;
    say_hello();
    client_says(LIST);
    server_refuses(server_gets(LIST), 401,
                   "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,"
                   "\"message\":\"https://elsewhere\"}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32603,"
                "\"message\":\"the server refuses it\"}}");
}

/* @spec D16 */
static void
a_server_that_is_away_is_not_taken_for_another_kind(void **state)
{
    (void)state;
    client_says(HELLO);
    server_refuses(server_gets(HELLO), 503, "");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32603,"
                "\"message\":\"the server refuses it\"}}");
    server_gets_nothing();
    client_says(HELLO);
    server_answers(server_gets(HELLO), WELCOME);
    client_gets(WELCOME);
}

/* @spec HT-08 HT-12 */
static void
the_older_transport_is_tried(void **state)
{
    (void)state;
    client_says(HELLO);
    server_refuses(server_gets(HELLO), 405, "");
    assert_true(the_remote->is_http_sse);
    the_remote->http_sse_done(VALET_OK,
                              &(struct vl_remote_end){.http_status = 200}, NULL,
                              the_remote->http_sse_ctx);
    size_t hello = server_gets(HELLO);
    accept(hello);
    client_gets_nothing();
    server_tells(WELCOME);
    client_gets(WELCOME);
    client_says(BEGIN);
    accept(server_gets(BEGIN));
    client_says(LIST);
    accept(server_gets(LIST));
    server_tells(TOOLS);
    client_gets(TOOLS);
    /* The stream is lost, and so is what was to come on it. */
    client_says(LIST);
    accept(server_gets(LIST));
    the_remote->hooks.deaf(&(valet_error){.message = "gone"},
                           the_remote->hooks.ctx);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32603,"
                "\"message\":\"gone\"}}");
    client_says(LIST);
    server_gets_nothing();
    the_remote->http_sse_done(VALET_OK,
                              &(struct vl_remote_end){.http_status = 200}, NULL,
                              the_remote->http_sse_ctx);
    accept(server_gets(HELLO));
    server_tells(WELCOME);
    accept(server_gets(BEGIN));
    accept(server_gets(LIST));
    server_tells(TOOLS);
    client_gets(TOOLS);
    client_gets_nothing();
}

/* @spec HT-20 */
static void
a_cancellation_is_told_and_the_answer_is_not(void **state)
{
    static const char cancel[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
        "\"params\":{\"requestId\":\"1\"}}";
    (void)state;
    say_hello();
    client_says(LIST);
    size_t list = server_gets(LIST);
    client_says(cancel);
    accept(server_gets(cancel));
    server_answers(list, TOOLS);
    client_gets_nothing();
    /* The id is free again. */
    client_says(LIST);
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
}

/* @spec ST-04 D5 HT-15 */
static void
a_batch_is_taken_apart(void **state)
{
    (void)state;
    say_hello();
    client_says("[" LIST ",{\"jsonrpc\":\"2.0\",\"method\":\"x\"},1]");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
                "\"message\":\"Invalid Request: it is no object\"}}");
    size_t list = server_gets(LIST);
    accept(server_gets("{\"jsonrpc\":\"2.0\",\"method\":\"x\"}"));
    server_says(list, "[{\"jsonrpc\":\"2.0\",\"method\":\"y\"}," TOOLS "]");
    server_ends(list);
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"y\"}");
    client_gets(TOOLS);
    client_gets_nothing();
}

/* The server asks, the client answers. */
static void
questions_pass_both_ways(void **state)
{
    (void)state;
    say_hello();
    client_says(LIST);
    size_t list = server_gets(LIST);
    server_says(list, "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"roots/"
                      "list\"}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"roots/list\"}");
    client_says("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"roots\":[]}}");
    accept(server_gets(
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"roots\":[]}}"));
    server_answers(list, TOOLS);
    client_gets(TOOLS);
}

static void
what_is_no_message_is_refused(void **state)
{
    (void)state;
    client_says("{");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
                "\"message\":\"Parse error\"}}");
    client_says(LIST);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32600,"
                "\"message\":\"Before all others comes initialize, or a _meta "
                "that names a protocolVersion\"}}");
    client_says("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
    server_gets_nothing();
    say_hello();
    client_says(LIST);
    client_says(LIST);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32600,"
                "\"message\":\"A request with this id is under way\"}}");
    size_t list = server_gets(LIST);
    server_says(list, "{\"id\":1}");
    assert_int_equal(notes, 1);
    server_answers(list, TOOLS);
    client_gets(TOOLS);
}

static void
progress_is_shown_to_who_asked_for_it(void **state)
{
    static const char call[] =
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"t\",\"_meta\":{\"progressToken\":\"p\"}}}";
    (void)state;
    say_hello();
    client_says(LIST);
    client_says(call);
    vl_bridge_tell(the_bridge, "Sign in");
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                "\"params\":{\"progressToken\":\"p\",\"progress\":0.000001,"
                "\"message\":\"Sign in\"}}");
    client_gets_nothing();
    (void)server_gets(LIST);
    (void)server_gets(call);
}

/* It may not fall, and the server's is higher; whether its stream tells whose
 * it is, or the token. */
static void
what_is_shown_does_not_come_after_the_servers_progress(void **state)
{
    static const char calls[][160] = {
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"t\",\"_meta\":{\"progressToken\":\"p\"}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"t\",\"_meta\":{\"progressToken\":7}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"t\",\"_meta\":{\"progressToken\":\"q\"}}}"};
    static const char own[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
        "\"params\":{\"progressToken\":\"p\",\"progress\":1}}";
    static const char by_token[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
        "\"params\":{\"progressToken\":7,\"progress\":1}}";
    (void)state;
    say_hello();
    for (size_t i = 0; i < VL_COUNT(calls); i++)
        client_says(calls[i]);
    server_says(server_gets(calls[0]), own);
    client_gets(own);
    server_tells(by_token);
    client_gets(by_token);
    for (size_t i = 1; i < 3; i++) {
        char text[256];
        vl_bridge_tell(the_bridge, "Sign in");
        (void)snprintf(text, sizeof text,
                       "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                       "progress\",\"params\":{\"progressToken\":\"q\","
                       "\"progress\":0.00000%zu,\"message\":\"Sign in\"}}",
                       i);
        client_gets(text);
    }
    client_gets_nothing();
    (void)server_gets(calls[1]);
    (void)server_gets(calls[2]);
}

/* A revision that is unknown here is not promised to the server. */
static void
an_unknown_revision_is_not_asked_for(void **state)
{
    (void)state;
    client_says("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                "\"params\":{\"protocolVersion\":\"2099-01-01\",\"capabilities"
                "\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}");
    server_answers(server_gets(HELLO), WELCOME);
    client_gets(WELCOME);
}

static void
a_slow_client_holds_the_server(void **state)
{
    (void)state;
    say_hello();
    client_says(LIST);
    size_t list = server_gets(LIST);
    the_lines->waiting = VL_LIMIT_STREAM_HIGH;
    server_answers(list, TOOLS);
    assert_true(the_remote->is_held);
    the_lines->waiting = 0;
    while (the_remote->is_held)
        vl_loop_step(the_loop);
}

/* Scripts say everything at once. */
static void
a_client_need_not_wait_for_the_first_answer(void **state)
{
    (void)state;
    client_says(HELLO);
    client_says(BEGIN);
    client_says(LIST);
    size_t hello = server_gets(HELLO);
    server_gets_nothing();
    the_remote->has_session = true;
    server_answers(hello, WELCOME);
    client_gets(WELCOME);
    size_t begin = server_gets(BEGIN);
    server_gets_nothing();
    accept(begin);
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
}

/* @spec HT-31: whoever only listens hears of it. */
static void
a_session_that_is_lost_while_nobody_asks_is_begun_again(void **state)
{
    (void)state;
    say_hello();
    client_says(WATCH("2", "subscribe"));
    server_answers(server_gets(WATCH("2", "subscribe")),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    the_remote->has_session = the_remote->is_listening = false;
    server_is_deaf(VALET_NOT_FOUND);
    server_waits(3000);
    server_refuses(server_gets(HELLO), 503, "");
    server_waits(5000);
    size_t hello = server_gets(HELLO);
    the_remote->has_session = true;
    server_answers(hello, WELCOME);
    accept(server_gets(BEGIN));
    assert_true(the_remote->is_listening);
    server_gets(WATCH("\"mcp-valet-1\"", "subscribe"));
    client_gets_nothing();
}

/* @spec HT-31: a message that ends each session it comes by harms no other. */
static void
a_session_that_is_lost_again_is_begun_again(void **state)
{
    const struct vl_remote_end lost = {.http_status = 404,
                                       .session_ended = true};
    (void)state;
    say_hello();
    client_says(LIST);
    for (int i = 0; i < 2; i++) {
        the_remote->has_session = false;
        server_ends_with(server_gets(LIST), VALET_NOT_FOUND, &lost, "no");
        if (i)
            break;
        the_remote->has_session = true;
        server_answers(server_gets(HELLO), WELCOME);
        accept(server_gets(BEGIN));
    }
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32603,"
                "\"message\":\"no\"}}");
    client_says(LIST);
    the_remote->has_session = true;
    server_answers(server_gets(HELLO), WELCOME);
    accept(server_gets(BEGIN));
    server_answers(server_gets(LIST), TOOLS);
    client_gets(TOOLS);
}

static void
http_sse_ends(valet_status status, int http_status)
{
    valet_error err = {.status = status};
    const struct vl_remote_end end = {.http_status = http_status};
    the_remote->is_http_sse = status == VALET_OK;
    the_remote->http_sse_done(status, &end, &err, the_remote->http_sse_ctx);
}

/* A server of the older transport is still one when it was away. */
static void
the_older_transport_is_taken_up_again(void **state)
{
    (void)state;
    client_says(HELLO);
    server_refuses(server_gets(HELLO), 405, "");
    http_sse_ends(VALET_OK, 200);
    server_answers(server_gets(HELLO), WELCOME);
    client_gets(WELCOME);
    client_says(BEGIN);
    accept(server_gets(BEGIN));
    client_says(LIST);
    accept(server_gets(LIST));
    server_is_deaf(VALET_RETRY);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":-32603,"
                "\"message\":\"the stream is lost\"}}");
    for (size_t i = 0; i < 3; i++) {
        client_says(LIST);
        assert_true(the_remote->is_http_sse);
        http_sse_ends(VALET_RETRY, i == 1 ? 503 : 0);
        server_gets_nothing();
        client_gets("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":"
                    "-32603,\"message\":\"\"}}");
    }
    client_says(HELLO);
    server_gets_nothing();
    http_sse_ends(VALET_RETRY, 0);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32603,"
                "\"message\":\"\"}}");
    client_says(HELLO);
    http_sse_ends(VALET_OK, 200);
    server_answers(server_gets(HELLO), WELCOME);
    client_gets(WELCOME);
    client_says(BEGIN);
    accept(server_gets(BEGIN));
    client_says(LIST);
    accept(server_gets(LIST));
    server_tells(TOOLS);
    client_gets(TOOLS);
}

#define CALL(id)                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}"

/* A client that asks as much as it may can still answer, and cancel. */
static void
what_requests_bring_about_has_room(void **state)
{
    char text[256];
    (void)state;
    say_hello();
    for (int i = 1; i <= 256; i++) {
        (void)snprintf(text, sizeof text, CALL("%d"), i);
        client_says(text);
        server_gets(text);
    }
    client_says(CALL("257"));
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":257,\"error\":{\"code\":-32603,"
                "\"message\":\"256 requests are under way already\"}}");
    server_gets_nothing();
    for (int i = 0; i < 256; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{}}", i);
        client_says(text);
        server_gets(text);
    }
    client_says("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":7}}");
    server_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":7}}");
    client_gets_nothing();
}

static int
begin_impatiently(void **state)
{
    timeout_ms = 300;
    (void)rig_begin(state);
    timeout_ms = 0;
    return 0;
}

/* @spec HT-20 */
static void
a_server_that_is_late_is_told_that_nobody_waits(void **state)
{
    (void)state;
    say_hello();
    client_says(CALL("1"));
    server_gets(CALL("1"));
    server_waits(3000);
    accept(server_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                       "cancelled\",\"params\":{\"requestId\":1}}"));
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                "\"message\":\"The server did not answer in time\"}}");
}

/* It is the client who is. */
static void
a_server_that_is_not_read_is_not_late(void **state)
{
    (void)state;
    say_hello();
    the_lines->waiting = (size_t)1 << 30;
    client_says(CALL("1"));
    client_says("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}");
    size_t call = server_gets(CALL("1"));
    server_answers(server_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":"
                               "\"tools/list\"}"),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    assert_true(the_remote->is_held);
    server_waits(1000);
    client_gets_nothing();
    the_lines->waiting = 0;
    while (the_remote->is_held)
        vl_loop_step(the_loop);
    server_waits(600);
    server_gets_nothing();
    server_answers(call, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_said_passes_as_it_is),
        TEST(nothing_overtakes_the_beginning),
        TEST(a_session_that_is_lost_at_its_beginning_is_begun_again),
        TEST(what_held_for_a_session_holds_for_the_next),
        TEST(a_lost_session_is_begun_again_unseen),
        TEST(each_request_is_answered_whatever_happens),
        TEST(nothing_of_a_challenge_is_told),
        TEST(a_server_that_is_away_is_not_taken_for_another_kind),
        TEST(the_older_transport_is_tried),
        TEST(a_cancellation_is_told_and_the_answer_is_not),
        TEST(a_batch_is_taken_apart),
        TEST(questions_pass_both_ways),
        TEST(what_is_no_message_is_refused),
        TEST(progress_is_shown_to_who_asked_for_it),
        TEST(what_is_shown_does_not_come_after_the_servers_progress),
        TEST(an_unknown_revision_is_not_asked_for),
        TEST(a_slow_client_holds_the_server),
        TEST(a_client_need_not_wait_for_the_first_answer),
        TEST(a_session_that_is_lost_while_nobody_asks_is_begun_again),
        TEST(a_session_that_is_lost_again_is_begun_again),
        TEST(the_older_transport_is_taken_up_again),
        TEST(what_requests_bring_about_has_room),
        cmocka_unit_test_setup_teardown(
            a_server_that_is_late_is_told_that_nobody_waits, begin_impatiently,
            rig_end),
        cmocka_unit_test_setup_teardown(a_server_that_is_not_read_is_not_late,
                                        begin_impatiently, rig_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
