/* SPDX-License-Identifier: Apache-2.0
 *
 * Both sides are of 2026-07-28: messages pass as they are, and headers repeat
 * what they say.
 */
#include "rig.h"

#define META                                                                   \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","   \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define REQUEST(id, method, more)                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method                  \
    "\",\"params\":{" more META "}}"
#define DISCOVER REQUEST("1", "server/discover", "")
#define DISCOVERED                                                             \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\","   \
    "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{}}}"
#define LIST REQUEST("2", "tools/list", "")
#define TOOL(name, header)                                                     \
    "{\"name\":\"" name                                                        \
    "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"region\":{"     \
    "\"type\":\"string\",\"x-mcp-header\":\"" header "\"}}}}"
#define TOOLS(id, tools)                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"resultType\":"           \
    "\"complete\",\"tools\":[" tools "],\"ttlMs\":0}}"
#define CALL                                                                   \
    REQUEST("3", "tools/call",                                                 \
            "\"name\":\"t\",\"arguments\":{\"region\":\" x\"},")
#define RESULT "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[]}}"

static void
discover(void)
{
    client_says(DISCOVER);
    size_t number = server_gets(DISCOVER);
    const struct vl_remote_call *call = &the_remote->sent[number];
    assert_string_equal(call->version, "2026-07-28");
    assert_true(call->is_stateless || call->send.is_stateless);
    assert_string_equal(headers_of(number), "Mcp-Method:server/discover;");
    server_answers(number, DISCOVERED);
    client_gets(DISCOVERED);
}

/* @spec CL-22 HT-78 */
static void
headers_repeat_what_is_asked(void **state)
{
    static const char read[] =
        REQUEST("4", "resources/read", "\"uri\":\"file:///\303\244\",");
    (void)state;
    discover();
    client_says(read);
    size_t number = server_gets(read);
    assert_string_equal(headers_of(number),
                        "Mcp-Method:resources/read;Mcp-Name:=?base64?"
                        "ZmlsZTovLy/DpA==?=;");
    server_answers(number, "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}");
}

/* @spec HT-79 HT-81 */
static void
tools_that_break_a_rule_are_left_out(void **state)
{
    (void)state;
    discover();
    client_says(LIST);
    server_answers(server_gets(LIST),
                   TOOLS("2", TOOL("t", "Region") "," TOOL("bad", "a b")));
    client_gets(TOOLS("2", TOOL("t", "Region")));
    assert_int_equal(notes, 1);
    client_says(CALL);
    size_t call = server_gets(CALL);
    assert_string_equal(headers_of(call),
                        "Mcp-Method:tools/call;Mcp-Name:t;Mcp-Param-Region:=?"
                        "base64?IHg=?=;");
    server_answers(call, RESULT);
    client_gets(RESULT);
}

#define OUR_LIST(id, more)                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-" id                              \
    "\",\"method\":\"tools/list\",\"params\":{" META more "}}"

/* @spec HT-91 CL-28 */
static void
schemas_are_asked_for_and_asked_for_again(void **state)
{
    (void)state;
    discover();
    client_says(CALL);
    size_t list = server_gets(OUR_LIST("1", ""));
    server_gets_nothing();
    server_answers(list, "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\","
                         "\"result\":{\"tools\":[],\"nextCursor\":\"c\"}}");
    list = server_gets(OUR_LIST("2", ",\"cursor\":\"c\""));
    server_answers(list, TOOLS("\"mcp-valet-2\"", TOOL("t", "Region")));
    size_t call = server_gets(CALL);
    assert_non_null(strstr(headers_of(call), "Mcp-Param-Region"));
    server_refuses(call, 400,
                   "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32020,"
                   "\"message\":\"m\"}}");
    list = server_gets(OUR_LIST("3", ""));
    server_answers(list, TOOLS("\"mcp-valet-3\"", TOOL("t", "Place")));
    call = server_gets(CALL);
    assert_non_null(strstr(headers_of(call), "Mcp-Param-Place"));
    /* Once, and no more. */
    server_refuses(call, 400,
                   "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32020,"
                   "\"message\":\"m\"}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32020,"
                "\"message\":\"m\"}}");
    server_gets_nothing();
}

/* @spec HT-62 ST-08 */
static void
a_cancellation_closes_the_stream(void **state)
{
    (void)state;
    discover();
    client_says(LIST);
    size_t list = server_gets(LIST);
    client_says("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":2}}");
    assert_true(the_remote->sent[list].is_gone);
    server_gets_nothing();
    client_gets_nothing();
}

/* @spec HT-58 HT-59 */
static void
a_stream_tells_but_does_not_ask(void **state)
{
    static const char progress[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
        "{\"progressToken\":1,\"progress\":1}}";
    (void)state;
    discover();
    client_says(LIST);
    size_t list = server_gets(LIST);
    server_says(list, progress);
    client_gets(progress);
    server_says(list, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}");
    client_gets_nothing();
}

#define LISTEN                                                                 \
    REQUEST("7", "subscriptions/listen",                                       \
            "\"notifications\":{\"toolsListChanged\":true},")
#define ACK                                                                    \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"           \
    "acknowledged\",\"params\":{}}"

/* @spec ST-09 ST-12 */
static void
a_listener_is_taken_up_again(void **state)
{
    static const char changed[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\","
        "\"params\":{}}";
    (void)state;
    discover();
    client_says(LISTEN);
    size_t listen = server_gets(LISTEN);
    server_says(listen, ACK);
    client_gets(ACK);
    server_ends_with(listen, VALET_RETRY, &(struct vl_remote_end){0}, "broke");
    client_gets_nothing();
    while (the_remote->seen == the_remote->count)
        vl_loop_step(the_loop);
    listen = server_gets(LISTEN);
    server_says(listen, ACK);
    server_says(listen, changed);
    client_gets(changed);
    /* That the server ends it is told. */
    server_answers(listen, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
}

static void
a_listener_that_never_was_is_refused(void **state)
{
    (void)state;
    discover();
    client_says(LISTEN);
    server_ends_with(server_gets(LISTEN), VALET_RETRY,
                     &(struct vl_remote_end){0}, "broke");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,"
                "\"message\":\"broke\"}}");
}

/* @spec CL-23 HT-51 D16 */
static void
its_errors_are_the_clients_business(void **state)
{
    static const char other[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,\"message\":"
        "\"m\",\"data\":{\"supported\":[\"2027-01-01\"]}}}";
    (void)state;
    client_says(DISCOVER);
    server_refuses(server_gets(DISCOVER), 400, other);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,"
                "\"message\":\"m\",\"data\":{\"supported\":[\"2027-01-01\"]}}"
                "}");
    client_says(DISCOVER);
    server_refuses(server_gets(DISCOVER), 503, "");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                "\"message\":\"the server refuses it\"}}");
    server_gets_nothing();
    discover();
}

/* @spec HT-52: an unknown method is no sign of another era. */
static void
a_refusal_is_looked_into(void **state)
{
    static const char odd[] = REQUEST("8", "x/y", "");
    (void)state;
    client_says(odd);
    server_refuses(server_gets(odd), 404,
                   "{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-32601,"
                   "\"message\":\"no\"}}");
    size_t probe = server_gets(
        "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\",\"method\":\"server/"
        "discover\",\"params\":{" META "}}");
    client_gets_nothing();
    server_answers(probe, "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\","
                          "\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-32601,"
                "\"message\":\"no\"}}");
    server_gets_nothing();
}

/* @spec ST-11 */
static void
a_server_may_be_of_the_older_era_the_next_time(void **state)
{
    (void)state;
    discover();
    client_says(LIST);
    server_refuses(
        server_gets(LIST), 400,
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
        "\"message\":\"Server not initialized\"}}");
    server_refuses(
        server_gets(
            "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\",\"method\":\"server/"
            "discover\",\"params\":{" META "}}"),
        404, "");
    server_answers(
        server_gets(
            "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-2\",\"method\":"
            "\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
            "\"capabilities\":{},\"clientInfo\":{\"name\":\"unknown\","
            "\"version\":\"0\"}}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-2\",\"result\":{"
        "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}");
    server_ends(server_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                            "initialized\"}"));
    server_answers(server_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":"
                               "\"tools/list\",\"params\":{\"_meta\":{}}}"),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[]}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"resultType\":"
                "\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\","
                "\"tools\":[]}}");
}

/* A client that asks more than one thing at once, of such a server. */
static void
what_was_sent_too_early_is_sent_again(void **state)
{
#define OLDER(id, method)                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method                  \
    "\",\"params\":{\"_meta\":{}}}"
    static const char refusal[] =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
        "\"message\":\"Bad Request\"}}";
    (void)state;
    client_says(DISCOVER);
    client_says(REQUEST("2", "prompts/list", ""));
    size_t discover = server_gets(DISCOVER);
    size_t list = server_gets(REQUEST("2", "prompts/list", ""));
    server_refuses(discover, 400, refusal);
    server_refuses(list, 400, refusal);
    server_answers(the_remote->seen++,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\",\"result\":{"
                   "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}");
    server_ends(the_remote->seen++);
    the_lines->seen = vl_buf_size(&the_lines->out);
    server_answers(server_gets(OLDER("2", "prompts/list")),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"resultType\":"
                "\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"}}");
}

static void
what_no_header_carries_is_refused(void **state)
{
    (void)state;
    client_says(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a b\",\"params\":{" META
        "}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,"
                "\"message\":\"There is no such method\"}}");
    client_says("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{"
                "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":7}}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
                "\"message\":\"The protocolVersion of _meta is no "
                "revision\"}}");
    server_gets_nothing();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)
    const struct CMUnitTest tests[] = {
        TEST(headers_repeat_what_is_asked),
        TEST(tools_that_break_a_rule_are_left_out),
        TEST(schemas_are_asked_for_and_asked_for_again),
        TEST(a_cancellation_closes_the_stream),
        TEST(a_stream_tells_but_does_not_ask),
        TEST(a_listener_is_taken_up_again),
        TEST(a_listener_that_never_was_is_refused),
        TEST(its_errors_are_the_clients_business),
        TEST(a_refusal_is_looked_into),
        TEST(what_was_sent_too_early_is_sent_again),
        TEST(a_server_may_be_of_the_older_era_the_next_time),
        TEST(what_no_header_carries_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
