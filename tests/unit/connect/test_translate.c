/* SPDX-License-Identifier: Apache-2.0
 *
 * The client is of one era, the server of the other.
 */
#define _GNU_SOURCE /* memmem */
#include "rig.h"

#define META                                                                   \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","   \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},"     \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"c\",\"version\":\"1\"" \
    "}}"
#define HELLO_OF(id)                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"initialize\",\"params\":" \
    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"elicitation\":"   \
    "{}},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}"
#define BEGIN "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
#define REQUEST(id, method, params)                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method                  \
    "\",\"params\":{" params "}}"
#define RESULT(id, result)                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{" result "}}"
#define REFUSAL(code)                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":" code               \
    ",\"message\":\"m\"}}"

static void
accept(size_t number)
{
    server_ends_with(number, VALET_OK,
                     &(struct vl_remote_end){.http_status = 202}, "");
}

/* --- upward --- */

#define CAPABILITIES                                                           \
    "\"capabilities\":{\"tools\":{\"listChanged\":true},\"resources\":{"       \
    "\"subscribe\":true}}"
#define LISTEN(id, more)                                                       \
    REQUEST("\"mcp-valet-" id "\"", "subscriptions/listen",                    \
            "\"notifications\":{\"toolsListChanged\":true" more "}," META)

#define ACKNOWLEDGED                                                           \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"           \
    "acknowledged\",\"params\":{}}"

static void
discover_upward(void)
{
    size_t probe =
        server_gets(REQUEST("\"mcp-valet-1\"", "server/discover", META));
    server_answers(
        probe,
        RESULT("\"mcp-valet-1\"",
               "\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-"
               "28\"]," CAPABILITIES ",\"instructions\":\"i\",\"_meta\":{\"io."
               "modelcontextprotocol/serverInfo\":{\"name\":\"s\",\"version\":"
               "\"1\"}}"));
}

static void
begin_upward(void)
{
    client_says(HELLO_OF("0"));
    server_refuses(server_gets(HELLO_OF("0")), 400, REFUSAL("-32602"));
    discover_upward();
    client_gets(RESULT("0", "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES
                            ",\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}"
                            ",\"instructions\":\"i\""));
    client_says(BEGIN);
    size_t listen = server_gets(LISTEN("2", ""));
    server_says(listen, ACKNOWLEDGED);
    client_gets_nothing();
}

static void
an_older_client_says_who_it_is_with_each_request(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "ping", ""));
    client_gets(RESULT("1", ""));
    client_says(REQUEST("2", "prompts/list",
                        "\"cursor\":\"c\",\"_meta\":{\"progressToken\":1}"));
    size_t list = server_gets(REQUEST(
        "2", "prompts/list",
        "\"cursor\":\"c\",\"_meta\":{\"progressToken\":1,\"io."
        "modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io."
        "modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},"
        "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"c\",\"version\":"
        "\"1\"}}"));
    assert_string_equal(the_remote->sent[list].version, "2026-07-28");
    assert_string_equal(headers_of(list), "Mcp-Method:prompts/list;");
    server_answers(list, RESULT("2", "\"prompts\":[]"));
    client_gets(RESULT("2", "\"prompts\":[]"));
}

/* In JSON it is a string like any other; in a header it would be another one.
 */
static void
a_method_that_no_header_carries_is_refused(void **state)
{
    static const char *const methods[] = {"a b", "tools\xce\x9c"};
    (void)state;
    begin_upward();
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        char request[200];
        (void)snprintf(request, sizeof request,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}",
                       methods[i]);
        client_says(request);
        client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":"
                    "-32601,\"message\":\"There is no such method\"}}");
        server_gets_nothing();
    }
}

static void
what_is_watched_is_listened_to(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "resources/subscribe", "\"uri\":\"a:b\""));
    size_t listen =
        server_gets(LISTEN("3", ",\"resourceSubscriptions\":[\"a:b\"]"));
    /* Until the new one is heard, the old one is. */
    client_gets_nothing();
    assert_false(the_remote->sent[listen - 1].is_gone);
    server_says(listen, ACKNOWLEDGED);
    client_gets(RESULT("1", ""));
    assert_true(the_remote->sent[listen - 1].is_gone);
    server_says(listen, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                        "resources/updated\",\"params\":{\"uri\":\"a:b\"}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/"
                "updated\",\"params\":{\"uri\":\"a:b\"}}");
}

/* @spec CL-24 */
static void
a_result_that_asks_becomes_requests(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "prompts/get", "\"name\":\"p\""));
    size_t get =
        server_gets(REQUEST("1", "prompts/get", "\"name\":\"p\"," META));
    assert_string_equal(headers_of(get), "Mcp-Method:prompts/get;Mcp-Name:p;");
    server_answers(
        get, RESULT("1", "\"resultType\":\"input_required\",\"inputRequests\":"
                         "{\"k\":{\"method\":\"elicitation/create\",\"params\":"
                         "{\"message\":\"m\"}}},\"requestState\":\"\\u00e4\""));
    client_gets(
        REQUEST("\"mcp-valet-3\"", "elicitation/create", "\"message\":\"m\""));
    client_gets_nothing();
    client_says(RESULT("\"mcp-valet-3\"", "\"action\":\"decline\""));
    get = server_gets(REQUEST("\"mcp-valet-4\"", "prompts/get",
                              "\"name\":\"p\",\"inputResponses\":{\"k\":{"
                              "\"action\":\"decline\"}},\"requestState\":\"\303"
                              "\244\"," META));
    server_answers(get, RESULT("\"mcp-valet-4\"", "\"messages\":[]"));
    client_gets(RESULT("1", "\"messages\":[]"));
    /* A client that does not answer. */
    client_says(REQUEST("2", "prompts/get", "\"name\":\"p\""));
    get = server_gets(REQUEST("2", "prompts/get", "\"name\":\"p\"," META));
    server_answers(
        get, RESULT("2", "\"resultType\":\"input_required\",\"inputRequests\":"
                         "{\"k\":{\"method\":\"roots/list\"}}"));
    client_gets(REQUEST("\"mcp-valet-5\"", "roots/list", ""));
    client_says("{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-5\",\"error\":{"
                "\"code\":-1,\"message\":\"m\"}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,"
                "\"message\":\"The client did not answer what the server "
                "asked\"}}");
    server_gets_nothing();
}

/* @spec CL-26 */
static void
an_address_to_open_has_the_id_that_2025_11_25_wants(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "prompts/get", "\"name\":\"p\""));
    size_t get =
        server_gets(REQUEST("1", "prompts/get", "\"name\":\"p\"," META));
    server_answers(
        get, RESULT("1", "\"resultType\":\"input_required\",\"inputRequests\":{"
                         "\"k\":{\"method\":\"elicitation/create\",\"params\":{"
                         "\"mode\":\"url\",\"url\":\"https://a/\"}},"
                         "\"l\":{\"method\":\"elicitation/create\",\"params\":{"
                         "\"mode\":\"url\",\"elicitationId\":\"own\"}}}"));
    client_gets(REQUEST("\"mcp-valet-3\"", "elicitation/create",
                        "\"mode\":\"url\",\"url\":\"https://a/\","
                        "\"elicitationId\":\"mcp-valet-3\""));
    client_gets(REQUEST("\"mcp-valet-4\"", "elicitation/create",
                        "\"mode\":\"url\",\"elicitationId\":\"own\""));
}

static void
its_errors_have_their_older_names(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "resources/read", "\"uri\":\"a:b\""));
    server_refuses(
        server_gets(REQUEST("1", "resources/read", "\"uri\":\"a:b\"," META)),
        400, REFUSAL("-32602"));
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,"
                "\"message\":\"m\"}}");
}

/* --- downward --- */

#define WELCOME                                                                \
    RESULT("\"mcp-valet-1\"",                                                  \
           "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES                  \
           ",\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}")
#define DISCOVER REQUEST("1", "server/discover", META)

static void
begin_downward(void)
{
    client_says(DISCOVER);
    server_refuses(server_gets(DISCOVER), 400, REFUSAL("-32000"));
    size_t hello = server_gets(HELLO_OF("\"mcp-valet-1\""));
    assert_true(the_remote->sent[hello].send.begins_session);
    server_answers(hello, WELCOME);
    accept(server_gets(BEGIN));
    client_gets(RESULT(
        "1", "\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28"
             "\"]," CAPABILITIES ",\"ttlMs\":0,\"cacheScope\":\"private\","
             "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":"
             "\"s\",\"version\":\"1\"}}"));
}

/* @spec HT-55 HT-56 HT-71 */
static void
a_newer_client_gets_what_it_demands(void **state)
{
    (void)state;
    begin_downward();
    client_says(REQUEST("2", "tools/list", META));
    size_t list = server_gets(REQUEST("2", "tools/list", "\"_meta\":{}"));
    assert_string_equal(headers_of(list), "");
    assert_false(the_remote->sent[list].send.is_stateless);
    server_answers(list, RESULT("2", "\"tools\":[]"));
    client_gets(RESULT("2", "\"resultType\":\"complete\",\"ttlMs\":0,"
                            "\"cacheScope\":\"private\",\"tools\":[]"));
    client_says(REQUEST("3", "tools/call", "\"name\":\"t\"," META));
    server_answers(
        server_gets(REQUEST("3", "tools/call", "\"name\":\"t\",\"_meta\":{}")),
        RESULT("3", ""));
    client_gets(RESULT("3", "\"resultType\":\"complete\""));
    /* What is said of the result itself counts. */
#define SCHEMA                                                                 \
    "\"tools\":[{\"inputSchema\":{\"properties\":{\"ttlMs\":{},"               \
    "\"resultType\":{}}}}]"
    client_says(REQUEST("4", "tools/list", META));
    server_answers(server_gets(REQUEST("4", "tools/list", "\"_meta\":{}")),
                   RESULT("4", "\"ttlMs\":7," SCHEMA));
    client_gets(RESULT("4", "\"resultType\":\"complete\",\"cacheScope\":"
                            "\"private\",\"ttlMs\":7," SCHEMA));
}

/* @spec ST-08 */
static void
nothing_more_is_told_of_what_was_cancelled(void **state)
{
#define PROGRESS                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"  \
    "\"progressToken\":5,\"progress\":1}}"
    (void)state;
    begin_downward();
    client_says(REQUEST("2", "tools/call", "\"name\":\"t\"," META));
    size_t call =
        server_gets(REQUEST("2", "tools/call", "\"name\":\"t\",\"_meta\":{}"));
    server_says(call, PROGRESS);
    client_gets(PROGRESS);
    client_says("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":2}}");
    accept(server_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                       "cancelled\",\"params\":{\"requestId\":2}}"));
    server_says(call, PROGRESS);
    server_answers(call, RESULT("2", ""));
    client_gets_nothing();
}

/* A server that is not there at first is heard when it is. */
static void
what_is_watched_is_listened_to_later(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "resources/subscribe", "\"uri\":\"a:b\""));
    size_t listen =
        server_gets(LISTEN("3", ",\"resourceSubscriptions\":[\"a:b\"]"));
    server_refuses(listen, 503, "");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                "\"message\":\"The server does not tell what changes\"}}");
    assert_false(the_remote->sent[listen - 1].is_gone);
    server_waits(3000);
    listen = server_gets(LISTEN("3", ",\"resourceSubscriptions\":[\"a:b\"]"));
    server_says(listen, ACKNOWLEDGED);
    assert_true(the_remote->sent[listen - 2].is_gone);
    client_gets_nothing();
}

/* The client has not waited, and the server is of the newer era. */
static void
what_came_before_the_first_answer_is_translated(void **state)
{
    (void)state;
    client_says(HELLO_OF("0"));
    client_says(BEGIN);
    client_says(REQUEST("1", "prompts/list", ""));
    server_refuses(server_gets(HELLO_OF("0")), 400, REFUSAL("-32602"));
    discover_upward();
    client_gets(RESULT("0", "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES
                            ",\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}"
                            ",\"instructions\":\"i\""));
    server_gets(LISTEN("2", ""));
    server_answers(server_gets(REQUEST("1", "prompts/list", META)),
                   RESULT("1", "\"prompts\":[]"));
    client_gets(RESULT("1", "\"prompts\":[]"));
}

/* @spec ST-11 */
static void
a_server_may_be_of_the_newer_era_the_next_time(void **state)
{
    (void)state;
    client_says(HELLO_OF("0"));
    the_remote->has_session = true;
    server_answers(
        server_gets(HELLO_OF("0")),
        RESULT("0", "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES));
    client_gets(
        RESULT("0", "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES));
    client_says(BEGIN);
    accept(server_gets(BEGIN));
    client_says(REQUEST("1", "resources/subscribe", "\"uri\":\"a:b\""));
    server_answers(
        server_gets(REQUEST("1", "resources/subscribe", "\"uri\":\"a:b\"")),
        RESULT("1", ""));
    client_gets(RESULT("1", ""));
    client_says(REQUEST("2", "prompts/list", ""));
    the_remote->has_session = false;
    server_ends_with(
        server_gets(REQUEST("2", "prompts/list", "")), VALET_NOT_FOUND,
        &(struct vl_remote_end){.http_status = 404, .session_ended = true}, "");
    server_refuses(server_gets(HELLO_OF("0")), 400, REFUSAL("-32602"));
    discover_upward();
    server_says(
        server_gets(LISTEN("2", ",\"resourceSubscriptions\":[\"a:b\"]")),
        ACKNOWLEDGED);
    server_answers(server_gets(REQUEST("2", "prompts/list", META)),
                   RESULT("2", "\"prompts\":[]"));
    client_gets(RESULT("2", "\"prompts\":[]"));
    client_gets_nothing();
}

/* The client says initialize once more, and the server is of both eras now. */
static void
a_client_that_begins_anew_gets_what_there_is_now(void **state)
{
    (void)state;
    begin_upward();
    client_says(REQUEST("1", "tools/call", "\"name\":\"t\""));
    size_t list = server_gets(REQUEST("\"mcp-valet-3\"", "tools/list", META));
    (void)list;
    client_says(HELLO_OF("2"));
    server_answers(
        server_gets(HELLO_OF("2")),
        RESULT("2", "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES));
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                "\"message\":\"The conversation has begun anew\"}}");
    client_gets(
        RESULT("2", "\"protocolVersion\":\"2025-11-25\"," CAPABILITIES));
    client_says(BEGIN);
    accept(server_gets(BEGIN));
    client_says(REQUEST("3", "tools/list", ""));
    server_answers(server_gets(REQUEST("3", "tools/list", "")),
                   RESULT("3", "\"tools\":[]"));
    client_gets(RESULT("3", "\"tools\":[]"));
}

/* @spec CL-23: all that were on their way when the first was refused. */
static void
requests_that_come_together_are_translated_together(void **state)
{
    (void)state;
    client_says(REQUEST("2", "prompts/list", META));
    client_says(REQUEST("3", "resources/list", META));
    size_t first = server_gets(REQUEST("2", "prompts/list", META));
    size_t second = server_gets(REQUEST("3", "resources/list", META));
    server_refuses(first, 400, REFUSAL("-32000"));
    server_refuses(
        server_gets(REQUEST("\"mcp-valet-1\"", "server/discover", META)), 400,
        REFUSAL("-32000"));
    size_t hello = server_gets(HELLO_OF("\"mcp-valet-2\""));
    server_refuses(second, 400, REFUSAL("-32000"));
    client_gets_nothing();
    server_answers(hello, RESULT("\"mcp-valet-2\"", CAPABILITIES));
    accept(server_gets(BEGIN));
    (void)server_gets(REQUEST("2", "prompts/list", "\"_meta\":{}"));
    (void)server_gets(REQUEST("3", "resources/list", "\"_meta\":{}"));
    client_gets_nothing();
}

/* @spec HT-56: what a tool gives may have members of these names itself. */
static void
what_is_said_further_down_is_not_what_it_demands(void **state)
{
    (void)state;
    begin_downward();
    client_says(REQUEST("2", "tools/call", "\"name\":\"t\"," META));
    server_answers(
        server_gets(REQUEST("2", "tools/call", "\"name\":\"t\",\"_meta\":{}")),
        RESULT("2", "\"structuredContent\":{\"resultType\":\"rows\"}"));
    client_gets(RESULT("2", "\"resultType\":\"complete\","
                            "\"structuredContent\":{\"resultType\":"
                            "\"rows\"}"));
    client_says(REQUEST("3", "resources/read", "\"uri\":\"a:b\"," META));
    server_answers(
        server_gets(
            REQUEST("3", "resources/read", "\"uri\":\"a:b\",\"_meta\":{}")),
        RESULT("3", "\"ttlMs\":7,\"contents\":[{\"cacheScope\":\"x\"}]"));
    client_gets(RESULT("3", "\"resultType\":\"complete\",\"cacheScope\":"
                            "\"private\",\"ttlMs\":7,\"contents\":[{"
                            "\"cacheScope\":\"x\"}]"));
}

/* The state of a result that asks. */
static void
read_state(char *ret)
{
    struct vl_str rest =
        vl_str_from(vl_buf_str(&the_lines->out), the_lines->seen);
    const char *at = memmem(rest.p, rest.n, "requestState\":\"", 15);
    assert_non_null(at);
    memcpy(ret, at + 15, 32);
    ret[32] = '\0';
    the_lines->seen += vl_str_index(rest, '\n') + 1;
}

/* @spec HT-68 */
static void
a_question_becomes_a_result_that_asks(void **state)
{
    char name[33], line[1024];
    (void)state;
    begin_downward();
    client_says(REQUEST("2", "tools/call", "\"name\":\"t\"," META));
    size_t call =
        server_gets(REQUEST("2", "tools/call", "\"name\":\"t\",\"_meta\":{}"));
    server_says(call, REQUEST("7", "elicitation/create", "\"message\":\"m\""));
    read_state(name);
    client_gets_nothing();
    /* What it has not said it can do it is not asked. */
    server_says(call, REQUEST("8", "sampling/createMessage", ""));
    accept(server_gets("{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-"
                       "32601,\"message\":\"The client cannot be asked this "
                       "now\"}}"));
    (void)snprintf(line, sizeof line,
                   REQUEST("3", "tools/call",
                           "\"name\":\"t\",\"inputResponses\":{\"q0\":{"
                           "\"action\":\"accept\"}},\"requestState\":\"%s\"," //
                           META),
                   name);
    client_says(line);
    accept(server_gets(RESULT("7", "\"action\":\"accept\"")));
    server_answers(call, RESULT("2", "\"content\":[]"));
    client_gets(RESULT("3", "\"resultType\":\"complete\",\"content\":[]"));
    /* Once, and no more. */
    client_says(line);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32602,"
                "\"message\":\"Nothing waits for this requestState any "
                "more\"}}");
    server_gets_nothing();
}

/* What comes back has no state: it is the call once more. */
static void
an_error_that_sends_away_becomes_a_result_that_asks(void **state)
{
#define META_URL                                                               \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","   \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{"        \
    "\"url\":{}}}}"
    static const char call[] =
        REQUEST("2", "tools/call", "\"name\":\"t\",\"_meta\":{}");
    static const char error[] =
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32042,\"message\":"
        "\"m\",\"data\":{\"elicitations\":[{\"mode\":\"url\",\"elicitationId\":"
        "\"e\",\"url\":\"https://a.example/\",\"message\":\"go\"}]}}}";
    (void)state;
    client_says(REQUEST("1", "server/discover", META_URL));
    server_refuses(server_gets(REQUEST("1", "server/discover", META_URL)), 400,
                   REFUSAL("-32000"));
    server_answers(
        server_gets(
            "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-1\",\"method\":"
            "\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-"
            "25\",\"capabilities\":{\"elicitation\":{\"url\":{}}},"
            "\"clientInfo\":{\"name\":\"unknown\",\"version\":\"0\"}}}"),
        WELCOME);
    accept(server_gets(BEGIN));
    the_lines->seen = vl_buf_size(&the_lines->out);
    client_says(REQUEST("2", "tools/call", "\"name\":\"t\"," META_URL));
    server_answers(server_gets(call), error);
    client_gets(RESULT(
        "2", "\"resultType\":\"input_required\",\"inputRequests\":{\"q0\":{"
             "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\","
             "\"message\":\"go\",\"url\":\"https://a.example/\"}}}"));
    client_says(REQUEST("3", "tools/call",
                        "\"name\":\"t\",\"inputResponses\":{\"q0\":{"
                        "\"action\":\"accept\"}}," META_URL));
    server_answers(
        server_gets(REQUEST("3", "tools/call", "\"name\":\"t\",\"_meta\":{}")),
        RESULT("3", ""));
    client_gets(RESULT("3", "\"resultType\":\"complete\""));
}

/* @spec HT-65 HT-66 */
static void
who_listens_is_told(void **state)
{
    (void)state;
    begin_downward();
    client_says(REQUEST("\"l\"", "subscriptions/listen",
                        "\"notifications\":{\"toolsListChanged\":true,"
                        "\"promptsListChanged\":true,\"resourceSubscriptions\":"
                        "[\"a:b\"]}," META));
    size_t watch = server_gets(
        REQUEST("\"mcp-valet-2\"", "resources/subscribe", "\"uri\":\"a:b\""));
    client_gets_nothing();
    server_answers(watch, RESULT("\"mcp-valet-2\"", ""));
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"
                "acknowledged\",\"params\":{\"_meta\":{\"io."
                "modelcontextprotocol/subscriptionId\":\"l\"},"
                "\"notifications\":{\"toolsListChanged\":true,"
                "\"resourceSubscriptions\":[\"a:b\"]}}}");
    server_tells("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
                 "list_changed\"}");
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
                "list_changed\",\"params\":{\"_meta\":{\"io."
                "modelcontextprotocol/subscriptionId\":\"l\"}}}");
    server_tells("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/"
                 "list_changed\"}");
    server_tells("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/"
                 "updated\",\"params\":{\"uri\":\"a:c\"}}");
    client_gets_nothing();
    client_says("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":\"l\"}}");
    accept(server_gets(REQUEST("\"mcp-valet-3\"", "resources/unsubscribe",
                               "\"uri\":\"a:b\"")));
    server_tells("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
                 "list_changed\"}");
    client_gets_nothing();
    /* What the server does not say yes to is not acknowledged. */
    client_says(REQUEST(
        "4", "subscriptions/listen",
        "\"notifications\":{\"resourceSubscriptions\":[\"a:d\"]}," META));
    server_answers(server_gets(REQUEST("\"mcp-valet-4\"", "resources/subscribe",
                                       "\"uri\":\"a:d\"")),
                   "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-4\",\"error\":{"
                   "\"code\":-32002,\"message\":\"m\"}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"
                "acknowledged\",\"params\":{\"_meta\":{\"io."
                "modelcontextprotocol/subscriptionId\":4},"
                "\"notifications\":{}}}");
}

/* The older transport: with its stream, answers are lost; listeners are not. */
static void
who_listens_is_told_by_the_next_stream(void **state)
{
    valet_error none = {.status = VALET_OK};
    const struct vl_remote_end fine = {.http_status = 200};
    (void)state;
    client_says(DISCOVER);
    server_refuses(server_gets(DISCOVER), 405, "");
    server_refuses(server_gets(HELLO_OF("\"mcp-valet-1\"")), 405, "");
    the_remote->http_sse_done(VALET_OK, &fine, &none, the_remote->http_sse_ctx);
    server_answers(server_gets(HELLO_OF("\"mcp-valet-1\"")),
                   RESULT("\"mcp-valet-1\"", CAPABILITIES));
    accept(server_gets(BEGIN));
    client_says(REQUEST("\"l\"", "subscriptions/listen",
                        "\"notifications\":{\"resourceSubscriptions\":["
                        "\"a:b\"]}," META));
    server_answers(server_gets(REQUEST("\"mcp-valet-2\"", "resources/subscribe",
                                       "\"uri\":\"a:b\"")),
                   RESULT("\"mcp-valet-2\"", ""));
    client_says(REQUEST("2", "prompts/list", META));
    accept(server_gets(REQUEST("2", "prompts/list", "\"_meta\":{}")));
    the_lines->seen = vl_buf_size(&the_lines->out);
    server_is_deaf(VALET_RETRY);
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,"
                "\"message\":\"the stream is lost\"}}");
    client_gets_nothing();
    the_remote->http_sse_done = NULL;
    for (int64_t end = vl_mono_now() + 5000;
         !the_remote->http_sse_done && vl_mono_now() < end;)
        vl_loop_step(the_loop);
    the_remote->http_sse_done(VALET_OK, &fine, &none, the_remote->http_sse_ctx);
    server_answers(server_gets(HELLO_OF("\"mcp-valet-1\"")),
                   RESULT("\"mcp-valet-1\"", CAPABILITIES));
    accept(server_gets(BEGIN));
    server_gets(
        REQUEST("\"mcp-valet-3\"", "resources/subscribe", "\"uri\":\"a:b\""));
    client_gets_nothing();
}

/* @spec ST-11: it was replaced by one of 2026-07-28, say. */
static void
a_server_that_takes_no_session_any_more_is_looked_at_anew(void **state)
{
    const struct vl_remote_end lost = {.http_status = 404,
                                       .session_ended = true};
    (void)state;
    the_remote->has_session = true;
    begin_downward();
    client_says(REQUEST("2", "tools/call", "\"name\":\"t\"," META));
    the_remote->has_session = false;
    server_ends_with(
        server_gets(REQUEST("2", "tools/call", "\"name\":\"t\",\"_meta\":{}")),
        VALET_NOT_FOUND, &lost, "it is gone");
    server_refuses(server_gets(HELLO_OF("\"mcp-valet-1\"")), 400, "");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,"
                "\"message\":\"the server refuses it\"}}");
    client_says(DISCOVER);
    (void)server_gets(DISCOVER);
}

/* @spec HT-73 */
static void
its_errors_have_their_newer_names(void **state)
{
    (void)state;
    begin_downward();
    client_says(REQUEST("2", "resources/read", "\"uri\":\"a:b\"," META));
    server_answers(server_gets(REQUEST("2", "resources/read",
                                       "\"uri\":\"a:b\",\"_meta\":{}")),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32002,"
                   "\"message\":\"m\",\"data\":{\"uri\":\"a:b\"}}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32602,"
                "\"message\":\"m\",\"data\":{\"uri\":\"a:b\"}}}");
    client_says(REQUEST("3", "prompts/list", META));
    server_answers(server_gets(REQUEST("3", "prompts/list", "\"_meta\":{}")),
                   "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32042,"
                   "\"message\":\"m\",\"data\":{\"elicitations\":[]}}}");
    client_gets("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32603,"
                "\"message\":\"m\",\"data\":{\"elicitations\":[]}}}");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)
    const struct CMUnitTest tests[] = {
        TEST(an_older_client_says_who_it_is_with_each_request),
        TEST(a_method_that_no_header_carries_is_refused),
        TEST(what_is_watched_is_listened_to),
        TEST(a_result_that_asks_becomes_requests),
        TEST(an_address_to_open_has_the_id_that_2025_11_25_wants),
        TEST(its_errors_have_their_older_names),
        TEST(a_newer_client_gets_what_it_demands),
        TEST(requests_that_come_together_are_translated_together),
        TEST(what_is_said_further_down_is_not_what_it_demands),
        TEST(a_question_becomes_a_result_that_asks),
        TEST(an_error_that_sends_away_becomes_a_result_that_asks),
        TEST(who_listens_is_told),
        TEST(who_listens_is_told_by_the_next_stream),
        TEST(what_is_watched_is_listened_to_later),
        TEST(what_came_before_the_first_answer_is_translated),
        TEST(a_server_may_be_of_the_newer_era_the_next_time),
        TEST(nothing_more_is_told_of_what_was_cancelled),
        TEST(a_client_that_begins_anew_gets_what_there_is_now),
        TEST(a_server_that_takes_no_session_any_more_is_looked_at_anew),
        TEST(its_errors_have_their_newer_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
