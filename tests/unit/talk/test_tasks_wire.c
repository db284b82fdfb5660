/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that become tasks, as a client sees them (@spec EX-12). What a task is
 * inside is in test_task.c.
 */
#include "modern.h"

#include "talk/call.h"

#define FORM                                                                   \
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},"    \
    "\"required\":[\"name\"]}"
#define ANN "{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}"
#define MEMBERS(text, failed)                                                  \
    "\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":"    \
    "\"" text "\"}],\"isError\":" failed
#define RESULT(text, failed) "{" MEMBERS(text, failed) "}"
#define DONE(id)                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{" MEMBERS("done", "false") "," WHOSE "}}"
#define EMPTY(id)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"resultType\":\"complete\"," WHOSE "}}"
#define NOT_FOUND REFUSED("9", "-32602", "Task not found")
#define LACKS_TASKS(id)                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":-32021,"           \
    "\"message\":\"The client lacks a capability that this needs\",\"data\":"  \
    "{\"requiredCapabilities\":{\"extensions\":{"                              \
    "\"io.modelcontextprotocol/tasks\":{}}}}}}"

/* --- tools --- */

static void
handle_ask(valet_mcp_call *call, void *ctx)
{
    ((struct desk *)ctx)->started++;
    if (!valet_mcp_elicit(call, "name", "Who?", FORM) ||
        !valet_mcp_list_roots(call, "roots")) {
        valet_mcp_await(call);
        return;
    }
    const char *name = valet_mcp_form_text(call, "name", "name");
    valet_mcp_finish(call, &(valet_mcp_result){.text = name ? name : "no"});
}

/* Asks whoever waits, becomes a task, and asks by it. */
static void
handle_begin(valet_mcp_call *call, void *ctx)
{
    ((struct desk *)ctx)->started++;
    if (!valet_mcp_elicit(call, "first", "First?", FORM)) {
        valet_mcp_keep(call, "kept");
        valet_mcp_await(call);
        return;
    }
    valet_mcp_begin_task(call);
    valet_mcp_begin_task(call);
    if (!valet_mcp_elicit(call, "second", "Second?", FORM)) {
        valet_mcp_await(call);
        return;
    }
    valet_mcp_finish(call, &(valet_mcp_result){.text = valet_mcp_form_text(
                                                   call, "first", "name")});
}

static void
handle_fail(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_fail(call, VALET_INTERNAL, "Broken");
}

static void
handle_mistaken(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish_completion(call, NULL, 0, 0);
}

static void
handle_keep(valet_mcp_call *call, void *ctx)
{
    ((struct desk *)ctx)->started++;
    valet_mcp_keep(call, "again");
    valet_mcp_await(call);
}

static void
add(struct desk *desk, const char *name, unsigned flags,
    valet_mcp_handler *handle)
{
    valet_mcp_tool tool = {
        .name = name,
        .description = "A tool.",
        .input_schema = "{\"type\":\"object\"}",
        .permission = "read",
        .flags = flags,
        .call = handle,
        .ctx = desk,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
}

static int
open_desk_of_tasks(void **state)
{
    (void)open_desk(state);
    struct desk *desk = *state;
    add(desk, "long", VALET_MCP_AS_TASK, tool_later);
    add(desk, "only", VALET_MCP_ONLY_AS_TASK, tool_later);
    add(desk, "sometimes", VALET_MCP_TASK_LATER, tool_later);
    add(desk, "asking", VALET_MCP_AS_TASK, handle_ask);
    add(desk, "begins", VALET_MCP_TASK_LATER, handle_begin);
    add(desk, "fails", VALET_MCP_AS_TASK, handle_fail);
    add(desk, "breaks", VALET_MCP_AS_TASK, tool_broken);
    add(desk, "asleep", VALET_MCP_AS_TASK, tool_signed_out);
    add(desk, "mistaken", VALET_MCP_AS_TASK, handle_mistaken);
    add(desk, "keeps", VALET_MCP_AS_TASK, handle_keep);
    return 0;
}

/* --- a client --- */

static struct modern
waiting_client(struct desk *desk, const struct vl_principal *principal)
{
    struct modern m = modern_of(desk, principal);
    m.abilities = CAN_ALL_AND_TASKS;
    return m;
}

static void
ask_task(const struct modern *m, const char *method, const char *id,
         const char *more, struct fake_answer *answer)
{
    struct modern named = *m;
    vl_auto(vl_buf) params = vl_buf_of(1 << 16);
    named.name = id;
    vl_buf_addz(&params, "\"taskId\":\"");
    vl_buf_addz(&params, id);
    vl_buf_addz(&params, "\"");
    vl_buf_addz(&params, more);
    send_modern(&named, "9", method, vl_buf_cstr(&params), answer);
}

static void
expect_task(const struct modern *m, const char *method, const char *id,
            const char *more, int status, const char *wanted)
{
    struct fake_answer answer;
    ask_task(m, method, id, more, &answer);
    assert_string_equal(body_of(&answer), wanted);
    assert_int_equal(answer.status, status);
    fake_answer_done(&answer);
}

static void
begin_task(const struct modern *m, const char *tool, char ret[VL_MCP_ID_SIZE])
{
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL};
    call_modern(m, "1", tool, "", &answer);
    assert_int_equal(answer.status, 200);
    const struct json_t *result = read_result(&answer, &doc);
    assert_str(vl_json_get_str(result, "resultType"), "task");
    assert_true(has(&answer, WHOSE));
    (void)snprintf(ret, VL_MCP_ID_SIZE, "%s",
                   vl_json_get_str(result, "taskId").p);
    fake_answer_done(&answer);
}

/* Gets it; its result has this status and has these texts in it. */
static void
expect_status(const struct modern *m, const char *id, const char *status,
              const char *part)
{
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL};
    ask_task(m, "tasks/get", id, "", &answer);
    const struct json_t *result = read_result(&answer, &doc);
    assert_str(vl_json_get_str(result, "resultType"), "complete");
    assert_true(has(&answer, WHOSE));
    assert_str(vl_json_get_str(result, "taskId"), id);
    assert_str(vl_json_get_str(result, "status"), status);
    if (part && !has(&answer, part))
        assert_string_equal(body_of(&answer), part);
    fake_answer_done(&answer);
}

/* --- its life --- */

static void
gives_a_task_to_who_can_wait_for_one(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    struct fake_answer answer;
    static const char *const tools[] = {"long", "only"};
    for (size_t i = 0; i < VL_COUNT(tools); i++) {
        vl_auto(vl_json) doc = {NULL};
        call_modern(&m, "1", tools[i], "", &answer);
        assert_true(answer.finished);
        const struct json_t *result = read_result(&answer, &doc);
        assert_str(vl_json_get_str(result, "resultType"), "task");
        assert_str(vl_json_get_str(result, "status"), "working");
        assert_str(vl_json_get_str(result, "createdAt"),
                   "1970-01-01T00:00:01.000Z");
        int64_t ms = 0;
        assert_true(vl_json_get_int(result, "ttlMs", &ms));
        assert_int_equal(ms, VL_LIMIT_MCP_TASK_MS);
        assert_true(vl_json_get_int(result, "pollIntervalMs", &ms));
        assert_null(vl_json_get(result, "content"));
        char id[VL_MCP_ID_SIZE];
        (void)snprintf(id, sizeof id, "%s",
                       vl_json_get_str(result, "taskId").p);
        fake_answer_done(&answer);
        expect_status(&m, id, "working", NULL);
        finish(desk, &(valet_mcp_result){.text = "done"});
        expect_status(&m, id, "completed",
                      "\"result\":" RESULT("done", "false"));
        /* Until it is forgotten. */
        desk->now += VL_LIMIT_MCP_TASK_MS - 1;
        expect_status(&m, id, "completed", NULL);
        desk->now += 1;
        expect_task(&m, "tasks/get", id, "", 200, NOT_FOUND);
        desk->now = 1000;
    }
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_ENDED), 2);
}

/* @spec EX-01 HT-77 */
static void
makes_all_others_wait_for_the_result(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    m.abilities = CAN_ALL;
    call_modern(&m, "1", "long", "", &answer);
    assert_false(answer.finished);
    valet_mcp_begin_task(desk->calls[0]);
    assert_false(answer.finished);
    finish(desk, &(valet_mcp_result){.text = "done"});
    assert_string_equal(body_of(&answer), DONE("1"));
    fake_answer_done(&answer);
    call_modern(&m, "1", "only", "", &answer);
    assert_int_equal(answer.status, 400);
    assert_string_equal(body_of(&answer), LACKS_TASKS("1"));
    fake_answer_done(&answer);
    assert_int_equal(desk->started, 1);
}

/* The extension is of 2026-07-28: older clients have no tasks/get, whatever
 * they say. */
static void
gives_no_task_to_a_session(void **state)
{
    struct desk *desk = *state;
    struct client client =
        open_able_client(desk, &alice, "2025-11-25", CAN_ALL_AND_TASKS);
    struct fake_answer answer;
    client_send(&client, "POST", CALL("1", "\"name\":\"long\""), &answer);
    assert_false(answer.finished);
    finish(desk, &(valet_mcp_result){.text = "done"});
    assert_true(has(&answer, "\"text\":\"done\""));
    fake_answer_done(&answer);
    expect(&client, CALL("1", "\"name\":\"only\""), 200,
           REFUSED("1", "-32601",
                   "The client lacks a capability that this needs"));
    expect(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\"}",
           200, REFUSED("1", "-32601", "Method not found"));
    assert_int_equal(desk->started, 1);
}

static void
becomes_a_task_when_the_handler_says_so(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    struct fake_answer answer;
    size_t at = 0;
    m.meta = ",\"progressToken\":1";
    call_modern(&m, "1", "sometimes", "", &answer);
    assert_false(answer.finished);
    valet_mcp_call *call = desk->calls[0];
    valet_mcp_progress(call, 1, 0, "before");
    assert_true(has(&answer, "before"));
    valet_mcp_begin_task(call);
    assert_true(answer.finished);
    size_t sent = vl_buf_size(&answer.body);
    valet_mcp_progress(call, 2, 0, "after");
    valet_mcp_log(call, VALET_MCP_ERROR, NULL, "x");
    assert_int_equal(vl_buf_size(&answer.body), sent);
    (void)next_event(&answer, &at);
    assert_true(vl_str_starts(next_event(&answer, &at),
                              VL_STR("{\"jsonrpc\":\"2.0\",\"id\":1,"
                                     "\"result\":{\"resultType\":\"task\"")));
    char id[VL_MCP_ID_SIZE];
    vl_auto(vl_json) doc = {NULL};
    (void)snprintf(id, sizeof id, "%s",
                   vl_json_get_str(read_result(&answer, &doc), "taskId").p);
    fake_answer_done(&answer);
    /* What it is doing; without a token of progress, too. */
    expect_status(&m, id, "working", "\"statusMessage\":\"after\"");
    finish(desk, &(valet_mcp_result){.text = "done"});
    expect_status(&m, id, "completed", RESULT("done", "false"));
}

static void
tells_what_a_task_is_doing(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "long", id);
    desk->now += 500;
    valet_mcp_progress(desk->calls[0], 0, 0, "one");
    /* Messages need not make progress. */
    valet_mcp_progress(desk->calls[0], 0, 0, "two");
    valet_mcp_progress(desk->calls[0], 1, 0, NULL);
    expect_status(&m, id, "working", "\"statusMessage\":\"two\"");
    expect_status(&m, id, "working",
                  "\"lastUpdatedAt\":\"1970-01-01T00:00:01.500Z\"");
    finish(desk, &(valet_mcp_result){.text = "done"});
}

static void
ends_a_task_as_its_handler_ends(void **state)
{
    struct modern m = waiting_client(*state, &alice);
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "fails", id);
    expect_status(&m, id, "failed",
                  "\"error\":{\"code\":-32603,\"message\":\"Broken\"}");
    begin_task(&m, "breaks", id);
    expect_status(&m, id, "failed",
                  "\"message\":\"The tool's structured result is no JSON\"");
    begin_task(&m, "asleep", id);
    expect_status(&m, id, "completed", RESULT("Sign in again.", "true"));
    /* Nothing is left of its call for who ends it. */
    begin_task(&m, "mistaken", id);
    expect_status(&m, id, "failed",
                  "\"message\":\"The handler finished another kind of call\"");
}

/* --- who may --- */

/* @spec HT-41 SB-24 */
static void
shows_a_task_to_nobody_else(void **state)
{
    struct desk *desk = *state;
    struct modern hers = waiting_client(desk, &alice);
    struct modern his = waiting_client(desk, &mallory);
    struct vl_principal client = alice, family = alice, scopes = alice;
    char id[VL_MCP_ID_SIZE], unknown[VL_MCP_ID_SIZE];
    begin_task(&hers, "long", id);
    memcpy(unknown, id, sizeof unknown);
    unknown[5] = unknown[5] == 'A' ? 'B' : 'A';
    static const char *const methods[] = {"tasks/get", "tasks/update",
                                          "tasks/cancel"};
    static const char *const mores[] = {"", ",\"inputResponses\":{}", ""};
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        expect_task(&his, methods[i], id, mores[i], 200, NOT_FOUND);
        assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), i + 1);
        expect_task(&hers, methods[i], unknown, mores[i], 200, NOT_FOUND);
        assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), i + 1);
        expect_modern(&hers, "9", methods[i], "", 200, NOT_FOUND);
    }
    (void)snprintf(client.client.text, sizeof client.client.text, "c9");
    his.principal = &client;
    expect_task(&his, "tasks/get", id, "", 200, NOT_FOUND);
    scopes.scopes[0] = '\0';
    his.principal = &scopes;
    expect_task(&his, "tasks/get", id, "", 200, NOT_FOUND);
    /* Another sign-in of the same person and program. */
    (void)snprintf(family.session, sizeof family.session, "f9");
    his.principal = &family;
    expect_status(&his, id, "working", NULL);
    assert_int_equal(desk->cancelled, 0);
    finish(desk, &(valet_mcp_result){.text = "done"});
}

/* @spec EX-12 HT-53 HT-78 */
static void
wants_the_extension_declared_each_time(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice), other = m;
    struct fake_answer answer;
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "long", id);
    other.abilities = CAN_ALL;
    expect_task(&other, "tasks/get", id, "", 400, LACKS_TASKS("9"));
    expect_task(&other, "tasks/update", id, "", 400, LACKS_TASKS("9"));
    expect_task(&other, "tasks/cancel", id, "", 400, LACKS_TASKS("9"));
    other = m;
    other.name = "other";
    send_modern(&other, "9", "tasks/get", "\"taskId\":\"x\"", &answer);
    assert_int_equal(answer.status, 400);
    assert_true(has(&answer, "-32020"));
    fake_answer_done(&answer);
    finish(desk, &(valet_mcp_result){.text = "done"});
}

/* --- its end --- */

static void
cancels_a_task_that_a_client_gives_up(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "long", id);
    expect_task(&m, "tasks/cancel", id, "", 200, EMPTY("9"));
    assert_int_equal(desk->cancelled, 1);
    assert_string_equal(desk->reasons[VL_MCP_TOOL_CANCELLED], "client");
    expect_status(&m, id, "cancelled", NULL);
    expect_task(&m, "tasks/cancel", id, "", 200, EMPTY("9"));
    assert_int_equal(desk->cancelled, 1);
    valet_mcp_progress(desk->calls[0], 1, 0, "late");
    finish(desk, &(valet_mcp_result){.text = "late"});
    expect_status(&m, id, "cancelled", "cancelled by the client");
    /* One that waits for an answer has nobody at work. */
    begin_task(&m, "asking", id);
    expect_task(&m, "tasks/cancel", id, "", 200, EMPTY("9"));
    expect_status(&m, id, "cancelled", NULL);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
    desk->finish_on_cancel = true;
    begin_task(&m, "long", id);
    expect_task(&m, "tasks/cancel", id, "", 200, EMPTY("9"));
    assert_int_equal(desk->call_count, 0);
}

static void
outlives_the_request_but_not_the_sign_in(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char one[VL_MCP_ID_SIZE], two[VL_MCP_ID_SIZE];
    begin_task(&m, "long", one);
    begin_task(&m, "asking", two);
    vl_mcp_call_sweep(desk->endpoint, vl_mono_now() + 1);
    assert_int_equal(desk->cancelled, 0);
    vl_mcp_endpoint_end_family(desk->endpoint, "f2");
    expect_status(&m, one, "working", NULL);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_int_equal(desk->cancelled, 1);
    expect_task(&m, "tasks/get", one, "", 200, NOT_FOUND);
    expect_task(&m, "tasks/get", two, "", 200, NOT_FOUND);
    finish(desk, &(valet_mcp_result){.text = "late"});
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

/* @spec SB-20 */
static void
fails_a_task_that_takes_too_long(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char one[VL_MCP_ID_SIZE], two[VL_MCP_ID_SIZE];
    begin_task(&m, "long", one);
    begin_task(&m, "asking", two);
    desk->now += VL_LIMIT_MCP_TASK_MS;
    expect_status(&m, one, "failed", "the task took too long");
    expect_status(&m, two, "failed", "the task took too long");
    assert_int_equal(desk->cancelled, 1);
    finish(desk, &(valet_mcp_result){.text = "late"});
}

static void
leaves_tasks_behind_when_the_server_ends(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "long", id);
    begin_task(&m, "asking", id);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    assert_int_equal(desk->cancelled, 1);
    finish(desk, &(valet_mcp_result){.text = "late"});
}

static void
bounds_the_tasks_at_work_of_a_person(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    struct fake_answer answer;
    for (int i = 0; i < VL_LIMIT_MCP_CALLS_PER_USER; i++)
        begin_task(&m, "long", id);
    call_modern(&m, "1", "long", "", &answer);
    assert_string_equal(
        body_of(&answer),
        REFUSED("1", "-32603", "Too many calls at once; wait for one to end"));
    fake_answer_done(&answer);
    while (desk->call_count)
        finish(desk, &(valet_mcp_result){.text = "done"});
    expect_status(&m, id, "completed", NULL);
}

/* --- questions --- */

static void
asks_by_a_task(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "asking", id);
    expect_status(&m, id, "input_required",
                  "\"inputRequests\":{\"name\":{\"method\":"
                  "\"elicitation/create\",\"params\":{\"mode\":\"form\","
                  "\"message\":\"Who?\",\"requestedSchema\":" FORM "}}}");
    assert_int_equal(desk->started, 1);
    /* Nothing of use; then something; then all. */
    expect_task(&m, "tasks/update", id, "", 200,
                REFUSED("9", "-32602", "\\\"inputResponses\\\" is no object"));
    expect_task(&m, "tasks/update", id, ",\"inputResponses\":7", 200,
                REFUSED("9", "-32602", "\\\"inputResponses\\\" is no object"));
    expect_task(&m, "tasks/update", id, ",\"inputResponses\":{\"x\":1}", 200,
                EMPTY("9"));
    assert_int_equal(desk->started, 1);
    expect_task(&m, "tasks/update", id,
                ",\"inputResponses\":{\"name\":" ANN "}", 200, EMPTY("9"));
    assert_int_equal(desk->started, 2);
    expect_status(&m, id, "input_required",
                  "\"inputRequests\":{\"roots\":{\"method\":\"roots/list\","
                  "\"params\":{}}}");
    expect_task(&m, "tasks/update", id,
                ",\"inputResponses\":{\"roots\":{\"roots\":[]}}", 200,
                EMPTY("9"));
    assert_int_equal(desk->started, 3);
    expect_status(&m, id, "completed", RESULT("Ann", "false"));
    /* Too late, which does no harm. */
    expect_task(&m, "tasks/update", id,
                ",\"inputResponses\":{\"name\":" ANN "}", 200, EMPTY("9"));
    assert_int_equal(desk->started, 3);
}

static void
asks_again_by_another_key(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE], more[100], part[100];
    begin_task(&m, "asking", id);
    for (int i = 1; i < VL_LIMIT_MCP_TASK_TIMES; i++) {
        char key[20] = "name";
        if (i > 1)
            (void)snprintf(key, sizeof key, "name.%d", i);
        (void)snprintf(more, sizeof more, ",\"inputResponses\":{\"%s\":{}}",
                       key);
        expect_task(&m, "tasks/update", id, more, 200, EMPTY("9"));
        (void)snprintf(part, sizeof part, "\"inputRequests\":{\"name.%d\":{",
                       i + 1);
        expect_status(&m, id, "input_required", part);
    }
    (void)snprintf(more, sizeof more, ",\"inputResponses\":{\"name.%d\":{}}",
                   VL_LIMIT_MCP_TASK_TIMES);
    expect_task(&m, "tasks/update", id, more, 200, EMPTY("9"));
    expect_status(&m, id, "failed", "The task asks too much, or too often");
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

static void
asks_first_whoever_waits_and_then_by_the_task(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL}, task = {NULL};
    vl_auto(vl_buf) more = vl_buf_of(1 << 16);
    char id[VL_MCP_ID_SIZE];
    call_modern(&m, "1", "begins", "", &answer);
    const struct json_t *result = read_result(&answer, &doc);
    assert_str(vl_json_get_str(result, "resultType"), "input_required");
    vl_buf_addz(&more,
                ",\"inputResponses\":{\"first\":" ANN "},\"requestState\":\"");
    vl_buf_add(&more, vl_json_get_str(result, "requestState"));
    vl_buf_addz(&more, "\"");
    fake_answer_done(&answer);
    call_modern(&m, "2", "begins", vl_buf_cstr(&more), &answer);
    result = read_result(&answer, &task);
    assert_str(vl_json_get_str(result, "resultType"), "task");
    (void)snprintf(id, sizeof id, "%s", vl_json_get_str(result, "taskId").p);
    fake_answer_done(&answer);
    expect_status(&m, id, "input_required", "\"inputRequests\":{\"second\":{");
    expect_task(&m, "tasks/update", id,
                ",\"inputResponses\":{\"second\":" ANN "}", 200, EMPTY("9"));
    expect_status(&m, id, "completed", RESULT("Ann", "false"));
    assert_int_equal(desk->started, 3);
}

/* @spec HT-53 */
static void
fails_a_task_whose_client_cannot_be_asked(void **state)
{
    struct modern m = waiting_client(*state, &alice);
    char id[VL_MCP_ID_SIZE];
    m.abilities = KNOWS_TASKS;
    begin_task(&m, "asking", id);
    expect_status(&m, id, "failed",
                  "\"error\":{\"code\":-32021,\"message\":\"The client lacks a "
                  "capability that this needs\",\"data\":{"
                  "\"requiredCapabilities\":{\"elicitation\":{\"form\":{}}}}}");
}

static void
bounds_a_handler_that_runs_for_nothing(void **state)
{
    struct desk *desk = *state;
    struct modern m = waiting_client(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    begin_task(&m, "keeps", id);
    expect_status(&m, id, "failed", "The task asks too much, or too often");
    assert_true(desk->started <= VL_MCP_TASK_ROUNDS_MAX + 1);
}

/* @spec EX-01 EX-12 */
static void
advertises_tasks_where_there_may_be_some(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    static const char *const tools[] = {
        "long",  "only",   "sometimes", "asking", "begins",
        "fails", "breaks", "asleep",    "keeps",  "mistaken"};
    struct fake_answer answer;
    send_modern(&m, "1", "server/discover", "", &answer);
    assert_true(
        has(&answer, "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}"));
    fake_answer_done(&answer);
    for (size_t i = 0; i < VL_COUNT(tools); i++)
        assert_true(valet_mcp_remove_tool(desk->server, tools[i]));
    send_modern(&m, "1", "server/discover", "", &answer);
    assert_false(has(&answer, "extensions"));
    fake_answer_done(&answer);
}

#define TASK_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_desk_of_tasks, close_desk)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TASK_TEST(gives_a_task_to_who_can_wait_for_one),
        TASK_TEST(makes_all_others_wait_for_the_result),
        TASK_TEST(gives_no_task_to_a_session),
        TASK_TEST(becomes_a_task_when_the_handler_says_so),
        TASK_TEST(tells_what_a_task_is_doing),
        TASK_TEST(ends_a_task_as_its_handler_ends),
        TASK_TEST(shows_a_task_to_nobody_else),
        TASK_TEST(wants_the_extension_declared_each_time),
        TASK_TEST(cancels_a_task_that_a_client_gives_up),
        TASK_TEST(outlives_the_request_but_not_the_sign_in),
        TASK_TEST(fails_a_task_that_takes_too_long),
        TASK_TEST(leaves_tasks_behind_when_the_server_ends),
        TASK_TEST(bounds_the_tasks_at_work_of_a_person),
        TASK_TEST(asks_by_a_task),
        TASK_TEST(asks_again_by_another_key),
        TASK_TEST(asks_first_whoever_waits_and_then_by_the_task),
        TASK_TEST(fails_a_task_whose_client_cannot_be_asked),
        TASK_TEST(bounds_a_handler_that_runs_for_nothing),
        TASK_TEST(advertises_tasks_where_there_may_be_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
