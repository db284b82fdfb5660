/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers of tools, resources, templates and prompts are given, and how
 * they answer (valet/mcp.h).
 */
#include "modern.h"

#include <math.h>

#include "talk/call.h"

#define OLD(id, result)                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{" result "}}"
#define READ(id, uri)                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"resources/read\","        \
    "\"params\":{\"uri\":\"" uri "\"}}"
#define COMPLETE(ref, argument, rest)                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"completion/complete\","        \
    "\"params\":{\"ref\":" ref ",\"argument\":" argument rest "}}"
#define OF_PROMPT   "{\"type\":\"ref/prompt\",\"name\":\"greet\"}"
#define OF_TEMPLATE "{\"type\":\"ref/resource\",\"uri\":\"note://{id}/{part}\"}"

/* What the last handler was given. */
static struct {
    char text[400], all[400];
    double number;
    int64_t integer;
    bool has_number, has_integer, is_true;
    size_t values;
} given;

static void
note_text(const char *a, const char *b)
{
    (void)snprintf(given.text, sizeof given.text, "%s|%s", a ? a : "NULL",
                   b ? b : "NULL");
}

static void
handle_arguments(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_text(valet_mcp_argument(call, "s"), valet_mcp_argument(call, "n"));
    given.number = -1;
    given.integer = -1;
    given.has_number = valet_mcp_argument_number(call, "n", &given.number);
    given.has_integer = valet_mcp_argument_int(call, "n", &given.integer);
    given.is_true = valet_mcp_argument_is_true(call, "b");
    (void)snprintf(given.all, sizeof given.all, "%s",
                   valet_mcp_arguments(call, NULL));
    assert_string_equal(valet_mcp_completing(call), "");
    assert_string_equal(valet_mcp_completing_value(call), "");
    valet_mcp_finish(call, &(valet_mcp_result){.text = "done"});
}

static void
handle_page(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    assert_null(valet_mcp_argument(call, "uri"));
    note_text(valet_mcp_argument(call, "id"), valet_mcp_argument(call, "part"));
    valet_mcp_finish(call, &(valet_mcp_result){.text = valet_mcp_uri(call),
                                               .ttl_ms = 5,
                                               .is_public = true});
}

static void
handle_prompt(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_text(valet_mcp_argument(call, "who"), valet_mcp_argument(call, "how"));
    valet_mcp_finish(call, &(valet_mcp_result){.text = "Greet!"});
}

static void
complete(valet_mcp_call *call, void *ctx)
{
    static const char *values[120];
    (void)ctx;
    for (size_t i = 0; i < VL_COUNT(values); i++)
        values[i] = "v";
    char left[100];
    (void)snprintf(left, sizeof left, "%s=%s", valet_mcp_completing(call),
                   valet_mcp_completing_value(call));
    note_text(left, valet_mcp_argument(call, "how"));
    valet_mcp_finish_completion(call, values, given.values, 0);
}

static void
complete_later(valet_mcp_call *call, void *ctx)
{
    tool_later(call, ctx);
}

static void
complete_mistaken(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){.text = "v"});
}

static void
handle_missing(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_fail(call, VALET_NOT_FOUND, "Gone");
}

static void
handle_invalid(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_fail(call, VALET_INVALID, "Wrong");
}

static void
handle_embedded(valet_mcp_call *call, void *ctx)
{
    static const valet_mcp_content content = {.kind = VALET_MCP_EMBEDDED,
                                              .text = "x"};
    (void)ctx;
    valet_mcp_finish(
        call, &(valet_mcp_result){.content = &content, .content_count = 1});
}

static int
open_full_desk(void **state)
{
    (void)open_desk(state);
    struct desk *desk = *state;
    static const valet_mcp_prompt_argument arguments[] = {
        {.name = "who", .is_required = true}, {.name = "how"}};
    static const valet_mcp_prompt greet = {.name = "greet",
                                           .arguments = arguments,
                                           .argument_count = 2,
                                           .permission = "read",
                                           .get = handle_prompt,
                                           .complete = complete};
    static const valet_mcp_prompt plain = {.name = "plain",
                                           .arguments = arguments,
                                           .argument_count = 2,
                                           .permission = "read",
                                           .get = handle_prompt};
    static const valet_mcp_prompt hidden = {.name = "hidden",
                                            .arguments = arguments,
                                            .argument_count = 2,
                                            .permission = "admin",
                                            .get = handle_prompt,
                                            .complete = complete};
    static valet_mcp_prompt slow = {.name = "slow",
                                    .arguments = arguments,
                                    .argument_count = 2,
                                    .permission = "read",
                                    .get = handle_prompt,
                                    .complete = complete_later};
    static const valet_mcp_prompt mistaken = {.name = "mistaken",
                                              .arguments = arguments,
                                              .argument_count = 2,
                                              .permission = "read",
                                              .get = complete,
                                              .complete = complete_mistaken};
    slow.ctx = desk;
    static const valet_mcp_template page = {.uri_template =
                                                "note://{id}/{part}",
                                            .name = "pages",
                                            .mime_type = "text/plain",
                                            .permission = "read",
                                            .read = handle_page,
                                            .complete = complete};
    static const valet_mcp_resource gone = {.uri = "note://gone",
                                            .name = "gone",
                                            .permission = "read",
                                            .read = handle_missing};
    add_tool(desk, "arguments", "read", handle_arguments);
    add_tool(desk, "missing", "read", handle_missing);
    add_tool(desk, "invalid", "read", handle_invalid);
    add_tool(desk, "embedded", "read", handle_embedded);
    assert_ok(valet_mcp_add_prompt(desk->server, &greet, NULL));
    assert_ok(valet_mcp_add_prompt(desk->server, &plain, NULL));
    assert_ok(valet_mcp_add_prompt(desk->server, &hidden, NULL));
    assert_ok(valet_mcp_add_prompt(desk->server, &slow, NULL));
    assert_ok(valet_mcp_add_prompt(desk->server, &mistaken, NULL));
    assert_ok(valet_mcp_add_template(desk->server, &page, NULL));
    assert_ok(valet_mcp_add_resource(desk->server, &gone, NULL));
    memset(&given, 0, sizeof given);
    return 0;
}

static void
send(const struct client *client, const char *body)
{
    struct fake_answer answer;
    client_send(client, "POST", body, &answer);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
}

/* --- tools --- */

static void
reads_arguments_by_their_type(void **state)
{
    struct client client = open_client(*state, &alice, "2025-11-25");
    static const struct {
        const char *arguments, *text;
        bool has_number, has_integer, is_true;
        double number;
        int64_t integer;
    } cases[] = {
        {"{}", "NULL|NULL", false, false, false, -1, -1},
        {"{\"s\":\"a\",\"n\":7,\"b\":true}", "a|NULL", true, true, true, 7, 7},
        {"{\"s\":\"\",\"n\":7.5,\"b\":1}", "|NULL", true, false, false, 7.5,
         -1},
        {"{\"s\":7,\"n\":\"7\",\"b\":\"true\"}", "NULL|7", false, false, false,
         -1, -1},
        {"{\"s\":null,\"n\":null,\"b\":false}", "NULL|NULL", false, false,
         false, -1, -1},
        {"{\"n\":-9007199254740993}", "NULL|NULL", true, true, false,
         -9007199254740992.0, -9007199254740993},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char body[300];
        (void)snprintf(body, sizeof body,
                       CALL("1", "\"name\":\"arguments\",\"arguments\":%s"),
                       cases[i].arguments);
        send(&client, body);
        assert_string_equal(given.text, cases[i].text);
        assert_int_equal(given.has_number, cases[i].has_number);
        assert_int_equal(given.has_integer, cases[i].has_integer);
        assert_int_equal(given.is_true, cases[i].is_true);
        assert_true(fabs(given.number - cases[i].number) < 1e-9);
        assert_int_equal(given.integer, cases[i].integer);
    }
}

/* What a client writes beside its parameters is no URI of ours. */
static void
takes_no_uri_from_a_call_of_a_tool(void **state)
{
    struct client client = open_client(*state, &alice, "2025-11-25");
    expect(&client, CALL("1", "\"name\":\"embedded\""), 200,
           REFUSED("1", "-32603", "An embedded resource has no URI"));
    expect(&client, CALL("1", "\"name\":\"embedded\",\"uri\":\"evil://\""), 200,
           REFUSED("1", "-32603", "An embedded resource has no URI"));
    expect(&client, CALL("1", "\"name\":\"missing\",\"uri\":\"evil://\""), 200,
           REFUSED("1", "-32602", "Gone"));
    expect(&client, CALL("1", "\"name\":\"invalid\""), 200,
           REFUSED("1", "-32602", "Wrong"));
}

/* --- resources --- */

static void
finds_the_variables_of_a_template(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    expect(&client, READ("1", "note://7/a%20b"), 200,
           OLD("1", "\"contents\":[{\"uri\":\"note://7/a%20b\",\"mimeType\":"
                    "\"text/plain\",\"text\":\"note://7/a%20b\"}]"));
    assert_string_equal(given.text, "7|a b");
    expect(&client, READ("1", "note://7"), 200,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,"
           "\"message\":\"There is no such resource\",\"data\":{\"uri\":"
           "\"note://7\"}}}");
    /* @spec HT-71 RS-26 */
    struct modern m = modern_of(desk, &alice);
    m.name = "note://7/b";
    expect_modern(&m, "1", "resources/read", "\"uri\":\"note://7/b\"", 200,
                  OLD("1", "\"resultType\":\"complete\",\"contents\":[{"
                           "\"uri\":\"note://7/b\",\"mimeType\":"
                           "\"text/plain\",\"text\":\"note://7/b\"}],"
                           "\"ttlMs\":5,\"cacheScope\":\"private\"," WHOSE));
}

/* No schema says what they are. */
static void
takes_no_arguments_from_who_reads(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    const valet_mcp_resource resource = {.uri = "note://arguments",
                                         .name = "arguments",
                                         .permission = "read",
                                         .read = handle_arguments};
    assert_ok(valet_mcp_add_resource(desk->server, &resource, NULL));
    send(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\","
                  "\"params\":{\"uri\":\"note://arguments\",\"arguments\":"
                  "{\"s\":\"a\",\"n\":7,\"b\":true}}}");
    assert_string_equal(given.text, "NULL|NULL");
    assert_string_equal(given.all, "{}");
    assert_false(given.has_number || given.has_integer || given.is_true);
}

/* @spec HT-73 */
static void
tells_of_a_resource_that_is_gone_as_each_revision_does(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    expect(&client, READ("1", "note://gone"), 200,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,"
           "\"message\":\"Gone\",\"data\":{\"uri\":\"note://gone\"}}}");
    struct modern m = modern_of(desk, &alice);
    m.name = "note://gone";
    expect_modern(&m, "1", "resources/read", "\"uri\":\"note://gone\"", 200,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
                  "\"message\":\"Gone\",\"data\":{\"uri\":\"note://gone\"}}}");
}

/* --- prompts --- */

#define GET(params)                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/"                      \
    "get\",\"params\":{" params "}}"

static void
checks_what_a_prompt_is_asked_with(void **state)
{
    struct client client = open_client(*state, &alice, "2025-11-25");
    static const struct {
        const char *arguments, *why;
    } cases[] = {
        {"null", "A required argument is missing"},
        {"{}", "A required argument is missing"},
        {"{\"how\":\"x\"}", "A required argument is missing"},
        {"[]", "The arguments are no object"},
        {"\"who\"", "The arguments are no object"},
        {"{\"who\":7}", "An argument is no string"},
        {"{\"who\":\"a\",\"more\":null}", "An argument is no string"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char body[200], wanted[200];
        (void)snprintf(body, sizeof body,
                       GET("\"name\":\"greet\",\"arguments\":%s"),
                       cases[i].arguments);
        (void)snprintf(wanted, sizeof wanted, REFUSED("1", "-32602", "%s"),
                       cases[i].why);
        expect(&client, body, 200, wanted);
    }
    expect(&client, GET("\"name\":\"hidden\",\"arguments\":[]"), 403, "admin");
    send(&client, GET("\"name\":\"greet\",\"arguments\":{\"who\":\"Ann\"}"));
    assert_string_equal(given.text, "Ann|NULL");
}

/* --- completion --- */

static void
completes_arguments_and_variables(void **state)
{
    struct client client = open_client(*state, &alice, "2025-11-25");
    given.values = 2;
    expect(&client,
           COMPLETE(OF_PROMPT, "{\"name\":\"who\",\"value\":\"an\"}", ""), 200,
           OLD("1", "\"completion\":{\"values\":[\"v\",\"v\"],\"hasMore\":"
                    "false}"));
    assert_string_equal(given.text, "who=an|NULL");
    send(&client, COMPLETE(OF_PROMPT, "{\"name\":\"who\",\"value\":\"\"}",
                           ",\"context\":{\"arguments\":{\"how\":\"well\"}}"));
    assert_string_equal(given.text, "who=|well");
    send(&client,
         COMPLETE(OF_TEMPLATE, "{\"name\":\"part\",\"value\":\"x\"}", ""));
    assert_string_equal(given.text, "part=x|NULL");
    /* No more than MCP allows. */
    given.values = 120;
    struct fake_answer answer;
    client_send(&client, "POST",
                COMPLETE(OF_PROMPT, "{\"name\":\"who\",\"value\":\"\"}", ""),
                &answer);
    assert_true(has(&answer, "\"hasMore\":true"));
    vl_auto(vl_json) doc = {NULL};
    const struct json_t *result = read_result(&answer, &doc);
    assert_int_equal(
        vl_json_size(vl_json_get(vl_json_get(result, "completion"), "values")),
        100);
    fake_answer_done(&answer);
}

static void
completes_nothing_else(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const wrong[] = {
        COMPLETE("{}", "{\"name\":\"who\",\"value\":\"\"}", ""),
        COMPLETE("7", "{\"name\":\"who\",\"value\":\"\"}", ""),
        COMPLETE("{\"type\":\"ref/prompt\",\"name\":\"nobody\"}",
                 "{\"name\":\"who\",\"value\":\"\"}", ""),
        COMPLETE("{\"type\":\"ref/prompt\",\"uri\":\"greet\"}",
                 "{\"name\":\"who\",\"value\":\"\"}", ""),
        COMPLETE("{\"type\":\"ref/tool\",\"name\":\"echo\"}",
                 "{\"name\":\"who\",\"value\":\"\"}", ""),
        COMPLETE("{\"type\":\"ref/resource\",\"uri\":\"note://gone\"}",
                 "{\"name\":\"id\",\"value\":\"\"}", ""),
        COMPLETE(OF_PROMPT, "{\"name\":\"other\",\"value\":\"\"}", ""),
        COMPLETE(OF_PROMPT, "{\"name\":\"who\"}", ""),
        COMPLETE(OF_PROMPT, "{\"value\":\"\"}", ""),
        COMPLETE(OF_PROMPT, "[]", ""),
        COMPLETE(OF_TEMPLATE, "{\"name\":\"other\",\"value\":\"\"}", ""),
    };
    for (size_t i = 0; i < VL_COUNT(wrong); i++)
        expect(&client, wrong[i], 200,
               REFUSED("1", "-32602",
                       "There is nothing of that name to complete"));
    expect(&client,
           COMPLETE("{\"type\":\"ref/prompt\",\"name\":\"hidden\"}",
                    "{\"name\":\"who\",\"value\":\"\"}", ""),
           403, "admin");
    expect(&client,
           COMPLETE("{\"type\":\"ref/prompt\",\"name\":\"plain\"}",
                    "{\"name\":\"who\",\"value\":\"\"}", ""),
           200, OLD("1", "\"completion\":{\"values\":[],\"hasMore\":false}"));
    /* Nobody waits any more. */
    struct fake_answer answer;
    client_send(&client, "POST",
                COMPLETE("{\"type\":\"ref/prompt\",\"name\":\"slow\"}",
                         "{\"name\":\"who\",\"value\":\"\"}", ""),
                &answer);
    expect(&client,
           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
           "\"params\":{\"requestId\":1}}",
           202, "");
    valet_mcp_call *call = desk->calls[0];
    forget(desk, call);
    valet_mcp_finish_completion(call, NULL, 0, 0);
    assert_int_equal(vl_buf_size(&answer.body), 0);
    fake_answer_done(&answer);
}

static void
bears_a_handler_that_finishes_another_kind_of_call(void **state)
{
    struct client client = open_client(*state, &alice, "2025-11-25");
    static const char why[] =
        REFUSED("1", "-32603", "The handler finished another kind of call");
    expect(&client,
           COMPLETE("{\"type\":\"ref/prompt\",\"name\":\"mistaken\"}",
                    "{\"name\":\"who\",\"value\":\"\"}", ""),
           200, why);
    expect(&client,
           GET("\"name\":\"mistaken\",\"arguments\":{\"who\":\"Ann\"}"), 200,
           why);
}

/* --- long silent work --- */

/* @spec HT-27 */
static void
lets_a_client_come_back_for_the_rest(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char body[] =
        CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}");
    for (int streaming = 0; streaming < 2; streaming++) {
        struct fake_answer first, rest;
        client_send(&client, "POST", body, &first);
        if (streaming)
            valet_mcp_progress(desk->calls[0], 1, 0, NULL);
        valet_mcp_disconnect(desk->calls[0], 40);
        assert_true(first.finished);
        assert_true(has(&first, "retry: 40\n"));
        /* Twice is once. */
        valet_mcp_disconnect(desk->calls[0], 40);
        const char *last = strstr(body_of(&first), "id: ");
        assert_non_null(last);
        while (strstr(last + 1, "id: "))
            last = strstr(last + 1, "id: ");
        char id[40];
        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(last + 4, "\n"),
                       last + 4);
        finish(desk, &(valet_mcp_result){.text = "done"});
        const char *const headers[] = {"Accept",
                                       "text/event-stream",
                                       "Mcp-Session-Id",
                                       client.session,
                                       "Last-Event-ID",
                                       id,
                                       NULL};
        vl_mcp_endpoint_handle(desk->endpoint,
                               fake_exchange(&rest, "GET", headers, VL_STR("")),
                               &alice);
        assert_true(rest.finished);
        assert_true(has(&rest, "\"text\":\"done\""));
        fake_answer_done(&first);
        fake_answer_done(&rest);
    }
}

static void
disconnects_nobody_who_could_not_come_back(void **state)
{
    struct desk *desk = *state;
    struct client old = open_client(desk, &alice, "2025-06-18");
    struct client batch = open_client(desk, &alice, "2025-03-26");
    struct client plain = open_client(desk, &alice, "2025-11-25");
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answers[4];
    plain.accept = "application/json";
    client_send(&old, "POST", CALL("1", "\"name\":\"later\""), &answers[0]);
    client_send(&batch, "POST", "[" CALL("1", "\"name\":\"later\"") "]",
                &answers[1]);
    client_send(&plain, "POST", CALL("1", "\"name\":\"later\""), &answers[2]);
    call_modern(&m, "1", "later", "", &answers[3]);
    for (int i = 0; i < 4; i++) {
        valet_mcp_disconnect(desk->calls[i], 5);
        assert_false(answers[i].finished);
    }
    while (desk->call_count)
        finish(desk, &(valet_mcp_result){.text = "done"});
    for (int i = 0; i < 4; i++) {
        assert_true(has(&answers[i], "\"text\":\"done\""));
        fake_answer_done(&answers[i]);
    }
}

/* --- other workers --- */

static unsigned handed_to;

static bool
hand_over(struct vl_exchange *x, unsigned home, void *ctx)
{
    (void)ctx;
    handed_to = home;
    vl_exchange_reply(x, &(struct vl_reply){.status = 200});
    return true;
}

static void
hands_questions_about_tasks_to_where_they_live(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    char id[VL_MCP_ID_SIZE], params[200];
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
    desk->hooks.hand_over = hand_over;
    vl_mcp_id_make(7, id);
    static const char *const methods[] = {
        "tasks/get", "tasks/update", "tasks/cancel", "subscriptions/listen"};
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        bool listens = i == 3;
        (void)snprintf(params, sizeof params,
                       listens ? "\"notifications\":{\"taskIds\":[\"%s\"]}"
                               : "\"taskId\":\"%s\"",
                       id);
        m.name = listens ? NULL : id;
        handed_to = 0;
        expect_modern(&m, "1", methods[i], params, 200, "");
        assert_int_equal(handed_to, 7);
        /* What is wrong is wrong here. */
        m.version = "2025-11-25";
        handed_to = 0;
        expect_modern(&m, "1", methods[i], params, 400,
                      REFUSED("1", "-32020",
                              "MCP-Protocol-Version is not what the _meta "
                              "says"));
        assert_int_equal(handed_to, 0);
        m.version = "2026-07-28";
    }
    vl_mcp_id_make(0, id);
    (void)snprintf(params, sizeof params, "\"taskId\":\"%s\"", id);
    m.name = id;
    expect_modern(&m, "1", "tasks/get", params, 200,
                  REFUSED("1", "-32602", "Task not found"));
    assert_int_equal(handed_to, 0);
}

#define FULL_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_full_desk, close_desk)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FULL_TEST(reads_arguments_by_their_type),
        FULL_TEST(takes_no_uri_from_a_call_of_a_tool),
        FULL_TEST(finds_the_variables_of_a_template),
        FULL_TEST(takes_no_arguments_from_who_reads),
        FULL_TEST(tells_of_a_resource_that_is_gone_as_each_revision_does),
        FULL_TEST(checks_what_a_prompt_is_asked_with),
        FULL_TEST(completes_arguments_and_variables),
        FULL_TEST(completes_nothing_else),
        FULL_TEST(bears_a_handler_that_finishes_another_kind_of_call),
        FULL_TEST(lets_a_client_come_back_for_the_rest),
        FULL_TEST(disconnects_nobody_who_could_not_come_back),
        FULL_TEST(hands_questions_about_tasks_to_where_they_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
