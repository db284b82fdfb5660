/* SPDX-License-Identifier: Apache-2.0
 *
 * One client at the other end of a pair of sockets, which speaks both eras.
 */
#include "modern.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk/call.h"
#include "talk/stdio.h"

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define NOTICE(what)                                                           \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" what "\"}"
#define CANCEL(id)                                                             \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" \
    "\"requestId\":" id "}}"
#define OLD(id, text)                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"content\":[{\"type\":"   \
    "\"text\",\"text\":\"" text "\"}],\"isError\":false}}"
#define NEW(id, text)                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":"         \
    "\"text\",\"text\":\"" text "\"}],\"isError\":false," WHOSE "}}"
#define PARSE_ERROR REFUSED("null", "-32700", "Parse error")
#define NO_BATCH    REFUSED("null", "-32600", "This array is no batch")
#define TOO_SOON(id)                                                           \
    REFUSED(id, "-32600",                                                      \
            "Before all others comes initialize, or a _meta that names a "     \
            "protocolVersion")

struct wire {
    struct desk *desk;
    struct vl_mcp_stdio *stdio;
    struct vl_timer *soon;
    int ours, theirs; /* descriptors */
    struct vl_buf heard;
    size_t ends, done;
    char line[8192];
};

static struct wire wire;

/* --- the wire --- */

static bool
may_but_admin(const struct vl_principal *principal, const char *permission,
              void *ctx)
{
    (void)principal;
    (void)ctx;
    return strcmp(permission, "admin") != 0;
}

/* So that no step waits for ever. */
static void
tick(void *ctx)
{
    (void)ctx;
    vl_timer_start(wire.soon, 10);
}

static void
note_end(void *ctx)
{
    (void)ctx;
    wire.ends++;
}

static void
note_done(void *ctx)
{
    (void)ctx;
    wire.done++;
}

static int
open_wire(void **state)
{
    int fds[2];
    (void)open_desk(state);
    struct desk *desk = *state;
    desk->hooks.may = may_but_admin;
    desk->hooks.note = NULL;
    wire = (struct wire){.desk = desk, .heard = vl_buf_of(1 << 26)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    wire.ours = fds[0];
    wire.theirs = fds[1];
    wire.soon = vl_timer_new(desk->loop, tick, NULL);
    vl_timer_start(wire.soon, 10);
    assert_ok(vl_mcp_stdio_new(desk->endpoint, desk->loop, wire.theirs,
                               wire.theirs, note_end, NULL, &wire.stdio, NULL));
    return 0;
}

static int
close_wire(void **state)
{
    vl_mcp_stdio_free(wire.stdio);
    (void)close(wire.theirs);
    if (wire.ours >= 0)
        (void)close(wire.ours);
    vl_timer_free(wire.soon);
    vl_buf_done(&wire.heard);
    return close_desk(state);
}

static void
put_text(const char *text, size_t n)
{
    while (n) {
        ssize_t k = send(wire.ours, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (k > 0) {
            text += k;
            n -= (size_t)k;
        } else {
            assert_int_equal(errno, EAGAIN);
            vl_loop_step(wire.desk->loop);
        }
    }
}

static void
put(const char *line)
{
    put_text(line, strlen(line));
    put_text("\n", 1);
}

/* Reads what is there; false at the end. */
static bool
hear(void)
{
    char bytes[65536];
    ssize_t k = recv(wire.ours, bytes, sizeof bytes, MSG_DONTWAIT);
    if (k > 0)
        vl_buf_add(&wire.heard, vl_str_of(bytes, (size_t)k));
    return k != 0;
}

/* The next line; NULL when none comes for a while. */
static const char *
get(void)
{
    for (int i = 0; i < 300; i++) {
        const char *all = vl_buf_cstr(&wire.heard);
        const char *end = strchr(all, '\n');
        if (end) {
            size_t n = (size_t)(end - all);
            (void)snprintf(wire.line, sizeof wire.line, "%.*s", (int)n, all);
            vl_buf_consume(&wire.heard, n + 1);
            return wire.line;
        }
        vl_loop_step(wire.desk->loop);
        (void)hear();
    }
    return NULL;
}

static void
expect_line(const char *wanted)
{
    const char *line = get();
    assert_non_null(line);
    assert_string_equal(line, wanted);
}

/* Nothing was said that this does not come after. */
static void
expect_silence(void)
{
    put(PING("\"silence\""));
    expect_line(PONG("\"silence\""));
}

static void
greet(const char *version, const char *abilities)
{
    char body[400];
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                   "\"params\":{\"protocolVersion\":\"%s\",\"capabilities\":%s}"
                   "}",
                   version, abilities);
    put(body);
    const char *line = get();
    assert_non_null(line);
    assert_non_null(strstr(line, version));
    put(NOTICE("initialized"));
}

static void
put_modern(const struct modern *m, const char *id, const char *method,
           const char *params)
{
    vl_auto(vl_buf) body = vl_buf_of(1 << 20);
    write_modern(&body, m, id, method, params);
    put(vl_buf_cstr(&body));
}

/* --- both eras --- */

/* @spec HT-76 ST-01 */
static void
speaks_both_eras_on_one_wire(void **state)
{
    struct modern m = modern_of(*state, NULL);
    put_modern(&m, "1", "tools/call", "\"name\":\"steps\"");
    expect_line(NEW("1", "done"));
    greet("2025-11-25", "{}");
    put(CALL("1", "\"name\":\"steps\""));
    put_modern(&m, "1", "tools/call", "\"name\":\"steps\"");
    put(CALL("\"1\"", "\"name\":\"steps\""));
    expect_line(OLD("1", "done"));
    expect_line(NEW("1", "done"));
    expect_line(OLD("\"1\"", "done"));
    put_modern(&m, "2", "ping", "");
    expect_line(REFUSED("2", "-32601", "Method not found"));
    put("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"server/discover\"}");
    expect_line(REFUSED("3", "-32601", "Method not found"));
    put_modern(&m, "4", "initialize", "\"protocolVersion\":\"2025-11-25\"");
    expect_line(REFUSED("4", "-32601", "Method not found"));
    put_modern(&m, "5", "server/discover", "");
    const char *line = get();
    assert_non_null(strstr(line, "\"supportedVersions\":[\"2026-07-28\"]"));
}

/* @spec ST-10 HT-49 HT-51 */
static void
checks_what_a_request_says_of_itself(void **state)
{
    struct modern m = modern_of(*state, NULL);
    m.inside = "2099-01-01";
    put_modern(&m, "1", "server/discover", "");
    expect_line("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,"
                "\"message\":\"This revision is not spoken here\",\"data\":{"
                "\"supported\":[\"2026-07-28\"],\"requested\":\"2099-01-01\"}}"
                "}");
    m = modern_of(*state, NULL);
    m.abilities = NULL;
    put_modern(&m, "2", "server/discover", "");
    expect_line(REFUSED("2", "-32602",
                        "The _meta of the request has no clientCapabilities"));
    m.abilities = "{}";
    m.meta = ",\"" META_LEVEL "\":\"loud\"";
    put_modern(&m, "3", "server/discover", "");
    expect_line(REFUSED("3", "-32602", "There is no such logLevel"));
}

/* @spec HT-37 */
static void
wants_to_be_greeted_first(void **state)
{
    (void)state;
    put("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    expect_line(TOO_SOON("1"));
    put(CALL("2", "\"name\":\"steps\""));
    expect_line(TOO_SOON("2"));
    put(PING("3"));
    expect_line(PONG("3"));
    put(NOTICE("initialized"));
    put("{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}");
    put("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"initialize\"}");
    expect_line(REFUSED("4", "-32602", "The protocolVersion is missing"));
    put(CALL("5", "\"name\":\"steps\""));
    expect_line(TOO_SOON("5"));
    greet("2025-06-18", "{}");
    put(CALL("6", "\"name\":\"steps\""));
    expect_line(OLD("6", "done"));
    /* Once more: what was agreed upon last holds. */
    greet("2025-03-26", "{}");
    put("[" PING("7") "]");
    expect_line("[" PONG("7") "]");
}

/* --- batches --- */

/* @spec ST-04 HT-16 */
static void
takes_batches_of_one_revision_alone(void **state)
{
    struct modern m = modern_of(*state, NULL);
    vl_auto(vl_buf) body = vl_buf_of(1 << 16);
    put("[" PING("1") "]");
    expect_line(NO_BATCH);
    greet("2025-11-25", "{}");
    put("[" PING("1") "]");
    expect_line("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
                "\"This array is no batch\"}}");
    greet("2025-03-26", "{}");
    put("[]");
    expect_line(NO_BATCH);
    put("[" PING("1") ",7," NOTICE("x") "," CALL(
        "2", "\"name\":\"steps\"") ",{\"jsonrpc\":\"2.0\",\"id\":3,"
                                   "\"method\":\"initialize\"}]");
    expect_line("[" PONG("1") "," REFUSED(
        "null", "-32600",
        "Invalid Request: it is no object") "," OLD("2",
                                                    "done") "," REFUSED("3",
                                                                        "-3260"
                                                                        "0",
                                                                        "initia"
                                                                        "lize "
                                                                        "stands"
                                                                        " alone"
                                                                        " and "
                                                                        "opens "
                                                                        "a "
                                                                        "sessio"
                                                                        "n") "]");
    put("[" NOTICE("a") "," NOTICE("b") "]");
    expect_silence();
    vl_buf_addz(&body, "[");
    write_modern(&body, &m, "5", "server/discover", "");
    vl_buf_addz(&body, "]");
    put(vl_buf_cstr(&body));
    expect_line("[" REFUSED("5", "-32600",
                            "A request of this revision stands alone") "]");
    for (int n = 64; n <= 65; n++) {
        vl_buf_clear(&body);
        for (int i = 0; i < n; i++)
            vl_buf_addz(&body, i ? "," PING("1") : "[" PING("1"));
        vl_buf_addc(&body, ']');
        put(vl_buf_cstr(&body));
        const char *line = get();
        assert_non_null(line);
        assert_int_equal(strcmp(line, NO_BATCH) == 0, n == 65);
    }
}

static void
gathers_late_answers_of_a_batch(void **state)
{
    struct desk *desk = *state;
    greet("2025-03-26", "{}");
    put("[" CALL("1", "\"name\":\"later\"") "," CALL(
        "2", "\"name\":\"later\"") "," PING("3") "]");
    expect_silence();
    put(CANCEL("1"));
    finish(desk, &(valet_mcp_result){.text = "one"});
    finish(desk, &(valet_mcp_result){.text = "two"});
    const char *line = get();
    assert_non_null(line);
    assert_non_null(strstr(line, PONG("3")));
    assert_non_null(strstr(line, OLD("2", "two")));
}

/* --- what is no message --- */

/* @spec W-04 HT-05 */
static void
outlives_what_is_no_message(void **state)
{
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"{", PARSE_ERROR},
        {"nan", PARSE_ERROR},
        {"\"\xff\"", PARSE_ERROR},
        {PING("1") PING("2"), PARSE_ERROR},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}",
         PARSE_ERROR},
        {"7", REFUSED("null", "-32600", "Invalid Request: it is no object")},
        {"null", REFUSED("null", "-32600", "Invalid Request: it is no object")},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        put(cases[i].line);
        expect_line(cases[i].answer);
    }
    /* To a client that is known to know no null. */
    struct modern m = modern_of(*state, NULL);
    put_modern(&m, "1", "tools/call", "\"name\":\"steps\"");
    assert_non_null(get());
    put("{");
    expect_line("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":"
                "\"Parse error\"}}");
    static const char *const odd[] = {
        "{}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":4,\"method\":\"ping\"}",
    };
    for (size_t i = 0; i < VL_COUNT(odd); i++) {
        put(odd[i]);
        const char *line = get();
        assert_non_null(line);
        assert_non_null(strstr(line, "\"code\":-32600"));
    }
    put("");
    put("\r");
    put(PING("1") "\r");
    expect_line(PONG("1"));
}

static void
drops_a_line_that_is_too_long(void **state)
{
    (void)state;
    size_t n = VL_LIMIT_MCP_BODY + 1;
    char *line = vl_alloc(n + 1);
    memset(line, 'x', n);
    put(line);
    expect_line(REFUSED("null", "-32600", "A message is at most 1 MiB long"));
    expect_silence();
    /* As long as it may be. */
    static const char begin[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":"
        "\"";
    memcpy(line, begin, sizeof begin - 1);
    memcpy(line + n - 4, "\"}}", 4);
    put(line);
    expect_line(PONG("1"));
    free(line);
}

/* D24 */
static void
gives_every_id_back_as_it_was(void **state)
{
    static const char *const ids[] = {
        "0",    "-7",        "9007199254740993", "9223372036854775807", "\"1\"",
        "\"\"", "\"a\\nb\"", "\"\xe2\x82\xac\"", "\"\\u0001\"",
    };
    struct modern m = modern_of(*state, NULL);
    greet("2025-11-25", "{}");
    for (size_t i = 0; i < VL_COUNT(ids); i++) {
        char body[300], wanted[300];
        (void)snprintf(body, sizeof body, PING("%s"), ids[i]);
        (void)snprintf(wanted, sizeof wanted, PONG("%s"), ids[i]);
        put(body);
        expect_line(wanted);
        (void)snprintf(body, sizeof body, CALL("%s", "\"name\":\"steps\""),
                       ids[i]);
        (void)snprintf(wanted, sizeof wanted, OLD("%s", "done"), ids[i]);
        put(body);
        expect_line(wanted);
        (void)snprintf(wanted, sizeof wanted, NEW("%s", "done"), ids[i]);
        put_modern(&m, ids[i], "tools/call", "\"name\":\"steps\"");
        expect_line(wanted);
    }
}

/* @spec HT-05 */
static void
answers_no_notification_whatever_is_wrong_with_it(void **state)
{
    struct modern m = modern_of(*state, NULL);
    put_modern(&m, NULL, "notifications/x", "");
    m.inside = "2099-01-01";
    put_modern(&m, NULL, "notifications/x", "");
    m.inside = "2026-07-28";
    m.abilities = NULL;
    put_modern(&m, NULL, "notifications/cancelled", "\"requestId\":{}");
    put_modern(&m, NULL, "tools/call", "\"name\":\"echo\"");
    put(NOTICE("x"));
    put("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"_meta\":{"
        "\"" META_VERSION "\":\"2026-07-28\"}}}");
    put("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":"
        "\"x\"}}");
    expect_silence();
    assert_int_equal(wire.desk->started, 0);
}

/* --- calls --- */

/* @spec ST-08 HT-20 */
static void
cancels_by_a_notification(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    greet("2025-11-25", "{}");
    put(CALL("1", "\"name\":\"later\""));
    put_modern(&m, "2", "tools/call", "\"name\":\"later\"");
    put(CALL("1", "\"name\":\"later\""));
    expect_line(REFUSED("1", "-32600", "A request with this id is under way"));
    put(CANCEL("\"1\""));
    put(CANCEL("3"));
    expect_silence();
    assert_int_equal(desk->cancelled, 0);
    put(CANCEL("1"));
    expect_silence();
    assert_int_equal(desk->cancelled, 1);
    put_modern(&m, NULL, "notifications/cancelled", "\"requestId\":2");
    expect_silence();
    assert_int_equal(desk->cancelled, 2);
    valet_mcp_progress(desk->calls[0], 1, 0, NULL);
    finish(desk, &(valet_mcp_result){.text = "late"});
    finish(desk, &(valet_mcp_result){.text = "late"});
    expect_silence();
}

/* Its request is answered: the id is free, and names the task no more. */
static void
frees_the_id_of_a_request_that_became_a_task(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    valet_mcp_tool tool = {
        .name = "long",
        .description = "A tool.",
        .input_schema = "{\"type\":\"object\"}",
        .permission = "read",
        .flags = VALET_MCP_AS_TASK,
        .call = tool_later,
        .ctx = desk,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
    m.abilities = KNOWS_TASKS;
    put_modern(&m, "1", "tools/call", "\"name\":\"long\"");
    assert_non_null(strstr(get(), "\"resultType\":\"task\""));
    put(CANCEL("1"));
    put_modern(&m, "1", "tools/call", "\"name\":\"steps\"");
    expect_line(NEW("1", "done"));
    assert_int_equal(desk->cancelled, 0);
    finish(desk, &(valet_mcp_result){.text = "done"});
    expect_silence();
}

static void
tells_progress_and_logs_before_the_answer(void **state)
{
    struct desk *desk = *state;
    greet("2025-11-25", "{}");
    put(CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":\"t\"}"));
    expect_silence();
    valet_mcp_progress(desk->calls[0], 1, 0, NULL);
    valet_mcp_log(desk->calls[0], VALET_MCP_INFO, NULL, "x");
    valet_mcp_log(desk->calls[0], VALET_MCP_DEBUG, NULL, "y");
    valet_mcp_disconnect(desk->calls[0], 1);
    finish(desk, &(valet_mcp_result){.text = "a\nb"});
    expect_line("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                "\"params\":{\"progressToken\":\"t\",\"progress\":1}}");
    expect_line("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                "\"params\":{\"level\":\"info\",\"data\":\"x\"}}");
    expect_line(OLD("1", "a\\nb"));
}

/* @spec RS-02: there is no sign-in that could begin, nor a status of HTTP. */
static void
refuses_in_words(void **state)
{
    struct modern m = modern_of(*state, NULL);
    greet("2025-11-25", "{}");
    put(CALL("1", "\"name\":\"secret\""));
    expect_line(
        REFUSED("1", "-32003", "The token's scope does not cover this"));
    put_modern(&m, "1", "tools/call", "\"name\":\"secret\"");
    expect_line(
        REFUSED("1", "-32603", "The token's scope does not cover this"));
    put(CALL("2", "\"name\":\"signed_out\""));
    const char *line = get();
    assert_non_null(strstr(line, "Sign in again."));
    assert_non_null(strstr(line, "\"isError\":true"));
}

static void
handle_greet(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_list_roots(call, "roots"))
        valet_mcp_await(call);
    else
        valet_mcp_finish(call, &(valet_mcp_result){.text = "thanks"});
}

/* @spec ST-07 D9 */
static void
asks_by_requests_in_the_older_era_alone(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    char body[200];
    add_tool(desk, "asks", "read", handle_greet);
    greet("2025-11-25", "{\"roots\":{}}");
    put(CALL("1", "\"name\":\"asks\""));
    vl_auto(vl_json) doc = {NULL}, modern = {NULL};
    assert_ok(vl_json_parse(vl_str_z(get()), 32, &doc, NULL));
    assert_str(vl_json_get_str(doc.root, "method"), "roots/list");
    put("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"roots\":[]}}");
    expect_silence();
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{\"roots\":"
                   "[]}}",
                   vl_json_get_str(doc.root, "id").p);
    put(body);
    expect_line(OLD("1", "thanks"));
    /* What the session can, this request cannot. */
    put_modern(&m, "2", "tools/call", "\"name\":\"asks\"");
    assert_non_null(strstr(get(), "\"code\":-32021"));
    m.abilities = "{\"roots\":{}}";
    put_modern(&m, "3", "tools/call", "\"name\":\"asks\"");
    assert_ok(vl_json_parse(vl_str_z(get()), 32, &modern, NULL));
    const struct json_t *result = vl_json_get(modern.root, "result");
    assert_str(vl_json_get_str(result, "resultType"), "input_required");
    put_modern(&m, "4", "tools/call",
               "\"name\":\"asks\",\"inputResponses\":{\"roots\":{\"roots\":[]}}"
               "");
    expect_line(NEW("4", "thanks"));
}

/* --- changes --- */

#define LISTEN_META(id) "\"_meta\":{\"" META_LISTEN "\":" id "}"
#define LISTEN_END(id)                                                         \
    "\"_meta\":{\"" META_LISTEN "\":" id                                       \
    ",\"io.modelcontextprotocol/serverInfo\":{\"name\":\"desk\",\"version\":"  \
    "\"1.0\"}}"
#define ACK(id)                                                                \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"           \
    "acknowledged\",\"params\":{" LISTEN_META(                                 \
        id) ",\"notifications\":{\"toolsListChanged\":true}}}"
#define CHANGED(id)                                                            \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\","    \
    "\"params\":{" LISTEN_META(id) "}}"
#define END(id)                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"resultType\":\"complete\"," LISTEN_END(id) "}}"
#define ENDED(id)                                                              \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" \
    "\"requestId\":" id ",\"reason\":\"The server has ended it\"}}"
#define TOOLS "\"notifications\":{\"toolsListChanged\":true}"

/* @spec ST-09 ST-08 HT-65 HT-66 */
static void
listens_until_it_is_taken_back(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    put_modern(&m, "7", "subscriptions/listen", TOOLS);
    expect_line(ACK("7"));
    put_modern(&m, "\"7\"", "subscriptions/listen", TOOLS);
    expect_line(ACK("\"7\""));
    valet_mcp_remove_tool(desk->server, "steps");
    expect_line(CHANGED("7"));
    expect_line(CHANGED("\"7\""));
    put_modern(&m, NULL, "notifications/cancelled", "\"requestId\":7");
    expect_silence();
    valet_mcp_remove_tool(desk->server, "broken");
    expect_line(CHANGED("\"7\""));
    expect_silence();
    /* The id is free, and taken once. */
    put_modern(&m, "7", "subscriptions/listen", TOOLS);
    expect_line(ACK("7"));
    put_modern(&m, "7", "subscriptions/listen", TOOLS);
    expect_line(REFUSED("7", "-32600", "A request with this id is under way"));
    put_modern(&m, "7", "tools/call", "\"name\":\"echo\"");
    expect_line(REFUSED("7", "-32600", "A request with this id is under way"));
    put(CANCEL("7"));
    expect_silence();
    vl_mcp_endpoint_drain(desk->endpoint);
    /* @spec G1 */
    expect_line(END("\"7\""));
    expect_line(ENDED("\"7\""));
    put_modern(&m, "8", "subscriptions/listen", TOOLS);
    expect_line(REFUSED("8", "-32603", "The server is stopping"));
}

static void
tool_long(valet_mcp_call *call, void *ctx)
{
    static char text[1 << 20];
    (void)ctx;
    memset(text, 'x', sizeof text - 1);
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

/* @spec G1: also what is told at once can be too much. */
static void
tells_a_listener_that_it_was_dropped(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    char params[200] = "\"notifications\":{\"taskIds\":[";
    m.abilities = KNOWS_TASKS;
    assert_ok(valet_mcp_add_tool(
        desk->server,
        &(valet_mcp_tool){.name = "long",
                          .description = "A tool.",
                          .input_schema = "{\"type\":\"object\"}",
                          .permission = "read",
                          .flags = VALET_MCP_AS_TASK,
                          .call = tool_long},
        NULL));
    for (int i = 0; i < 2; i++) {
        put_modern(&m, "1", "tools/call", "\"name\":\"long\"");
        const char *line = get();
        assert_non_null(line);
        const char *id = strstr(line, "\"taskId\":");
        assert_non_null(id);
        size_t n = strlen(params);
        (void)snprintf(params + n, sizeof params - n, "%s%.47s", i ? "," : "",
                       id + 9);
    }
    (void)snprintf(params + strlen(params), 3, "]}");
    put_modern(&m, "7", "subscriptions/listen", params);
    const char *line = get();
    assert_non_null(line);
    assert_non_null(strstr(line, "acknowledged"));
    line = get();
    assert_non_null(line);
    assert_non_null(strstr(line, "notifications/tasks"));
    expect_line("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":7,\"reason\":"
                "\"What was told was not read in time\"}}");
    expect_silence();
}

static void
tells_a_session_once_it_was_greeted(void **state)
{
    struct desk *desk = *state;
    valet_mcp_remove_tool(desk->server, "steps");
    expect_silence();
    greet("2025-11-25", "{}");
    valet_mcp_remove_tool(desk->server, "broken");
    expect_line(NOTICE("tools/list_changed"));
    expect_silence();
}

/* D23: not more than it reads. */
static void
says_no_more_than_is_read(void **state)
{
    struct desk *desk = *state;
    static char text[65536];
    memset(text, 'x', sizeof text - 1);
    greet("2025-11-25", "{}");
    put(CALL("1", "\"name\":\"later\""));
    expect_silence();
    for (int i = 0; i < 100; i++) {
        valet_mcp_log(desk->calls[0], VALET_MCP_INFO, NULL, text);
        vl_loop_deliver(desk->loop);
    }
    assert_true(desk->endpoint->line.is_slow(desk->endpoint->line.ctx));
    for (int i = 0; i < 60000; i++)
        valet_mcp_remove_tool(desk->server, "steps"),
            add_tool(desk, "steps", "read", tool_steps);
    finish(desk, &(valet_mcp_result){.text = "done"});
    size_t logs = 0, changes = 0;
    const char *line;
    while ((line = get()) && strcmp(line, OLD("1", "done")) != 0) {
        logs += strstr(line, "notifications/message") != NULL;
        changes += strstr(line, "list_changed") != NULL;
    }
    assert_non_null(line);
    assert_true(logs > 0 && logs < 20);
    assert_true(changes > 1000 &&
                changes <= VL_LIMIT_STREAM_MOST /
                               strlen(NOTICE("tools/list_changed")));
    /* Now that it reads it hears again. */
    valet_mcp_remove_tool(desk->server, "steps");
    expect_line(NOTICE("tools/list_changed"));
}

/* --- its end --- */

/* @spec ST-06 */
static void
ends_with_its_input(void **state)
{
    struct desk *desk = *state;
    greet("2025-11-25", "{}");
    put(CALL("1", "\"name\":\"later\""));
    put(PING("2"));
    expect_line(PONG("2"));
    put(PING("3"));
    assert_int_equal(shutdown(wire.ours, SHUT_WR), 0);
    for (int i = 0; i < 300 && !wire.ends; i++)
        vl_loop_step(desk->loop);
    assert_int_equal(wire.ends, 1);
    assert_int_equal(desk->cancelled, 0);
    vl_mcp_stdio_finish(wire.stdio, 1000, note_done, NULL);
    assert_int_equal(desk->cancelled, 1);
    for (int i = 0; i < 300 && !wire.done; i++)
        vl_loop_step(desk->loop);
    assert_int_equal(wire.done, 1);
    assert_int_equal(wire.ends, 1);
    /* What was answered before still came. */
    expect_line(PONG("3"));
    finish(desk, &(valet_mcp_result){.text = "late"});
    assert_null(get());
}

/* @spec HT-66 */
static void
ends_what_listens_when_it_is_stopped(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    desk->finish_on_cancel = true;
    put_modern(&m, "7", "subscriptions/listen", TOOLS);
    expect_line(ACK("7"));
    put_modern(&m, "8", "tools/call", "\"name\":\"later\"");
    expect_silence();
    vl_mcp_stdio_finish(wire.stdio, 1000, note_done, NULL);
    for (int i = 0; i < 300 && !wire.done; i++)
        vl_loop_step(desk->loop);
    expect_line(END("7"));
    expect_line(ENDED("7"));
    assert_int_equal(desk->cancelled, 1);
    assert_int_equal(wire.ends, 0);
    assert_null(get());
}

static void
notices_a_client_that_is_gone(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, NULL);
    put_modern(&m, "7", "subscriptions/listen", TOOLS);
    expect_line(ACK("7"));
    (void)close(wire.ours);
    wire.ours = -1;
    for (int i = 0; i < 300 && !wire.ends; i++)
        vl_loop_step(desk->loop);
    assert_int_equal(wire.ends, 1);
    valet_mcp_remove_tool(desk->server, "steps");
    vl_loop_step(desk->loop);
    assert_int_equal(wire.ends, 1);
}

#define WIRE_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_wire, close_wire)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WIRE_TEST(speaks_both_eras_on_one_wire),
        WIRE_TEST(checks_what_a_request_says_of_itself),
        WIRE_TEST(wants_to_be_greeted_first),
        WIRE_TEST(takes_batches_of_one_revision_alone),
        WIRE_TEST(gathers_late_answers_of_a_batch),
        WIRE_TEST(outlives_what_is_no_message),
        WIRE_TEST(drops_a_line_that_is_too_long),
        WIRE_TEST(gives_every_id_back_as_it_was),
        WIRE_TEST(answers_no_notification_whatever_is_wrong_with_it),
        WIRE_TEST(cancels_by_a_notification),
        WIRE_TEST(frees_the_id_of_a_request_that_became_a_task),
        WIRE_TEST(tells_progress_and_logs_before_the_answer),
        WIRE_TEST(refuses_in_words),
        WIRE_TEST(asks_by_requests_in_the_older_era_alone),
        WIRE_TEST(listens_until_it_is_taken_back),
        WIRE_TEST(tells_a_listener_that_it_was_dropped),
        WIRE_TEST(tells_a_session_once_it_was_greeted),
        WIRE_TEST(says_no_more_than_is_read),
        WIRE_TEST(ends_with_its_input),
        WIRE_TEST(ends_what_listens_when_it_is_stopped),
        WIRE_TEST(notices_a_client_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
