/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#include "mcp/accept.h"

#define ERROR(id, code, why)                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code             \
    ",\"message\":\"" why "\"}}"
/* @spec HT-05: without an id, since 2025-11-25. */
#define NAMELESS(code, why)                                                    \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" code ",\"message\":\"" why     \
    "\"}}"
#define PING(id)       "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id)       "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define NOTICE(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\"}"
#define NO_SESSION     ERROR("5", "-32001", "Session not found")

/* @spec HT-28 HT-37 W-25 */
static void
opens_a_session_and_says_what_it_can(void **state)
{
    struct desk *desk = *state;
    struct client client = {desk, &alice, "", "", BOTH};
    struct fake_answer answer;
    client_send(&client, "POST",
                "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"method\":\"initialize\","
                "\"params\":{\"protocolVersion\":\"2025-06-18\"}}",
                &answer);
    assert_int_equal(answer.status, 200);
    assert_str(vl_buf_str(&answer.body),
               "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"result\":{"
               "\"protocolVersion\":\"2025-06-18\","
               "\"capabilities\":{\"logging\":{},\"tools\":{"
               "\"listChanged\":true}},"
               "\"serverInfo\":{\"name\":\"desk\",\"version\":\"1.0\"},"
               "\"instructions\":\"Ask.\"}}");
    assert_string_equal(fake_header(&answer, "Content-Type"),
                        "application/json");
    assert_string_equal(fake_header(&answer, "Cache-Control"), "no-store");
    assert_int_equal(strlen(fake_header(&answer, "Mcp-Session-Id")), 45);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_OPENED), 1);
    fake_answer_done(&answer);
}

/* @spec HT-37 */
static void
negotiates_the_version(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *asked, *given;
    } cases[] = {
        {"2025-03-26", "2025-03-26"}, {"2025-06-18", "2025-06-18"},
        {"2025-11-25", "2025-11-25"}, {"2024-11-05", "2024-11-05"},
        {"2026-07-28", "2025-11-25"}, {"", "2025-11-25"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct client client = {desk, &alice, "", "", BOTH};
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                       "\"initialize\",\"params\":{\"protocolVersion\":"
                       "\"%s\"}}",
                       cases[i].asked);
        struct fake_answer answer;
        client_send(&client, "POST", body, &answer);
        assert_non_null(strstr(vl_buf_cstr(&answer.body), cases[i].given));
        fake_answer_done(&answer);
    }
    struct client client = {desk, &alice, "", "", BOTH};
    expect(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}",
           200, ERROR("1", "-32602", "The protocolVersion is missing"));
    /* Nothing is agreed upon yet: the header decides nothing, unless it is of
     * the other era. */
    static const char *const headers[] = {"2025-11-25", "x"};
    for (size_t i = 0; i < VL_COUNT(headers); i++) {
        struct fake_answer answer;
        (void)snprintf(client.version, sizeof client.version, "%s", headers[i]);
        client_send(&client, "POST",
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                    "\"params\":{\"protocolVersion\":\"2025-06-18\"}}",
                    &answer);
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(vl_buf_cstr(&answer.body), "2025-06-18"));
        fake_answer_done(&answer);
    }
    (void)snprintf(client.version, sizeof client.version, "2026-07-28");
    expect(&client,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
           "\"params\":{\"protocolVersion\":\"2025-06-18\"}}",
           400,
           ERROR("1", "-32020",
                 "initialize is of older revisions than the header"));
}

/* @spec W-25: each method of what is advertised works; nothing else does. */
static void
advertises_what_it_answers(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const absent[] = {
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "tasks/get",
        "completion/complete",
        "tasks/list",
        "sampling/createMessage",
        "notifications/cancel",
        "server/discover",
        "rpc.discover",
        "tools",
    };
    for (size_t i = 0; i < VL_COUNT(absent); i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\"}",
                       absent[i]);
        expect(&client, body, 200, ERROR("7", "-32601", "Method not found"));
    }
    expect(&client, PING("8"), 200, PONG("8"));
    struct fake_answer answer;
    client_send(&client, "POST",
                "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/list\"}",
                &answer);
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_buf_str(&answer.body), 32, &doc, NULL));
    const struct json_t *tools =
        vl_json_get(vl_json_get(doc.root, "result"), "tools");
    /* "secret" needs what alice does not have. */
    assert_int_equal(vl_json_size(tools), 5);
    assert_str(vl_json_get_str(vl_json_at(tools, 0), "name"), "echo");
    fake_answer_done(&answer);
    expect(&client,
           "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/list\","
           "\"params\":{\"cursor\":\"x\"}}",
           200, ERROR("9", "-32602", "Unknown cursor"));
    static const char *const left_out[] = {"null", "{\"cursor\":null}"};
    for (size_t i = 0; i < VL_COUNT(left_out); i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":"
                       "\"tools/list\",\"params\":%s}",
                       left_out[i]);
        client_send(&client, "POST", body, &answer);
        assert_non_null(strstr(vl_buf_cstr(&answer.body), "\"tools\":["));
        fake_answer_done(&answer);
    }
}

/* @spec SB-21 SB-23 W-02 */
static void
answers_a_foreign_session_like_one_that_is_not_there(void **state)
{
    struct desk *desk = *state;
    struct client hers = open_client(desk, &alice, "2025-11-25");
    struct client his = open_client(desk, &mallory, "2025-11-25");
    struct client thief = hers, guess = his;
    thief.principal = &mallory;
    memset(guess.session, 'A', 43);
    expect(&guess, PING("5"), 404, NO_SESSION);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 0);
    expect(&thief, PING("5"), 404, NO_SESSION);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 1);
    /* Nor can he end it, or cancel in it. */
    struct fake_answer answer;
    client_send(&thief, "DELETE", "", &answer);
    assert_int_equal(answer.status, 404);
    fake_answer_done(&answer);
    expect(&thief, NOTICE("notifications/cancelled"), 404,
           NAMELESS("-32001", "Session not found"));
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 3);
    expect(&hers, PING("5"), 200, PONG("5"));
    expect(&his, PING("5"), 200, PONG("5"));
    /* Her own other client is another's too. */
    struct vl_principal other = alice;
    (void)snprintf(other.client.text, sizeof other.client.text, "c9");
    thief.principal = &other;
    expect(&thief, PING("5"), 404, NO_SESSION);
}

/* @spec HT-30 HT-31 HT-32 */
static void
wants_the_session_until_it_has_ended(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct client lost = client;
    lost.session[0] = '\0';
    expect(&lost, PING("1"), 400,
           ERROR("1", "-32600", "Mcp-Session-Id is required, once"));
    struct fake_answer answer;
    client_send(&lost, "DELETE", "", &answer);
    assert_int_equal(answer.status, 400);
    fake_answer_done(&answer);
    client_send(&client, "DELETE", "", &answer);
    assert_int_equal(answer.status, 204);
    assert_int_equal(vl_buf_size(&answer.body), 0);
    fake_answer_done(&answer);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_CLOSED), 1);
    expect(&client, PING("5"), 404, NO_SESSION);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 0);
}

static void
forgets_sessions_that_are_idle_or_revoked(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    desk->now += VL_LIMIT_MCP_SESSION_IDLE_MS - 1;
    expect(&client, PING("5"), 200, PONG("5"));
    desk->now += VL_LIMIT_MCP_SESSION_IDLE_MS;
    expect(&client, PING("5"), 404, NO_SESSION);
    client = open_client(desk, &alice, "2025-11-25");
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    expect(&client, PING("5"), 404, NO_SESSION);
}

/* Rule 4.4.10 */
static void
survives_a_client_that_leaks_sessions(void **state)
{
    struct desk *desk = *state;
    struct client his = open_client(desk, &mallory, "2025-11-25");
    struct client first = open_client(desk, &alice, "2025-11-25"), last = first;
    for (int i = 0; i < 1000; i++)
        last = open_client(desk, &alice, "2025-11-25");
    expect(&first, PING("5"), 404, NO_SESSION);
    expect(&last, PING("5"), 200, PONG("5"));
    expect(&his, PING("5"), 200, PONG("5"));
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_CLOSED),
                     1001 - VL_LIMIT_MCP_SESSIONS_PER_CLIENT);
}

/* @spec HT-34 HT-35 HT-36 */
static void
holds_the_client_to_its_version(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-06-18");
    expect(&client, PING("1"), 200, PONG("1"));
    client.version[0] = '\0';
    expect(&client, PING("1"), 200, PONG("1"));
    /* Official clients are known to say another one than was agreed upon; the
     * session goes on as before. */
    static const char *const others[] = {"2025-11-25", "2025-03-26",
                                         "2024-11-05", " 2025-06-18\t"};
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        (void)snprintf(client.version, sizeof client.version, "%s", others[i]);
        expect(&client, PING("1"), 200, PONG("1"));
        expect(&client, "[" PING("1") "]", 400,
               i == 0 ? NAMELESS("-32600", "This array is no batch")
                      : ERROR("null", "-32600", "This array is no batch"));
    }
    static const char *const unknown[] = {"x", "2025-11-26", "2026-07-2"};
    for (size_t i = 0; i < VL_COUNT(unknown); i++) {
        (void)snprintf(client.version, sizeof client.version, "%s", unknown[i]);
        expect(
            &client, PING("1"), 400,
            ERROR("1", "-32600", "MCP-Protocol-Version is none of a session"));
    }
    (void)snprintf(client.version, sizeof client.version, "2026-07-28");
    expect(&client, PING("1"), 400,
           ERROR("1", "-32602",
                 "The _meta of the request names no protocolVersion"));
}

/* D3: two headers of one name mean two things to two readers. */
static void
refuses_doubled_headers(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-06-18");
    static const char *const names[] = {"Content-Type", "Mcp-Session-Id",
                                        "MCP-Protocol-Version"};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        const char *headers[] = {"Content-Type",
                                 "application/json",
                                 "Mcp-Session-Id",
                                 client.session,
                                 "MCP-Protocol-Version",
                                 client.version,
                                 names[i],
                                 i == 0   ? "application/json"
                                 : i == 1 ? client.session
                                          : client.version,
                                 NULL};
        struct fake_answer answer;
        vl_mcp_endpoint_handle(
            desk->endpoint,
            fake_exchange(&answer, "POST", headers, VL_STR(PING("1"))), &alice);
        assert_int_equal(answer.status, i == 0 ? 415 : 400);
        fake_answer_done(&answer);
    }
}

static void
knows_three_methods(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const methods[] = {"PUT",     "HEAD", "PATCH",
                                          "OPTIONS", "post", "get"};
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        struct fake_answer answer;
        client_send(&client, methods[i], "", &answer);
        assert_int_equal(answer.status, 405);
        assert_string_equal(fake_header(&answer, "Allow"), "GET, POST, DELETE");
        assert_str(vl_buf_str(&answer.body),
                   NAMELESS("-32000", "Method not allowed"));
        fake_answer_done(&answer);
    }
    /* @spec HT-73: that code is none of 2026-07-28. */
    struct fake_answer answer;
    (void)snprintf(client.version, sizeof client.version, "2026-07-28");
    client_send(&client, "PUT", "", &answer);
    assert_int_equal(answer.status, 405);
    assert_str(vl_buf_str(&answer.body),
               NAMELESS("-32600", "Method not allowed"));
    fake_answer_done(&answer);
}

/* @spec HT-14 */
static void
reads_the_accept_header_kindly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool json, events;
    } cases[] = {
        {BOTH, true, true},
        {"*/*", true, false},
        {"application/*", true, false},
        {"APPLICATION/JSON;q=0.5 , Text/Event-Stream", true, true},
        {"text/event-stream", false, true},
        {"application/json", true, false},
        {"text/html", false, false},
        {"", false, false},
        {"application/json;q=0, text/event-stream", false, true},
        {"application/json; q=0.000", false, false},
        {"application/json;q=0.001", true, false},
        {"application/json;charset=utf-8;q=1", true, false},
        {"application/jsonx, xtext/event-stream", false, false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_headers headers = {.count = 0};
        assert_true(vl_headers_add(&headers, VL_STR("accept"),
                                   vl_str_z(cases[i].text)));
        struct vl_mcp_accept accept = vl_mcp_accept_read(&headers);
        assert_int_equal(accept.json, cases[i].json);
        assert_int_equal(accept.events, cases[i].events);
    }
    struct vl_headers none = {.count = 0};
    assert_true(vl_mcp_accept_read(&none).json);
    assert_false(vl_mcp_accept_read(&none).events);
}

static void
answers_in_a_type_that_the_client_accepts(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    client.accept = "text/html";
    expect(
        &client, PING("1"), 406,
        NAMELESS("-32000", "Accept allows neither JSON nor an event stream"));
    client.accept = NULL;
    expect(&client, PING("1"), 200, PONG("1"));
    client.accept = "text/event-stream";
    struct fake_answer answer;
    client_send(&client, "POST", PING("1"), &answer);
    assert_true(answer.finished && answer.streaming);
    assert_string_equal(fake_header(&answer, "Content-Type"),
                        "text/event-stream");
    assert_string_equal(fake_header(&answer, "X-Accel-Buffering"), "no");
    assert_str(vl_buf_str(&answer.body),
               "id: 1-1\nevent: message\ndata: " PONG("1") "\n\n");
    fake_answer_done(&answer);
    client.session[0] = '\0';
    client_send(&client, "POST",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                "\"params\":{\"protocolVersion\":\"2025-11-25\"}}",
                &answer);
    assert_true(answer.finished && answer.streaming);
    assert_non_null(fake_header(&answer, "Mcp-Session-Id"));
    fake_answer_done(&answer);
}

static void
takes_nothing_but_json(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const struct {
        const char *type;
        int status;
    } cases[] = {
        {"application/json", 200},
        {"Application/JSON ; charset=utf-8", 200},
        {"text/plain", 415},
        {"application/x-www-form-urlencoded", 415},
        {"application/jsonp", 415},
        {"", 415},
        {NULL, 415},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        const char *headers[] = {"Mcp-Session-Id", client.session,
                                 cases[i].type ? "content-type" : NULL,
                                 cases[i].type, NULL};
        struct fake_answer answer;
        vl_mcp_endpoint_handle(
            desk->endpoint,
            fake_exchange(&answer, "POST", headers, VL_STR(PING("1"))), &alice);
        assert_int_equal(answer.status, cases[i].status);
        fake_answer_done(&answer);
    }
}

/* @spec W-04 */
static void
outlives_what_is_no_json(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const garbage[] = {
        "",
        "{",
        "}",
        "\"",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"ping\"}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "nan",
    };
    for (size_t i = 0; i < VL_COUNT(garbage); i++)
        expect(&client, garbage[i], 400, NAMELESS("-32700", "Parse error"));
    client.version[0] = '\0'; /* perhaps an older one */
    expect(&client, garbage[0], 400, ERROR("null", "-32700", "Parse error"));
    expect(&client, PING("1"), 200, PONG("1"));
}

/* @spec W-04 HT-05 */
static void
outlives_malformed_messages(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const odd[] = {
        "null",
        "1",
        "\"x\"",
        "{}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":5}",
        "[]",
        "[1]",
        "[" PING("1") "]",
    };
    for (size_t i = 0; i < VL_COUNT(odd); i++) {
        struct fake_answer answer;
        client_send(&client, "POST", odd[i], &answer);
        assert_int_equal(answer.status, 400);
        assert_non_null(strstr(vl_buf_cstr(&answer.body), "-32600"));
        fake_answer_done(&answer);
    }
    static const char *const params[] = {"1", "\"x\"", "[]", "true"};
    for (size_t i = 0; i < VL_COUNT(params); i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\","
                       "\"params\":%s}",
                       params[i]);
        expect(&client, body, 200,
               ERROR("1", "-32602", "The parameters are no object"));
    }
    expect(&client, PING("1"), 200, PONG("1"));
}

/* D24 */
static void
gives_every_id_back_as_it_was(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const ids[] = {
        "0",
        "1",
        "\"1\"",
        "-7",
        "9007199254740993",
        "9223372036854775807",
        "\"a\\nb\"",
        "\"\"",
        "\"\xe2\x82\xac\"",
    };
    for (size_t i = 0; i < VL_COUNT(ids); i++) {
        char body[200], wanted[200];
        (void)snprintf(body, sizeof body, PING("%s"), ids[i]);
        (void)snprintf(wanted, sizeof wanted, PONG("%s"), ids[i]);
        expect(&client, body, 200, wanted);
        (void)snprintf(body, sizeof body, CALL("%s", "\"name\":\"echo\""),
                       ids[i]);
        (void)snprintf(wanted, sizeof wanted,
                       "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{"
                       "\"content\":[{\"type\":\"text\",\"text\":\"echo\"}],"
                       "\"structuredContent\":{},\"isError\":false}}",
                       ids[i]);
        expect(&client, body, 200, wanted);
    }
}

/* @spec HT-17 */
static void
accepts_notifications_and_responses_without_a_word(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const quiet[] = {
        NOTICE("notifications/initialized"),
        NOTICE("notifications/cancelled"),
        NOTICE("notifications/never-heard-of"),
        NOTICE("tools/call"),
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
        "\"params\":{\"requestId\":{}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
        "\"params\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":"
        "\"x\"}}",
    };
    for (size_t i = 0; i < VL_COUNT(quiet); i++)
        expect(&client, quiet[i], 202, "");
    assert_int_equal(desk->started, 0);
}

/* @spec HT-15 HT-16 D5 */
static void
takes_batches_in_the_oldest_version_alone(void **state)
{
    struct desk *desk = *state;
    struct client old = open_client(desk, &alice, "2025-03-26");
    expect(&old,
           "[" PING("1") "," NOTICE("notifications/initialized") "," PING(
               "\"x\"") ",7," CALL("4", "\"name\":\"secret\"") "]",
           200,
           "[" PONG("1") "," PONG("\"x\"") "," ERROR(
               "null", "-32600",
               "Invalid Request: it is no object") "," ERROR("4", "-32003",
                                                             "The token's "
                                                             "scope "
                                                             "does not cover "
                                                             "this") "]");
    assert_int_equal(desk->started, 0);
    expect(&old, "[" NOTICE("a") "," NOTICE("b") "]", 202, "");
    expect(&old, "[]", 400, ERROR("null", "-32600", "This array is no batch"));
    expect(&old,
           "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
           "\"params\":{\"protocolVersion\":\"2025-03-26\"}}]",
           200,
           "[" ERROR("1", "-32600",
                     "initialize stands alone and opens a session") "]");
    static const char *const later[] = {"2025-06-18", "2025-11-25"};
    for (size_t i = 0; i < VL_COUNT(later); i++) {
        struct client client = open_client(desk, &alice, later[i]);
        expect(&client, "[" PING("1") "]", 400,
               i == 1 ? NAMELESS("-32600", "This array is no batch")
                      : ERROR("null", "-32600", "This array is no batch"));
    }
    struct client lost = old;
    lost.session[0] = '\0';
    expect(&lost, "[" PING("1") "]", 400,
           ERROR("null", "-32600", "Mcp-Session-Id is required, once"));
}

static void
bounds_a_batch(void **state)
{
    struct desk *desk = *state;
    struct client old = open_client(desk, &alice, "2025-03-26");
    vl_auto(vl_buf) body = vl_buf_of(65536);
    for (int n = 64; n <= 65; n++) {
        vl_buf_clear(&body);
        for (int i = 0; i < n; i++)
            vl_buf_addz(&body, i ? "," PING("1") : "[" PING("1"));
        vl_buf_addc(&body, ']');
        struct fake_answer answer;
        client_send(&old, "POST", vl_buf_cstr(&body), &answer);
        assert_int_equal(answer.status, n == 64 ? 200 : 400);
        fake_answer_done(&answer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(opens_a_session_and_says_what_it_can),
        DESK_TEST(negotiates_the_version),
        DESK_TEST(advertises_what_it_answers),
        DESK_TEST(answers_a_foreign_session_like_one_that_is_not_there),
        DESK_TEST(wants_the_session_until_it_has_ended),
        DESK_TEST(forgets_sessions_that_are_idle_or_revoked),
        DESK_TEST(survives_a_client_that_leaks_sessions),
        DESK_TEST(holds_the_client_to_its_version),
        DESK_TEST(refuses_doubled_headers),
        DESK_TEST(knows_three_methods),
        cmocka_unit_test(reads_the_accept_header_kindly),
        DESK_TEST(answers_in_a_type_that_the_client_accepts),
        DESK_TEST(takes_nothing_but_json),
        DESK_TEST(outlives_what_is_no_json),
        DESK_TEST(outlives_malformed_messages),
        DESK_TEST(gives_every_id_back_as_it_was),
        DESK_TEST(accepts_notifications_and_responses_without_a_word),
        DESK_TEST(takes_batches_in_the_oldest_version_alone),
        DESK_TEST(bounds_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
