/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of 2026-07-28 over HTTP: which era a message is of, and what is
 * checked in which order.
 */
#include "modern.h"

#include "talk/call.h"

#define PING(id)   "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id)   "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define NO_VERSION "The _meta of the request names no protocolVersion"
#define NO_ID      "Mcp-Session-Id is required, once"
#define MISMATCH   "MCP-Protocol-Version is not what the _meta says"
#define MISSING    "MCP-Protocol-Version is missing"
#define SPEAKS(id, wanted)                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"error\":{\"code\":-32022,\"message\":\"This revision is not spoken "   \
    "here\",\"data\":{\"supported\":[\"2026-07-28\"],\"requested\":\"" wanted  \
    "\"}}}"
#define EMPTY(id)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":"         \
    "\"text\",\"text\":\"done\"}],\"isError\":false," WHOSE "}}"

/* --- which era: one test for each row of the table --- */

/* @spec HT-76 HT-50 */
static void
takes_a_message_with_an_envelope_as_modern(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct fake_answer answer;
    call_modern(&m, "1", "steps", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(vl_buf_cstr(&answer.body), EMPTY("1"));
    fake_answer_done(&answer);
    static const char *const others[] = {NULL, "2025-11-25", "2024-11-05",
                                         "x",  "2026-07-2",  ""};
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        m.version = others[i];
        call_modern(&m, "1", "steps", "", &answer);
        assert_int_equal(answer.status, 400);
        assert_string_equal(vl_buf_cstr(&answer.body),
                            i ? REFUSED("1", "-32020", MISMATCH)
                              : REFUSED("1", "-32020", MISSING));
        fake_answer_done(&answer);
    }
    /* White space around a header is none of it (HT-85). */
    m.version = " 2026-07-28\t";
    call_modern(&m, "1", "steps", "", &answer);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
}

static void
refuses_a_header_that_stands_there_twice(void **state)
{
    struct modern m = modern_of(*state, &alice);
    m.extra[0] = "Mcp-Protocol-Version";
    m.extra[1] = "2026-07-28";
    expect_modern(
        &m, "1", "server/discover", "", 400,
        REFUSED("1", "-32020", "MCP-Protocol-Version stands there twice"));
    m.extra[0] = "mcp-method";
    m.extra[1] = "server/discover";
    struct fake_answer answer;
    send_modern(&m, "1", "server/discover", "", &answer);
    assert_int_equal(answer.status, 400);
    assert_true(has(&answer, "-32020"));
    fake_answer_done(&answer);
}

/* @spec HT-37 HT-76 */
static void
opens_a_session_for_an_initialize_without_an_envelope(void **state)
{
    struct desk *desk = *state;
    static const char body[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
        "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}";
    static const char *const good[] = {NULL, "2025-11-25", "2024-11-05"};
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    m.method = NULL;
    for (size_t i = 0; i < VL_COUNT(good); i++) {
        m.version = good[i];
        post_modern(&m, "", body, &answer);
        assert_int_equal(answer.status, 200);
        assert_non_null(fake_header(&answer, "Mcp-Session-Id"));
        fake_answer_done(&answer);
    }
    m.version = "2026-07-28";
    post_modern(&m, "", body, &answer);
    assert_int_equal(answer.status, 400);
    assert_string_equal(
        vl_buf_cstr(&answer.body),
        REFUSED("1", "-32020",
                "initialize is of older revisions than the header"));
    fake_answer_done(&answer);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_OPENED), 3);
}

static void
wants_an_envelope_where_the_header_is_modern(void **state)
{
    struct modern m = modern_of(*state, &alice);
    m.inside = NULL;
    expect_modern(&m, "1", "tools/list", "", 400,
                  REFUSED("1", "-32602", NO_VERSION));
    m.inside = NULL;
    m.meta = ",\"" META_VERSION "\":5";
    expect_modern(&m, "1", "tools/list", "", 400,
                  REFUSED("1", "-32602", NO_VERSION));
    struct fake_answer answer;
    post_modern(&m, "ping", PING("7"), &answer);
    assert_int_equal(answer.status, 400);
    assert_string_equal(vl_buf_cstr(&answer.body),
                        REFUSED("7", "-32602", NO_VERSION));
    fake_answer_done(&answer);
}

static void
keeps_a_session_beside_requests_that_stand_alone(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    call_modern(&m, "1", "steps", "", &answer);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
    expect(&client, PING("1"), 200, PONG("1"));
    client.version[0] = '\0';
    expect(&client, PING("1"), 200, PONG("1"));
    client.session[0] = '\0';
    expect(&client, PING("1"), 400, REFUSED("1", "-32600", NO_ID));
    (void)snprintf(client.version, sizeof client.version, "2025-11-25");
    expect(&client, PING("1"), 400, REFUSED("1", "-32600", NO_ID));
}

/* @spec HT-16 HT-46 */
static void
refuses_arrays_and_responses_of_this_era(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct client old = open_client(desk, &alice, "2025-03-26");
    static const char *const bodies[] = {
        "[" PING("1") "]",
        "[]",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":"
        "\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"_meta\":{"
        "\"" META_VERSION "\":\"2026-07-28\"}}}",
    };
    for (int with_session = 0; with_session < 2; with_session++) {
        if (with_session) {
            m.extra[0] = "Mcp-Session-Id";
            m.extra[1] = old.session;
        }
        for (size_t i = 0; i < VL_COUNT(bodies); i++) {
            struct fake_answer answer;
            post_modern(&m, "x", bodies[i], &answer);
            assert_int_equal(answer.status, 400);
            assert_true(has(&answer, "-32600"));
            fake_answer_done(&answer);
        }
    }
    /* The body alone has the trait. */
    expect(&old,
           "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
           "\"params\":{\"_meta\":{\"" META_VERSION
           "\":\"2026-07-28\",\"" META_ABILITIES "\":{}}}}]",
           200,
           "[" REFUSED("1", "-32600",
                       "A request of this revision stands alone") "]");
}

/* --- the checks --- */

/* @spec HT-49 */
static void
wants_a_whole_envelope(void **state)
{
    struct modern m = modern_of(*state, &alice);
    static const char *const wrong[] = {NULL, "[]",    "null",
                                        "1",  "\"x\"", "true"};
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        m.abilities = wrong[i];
        expect_modern(
            &m, "\"a\"", "server/discover", "", 400,
            REFUSED("\"a\"", "-32602",
                    "The _meta of the request has no clientCapabilities"));
    }
    /* Who it is does not matter. */
    m.abilities = "{\"future\":1}";
    m.meta = ",\"io.modelcontextprotocol/clientInfo\":7";
    struct fake_answer answer;
    send_modern(&m, "1", "server/discover", "", &answer);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
}

/* @spec HT-51 */
static void
names_the_versions_it_speaks(void **state)
{
    struct modern m = modern_of(*state, &alice);
    m.inside = m.version = "2099-01-01";
    expect_modern(&m, "1", "server/discover", "", 400,
                  SPEAKS("1", "2099-01-01"));
    /* The older ones have another way to begin. */
    m.inside = m.version = "2025-11-25";
    expect_modern(&m, "1", "server/discover", "", 400,
                  SPEAKS("1", "2025-11-25"));
    m.inside = m.version = "";
    expect_modern(&m, "1", "server/discover", "", 400, SPEAKS("1", ""));
    /* What is huge does not come back whole. */
    char huge[200];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    m.inside = m.version = huge;
    struct fake_answer answer;
    send_modern(&m, "1", "server/discover", "", &answer);
    assert_int_equal(answer.status, 400);
    assert_true(vl_buf_size(&answer.body) < 256);
    fake_answer_done(&answer);
}

/* @spec HT-52 */
static void
knows_no_methods_that_were_removed(void **state)
{
    struct modern m = modern_of(*state, &alice);
    static const char *const absent[] = {
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/list",
        "tasks/result",
        "tasks/get",
        "roots/list",
        "prompts/list",
        "resources/read",
        "completion/complete",
        "sampling/createMessage",
        "x",
        "notifications/cancelled",
    };
    for (size_t i = 0; i < VL_COUNT(absent); i++)
        expect_modern(&m, "1", absent[i], "", 404,
                      REFUSED("1", "-32601", "Method not found"));
}

/* @spec HT-78 HT-84 */
static void
compares_the_headers_with_the_body(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    static const struct {
        const char *method, *name;
        int status;
    } cases[] = {
        {"tools/call", "echo", 200},
        {"tools/call", "=?base64?ZWNobw==?=", 200},
        {" tools/call ", "\techo ", 200},
        {NULL, "echo", 400},
        {"tools/list", "echo", 400},
        {"Tools/Call", "echo", 400},
        {"tools/call", NULL, 400},
        {"tools/call", "later", 400},
        {"tools/call", "Echo", 400},
        {"tools/call", "=?base64?bGF0ZXI=?=", 400},
        {"tools/call", "=?base64?!?=", 400},
        {"tools/call", "", 400},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct fake_answer answer;
        m.method = cases[i].method;
        m.name = cases[i].name;
        send_modern(&m, "1", "tools/call", "\"name\":\"echo\"", &answer);
        assert_int_equal(answer.status, cases[i].status);
        if (answer.status == 400)
            assert_true(has(&answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{"
                                     "\"code\":-32020,"));
        fake_answer_done(&answer);
    }
    assert_int_equal(desk->started, 3);
    /* A method without a name has no use for the header. */
    m = modern_of(desk, &alice);
    m.name = "whatever";
    struct fake_answer answer;
    send_modern(&m, "1", "tools/list", "", &answer);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
}

static void
add_mirrored(struct desk *desk)
{
    valet_mcp_tool tool = {
        .name = "mirrored",
        .description = "A tool.",
        .input_schema =
            "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":"
            "\"string\",\"x-mcp-header\":\"Region\"},\"n\":{\"type\":"
            "\"integer\",\"x-mcp-header\":\"N\"}},\"required\":[\"region\"]}",
        .permission = "read",
        .call = tool_echo,
        .ctx = desk,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
}

/* @spec HT-79 HT-82 HT-84 HT-85 HT-86 */
static void
compares_what_parameters_are_repeated(void **state)
{
    struct desk *desk = *state;
    add_mirrored(desk);
    static const struct {
        const char *arguments, *region, *n;
        int status;
    } cases[] = {
        {"{\"region\":\"eu\"}", "eu", NULL, 200},
        {"{\"region\":\"eu\",\"n\":7}", "eu", "7", 200},
        {"{\"region\":\"eu\",\"n\":7}", "eu", "7.0", 200},
        {"{\"region\":\"eu\",\"n\":null}", "eu", NULL, 200},
        {"{\"region\":\"\xc3\xa4\"}", "=?base64?w6Q=?=", NULL, 200},
        {"{\"region\":\"eu\"}", NULL, NULL, 400},
        {"{\"region\":\"eu\"}", "us", NULL, 400},
        {"{\"region\":\"eu\"}", "EU", NULL, 400},
        {"{\"region\":\"eu\"}", "eu", "7", 400},
        {"{\"region\":\"eu\",\"n\":7}", "eu", NULL, 400},
        {"{\"region\":\"eu\",\"n\":7}", "eu", "8", 400},
        {"{}", "eu", NULL, 400},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct modern m = modern_of(desk, &alice);
        size_t n = 0;
        m.extra[n++] = "mcp-param-unknown";
        m.extra[n++] = "ignored";
        if (cases[i].region) {
            m.extra[n++] = "Mcp-Param-Region";
            m.extra[n++] = cases[i].region;
        }
        if (cases[i].n) {
            m.extra[n++] = "MCP-PARAM-N";
            m.extra[n++] = cases[i].n;
        }
        char more[128];
        (void)snprintf(more, sizeof more, ",\"arguments\":%s",
                       cases[i].arguments);
        struct fake_answer answer;
        call_modern(&m, "1", "mirrored", more, &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_int_equal(has(&answer, "-32020"), cases[i].status == 400);
        /* @spec HT-90: what it said is not said again. */
        assert_int_equal(has(&answer, "us\""), 0);
        fake_answer_done(&answer);
    }
    /* Null is no integer: that, too, is for the model. */
    assert_int_equal(desk->started, 4);
    /* A session of an older revision has no such headers, and is not held to
     * them. */
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1", "\"name\":\"mirrored\",\"arguments\":{\"region\":"
                          "\"eu\"}"),
                &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(desk->started, 5);
    fake_answer_done(&answer);
}

/* Each of these breaks all the rules below it, too. */
static void
checks_one_thing_after_the_other(void **state)
{
    struct desk *desk = *state;
    add_mirrored(desk);
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    m.abilities = NULL;
    m.inside = m.version = "2099-01-01";
    m.method = "x";
    expect_modern(&m, "1", "nothing", "", 400,
                  REFUSED("1", "-32602",
                          "The _meta of the request has no "
                          "clientCapabilities"));
    m.abilities = "{}";
    m.version = "2026-07-28";
    expect_modern(&m, "1", "nothing", "", 400,
                  REFUSED("1", "-32020", MISMATCH));
    m.version = m.inside;
    send_modern(&m, "1", "nothing", "", &answer);
    assert_true(has(&answer, "-32020"));
    fake_answer_done(&answer);
    m.method = "";
    expect_modern(&m, "1", "nothing", "", 400, SPEAKS("1", "2099-01-01"));
    m.inside = m.version = "2026-07-28";
    expect_modern(&m, "1", "nothing", "", 404,
                  REFUSED("1", "-32601", "Method not found"));
    /* Unknown; forbidden; headers of parameters; the arguments. */
    m.name = "nobody";
    expect_modern(&m, "1", "tools/call", "\"name\":\"nobody\"", 200,
                  REFUSED("1", "-32602", "Unknown tool"));
    m.name = "secret";
    expect_modern(&m, "1", "tools/call", "\"name\":\"secret\",\"arguments\":[]",
                  403, "admin");
    m.name = "mirrored";
    expect_modern(&m, "1", "tools/call",
                  "\"name\":\"mirrored\",\"arguments\":[]", 200,
                  REFUSED("1", "-32602", "The arguments are no object"));
    m.extra[0] = "Mcp-Param-N";
    m.extra[1] = "1";
    send_modern(&m, "1", "tools/call", "\"name\":\"mirrored\"", &answer);
    assert_int_equal(answer.status, 400);
    fake_answer_done(&answer);
    m.extra[0] = NULL;
    send_modern(&m, "1", "tools/call", "\"name\":\"mirrored\"", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(has(&answer, "\"resultType\":\"complete\""));
    assert_true(has(&answer, "The arguments do not fit"));
    assert_true(has(&answer, "\"isError\":true"));
    fake_answer_done(&answer);
    assert_int_equal(desk->started, 0);
}

/* --- notifications --- */

/* @spec HT-05 HT-46 HT-47 G4 */
static void
accepts_notifications_without_a_word(void **state)
{
    struct modern m = modern_of(*state, &alice);
    static const char *const methods[] = {"notifications/cancelled",
                                          "notifications/new", "tools/call"};
    for (size_t i = 0; i < VL_COUNT(methods); i++)
        expect_modern(&m, NULL, methods[i], "\"requestId\":1", 202, "");
    /* Headers may be missing, and so may the envelope. */
    m.method = NULL;
    expect_modern(&m, NULL, methods[0], "", 202, "");
    m.version = NULL;
    expect_modern(&m, NULL, methods[0], "", 202, "");
    m.abilities = NULL;
    expect_modern(&m, NULL, methods[0], "", 202, "");
    m.inside = NULL;
    m.version = "2026-07-28";
    expect_modern(&m, NULL, methods[0], "", 202, "");
    /* What is there has to be right. */
    m = modern_of(*state, &alice);
    m.method = "other";
    struct fake_answer answer;
    send_modern(&m, NULL, methods[0], "", &answer);
    assert_int_equal(answer.status, 400);
    assert_true(has(&answer, "{\"jsonrpc\":\"2.0\",\"error\":{"
                             "\"code\":-32020"));
    fake_answer_done(&answer);
    m = modern_of(*state, &alice);
    m.version = "2025-11-25";
    send_modern(&m, NULL, methods[0], "", &answer);
    assert_int_equal(answer.status, 400);
    fake_answer_done(&answer);
    m.inside = m.version = "2099-01-01";
    send_modern(&m, NULL, methods[0], "", &answer);
    assert_int_equal(answer.status, 400);
    assert_true(has(&answer, "-32022"));
    fake_answer_done(&answer);
}

/* @spec HT-57: over HTTP nobody can name another's request, nor their own. */
static void
cancels_nothing_by_a_notification(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    call_modern(&m, "1", "later", "", &answer);
    expect_modern(&m, NULL, "notifications/cancelled", "\"requestId\":1", 202,
                  "");
    assert_int_equal(desk->cancelled, 0);
    finish(desk, &(valet_mcp_result){.text = "done"});
    assert_string_equal(vl_buf_cstr(&answer.body), EMPTY("1"));
    fake_answer_done(&answer);
}

/* --- what is not there any more --- */

/* @spec HT-45 HT-57 */
static void
ignores_a_session_and_never_names_one(void **state)
{
    struct desk *desk = *state;
    struct client his = open_client(desk, &mallory, "2025-11-25");
    const char *const ids[] = {his.session, "nonsense", ""};
    for (size_t i = 0; i < VL_COUNT(ids); i++) {
        struct modern m = modern_of(desk, &alice);
        m.extra[0] = "Mcp-Session-Id";
        m.extra[1] = ids[i];
        m.extra[2] = "Last-Event-ID";
        m.extra[3] = "1-1";
        struct fake_answer answer;
        call_modern(&m, "1", "steps", "", &answer);
        assert_int_equal(answer.status, 200);
        assert_null(fake_header(&answer, "Mcp-Session-Id"));
        assert_string_equal(vl_buf_cstr(&answer.body), EMPTY("1"));
        fake_answer_done(&answer);
    }
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 0);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_OPENED), 1);
}

/* @spec HT-44 */
static void
wants_a_session_for_get_and_delete(void **state)
{
    struct desk *desk = *state;
    static const char *const methods[] = {"GET", "DELETE"};
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        static const char *const headers[] = {
            "MCP-Protocol-Version", "2026-07-28", "Accept", BOTH, NULL};
        struct fake_answer answer;
        vl_mcp_endpoint_handle(
            desk->endpoint,
            fake_exchange(&answer, methods[i], headers, VL_STR("")), &alice);
        assert_int_equal(answer.status, 400);
        fake_answer_done(&answer);
    }
}

/* @spec HT-06: the ids of a client that stands alone are its own affair. */
static void
runs_two_requests_with_one_id(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer one, two;
    call_modern(&m, "1", "later", "", &one);
    call_modern(&m, "1", "later", "", &two);
    assert_int_equal(desk->call_count, 2);
    finish(desk, &(valet_mcp_result){.text = "done"});
    finish(desk, &(valet_mcp_result){.text = "done"});
    assert_string_equal(vl_buf_cstr(&one.body), EMPTY("1"));
    assert_string_equal(vl_buf_cstr(&two.body), EMPTY("1"));
    fake_answer_done(&one);
    fake_answer_done(&two);
}

/* --- the stream of a request --- */

/* @spec HT-58 HT-59 HT-60 HT-61 HT-63 */
static void
streams_progress_without_event_ids(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct fake_answer answer;
    size_t at = 0;
    m.meta = ",\"progressToken\":\"t\"";
    call_modern(&m, "1", "steps", "", &answer);
    assert_true(answer.streaming && answer.finished);
    assert_string_equal(fake_header(&answer, "X-Accel-Buffering"), "no");
    assert_string_equal(fake_header(&answer, "Cache-Control"), "no-store");
    assert_null(strstr(vl_buf_cstr(&answer.body), "id: "));
    expect_event(&answer, &at,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                 "\"params\":{\"progressToken\":\"t\",\"progress\":1,"
                 "\"total\":3,\"message\":\"one\"}}");
    expect_event(&answer, &at,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                 "\"params\":{\"progressToken\":\"t\",\"progress\":2.5}}");
    expect_event(&answer, &at, EMPTY("1"));
    assert_null(next_event(&answer, &at).p);
    fake_answer_done(&answer);
}

static void
answers_as_the_client_accepts_it(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct fake_answer answer;
    m.meta = ",\"progressToken\":1";
    m.accept = "application/json";
    call_modern(&m, "1", "steps", "", &answer);
    assert_false(answer.streaming);
    assert_string_equal(vl_buf_cstr(&answer.body), EMPTY("1"));
    fake_answer_done(&answer);
    m.meta = "";
    m.accept = "text/event-stream";
    call_modern(&m, "1", "steps", "", &answer);
    assert_true(answer.streaming && answer.finished);
    assert_string_equal(vl_buf_cstr(&answer.body),
                        "event: message\ndata: " EMPTY("1") "\n\n");
    fake_answer_done(&answer);
    /* But a status of HTTP is not lost in a stream. */
    expect_modern(&m, "1", "ping", "", 404,
                  REFUSED("1", "-32601", "Method not found"));
    m.accept = "text/html";
    expect_modern(&m, "1", "server/discover", "", 406,
                  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
                  "\"Accept allows neither JSON nor an event stream\"}}");
}

/* @spec HT-62 */
static void
cancels_what_the_client_hung_up_on(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer plain, stream;
    call_modern(&m, "1", "later", "", &plain);
    m.meta = ",\"progressToken\":1";
    call_modern(&m, "2", "later", "", &stream);
    valet_mcp_progress(desk->calls[1], 1, 0, NULL);
    size_t sent = vl_buf_size(&stream.body);
    assert_true(sent > 0);
    fake_hang_up(&stream);
    assert_int_equal(desk->cancelled, 1);
    assert_string_equal(desk->reasons[VL_MCP_TOOL_CANCELLED], "client");
    fake_hang_up(&plain);
    assert_int_equal(desk->cancelled, 2);
    assert_true(plain.finished && stream.finished);
    valet_mcp_progress(desk->calls[1], 2, 0, NULL);
    valet_mcp_log(desk->calls[1], VALET_MCP_ERROR, NULL, "late");
    finish(desk, &(valet_mcp_result){.text = "done"});
    finish(desk, &(valet_mcp_result){.text = "done"});
    assert_int_equal(vl_buf_size(&stream.body), sent);
    assert_int_equal(vl_buf_size(&plain.body), 0);
    fake_answer_done(&plain);
    fake_answer_done(&stream);
}

/* Whatever it accepts, and before there is a stream. @spec HT-62 */
static void
cancels_what_a_client_has_left(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const accepts[] = {"application/json", BOTH,
                                          "text/event-stream"};
    struct fake_answer answers[VL_COUNT(accepts)], old, quick;
    for (size_t i = 0; i < VL_COUNT(accepts); i++) {
        m.accept = accepts[i];
        call_modern(&m, "1", "later", "", &answers[i]);
    }
    client_send(&client, "POST", CALL("1", "\"name\":\"later\""), &old);
    call_modern(&m, "1", "later", "", &quick);
    vl_mcp_endpoint_sweep(desk->endpoint);
    assert_int_equal(desk->cancelled, 0);
    for (size_t i = 0; i < VL_COUNT(accepts); i++)
        fake_leave(&answers[i]);
    fake_leave(&old);
    fake_leave(&quick);
    /* It may still read. */
    valet_mcp_call *call = desk->calls[4];
    forget(desk, call);
    valet_mcp_finish(call, &(valet_mcp_result){.text = "done"});
    assert_true(has(&quick, "done"));
    vl_mcp_endpoint_sweep(desk->endpoint);
    assert_int_equal(desk->cancelled, VL_COUNT(accepts));
    for (size_t i = 0; i < VL_COUNT(accepts); i++) {
        assert_true(answers[i].finished);
        fake_answer_done(&answers[i]);
    }
    /* @spec HT-20 */
    assert_false(old.finished);
    while (desk->call_count)
        finish(desk, &(valet_mcp_result){.text = "done"});
    assert_true(old.finished);
    fake_answer_done(&old);
    fake_answer_done(&quick);
}

/* All of them at once, whichever was found first. */
static void
bears_tools_that_finish_when_clients_have_left(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answers[4];
    for (size_t i = 0; i < VL_COUNT(answers); i++) {
        call_modern(&m, "1", "later", "", &answers[i]);
        fake_leave(&answers[i]);
    }
    desk->finish_on_cancel = true;
    vl_mcp_endpoint_sweep(desk->endpoint);
    assert_int_equal(desk->cancelled, VL_COUNT(answers));
    assert_int_equal(desk->call_count, 0);
    for (size_t i = 0; i < VL_COUNT(answers); i++)
        fake_answer_done(&answers[i]);
}

static void
bears_a_tool_that_finishes_when_the_client_hangs_up(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    desk->finish_on_cancel = true;
    call_modern(&m, "1", "later", "", &answer);
    fake_hang_up(&answer);
    assert_true(answer.finished);
    assert_int_equal(desk->call_count, 0);
    fake_answer_done(&answer);
}

/* The token that a call came with is good for nothing any more. */
static void
ends_calls_of_a_family_that_has_ended(void **state)
{
    struct desk *desk = *state;
    struct modern hers = modern_of(desk, &alice);
    struct modern his = modern_of(desk, &mallory);
    struct fake_answer plain, stream, other;
    call_modern(&hers, "1", "later", "", &plain);
    hers.meta = ",\"progressToken\":1";
    call_modern(&hers, "2", "later", "", &stream);
    valet_mcp_progress(desk->calls[1], 1, 0, NULL);
    call_modern(&his, "1", "later", "", &other);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_int_equal(desk->cancelled, 2);
    assert_int_equal(plain.status, 401);
    assert_true(stream.finished);
    assert_false(other.finished);
    assert_string_equal(desk->reasons[VL_MCP_TOOL_CANCELLED], "session_end");
    size_t sent = vl_buf_size(&stream.body);
    for (int i = 0; i < 3; i++)
        finish(desk, &(valet_mcp_result){.text = "done"});
    assert_int_equal(vl_buf_size(&stream.body), sent);
    assert_string_equal(vl_buf_cstr(&other.body), EMPTY("1"));
    fake_answer_done(&plain);
    fake_answer_done(&stream);
    fake_answer_done(&other);
}

/* @spec HT-40 */
static void
gives_up_what_takes_too_long(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    call_modern(&m, "1", "later", "", &answer);
    vl_mcp_call_sweep(desk->endpoint, vl_mono_now() + 1);
    assert_string_equal(vl_buf_cstr(&answer.body),
                        REFUSED("1", "-32603", "The tool took too long"));
    finish(desk, &(valet_mcp_result){.text = "done"});
    fake_answer_done(&answer);
}

/* @spec S-08 */
static void
asks_for_a_sign_in(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct fake_answer answer;
    call_modern(&m, "1", "signed_out", "", &answer);
    assert_int_equal(answer.status, 401);
    fake_answer_done(&answer);
}

/* @spec HT-73 */
static void
bounds_the_calls_of_a_person_who_stands_alone(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    static struct fake_answer answers[VL_LIMIT_MCP_CALLS_PER_USER];
    for (int i = 0; i < VL_LIMIT_MCP_CALLS_PER_USER; i++)
        call_modern(&m, "1", "later", "", &answers[i]);
    struct fake_answer answer;
    call_modern(&m, "2", "steps", "", &answer);
    assert_string_equal(
        vl_buf_cstr(&answer.body),
        REFUSED("2", "-32603", "Too many calls at once; wait for one to end"));
    fake_answer_done(&answer);
    for (int i = 0; i < VL_LIMIT_MCP_CALLS_PER_USER; i++)
        fake_hang_up(&answers[i]);
    while (desk->call_count)
        finish(desk, &(valet_mcp_result){.text = "done"});
    for (int i = 0; i < VL_LIMIT_MCP_CALLS_PER_USER; i++)
        fake_answer_done(&answers[i]);
}

/* --- logs --- */

static void
tool_talks(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_log(call, VALET_MCP_DEBUG, "db", "fine");
    valet_mcp_log(call, VALET_MCP_WARNING, NULL, "odd \"x\"\n");
    valet_mcp_log(call, VALET_MCP_EMERGENCY, NULL, "fire");
    valet_mcp_finish(call, &(valet_mcp_result){.text = "done"});
}

/* @spec HT-64 */
static void
logs_to_who_asked_for_this_request(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    size_t at = 0;
    add_tool(desk, "talks", "read", tool_talks);
    call_modern(&m, "1", "talks", "", &answer);
    assert_false(answer.streaming);
    fake_answer_done(&answer);
    m.meta = ",\"" META_LEVEL "\":\"warning\"";
    call_modern(&m, "1", "talks", "", &answer);
    expect_event(&answer, &at,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                 "\"params\":{\"level\":\"warning\",\"data\":\"odd "
                 "\\\"x\\\"\\n\"}}");
    expect_event(&answer, &at,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                 "\"params\":{\"level\":\"emergency\",\"data\":\"fire\"}}");
    expect_event(&answer, &at, EMPTY("1"));
    fake_answer_done(&answer);
    at = 0;
    m.meta = ",\"" META_LEVEL "\":\"debug\"";
    call_modern(&m, "1", "talks", "", &answer);
    expect_event(&answer, &at,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                 "\"params\":{\"level\":\"debug\",\"logger\":\"db\",\"data\":"
                 "\"fine\"}}");
    fake_answer_done(&answer);
    /* Null is as good as nothing: then it hears nothing. */
    m.meta = ",\"" META_LEVEL "\":null";
    call_modern(&m, "1", "talks", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_false(has(&answer, "notifications/message"));
    fake_answer_done(&answer);
    static const char *const wrong[] = {"\"loud\"", "\"Debug\"", "7", "{}"};
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        char meta[100];
        (void)snprintf(meta, sizeof meta, ",\"" META_LEVEL "\":%s", wrong[i]);
        m.meta = meta;
        expect_modern(&m, "1", "server/discover", "", 400,
                      REFUSED("1", "-32602", "There is no such logLevel"));
    }
}

static void
logs_to_a_session_from_its_level_on(void **state)
{
    struct desk *desk = *state;
    add_tool(desk, "talks", "read", tool_talks);
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client_send(&client, "POST", CALL("1", "\"name\":\"talks\""), &answer);
    assert_false(has(&answer, "fine"));
    assert_true(has(&answer, "odd") && has(&answer, "fire"));
    fake_answer_done(&answer);
#define LEVEL(level)                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logging/setLevel\","           \
    "\"params\":{\"level\":" level "}}"
    expect(&client, LEVEL("\"emergency\""), 200, PONG("1"));
    expect(&client, LEVEL("\"loud\""), 200,
           REFUSED("1", "-32602", "There is no such level"));
    expect(&client, LEVEL("1"), 200,
           REFUSED("1", "-32602", "There is no such level"));
    client_send(&client, "POST", CALL("1", "\"name\":\"talks\""), &answer);
    assert_false(has(&answer, "odd"));
    assert_true(has(&answer, "fire"));
    fake_answer_done(&answer);
}

/* --- results --- */

static void
read_note(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){.text = valet_mcp_uri(call)});
}

static void
complete_name(valet_mcp_call *call, void *ctx)
{
    static const char *const values[] = {"ann", "anton"};
    (void)ctx;
    valet_mcp_finish_completion(call, values, 2, 0);
}

static void
add_others(struct desk *desk)
{
    static const valet_mcp_resource resource = {
        .uri = "note://1",
        .name = "one",
        .permission = "read",
        .read = read_note,
    };
    static const valet_mcp_resource hidden = {
        .uri = "note://secret",
        .name = "two",
        .permission = "admin",
        .read = read_note,
    };
    static const valet_mcp_prompt_argument arguments[] = {
        {.name = "who", .is_required = true}};
    static const valet_mcp_prompt prompt = {
        .name = "greet",
        .arguments = arguments,
        .argument_count = 1,
        .permission = "read",
        .get = read_note,
        .complete = complete_name,
    };
    assert_ok(valet_mcp_add_resource(desk->server, &resource, NULL));
    assert_ok(valet_mcp_add_resource(desk->server, &hidden, NULL));
    assert_ok(valet_mcp_add_prompt(desk->server, &prompt, NULL));
}

/* @spec HT-56 HT-71 */
static void
says_of_every_result_what_it_is(void **state)
{
    struct desk *desk = *state;
    add_others(desk);
    static const struct {
        const char *method, *name, *params;
        bool is_cached;
    } cases[] = {
        {"server/discover", NULL, "", true},
        {"tools/list", NULL, "", true},
        {"resources/list", NULL, "", true},
        {"resources/templates/list", NULL, "", true},
        {"prompts/list", NULL, "", true},
        {"resources/read", "note://1", "\"uri\":\"note://1\"", true},
        {"prompts/get", "greet",
         "\"name\":\"greet\",\"arguments\":{\"who\":\"x\"}", false},
        {"tools/call", "steps", "\"name\":\"steps\"", false},
        {"tools/call", "broken", "\"name\":\"broken\"", false},
        {"completion/complete", NULL,
         "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"greet\"},"
         "\"argument\":{\"name\":\"who\",\"value\":\"a\"}",
         false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct modern m = modern_of(desk, &alice);
        struct fake_answer answer;
        m.name = cases[i].name;
        send_modern(&m, "1", cases[i].method, cases[i].params, &answer);
        assert_int_equal(answer.status, 200);
        if (strcmp(cases[i].params, "\"name\":\"broken\"") == 0) {
            assert_true(has(&answer, "\"error\""));
            fake_answer_done(&answer);
            continue;
        }
        vl_auto(vl_json) doc = {NULL};
        const struct json_t *result = read_result(&answer, &doc);
        assert_str(vl_json_get_str(result, "resultType"), "complete");
        assert_true(has(&answer, WHOSE));
        int64_t ttl = -1;
        assert_int_equal(vl_json_get_int(result, "ttlMs", &ttl),
                         cases[i].is_cached);
        assert_int_equal(ttl >= 0, cases[i].is_cached);
        assert_int_equal(vl_json_get_str(result, "cacheScope").n > 0,
                         cases[i].is_cached);
        fake_answer_done(&answer);
    }
}

/* @spec HT-73 RS-25 */
static void
answers_for_what_is_not_there_or_not_theirs(void **state)
{
    struct desk *desk = *state;
    add_others(desk);
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    m.name = "note://none";
    expect_modern(&m, "1", "resources/read", "\"uri\":\"note://none\"", 200,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
                  "\"message\":\"There is no such resource\",\"data\":{"
                  "\"uri\":\"note://none\"}}}");
    m.name = "note://secret";
    expect_modern(&m, "1", "resources/read", "\"uri\":\"note://secret\"", 403,
                  "admin");
    m.name = NULL;
    send_modern(&m, "1", "resources/list", "", &answer);
    assert_false(has(&answer, "note://secret"));
    fake_answer_done(&answer);
    m.name = "";
    expect_modern(&m, "1", "resources/read", "", 200,
                  REFUSED("1", "-32602", "The uri is missing"));
    m.name = "nobody";
    expect_modern(&m, "1", "prompts/get", "\"name\":\"nobody\"", 200,
                  REFUSED("1", "-32602", "Unknown prompt"));
    m.name = "greet";
    expect_modern(&m, "1", "prompts/get", "\"name\":\"greet\"", 200,
                  REFUSED("1", "-32602", "A required argument is missing"));
}

/* @spec HT-55 */
static void
tells_what_it_is_without_a_session(void **state)
{
    struct modern m = modern_of(*state, &alice);
    expect_modern(&m, "1", "server/discover", "", 200,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":"
                  "\"complete\",\"supportedVersions\":[\"2026-07-28\"],"
                  "\"capabilities\":{\"logging\":{},\"tools\":{"
                  "\"listChanged\":true}},\"instructions\":\"Ask.\","
                  "\"ttlMs\":60000,\"cacheScope\":\"public\",\"_meta\":{"
                  "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"desk\","
                  "\"version\":\"1.0\"}}}}");
}

/* @spec HT-05 D24 */
static void
gives_ids_back_as_they_came(void **state)
{
    struct modern m = modern_of(*state, &alice);
    static const char *const ids[] = {"0",    "-7",        "9007199254740993",
                                      "\"\"", "\"a\\nb\"", "\"7\""};
    for (size_t i = 0; i < VL_COUNT(ids); i++) {
        struct fake_answer answer;
        char wanted[300];
        (void)snprintf(wanted, sizeof wanted, EMPTY("%s"), ids[i]);
        call_modern(&m, ids[i], "steps", "", &answer);
        assert_string_equal(vl_buf_cstr(&answer.body), wanted);
        fake_answer_done(&answer);
    }
    struct fake_answer answer;
    send_modern(&m, "null", "server/discover", "", &answer);
    assert_int_equal(answer.status, 400);
    assert_true(has(&answer, "-32600"));
    fake_answer_done(&answer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(takes_a_message_with_an_envelope_as_modern),
        DESK_TEST(refuses_a_header_that_stands_there_twice),
        DESK_TEST(opens_a_session_for_an_initialize_without_an_envelope),
        DESK_TEST(wants_an_envelope_where_the_header_is_modern),
        DESK_TEST(keeps_a_session_beside_requests_that_stand_alone),
        DESK_TEST(refuses_arrays_and_responses_of_this_era),
        DESK_TEST(wants_a_whole_envelope),
        DESK_TEST(names_the_versions_it_speaks),
        DESK_TEST(knows_no_methods_that_were_removed),
        DESK_TEST(compares_the_headers_with_the_body),
        DESK_TEST(compares_what_parameters_are_repeated),
        DESK_TEST(checks_one_thing_after_the_other),
        DESK_TEST(accepts_notifications_without_a_word),
        DESK_TEST(cancels_nothing_by_a_notification),
        DESK_TEST(ignores_a_session_and_never_names_one),
        DESK_TEST(wants_a_session_for_get_and_delete),
        DESK_TEST(runs_two_requests_with_one_id),
        DESK_TEST(streams_progress_without_event_ids),
        DESK_TEST(answers_as_the_client_accepts_it),
        DESK_TEST(cancels_what_the_client_hung_up_on),
        DESK_TEST(cancels_what_a_client_has_left),
        DESK_TEST(bears_tools_that_finish_when_clients_have_left),
        DESK_TEST(bears_a_tool_that_finishes_when_the_client_hangs_up),
        DESK_TEST(ends_calls_of_a_family_that_has_ended),
        DESK_TEST(gives_up_what_takes_too_long),
        DESK_TEST(asks_for_a_sign_in),
        DESK_TEST(bounds_the_calls_of_a_person_who_stands_alone),
        DESK_TEST(logs_to_who_asked_for_this_request),
        DESK_TEST(logs_to_a_session_from_its_level_on),
        DESK_TEST(says_of_every_result_what_it_is),
        DESK_TEST(answers_for_what_is_not_there_or_not_theirs),
        DESK_TEST(tells_what_it_is_without_a_session),
        DESK_TEST(gives_ids_back_as_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
