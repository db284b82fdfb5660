/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/task.h"

#include "core/limits.h"
#include "vl_test.h"

#define START INT64_C(1785196800000) /* 2026-07-28T00:00:00Z */
#define TTL   60000
#define KEEP  10000

/* The table, and what the owner of all tasks has heard: itself. */
struct desk {
    int64_t now;
    struct vl_clock clock;
    struct vl_mcp_tasks tasks;
    struct vl_mcp_task *answered;
    size_t answered_count, cancelled_count;
    bool completes; /* as soon as all is answered */
};

static int64_t
read_hand(void *ctx)
{
    return *(int64_t *)ctx;
}

static void
hear_answered(struct vl_mcp_task *task)
{
    struct desk *desk = task->owner;
    desk->answered = task;
    desk->answered_count++;
    if (desk->completes)
        vl_mcp_task_complete(task, VL_STR("{\"content\":[]}"), NULL);
}

static void
hear_cancel(void *owner)
{
    struct desk *desk = owner;
    desk->cancelled_count++;
}

static void
open_desk(struct desk *desk)
{
    *desk = (struct desk){.now = START};
    desk->clock = (struct vl_clock){read_hand, &desk->now};
    struct vl_mcp_task_rules rules = vl_mcp_task_rules();
    rules.ttl_ms = TTL;
    rules.keep_ms = KEEP;
    rules.home = 7;
    rules.clock = &desk->clock;
    rules.answered = hear_answered;
    rules.cancel = hear_cancel;
    vl_mcp_tasks_init(&desk->tasks, &rules);
}

static void
close_desk(struct desk *desk)
{
    vl_mcp_tasks_done(&desk->tasks);
    assert_int_equal(desk->tasks.count, 0);
    assert_int_equal(desk->tasks.size, 0);
}

static const struct vl_principal alice = {
    .client = {"c1"},
    .user = {.tid = "t", .oid = "alice"},
    .session = "f1",
};
static const struct vl_principal bob = {
    .client = {"c1"},
    .user = {.tid = "t", .oid = "bob"},
    .session = "f2",
};

static struct vl_mcp_task *
begin(struct desk *desk, const struct vl_principal *who)
{
    struct vl_mcp_task *task = NULL;
    assert_ok(
        vl_mcp_task_new(&desk->tasks, who, "tool.use", desk, &task, NULL));
    return task;
}

static valet_status
find(struct desk *desk, const char *id, const struct vl_principal *who)
{
    struct vl_mcp_task *task = NULL;
    valet_status status =
        vl_mcp_task_find(&desk->tasks, vl_str_z(id), who, &task);
    if (status == VALET_OK)
        assert_string_equal(task->id, id);
    return status;
}

static void
ask(struct vl_mcp_task *task, const char *key)
{
    assert_ok(vl_mcp_task_ask(task, key, "elicitation/create",
                              VL_STR("{\"message\":\"?\"}"), NULL));
}

static valet_status
answer(struct vl_mcp_task *task, const char *responses)
{
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_str_z(responses), 10, &doc, NULL));
    return vl_mcp_task_take_answers(task, doc.root, NULL);
}

/* The task as JSON, with "ID" in place of its id. */
static void
write_task(const struct vl_mcp_task *task, enum vl_mcp_task_form form,
           struct vl_buf *ret)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_MCP_TASK_RESULT);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_mcp_task_write(&out, task, form);
    vl_json_close(&out, '}');
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_buf_str(&text), 20, &doc, NULL));
    char *id = strstr(vl_buf_cstr(&text), task->id);
    assert_non_null(id);
    size_t at = (size_t)(id - vl_buf_cstr(&text));
    vl_buf_clear(ret);
    vl_buf_add(ret, vl_str_head(vl_buf_str(&text), at));
    vl_buf_addz(ret, "ID");
    vl_buf_add(ret, vl_str_from(vl_buf_str(&text), at + strlen(task->id)));
}

static void
assert_told(const struct vl_mcp_task *task, enum vl_mcp_task_form form,
            const char *wanted)
{
    vl_auto(vl_buf) text = vl_buf_of(65536);
    write_task(task, form, &text);
    assert_string_equal(vl_buf_cstr(&text), wanted);
}

static bool
is_told(const struct vl_mcp_task *task, const char *part)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_MCP_TASK_RESULT);
    write_task(task, VL_MCP_TASK_GOT, &text);
    return strstr(vl_buf_cstr(&text), part) != NULL;
}

/* @spec HT-41 SB-24 */
static void
makes_long_random_ids_that_name_the_worker(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *one = begin(&desk, &alice), *two = begin(&desk, &alice);
    unsigned home = 0;
    assert_int_equal(strlen(one->id), VL_MCP_ID_SIZE - 1);
    assert_string_not_equal(one->id, two->id);
    assert_memory_not_equal(one->id, two->id, 20);
    assert_true(vl_mcp_id_home(vl_str_z(one->id), &home));
    assert_int_equal(home, 7);
    close_desk(&desk);
}

/* @spec EX-12 HT-41 SB-24 */
static void
finds_a_task_for_its_user_and_client_alone(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    assert_string_equal(task->permission, "tool.use");
    assert_ok(find(&desk, task->id, &alice));
    assert_int_equal(find(&desk, task->id, &bob), VALET_DENIED);
    struct vl_principal other = alice;
    (void)snprintf(other.client.text, sizeof other.client.text, "c2");
    assert_int_equal(find(&desk, task->id, &other), VALET_DENIED);
    other = alice;
    (void)snprintf(other.user.tid, sizeof other.user.tid, "u");
    assert_int_equal(find(&desk, task->id, &other), VALET_DENIED);
    assert_int_equal(find(&desk, "", &alice), VALET_NOT_FOUND);
    assert_int_equal(find(&desk, "gate-test", &alice), VALET_NOT_FOUND);
    char id[VL_MCP_ID_SIZE];
    memcpy(id, task->id, sizeof id);
    id[0] = id[0] == 'A' ? 'B' : 'A';
    assert_int_equal(find(&desk, id, &alice), VALET_NOT_FOUND);
    /* She signed in again: the client kept the id. */
    other = alice;
    (void)snprintf(other.session, sizeof other.session, "f9");
    assert_ok(find(&desk, task->id, &other));
    close_desk(&desk);
}

/* @spec EX-12 */
static void
tells_a_new_task_flat(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    assert_told(task, VL_MCP_TASK_CREATED,
                "{\"resultType\":\"task\",\"taskId\":\"ID\","
                "\"status\":\"working\","
                "\"createdAt\":\"2026-07-28T00:00:00.000Z\","
                "\"lastUpdatedAt\":\"2026-07-28T00:00:00.000Z\","
                "\"ttlMs\":60000,\"pollIntervalMs\":1000}");
    desk.now += 1500;
    vl_mcp_task_set_message(task, "Step 1 of 2");
    assert_told(task, VL_MCP_TASK_GOT,
                "{\"resultType\":\"complete\",\"taskId\":\"ID\","
                "\"status\":\"working\",\"statusMessage\":\"Step 1 of 2\","
                "\"createdAt\":\"2026-07-28T00:00:00.000Z\","
                "\"lastUpdatedAt\":\"2026-07-28T00:00:01.500Z\","
                "\"ttlMs\":60000,\"pollIntervalMs\":1000}");
    close_desk(&desk);
}

static void
tells_the_result_when_it_is_there(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    vl_mcp_task_set_message(task, "Step 1 of 2");
    vl_mcp_task_complete(task, VL_STR("{\"content\":[],\"isError\":true}"),
                         NULL);
    assert_true(vl_mcp_task_is_over(task));
    assert_null(task->owner);
    assert_told(task, VL_MCP_TASK_GOT,
                "{\"resultType\":\"complete\",\"taskId\":\"ID\","
                "\"status\":\"completed\","
                "\"createdAt\":\"2026-07-28T00:00:00.000Z\","
                "\"lastUpdatedAt\":\"2026-07-28T00:00:00.000Z\","
                "\"ttlMs\":60000,\"pollIntervalMs\":1000,"
                "\"result\":{\"content\":[],\"isError\":true}}");
    assert_told(task, VL_MCP_TASK_NOTIFIED,
                "{\"taskId\":\"ID\",\"status\":\"completed\","
                "\"createdAt\":\"2026-07-28T00:00:00.000Z\","
                "\"lastUpdatedAt\":\"2026-07-28T00:00:00.000Z\","
                "\"ttlMs\":60000,\"pollIntervalMs\":1000,"
                "\"result\":{\"content\":[],\"isError\":true}}");
    /* Asked for when it is created, not even then. */
    assert_told(task, VL_MCP_TASK_CREATED,
                "{\"resultType\":\"task\",\"taskId\":\"ID\","
                "\"status\":\"completed\","
                "\"createdAt\":\"2026-07-28T00:00:00.000Z\","
                "\"lastUpdatedAt\":\"2026-07-28T00:00:00.000Z\","
                "\"ttlMs\":60000,\"pollIntervalMs\":1000}");
    close_desk(&desk);
}

static void
tells_an_error_of_the_protocol_as_failed(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    vl_mcp_task_fail(task, VL_STR("{\"code\":-32602,\"message\":\"no\"}"),
                     "no such file");
    assert_told(task, VL_MCP_TASK_GOT,
                "{\"resultType\":\"complete\",\"taskId\":\"ID\","
                "\"status\":\"failed\",\"statusMessage\":\"no such file\","
                "\"createdAt\":\"2026-07-28T00:00:00.000Z\","
                "\"lastUpdatedAt\":\"2026-07-28T00:00:00.000Z\","
                "\"ttlMs\":60000,\"pollIntervalMs\":1000,"
                "\"error\":{\"code\":-32602,\"message\":\"no\"}}");
    close_desk(&desk);
}

static void
stays_as_it_ended(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    vl_mcp_task_complete(task, VL_STR("{\"a\":1}"), NULL);
    desk.now += 5;
    vl_mcp_task_cancel(task);
    vl_mcp_task_fail(task, VL_STR("{}"), "late");
    vl_mcp_task_complete(task, VL_STR("{\"a\":2}"), "late");
    vl_mcp_task_set_message(task, "late");
    valet_error err;
    assert_int_equal(
        vl_mcp_task_ask(task, "k", "roots/list", VL_STR("{}"), &err),
        VALET_CONFLICT);
    assert_false(vl_mcp_task_await(task));
    assert_ok(answer(task, "{\"k\":{}}"));
    assert_true(is_told(task, "\"result\":{\"a\":1}"));
    assert_false(is_told(task, "late"));
    assert_int_equal(task->updated_ms, START);
    assert_int_equal(desk.cancelled_count, 0);
    close_desk(&desk);
}

static void
lets_go_of_the_owner_when_it_is_cancelled(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    ask(task, "name");
    assert_true(vl_mcp_task_await(task));
    vl_mcp_task_cancel(task);
    assert_int_equal(desk.cancelled_count, 1);
    assert_null(task->owner);
    assert_true(is_told(task, "\"status\":\"cancelled\""));
    assert_false(is_told(task, "inputRequests"));
    assert_ok(answer(task, "{\"name\":{}}"));
    assert_int_equal(desk.answered_count, 0);
    vl_mcp_task_cancel(task);
    assert_int_equal(desk.cancelled_count, 1);
    close_desk(&desk);
    assert_int_equal(desk.cancelled_count, 1);
}

static void
asks_and_works_on_when_all_is_answered(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    assert_false(vl_mcp_task_await(task));
    ask(task, "one");
    ask(task, "two");
    /* Nothing is asked before the handler has said all. */
    assert_true(is_told(task, "\"status\":\"working\""));
    assert_ok(answer(task, "{\"one\":{\"early\":1}}"));
    assert_null(vl_mcp_task_answer(task, "one").p);
    assert_true(vl_mcp_task_await(task));
    assert_true(is_told(task, "\"status\":\"input_required\""));
    assert_true(is_told(task,
                        "\"inputRequests\":{\"one\":{\"method\":\"elicitation/"
                        "create\",\"params\":{\"message\":\"?\"}},\"two\":"));
    desk.now += 10;
    assert_ok(answer(task, "{\"one\":{\"action\":\"accept\"},\"x\":3}"));
    assert_int_equal(task->updated_ms, START + 10);
    assert_true(is_told(task, "\"inputRequests\":{\"two\":"));
    assert_int_equal(desk.answered_count, 0);
    /* What was answered once is not answered again. */
    assert_ok(answer(task, "{\"one\":{\"action\":\"decline\"}}"));
    assert_ok(answer(task, "{\"unknown\":{},\"one.2\":{}}"));
    assert_ok(answer(task, "{\"two\":{\"content\":{}}}"));
    assert_int_equal(desk.answered_count, 1);
    assert_ptr_equal(desk.answered, task);
    assert_true(is_told(task, "\"status\":\"working\""));
    assert_str(vl_mcp_task_answer(task, "one"), "{\"action\":\"accept\"}");
    assert_str(vl_mcp_task_answer(task, "two"), "{\"content\":{}}");
    assert_null(vl_mcp_task_answer(task, "three").p);
    close_desk(&desk);
}

static void
asks_again_under_a_key_of_its_own(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    for (unsigned i = 1; i <= VL_LIMIT_MCP_TASK_TIMES; i++) {
        char key[16], reply[64], shown[64];
        (void)snprintf(key, sizeof key, i < 2 ? "age" : "age.%u", i);
        (void)snprintf(shown, sizeof shown, "\"inputRequests\":{\"%s\":", key);
        (void)snprintf(reply, sizeof reply, "{\"%s\":{\"n\":%u}}", key, i);
        ask(task, "age");
        ask(task, "age"); /* the same question */
        assert_null(vl_mcp_task_answer(task, "age").p);
        assert_true(vl_mcp_task_await(task));
        assert_true(is_told(task, shown));
        if (i > 1)
            assert_ok(answer(task, "{\"age\":{\"n\":99}}"));
        assert_int_equal(desk.answered_count, i - 1);
        assert_ok(answer(task, reply));
        assert_int_equal(desk.answered_count, i);
    }
    assert_str(vl_mcp_task_answer(task, "age"), "{\"n\":16}");
    assert_int_equal(
        vl_mcp_task_ask(task, "age", "elicitation/create", VL_STR("{}"), NULL),
        VALET_LIMIT);
    close_desk(&desk);
}

static void
refuses_answers_that_are_none(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    ask(task, "one");
    ask(task, "two");
    assert_true(vl_mcp_task_await(task));
    assert_int_equal(vl_mcp_task_take_answers(task, NULL, NULL), VALET_INVALID);
    assert_int_equal(answer(task, "[]"), VALET_INVALID);
    /* None of them is taken. */
    assert_int_equal(answer(task, "{\"one\":{},\"two\":7}"), VALET_INVALID);
    assert_null(vl_mcp_task_answer(task, "one").p);
    assert_int_equal(answer(task, "{\"one\":null}"), VALET_INVALID);
    assert_ok(answer(task, "{\"other\":7}"));
    assert_true(is_told(task, "\"inputRequests\":{\"one\":"));
    close_desk(&desk);
}

static void
bounds_what_is_asked_and_answered(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    static const char *const bad[] = {"", "a.b", "a b", "\xC3\xA4", "a\"b"};
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(
            vl_mcp_task_ask(task, bad[i], "roots/list", VL_STR("{}"), NULL),
            VALET_INVALID);
    char key[66];
    memset(key, 'k', 65);
    key[65] = '\0';
    assert_int_equal(
        vl_mcp_task_ask(task, key, "roots/list", VL_STR("{}"), NULL),
        VALET_INVALID);
    ask(task, key + 1);
    for (int i = 1; i < VL_LIMIT_MCP_TASK_QUESTIONS; i++) {
        (void)snprintf(key, sizeof key, "q%d", i);
        ask(task, key);
    }
    assert_int_equal(
        vl_mcp_task_ask(task, "more", "roots/list", VL_STR("{}"), NULL),
        VALET_LIMIT);
    vl_mcp_task_cancel(task);
    assert_int_equal(desk.tasks.size, 0);
    close_desk(&desk);
}

static void
bounds_how_long_questions_and_answers_are(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    size_t n = VL_LIMIT_MCP_TASK_INPUTS / 2;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_MCP_TASK_INPUTS + 64);
    vl_buf_addz(&text, "{\"one\":{\"x\":\"");
    memset(vl_buf_reserve(&text, n), 'x', n);
    vl_buf_commit(&text, n);
    vl_buf_addz(&text, "\"}}");
    assert_ok(vl_mcp_task_ask(task, "one", "sampling/createMessage",
                              vl_buf_str(&text), NULL));
    assert_int_equal(vl_mcp_task_ask(task, "two", "sampling/createMessage",
                                     vl_buf_str(&text), NULL),
                     VALET_LIMIT);
    assert_true(vl_mcp_task_await(task));
    assert_int_equal(answer(task, vl_buf_cstr(&text)), VALET_LIMIT);
    assert_true(is_told(task, "\"inputRequests\":{\"one\":"));
    assert_ok(answer(task, "{\"one\":{}}"));
    assert_str(vl_mcp_task_answer(task, "one"), "{}");
    /* There is room again. */
    assert_ok(vl_mcp_task_ask(task, "two", "sampling/createMessage",
                              vl_buf_str(&text), NULL));
    close_desk(&desk);
}

static void
cuts_a_message_between_characters(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    char text[VL_LIMIT_MCP_TASK_MESSAGE + 3];
    memset(text, 'x', sizeof text);
    memcpy(text + VL_LIMIT_MCP_TASK_MESSAGE - 1, "\xC3\xA4y", 4);
    vl_mcp_task_set_message(task, text);
    assert_int_equal(strlen(task->message), VL_LIMIT_MCP_TASK_MESSAGE - 1);
    vl_mcp_task_set_message(task, task->message);
    assert_int_equal(strlen(task->message), VL_LIMIT_MCP_TASK_MESSAGE - 1);
    vl_mcp_task_set_message(task, NULL);
    assert_null(task->message);
    close_desk(&desk);
}

/* @spec SB-20 */
static void
fails_what_takes_too_long_and_forgets_what_is_old(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *late = begin(&desk, &alice);
    desk.now += TTL - 1;
    struct vl_mcp_task *done = begin(&desk, &alice);
    char done_id[VL_MCP_ID_SIZE], late_id[VL_MCP_ID_SIZE];
    memcpy(done_id, done->id, sizeof done_id);
    memcpy(late_id, late->id, sizeof late_id);
    vl_mcp_task_complete(done, VL_STR("{}"), NULL);
    assert_int_equal(done->ttl_ms, TTL);
    vl_mcp_tasks_sweep(&desk.tasks);
    assert_int_equal(desk.cancelled_count, 0);
    desk.now += 1;
    /* Nobody has swept yet. */
    assert_ok(find(&desk, late_id, &alice));
    assert_int_equal(desk.cancelled_count, 1);
    assert_true(is_told(late, "\"status\":\"failed\",\"statusMessage\":\"the "
                              "task took too long\""));
    assert_true(is_told(late, "\"error\":{\"code\":-32603,\"message\":\"the "
                              "task took too long\"}"));
    /* Kept for a while, and says so. */
    assert_int_equal(late->ttl_ms, TTL + KEEP);
    desk.now += KEEP - 1;
    vl_mcp_tasks_sweep(&desk.tasks);
    assert_ok(find(&desk, late_id, &alice));
    desk.now += 1;
    assert_int_equal(find(&desk, late_id, &alice), VALET_NOT_FOUND);
    assert_ok(find(&desk, done_id, &alice));
    assert_int_equal(desk.tasks.count, 1);
    desk.now += TTL;
    vl_mcp_tasks_sweep(&desk.tasks);
    assert_int_equal(desk.tasks.count, 0);
    assert_int_equal(vl_map_size(&desk.tasks.users), 0);
    close_desk(&desk);
}

/* A result of the last second can still be fetched. */
static void
prolongs_what_ends_late(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    desk.now += TTL - 1;
    vl_mcp_task_complete(task, VL_STR("{}"), NULL);
    assert_true(is_told(task, "\"ttlMs\":69999,"));
    desk.now += KEEP - 1;
    vl_mcp_tasks_sweep(&desk.tasks);
    assert_ok(find(&desk, task->id, &alice));
    close_desk(&desk);
}

/* @spec SB-20 */
static void
bounds_the_tasks_of_a_user(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    desk.tasks.rules.max_per_user = 3;
    struct vl_mcp_task *bobs = begin(&desk, &bob);
    vl_mcp_task_complete(bobs, VL_STR("{}"), NULL);
    struct vl_mcp_task *tasks[3], *more = NULL;
    for (size_t i = 0; i < 3; i++)
        tasks[i] = begin(&desk, &alice);
    /* Whatever client it is. */
    struct vl_principal other = alice;
    (void)snprintf(other.client.text, sizeof other.client.text, "c2");
    assert_int_equal(
        vl_mcp_task_new(&desk.tasks, &other, "p", NULL, &more, NULL),
        VALET_LIMIT);
    char first[VL_MCP_ID_SIZE], second[VL_MCP_ID_SIZE];
    memcpy(first, tasks[1]->id, sizeof first);
    memcpy(second, tasks[0]->id, sizeof second);
    vl_mcp_task_complete(tasks[1], VL_STR("{}"), NULL);
    vl_mcp_task_complete(tasks[0], VL_STR("{}"), NULL);
    (void)begin(&desk, &alice);
    /* What was over first goes first, not what was made first. */
    assert_int_equal(find(&desk, first, &alice), VALET_NOT_FOUND);
    assert_ok(find(&desk, second, &alice));
    assert_ok(find(&desk, bobs->id, &bob));
    assert_int_equal(desk.tasks.count, 4);
    close_desk(&desk);
}

/* @spec SB-20 */
static void
bounds_the_tasks_of_all(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    desk.tasks.rules.max = 2;
    struct vl_mcp_task *hers = begin(&desk, &alice), *more = NULL;
    char id[VL_MCP_ID_SIZE];
    memcpy(id, hers->id, sizeof id);
    (void)begin(&desk, &bob);
    assert_int_equal(
        vl_mcp_task_new(&desk.tasks, &alice, "p", NULL, &more, NULL),
        VALET_LIMIT);
    vl_mcp_task_cancel(hers);
    (void)begin(&desk, &bob);
    assert_int_equal(find(&desk, id, &alice), VALET_NOT_FOUND);
    assert_int_equal(desk.tasks.count, 2);
    assert_int_equal(vl_map_size(&desk.tasks.users), 1);
    close_desk(&desk);
}

/* @spec SB-20 */
static void
bounds_the_bytes_of_results(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    desk.tasks.rules.max_size = 100;
    desk.tasks.rules.max_size_per_user = 60;
    desk.tasks.rules.max_result = 50;
    char json[64];
    (void)snprintf(json, sizeof json, "{\"x\":\"%032d\"}", 0); /* 40 bytes */
    struct vl_mcp_task *bobs = begin(&desk, &bob);
    vl_mcp_task_complete(bobs, vl_str_z(json), NULL);
    char old[VL_MCP_ID_SIZE];
    struct vl_mcp_task *task = begin(&desk, &alice);
    memcpy(old, task->id, sizeof old);
    vl_mcp_task_complete(task, vl_str_z(json), NULL);
    assert_int_equal(desk.tasks.size, 80);
    /* Her own goes, though Bob's is older. */
    task = begin(&desk, &alice);
    vl_mcp_task_complete(task, vl_str_z(json), NULL);
    assert_int_equal(find(&desk, old, &alice), VALET_NOT_FOUND);
    assert_ok(find(&desk, bobs->id, &bob));
    memcpy(old, bobs->id, sizeof old);
    /* A third person's: now the oldest of all goes. */
    struct vl_principal carol = bob;
    (void)snprintf(carol.user.oid, sizeof carol.user.oid, "carol");
    struct vl_mcp_task *hers = begin(&desk, &carol);
    vl_mcp_task_complete(hers, vl_str_z(json), NULL);
    assert_int_equal(find(&desk, old, &bob), VALET_NOT_FOUND);
    assert_ok(find(&desk, task->id, &alice));
    assert_ok(find(&desk, hers->id, &carol));
    assert_int_equal(desk.tasks.size, 80);
    close_desk(&desk);
}

static void
fails_with_a_result_that_is_too_long(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    desk.tasks.rules.max_result = 10;
    struct vl_mcp_task *kept = begin(&desk, &alice);
    vl_mcp_task_complete(kept, VL_STR("{\"x\":\"12\"}"), NULL);
    assert_true(is_told(kept, "\"status\":\"completed\""));
    struct vl_mcp_task *task = begin(&desk, &alice);
    vl_mcp_task_complete(task, VL_STR("{\"x\":\"123\"}"), "done");
    assert_true(is_told(task, "\"status\":\"failed\""));
    assert_true(is_told(task, "\"error\":{\"code\":-32603,\"message\":\"the "
                              "result is too long to be kept\"}"));
    /* Nothing was pushed out for it. */
    assert_ok(find(&desk, kept->id, &alice));
    struct vl_mcp_task *error = begin(&desk, &alice);
    vl_mcp_task_fail(error, VL_STR("{\"code\":1234567}"), NULL);
    assert_true(is_told(
        error, "\"error\":{\"code\":-32603,\"message\":\"Internal error\"}"));
    close_desk(&desk);
}

/* A revoked sign-in leaves nothing behind. */
static void
ends_the_tasks_of_a_token_family(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    (void)begin(&desk, &alice);
    vl_mcp_task_complete(begin(&desk, &alice), VL_STR("{}"), NULL);
    struct vl_mcp_task *bobs = begin(&desk, &bob);
    vl_mcp_tasks_end_family(&desk.tasks, "f1");
    assert_int_equal(desk.cancelled_count, 1);
    assert_int_equal(desk.tasks.count, 1);
    assert_ok(find(&desk, bobs->id, &bob));
    close_desk(&desk);
    assert_int_equal(desk.cancelled_count, 2);
}

struct ear {
    struct vl_mcp_task_watcher watcher;
    struct ear *other; /* is taken off when this one hears */
    size_t count;
    enum vl_mcp_task_status last;
};

static void
hear(struct vl_mcp_task_watcher *watcher, const struct vl_mcp_task *task)
{
    struct ear *ear = VL_CONTAINER(watcher, struct ear, watcher);
    ear->count++;
    ear->last = task->status;
    if (ear->other)
        vl_mcp_task_unwatch(&ear->other->watcher);
}

static void
tells_watchers_of_each_status(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    struct ear ear = {.watcher.changed = hear};
    vl_mcp_task_watch(task, &ear.watcher);
    vl_mcp_task_set_message(task, "half");
    ask(task, "a");
    ask(task, "b");
    assert_int_equal(ear.count, 0);
    assert_true(vl_mcp_task_await(task));
    assert_int_equal(ear.count, 1);
    assert_int_equal(ear.last, VL_MCP_TASK_INPUT_REQUIRED);
    assert_ok(answer(task, "{\"a\":{}}"));
    assert_int_equal(ear.count, 1);
    desk.completes = true;
    assert_ok(answer(task, "{\"b\":{}}"));
    assert_int_equal(ear.count, 3);
    assert_int_equal(ear.last, VL_MCP_TASK_COMPLETED);
    /* It has left. */
    assert_true(vl_list_is_empty(&ear.watcher.in_task));
    vl_mcp_task_watch(task, &ear.watcher);
    assert_true(vl_list_is_empty(&ear.watcher.in_task));
    vl_mcp_task_unwatch(&ear.watcher);
    close_desk(&desk);
}

static void
lets_watchers_leave_while_they_are_told(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct vl_mcp_task *task = begin(&desk, &alice);
    struct ear ears[4] = {0};
    for (size_t i = 0; i < VL_COUNT(ears); i++) {
        ears[i].watcher.changed = hear;
        vl_mcp_task_watch(task, &ears[i].watcher);
    }
    ears[0].other = &ears[0];
    ears[1].other = &ears[2];
    ask(task, "a");
    assert_true(vl_mcp_task_await(task));
    assert_int_equal(ears[0].count, 1);
    assert_int_equal(ears[1].count, 1);
    assert_int_equal(ears[2].count, 0);
    assert_int_equal(ears[3].count, 1);
    vl_mcp_task_cancel(task);
    assert_int_equal(ears[0].count, 1);
    assert_int_equal(ears[1].count, 2);
    assert_int_equal(ears[2].count, 0);
    assert_int_equal(ears[3].count, 2);
    close_desk(&desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_long_random_ids_that_name_the_worker),
        cmocka_unit_test(finds_a_task_for_its_user_and_client_alone),
        cmocka_unit_test(tells_a_new_task_flat),
        cmocka_unit_test(tells_the_result_when_it_is_there),
        cmocka_unit_test(tells_an_error_of_the_protocol_as_failed),
        cmocka_unit_test(stays_as_it_ended),
        cmocka_unit_test(lets_go_of_the_owner_when_it_is_cancelled),
        cmocka_unit_test(asks_and_works_on_when_all_is_answered),
        cmocka_unit_test(asks_again_under_a_key_of_its_own),
        cmocka_unit_test(refuses_answers_that_are_none),
        cmocka_unit_test(bounds_what_is_asked_and_answered),
        cmocka_unit_test(bounds_how_long_questions_and_answers_are),
        cmocka_unit_test(cuts_a_message_between_characters),
        cmocka_unit_test(fails_what_takes_too_long_and_forgets_what_is_old),
        cmocka_unit_test(prolongs_what_ends_late),
        cmocka_unit_test(bounds_the_tasks_of_a_user),
        cmocka_unit_test(bounds_the_tasks_of_all),
        cmocka_unit_test(bounds_the_bytes_of_results),
        cmocka_unit_test(fails_with_a_result_that_is_too_long),
        cmocka_unit_test(ends_the_tasks_of_a_token_family),
        cmocka_unit_test(tells_watchers_of_each_status),
        cmocka_unit_test(lets_watchers_leave_while_they_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
