/* SPDX-License-Identifier: Apache-2.0
 *
 * Who hears of changes: subscriptions/listen, and sessions on their streams.
 */
#include "modern.h"

#include "talk/listen.h"

#define LISTEN   "subscriptions/listen"
#define META(id) "\"_meta\":{\"" META_LISTEN "\":" id "}"
#define ACK(id, granted)                                                       \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"           \
    "acknowledged\",\"params\":{" META(id) ",\"notifications\":{" granted      \
                                           "}}}"
#define NOTE(id, what)                                                         \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" what                    \
    "\",\"params\":{" META(id) "}}"
#define UPDATED(id, uri)                                                       \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","     \
    "\"params\":{" META(id) ",\"uri\":\"" uri "\"}}"
#define END(id)                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"resultType\":\"complete\",\"_meta\":{\"" META_LISTEN       \
    "\":" id                                                                   \
    ",\"io.modelcontextprotocol/serverInfo\":{\"name\":\"desk\",\"version\":"  \
    "\"1.0\"}}}}"
#define TOOLS "\"notifications\":{\"toolsListChanged\":true}"

static void
read_note(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){.text = "x"});
}

static const valet_mcp_prompt prompt = {
    .name = "greet", .permission = "read", .get = read_note};

static int
open_noted_desk(void **state)
{
    static const valet_mcp_resource note = {.uri = "note://1",
                                            .name = "one",
                                            .permission = "read",
                                            .read = read_note};
    static const valet_mcp_resource hidden = {.uri = "note://secret",
                                              .name = "two",
                                              .permission = "admin",
                                              .read = read_note};
    static const valet_mcp_template tmpl = {.uri_template = "page://{id}",
                                            .name = "pages",
                                            .permission = "read",
                                            .read = read_note};
    (void)open_desk(state);
    struct desk *desk = *state;
    assert_ok(valet_mcp_add_resource(desk->server, &note, NULL));
    assert_ok(valet_mcp_add_resource(desk->server, &hidden, NULL));
    assert_ok(valet_mcp_add_template(desk->server, &tmpl, NULL));
    return 0;
}

static void
change_tools(struct desk *desk)
{
    assert_true(valet_mcp_remove_tool(desk->server, "echo"));
    add_tool(desk, "echo", "read", tool_echo);
}

static size_t
count_events(const struct fake_answer *answer)
{
    size_t n = 0, at = 0;
    while (next_event(answer, &at).p)
        n++;
    return n;
}

static void
listen(const struct modern *m, const char *id, const char *params,
       struct fake_answer *answer)
{
    send_modern(m, id, LISTEN, params, answer);
    assert_int_equal(answer->status, 200);
    assert_true(answer->streaming);
    assert_false(answer->finished);
}

/* --- what is granted --- */

/* @spec HT-65 HT-61 */
static void
acknowledges_what_it_will_tell(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    static const struct {
        const char *params, *ack;
    } cases[] = {
        {"\"notifications\":{}", ACK("7", "")},
        {TOOLS, ACK("7", "\"toolsListChanged\":true")},
        {"\"notifications\":{\"toolsListChanged\":false,"
         "\"resourcesListChanged\":1,\"future\":true}",
         ACK("7", "")},
        /* There are no prompts. */
        {"\"notifications\":{\"promptsListChanged\":true,"
         "\"resourcesListChanged\":true,\"toolsListChanged\":true}",
         ACK("7", "\"toolsListChanged\":true,\"resourcesListChanged\":true")},
        /* What is not there, may not be read, or is none is left out. */
        {"\"notifications\":{\"resourceSubscriptions\":[\"note://1\","
         "\"note://1\",\"note://2\",\"note://secret\",7,\"\",null]}",
         ACK("7", "\"resourceSubscriptions\":[\"note://1\"]")},
        {"\"notifications\":{\"resourceSubscriptions\":[\"page://a\"]}",
         ACK("7", "\"resourceSubscriptions\":[\"page://a\"]")},
        {"\"notifications\":{\"resourceSubscriptions\":\"note://1\"}",
         ACK("7", "")},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct fake_answer answer;
        size_t at = 0;
        listen(&m, "7", cases[i].params, &answer);
        assert_string_equal(fake_header(&answer, "X-Accel-Buffering"), "no");
        assert_null(strstr(body_of(&answer), "id: "));
        expect_event(&answer, &at, cases[i].ack);
        assert_null(next_event(&answer, &at).p);
        fake_hang_up(&answer);
        assert_true(answer.finished);
        fake_answer_done(&answer);
    }
}

static void
refuses_what_cannot_be_listened_for(void **state)
{
    struct modern m = modern_of(*state, &alice);
    static const char *const wrong[] = {
        "",
        "\"notifications\":null",
        "\"notifications\":[]",
        "\"notifications\":{\"taskIds\":{}}",
        "\"notifications\":{\"taskIds\":null}",
    };
    for (size_t i = 0; i < VL_COUNT(wrong); i++)
        expect_modern(&m, "1", LISTEN, wrong[i], 200,
                      REFUSED("1", "-32602",
                              "What to listen for is not said, or too much"));
    expect_modern(&m, "1", LISTEN, "\"notifications\":{\"taskIds\":[]}", 400,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32021,"
                  "\"message\":\"The client lacks a capability that this "
                  "needs\",\"data\":{\"requiredCapabilities\":{\"extensions\":"
                  "{\"io.modelcontextprotocol/tasks\":{}}}}}}");
    m.accept = "application/json";
    expect_modern(
        &m, "1", LISTEN, TOOLS, 406,
        REFUSED("1", "-32600", "Accept does not allow an event stream"));
    vl_auto(vl_buf) many = vl_buf_of(1 << 16);
    vl_buf_addz(&many, "\"notifications\":{\"taskIds\":[\"x\"");
    for (int i = 0; i < VL_LIMIT_MCP_TASKS_PER_USER; i++)
        vl_buf_addz(&many, ",\"x\"");
    vl_buf_addz(&many, "]}");
    m = modern_of(*state, &alice);
    m.abilities = KNOWS_TASKS;
    expect_modern(
        &m, "1", LISTEN, vl_buf_cstr(&many), 200,
        REFUSED("1", "-32602", "What to listen for is not said, or too much"));
}

/* --- what is told --- */

/* @spec HT-65 HT-67 */
static void
tells_what_was_asked_for_and_nothing_else(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer tools, notes, nothing;
    size_t at = 0;
    assert_ok(valet_mcp_add_prompt(desk->server, &prompt, NULL));
    listen(&m, "\"t\"", TOOLS, &tools);
    listen(&m, "-9007199254740993",
           "\"notifications\":{\"resourcesListChanged\":true,"
           "\"promptsListChanged\":true,"
           "\"resourceSubscriptions\":[\"note://1\",\"page://a\"]}",
           &notes);
    listen(&m, "0", "\"notifications\":{}", &nothing);
    change_tools(desk);
    valet_mcp_resource_updated(desk->server, "note://1");
    valet_mcp_resource_updated(desk->server, "note://secret");
    valet_mcp_resource_updated(desk->server, "page://b");
    valet_mcp_resource_updated(desk->server, "page://a");
    assert_true(valet_mcp_remove_prompt(desk->server, "greet"));
    assert_true(valet_mcp_remove_template(desk->server, "page://{id}"));
    (void)next_event(&tools, &at);
    expect_event(&tools, &at, NOTE("\"t\"", "tools/list_changed"));
    expect_event(&tools, &at, NOTE("\"t\"", "tools/list_changed"));
    assert_null(next_event(&tools, &at).p);
    at = 0;
    (void)next_event(&notes, &at);
#define BIG "-9007199254740993"
    expect_event(&notes, &at, UPDATED(BIG, "note://1"));
    expect_event(&notes, &at, UPDATED(BIG, "page://a"));
    expect_event(&notes, &at, NOTE(BIG, "prompts/list_changed"));
    expect_event(&notes, &at, NOTE(BIG, "resources/list_changed"));
    assert_null(next_event(&notes, &at).p);
    assert_int_equal(count_events(&nothing), 1);
    /* What a request says goes to its own stream. */
    struct fake_answer call;
    m.meta = ",\"progressToken\":1,\"" META_LEVEL "\":\"debug\"";
    call_modern(&m, "1", "steps", "", &call);
    assert_int_equal(count_events(&call), 3);
    assert_int_equal(count_events(&nothing), 1);
    fake_answer_done(&call);
    fake_hang_up(&tools);
    fake_hang_up(&notes);
    fake_hang_up(&nothing);
    fake_answer_done(&tools);
    fake_answer_done(&notes);
    fake_answer_done(&nothing);
}

/* Asks for so many resources. */
static void
send_listen(const struct modern *m, const char *id, size_t count,
            struct fake_answer *answer)
{
    vl_auto(vl_buf) many = vl_buf_of(1 << 16);
    vl_buf_addz(&many, "\"notifications\":{\"resourceSubscriptions\":[");
    for (size_t i = 0; i < count; i++) {
        char uri[32];
        (void)snprintf(uri, sizeof uri, "%s\"page://%zu\"", i ? "," : "", i);
        vl_buf_addz(&many, uri);
    }
    vl_buf_addz(&many, "]}");
    send_modern(m, id, LISTEN, vl_buf_cstr(&many), answer);
}

static size_t
count_granted(const struct fake_answer *answer)
{
    vl_auto(vl_json) doc = {NULL};
    size_t at = 0;
    assert_ok(vl_json_parse(next_event(answer, &at), 32, &doc, NULL));
    const struct json_t *uris = vl_json_get(
        vl_json_get(vl_json_get(doc.root, "params"), "notifications"),
        "resourceSubscriptions");
    return vl_json_size(uris);
}

static void
bounds_what_one_listener_hears_of(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct fake_answer answer;
    send_listen(&m, "1", VL_LIMIT_MCP_SUBSCRIPTIONS + 1, &answer);
    assert_string_equal(
        body_of(&answer),
        REFUSED("1", "-32602", "What to listen for is not said, or too much"));
    fake_answer_done(&answer);
    send_listen(&m, "1", VL_LIMIT_MCP_SUBSCRIPTIONS, &answer);
    assert_int_equal(count_granted(&answer), VL_LIMIT_MCP_SUBSCRIPTIONS);
    fake_hang_up(&answer);
    fake_answer_done(&answer);
}

static void
bounds_what_the_listeners_of_a_person_hear_of(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct modern other = modern_of(*state, &mallory);
    struct fake_answer answers[5], his;
    for (size_t i = 0; i < 5; i++) {
        send_listen(&m, "1", VL_LIMIT_MCP_SUBSCRIPTIONS - 50, &answers[i]);
        assert_int_equal(count_granted(&answers[i]),
                         i < 4 ? VL_LIMIT_MCP_SUBSCRIPTIONS - 50 : 200);
    }
    send_listen(&other, "1", VL_LIMIT_MCP_SUBSCRIPTIONS, &his);
    assert_int_equal(count_granted(&his), VL_LIMIT_MCP_SUBSCRIPTIONS);
    fake_hang_up(&his);
    fake_answer_done(&his);
    for (size_t i = 0; i < 5; i++) {
        fake_hang_up(&answers[i]);
        fake_answer_done(&answers[i]);
    }
}

/* --- its end --- */

/* @spec HT-66 */
static void
ends_with_a_result_when_the_server_does(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer one, two, late;
    size_t at = 0;
    listen(&m, "7", TOOLS, &one);
    listen(&m, "\"x\"", TOOLS, &two);
    vl_mcp_endpoint_drain(desk->endpoint);
    assert_true(one.finished && two.finished);
    (void)next_event(&one, &at);
    expect_event(&one, &at, END("7"));
    at = 0;
    (void)next_event(&two, &at);
    expect_event(&two, &at, END("\"x\""));
    assert_null(next_event(&two, &at).p);
    send_modern(&m, "1", LISTEN, TOOLS, &late);
    assert_int_equal(late.status, 503);
    assert_string_equal(body_of(&late),
                        REFUSED("1", "-32603", "The server is stopping"));
    /* What is short still works. */
    fake_answer_done(&late);
    send_modern(&m, "1", "tools/list", "", &late);
    assert_int_equal(late.status, 200);
    fake_answer_done(&one);
    fake_answer_done(&two);
    fake_answer_done(&late);
}

/* @spec D18 */
static void
ends_with_its_token(void **state)
{
    struct desk *desk = *state;
    struct vl_principal brief = alice, lasting = alice;
    struct modern m = modern_of(desk, &brief),
                  other = modern_of(desk, &lasting);
    struct fake_answer one, two, his;
    size_t at = 0;
    lasting.expires_ms = INT64_MAX;
    listen(&m, "7", TOOLS, &one);
    listen(&other, "8", TOOLS, &two);
    desk->now = alice.expires_ms - 1;
    vl_mcp_listeners_tend(desk->endpoint);
    assert_false(one.finished);
    desk->now++;
    vl_mcp_listeners_tend(desk->endpoint);
    assert_true(one.finished);
    assert_false(two.finished);
    (void)next_event(&one, &at);
    expect_event(&one, &at, END("7"));
    other.principal = &mallory;
    listen(&other, "9", TOOLS, &his);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_true(two.finished);
    assert_false(his.finished);
    at = 0;
    (void)next_event(&two, &at);
    expect_event(&two, &at, END("8"));
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    assert_true(his.finished);
    at = 0;
    (void)next_event(&his, &at);
    expect_event(&his, &at, END("9"));
    fake_answer_done(&one);
    fake_answer_done(&two);
    fake_answer_done(&his);
}

/* @spec HT-62 */
static void
tells_nothing_to_who_has_gone(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    listen(&m, "7", TOOLS, &answer);
    fake_hang_up(&answer);
    change_tools(desk);
    assert_int_equal(count_events(&answer), 1);
    assert_true(vl_list_is_empty(&desk->endpoint->listeners));
    fake_answer_done(&answer);
}

/* D23: it is not told more than it reads, and finds out when it comes again. */
static void
lets_go_of_who_does_not_read(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer slow, quick;
    listen(&m, "7", TOOLS, &slow);
    listen(&m, "8", TOOLS, &quick);
    slow.full = true;
    valet_mcp_remove_tool(desk->server, "echo");
    assert_false(slow.finished);
    assert_int_equal(count_events(&slow), 2);
    valet_mcp_remove_tool(desk->server, "steps");
    assert_true(slow.finished);
    assert_int_equal(count_events(&slow), 2);
    assert_int_equal(count_events(&quick), 3);
    /* One that catches up in time stays. */
    quick.full = true;
    valet_mcp_remove_tool(desk->server, "later");
    fake_drain(&quick);
    valet_mcp_remove_tool(desk->server, "broken");
    assert_int_equal(count_events(&quick), 5);
    assert_false(quick.finished);
    fake_hang_up(&quick);
    fake_answer_done(&slow);
    fake_answer_done(&quick);
}

/* @spec HT-61 */
static void
keeps_a_quiet_stream_alive(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    listen(&m, "7", TOOLS, &answer);
    size_t before = vl_buf_size(&answer.body);
    vl_mcp_listeners_tend(desk->endpoint);
    assert_int_equal(vl_buf_size(&answer.body), before);
    struct vl_mcp_listener *listener = VL_CONTAINER(
        desk->endpoint->listeners.next, struct vl_mcp_listener, in_endpoint);
    listener->post->spoke_ms -= VL_LIMIT_STREAM_QUIET_MS;
    vl_mcp_listeners_tend(desk->endpoint);
    assert_true(vl_buf_size(&answer.body) > before);
    assert_string_equal(body_of(&answer) + before, ":\n\n");
    fake_hang_up(&answer);
    fake_answer_done(&answer);
}

static void
bounds_the_listeners_of_a_person(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice), his = modern_of(desk, &mallory);
    static struct fake_answer answers[VL_LIMIT_MCP_LISTENERS_PER_USER];
    struct vl_principal client = alice;
    struct fake_answer other;
    for (int i = 0; i < VL_LIMIT_MCP_LISTENERS_PER_USER; i++)
        listen(&m, "7", TOOLS, &answers[i]);
    /* Another program of hers makes no difference. */
    (void)snprintf(client.client.text, sizeof client.client.text, "c9");
    m.principal = &client;
    expect_modern(&m, "8", LISTEN, TOOLS, 429,
                  REFUSED("8", "-32603", "Too many are listening already"));
    listen(&his, "7", TOOLS, &other);
    fake_hang_up(&other);
    fake_answer_done(&other);
    fake_hang_up(&answers[0]);
    listen(&m, "8", TOOLS, &other);
    fake_hang_up(&other);
    for (int i = 1; i < VL_LIMIT_MCP_LISTENERS_PER_USER; i++)
        fake_hang_up(&answers[i]);
    for (int i = 0; i < VL_LIMIT_MCP_LISTENERS_PER_USER; i++)
        fake_answer_done(&answers[i]);
    fake_answer_done(&other);
}

/* --- tasks --- */

static void
begin_task(const struct modern *m, char ret[VL_MCP_ID_SIZE])
{
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL};
    call_modern(m, "1", "long", "", &answer);
    (void)snprintf(ret, VL_MCP_ID_SIZE, "%s",
                   vl_json_get_str(read_result(&answer, &doc), "taskId").p);
    fake_answer_done(&answer);
}

static void
expect_task_event(const struct fake_answer *answer, size_t *at, const char *id,
                  const char *status)
{
    vl_auto(vl_json) doc = {NULL};
    struct vl_str event = next_event(answer, at);
    assert_non_null(event.p);
    assert_ok(vl_json_parse(event, 32, &doc, NULL));
    assert_str(vl_json_get_str(doc.root, "method"), "notifications/tasks");
    const struct json_t *params = vl_json_get(doc.root, "params");
    assert_str(vl_json_get_str(params, "taskId"), id);
    assert_str(vl_json_get_str(params, "status"), status);
    assert_null(vl_json_get(params, "resultType"));
    assert_str(vl_json_get_str(vl_json_get(params, "_meta"), META_LISTEN), "l");
}

/* @spec EX-12 */
static void
tells_how_tasks_get_on(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice), his = modern_of(desk, &mallory);
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
    m.abilities = his.abilities = KNOWS_TASKS;
    char one[VL_MCP_ID_SIZE], two[VL_MCP_ID_SIZE], foreign[VL_MCP_ID_SIZE];
    char params[400], wanted[500];
    begin_task(&m, one);
    begin_task(&m, two);
    begin_task(&his, foreign);
    (void)snprintf(params, sizeof params,
                   "\"notifications\":{\"taskIds\":[\"%s\",\"%s\",\"%s\",\"x\","
                   "7]}",
                   one, one, foreign);
    struct fake_answer answer, quiet;
    size_t at = 0;
    listen(&m, "\"l\"", params, &answer);
    (void)snprintf(wanted, sizeof wanted, ACK("\"l\"", "\"taskIds\":[\"%s\"]"),
                   one);
    expect_event(&answer, &at, wanted);
    expect_task_event(&answer, &at, one, "working");
    assert_null(next_event(&answer, &at).p);
    listen(&m, "\"q\"", "\"notifications\":{\"taskIds\":[]}", &quiet);
    /* calls: one, two, foreign */
    valet_mcp_call *second = desk->calls[1];
    forget(desk, second);
    valet_mcp_finish(second, &(valet_mcp_result){.text = "two"});
    finish(desk, &(valet_mcp_result){.text = "one"});
    finish(desk, &(valet_mcp_result){.text = "foreign"});
    expect_task_event(&answer, &at, one, "completed");
    assert_true(has(&answer, "\"result\":{\"resultType\":\"complete\","
                             "\"content\":[{\"type\":\"text\",\"text\":"
                             "\"one\"}],\"isError\":false}"));
    assert_null(next_event(&answer, &at).p);
    assert_false(answer.finished);
    assert_int_equal(count_events(&quiet), 1);
    /* One that is over is told once; forgotten, it does no harm. */
    fake_hang_up(&answer);
    fake_answer_done(&answer);
    at = 0;
    listen(&m, "\"l\"", params, &answer);
    (void)next_event(&answer, &at);
    expect_task_event(&answer, &at, one, "completed");
    desk->now += VL_LIMIT_MCP_TASK_MS + 1;
    vl_mcp_tasks_sweep(&desk->endpoint->tasks);
    fake_hang_up(&answer);
    fake_hang_up(&quiet);
    fake_answer_done(&answer);
    fake_answer_done(&quiet);
}

static void
bears_a_listener_that_goes_with_its_task(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
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
    char id[VL_MCP_ID_SIZE], params[200];
    struct fake_answer one, two;
    begin_task(&m, id);
    (void)snprintf(params, sizeof params,
                   "\"notifications\":{\"taskIds\":[\"%s\"]}", id);
    listen(&m, "\"l\"", params, &one);
    listen(&m, "\"l\"", params, &two);
    one.full = two.full = true;
    valet_mcp_progress(desk->calls[0], 1, 0, "x");
    finish(desk, &(valet_mcp_result){.text = "one"});
    /* They were told, and did not read. */
    change_tools(desk);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_true(one.finished && two.finished);
    fake_answer_done(&one);
    fake_answer_done(&two);
}

/* --- sessions --- */

static void
open_stream(const struct client *client, struct fake_answer *answer)
{
    const char *const headers[] = {"Accept", "text/event-stream",
                                   "Mcp-Session-Id", client->session, NULL};
    vl_mcp_endpoint_handle(client->desk->endpoint,
                           fake_exchange(answer, "GET", headers, VL_STR("")),
                           client->principal);
    assert_true(answer->streaming);
}

#define SUBSCRIBE(verb, uri)                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/" verb               \
    "\",\"params\":{\"uri\":" uri "}}"
#define GOOD      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"
#define NO_SUCH   REFUSED("1", "-32002", "There is no such resource")
#define OLD(what) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" what "\"}"
#define OLD_UPDATED(uri)                                                       \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","     \
    "\"params\":{\"uri\":\"" uri "\"}}"

/* @spec HT-22 HT-23 */
static void
tells_sessions_on_their_streams(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-06-18");
    struct client other = open_client(desk, &mallory, "2025-11-25");
    struct client mute = open_client(desk, &alice, "2025-11-25");
    struct fake_answer one, two;
    size_t at = 0;
    open_stream(&client, &one);
    open_stream(&other, &two);
    expect(&client, SUBSCRIBE("subscribe", "\"note://1\""), 200, GOOD);
    expect(&client, SUBSCRIBE("subscribe", "\"note://1\""), 200, GOOD);
    expect(&client, SUBSCRIBE("subscribe", "\"page://a\""), 200, GOOD);
    expect(&mute, SUBSCRIBE("subscribe", "\"note://1\""), 200, GOOD);
    valet_mcp_resource_updated(desk->server, "note://1");
    valet_mcp_resource_updated(desk->server, "page://a");
    valet_mcp_resource_updated(desk->server, "page://b");
    valet_mcp_remove_tool(desk->server, "steps");
    expect(&client, SUBSCRIBE("unsubscribe", "\"note://1\""), 200, GOOD);
    expect(&client, SUBSCRIBE("unsubscribe", "\"note://1\""), 200, GOOD);
    expect(&client, SUBSCRIBE("unsubscribe", "7"), 200, GOOD);
    valet_mcp_resource_updated(desk->server, "note://1");
    valet_mcp_remove_template(desk->server, "page://{id}");
    expect_event(&one, &at, OLD_UPDATED("note://1"));
    expect_event(&one, &at, OLD_UPDATED("page://a"));
    expect_event(&one, &at, OLD("tools/list_changed"));
    expect_event(&one, &at, OLD("resources/list_changed"));
    assert_null(next_event(&one, &at).p);
    assert_true(has(&two, OLD("tools/list_changed")));
    assert_true(has(&two, OLD("resources/list_changed")));
    assert_false(has(&two, "updated"));
    fake_hang_up(&one);
    valet_mcp_remove_tool(desk->server, "later");
    fake_hang_up(&two);
    fake_answer_done(&one);
    fake_answer_done(&two);
}

/* As soon as they read again. */
static void
tells_sessions_what_they_have_missed(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-06-18");
    struct client gone = open_client(desk, &alice, "2025-11-25");
    struct fake_answer stream, other, ended;
    size_t at = 0;
    open_stream(&client, &stream);
    open_stream(&gone, &other);
    expect(&client, SUBSCRIBE("subscribe", "\"note://1\""), 200, GOOD);
    stream.waiting = other.waiting = VL_LIMIT_STREAM_HIGH;
    valet_mcp_remove_tool(desk->server, "steps");
    valet_mcp_remove_tool(desk->server, "later");
    valet_mcp_resource_updated(desk->server, "note://1");
    valet_mcp_resource_updated(desk->server, "page://a");
    vl_mcp_endpoint_sweep(desk->endpoint);
    assert_null(next_event(&stream, &at).p);
    client_send(&gone, "DELETE", "", &ended);
    stream.waiting = 0;
    vl_mcp_endpoint_sweep(desk->endpoint);
    expect_event(&stream, &at, OLD("tools/list_changed"));
    expect_event(&stream, &at, OLD_UPDATED("note://1"));
    vl_mcp_endpoint_sweep(desk->endpoint);
    assert_null(next_event(&stream, &at).p);
    fake_hang_up(&stream);
    fake_answer_done(&stream);
    fake_answer_done(&other);
    fake_answer_done(&ended);
}

static void
subscribes_to_what_can_be_read_and_not_without_end(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const wrong[] = {"\"note://2\"", "\"note://secret\"",
                                        "\"\"", "7", "null"};
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        char body[200];
        (void)snprintf(body, sizeof body, SUBSCRIBE("subscribe", "%s"),
                       wrong[i]);
        expect(&client, body, 200, NO_SUCH);
    }
    for (int i = 0; i <= VL_LIMIT_MCP_SUBSCRIPTIONS; i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       SUBSCRIBE("subscribe", "\"page://%d\""), i);
        expect(
            &client, body, 200,
            i < VL_LIMIT_MCP_SUBSCRIPTIONS
                ? GOOD
                : REFUSED("1", "-32000", "There are too many subscriptions"));
    }
    expect(&client, SUBSCRIBE("subscribe", "\"page://0\""), 200, GOOD);
    expect(&client, SUBSCRIBE("unsubscribe", "\"page://0\""), 200, GOOD);
    expect(&client, SUBSCRIBE("subscribe", "\"note://1\""), 200, GOOD);
}

static void
subscribe_to(const struct client *client, size_t count, const char *last)
{
    for (size_t i = 0; i < count; i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       SUBSCRIBE("subscribe", "\"page://%zu\""), i);
        expect(client, body, 200, i + 1 == count ? last : GOOD);
    }
}

/* Over all sessions, until they end. */
static void
bounds_the_subscriptions_of_a_person(void **state)
{
    struct desk *desk = *state;
    static const char refused[] =
        REFUSED("1", "-32000", "There are too many subscriptions");
    struct client clients[5];
    for (size_t i = 0; i < 4; i++) {
        clients[i] = open_client(desk, &alice, "2025-11-25");
        subscribe_to(&clients[i], VL_LIMIT_MCP_SUBSCRIPTIONS, GOOD);
    }
    clients[4] = open_client(desk, &alice, "2025-11-25");
    subscribe_to(&clients[4], 1, refused);
    struct client other = open_client(desk, &mallory, "2025-11-25");
    subscribe_to(&other, 1, GOOD);
    expect(&clients[0], SUBSCRIBE("unsubscribe", "\"page://0\""), 200, GOOD);
    expect(&clients[0], SUBSCRIBE("unsubscribe", "\"page://0\""), 200, GOOD);
    subscribe_to(&clients[4], 1, GOOD);
    subscribe_to(&clients[4], 2, refused);
    struct fake_answer gone;
    client_send(&clients[3], "DELETE", "", &gone);
    fake_answer_done(&gone);
    subscribe_to(&clients[4], VL_LIMIT_MCP_SUBSCRIPTIONS, GOOD);
}

#define NOTED_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, open_noted_desk, close_desk)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        NOTED_TEST(acknowledges_what_it_will_tell),
        NOTED_TEST(refuses_what_cannot_be_listened_for),
        NOTED_TEST(tells_what_was_asked_for_and_nothing_else),
        NOTED_TEST(bounds_what_one_listener_hears_of),
        NOTED_TEST(bounds_what_the_listeners_of_a_person_hear_of),
        NOTED_TEST(ends_with_a_result_when_the_server_does),
        NOTED_TEST(ends_with_its_token),
        NOTED_TEST(tells_nothing_to_who_has_gone),
        NOTED_TEST(lets_go_of_who_does_not_read),
        NOTED_TEST(keeps_a_quiet_stream_alive),
        NOTED_TEST(bounds_the_listeners_of_a_person),
        NOTED_TEST(tells_how_tasks_get_on),
        NOTED_TEST(bears_a_listener_that_goes_with_its_task),
        NOTED_TEST(tells_sessions_on_their_streams),
        NOTED_TEST(tells_sessions_what_they_have_missed),
        NOTED_TEST(subscribes_to_what_can_be_read_and_not_without_end),
        NOTED_TEST(bounds_the_subscriptions_of_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
