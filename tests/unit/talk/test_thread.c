/* SPDX-License-Identifier: Apache-2.0
 *
 * Handlers on threads of their own, and what other threads may do with a call
 * and a server. Nothing is asserted on those threads: they leave notes.
 */
#include "modern.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "talk/call.h"

#define FORM                                                                   \
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},"    \
    "\"required\":[\"name\"]}"
#define ANN "{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}"
#define DONE(id)                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":"         \
    "\"text\",\"text\":\"done\"}],\"isError\":false," WHOSE "}}"

/* As many as one person gets; fewer; more than there are. */
enum { TOGETHER = 8, FEW = 3, MANY = 60 };

struct crew {
    struct desk *desk;
    pthread_t home;
    pthread_barrier_t barrier;
    sem_t begun, released;
    atomic_int runs, at_home, cancelled, cancelled_elsewhere, finished;
    atomic_bool saw_cancelled, right;
};

static struct crew crew;

static void
note_run(void)
{
    atomic_fetch_add(&crew.runs, 1);
    if (pthread_equal(pthread_self(), crew.home))
        atomic_fetch_add(&crew.at_home, 1);
}

static void
finish_on_thread(valet_mcp_call *call, const char *text)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
    atomic_fetch_add(&crew.finished, 1);
}

/* --- handlers --- */

static void
handle_work(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    int64_t n = 0;
    size_t size = 0;
    note_run();
    valet_mcp_progress(call, 1, 2, "one");
    valet_mcp_log(call, VALET_MCP_WARNING, "w", "two");
    valet_mcp_progress(call, 2, 2, NULL);
    valet_mcp_begin_task(call);
    valet_mcp_disconnect(call, 5);
    if (valet_mcp_argument_int(call, "n", &n) && n == 7 &&
        strcmp(valet_mcp_arguments(call, &size), "{\"n\":7}") == 0 &&
        strcmp(valet_mcp_user_oid(call), "alice") == 0 &&
        !valet_mcp_is_cancelled(call))
        atomic_store(&crew.right, true);
    finish_on_thread(call, "done");
}

static void
handle_meeting(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_run();
    (void)pthread_barrier_wait(&crew.barrier);
    finish_on_thread(call, "done");
}

static void
handle_question(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_run();
    const char *kept = valet_mcp_kept(call);
    if (!valet_mcp_elicit(call, "name", "Who?", FORM)) {
        valet_mcp_keep(call, "kept");
        valet_mcp_await(call);
        return;
    }
    if (kept && strcmp(kept, "kept") == 0)
        atomic_store(&crew.right, true);
    finish_on_thread(call, valet_mcp_form_text(call, "name", "name"));
}

static void
note_cancel(valet_mcp_call *call, void *ctx)
{
    (void)call;
    (void)ctx;
    if (!pthread_equal(pthread_self(), crew.home))
        atomic_fetch_add(&crew.cancelled_elsewhere, 1);
    atomic_fetch_add(&crew.cancelled, 1);
}

/* Until the test says so. */
static void
handle_wait(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_run();
    valet_mcp_on_cancel(call, note_cancel, NULL);
    valet_mcp_progress(call, 1, 0, "waiting");
    (void)sem_post(&crew.begun);
    while (sem_wait(&crew.released) != 0)
        ;
    if (valet_mcp_is_cancelled(call))
        atomic_store(&crew.saw_cancelled, true);
    valet_mcp_progress(call, 2, 0, "late");
    valet_mcp_log(call, VALET_MCP_ERROR, NULL, "late");
    finish_on_thread(call, "done");
}

static void
handle_late_question(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_run();
    (void)valet_mcp_elicit(call, "name", "Who?", FORM);
    (void)sem_post(&crew.begun);
    while (sem_wait(&crew.released) != 0)
        ;
    valet_mcp_await(call);
    atomic_fetch_add(&crew.finished, 1);
}

static void
handle_failure(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    note_run();
    valet_mcp_fail(call, VALET_NOT_FOUND, "Not here");
}

static void
complete_on_thread(valet_mcp_call *call, void *ctx)
{
    static const char *const values[] = {"a", "b"};
    (void)ctx;
    note_run();
    valet_mcp_finish_completion(call, values, 2, 0);
}

/* --- the crew --- */

static void
add(struct desk *desk, const char *name, unsigned flags,
    valet_mcp_handler *handle)
{
    valet_mcp_tool tool = {
        .name = name,
        .description = "A tool.",
        .input_schema = "{\"type\":\"object\"}",
        .permission = "read",
        .flags = flags | VALET_MCP_ON_THREAD,
        .call = handle,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
}

static int
open_crew(void **state)
{
    (void)open_desk(state);
    struct desk *desk = *state;
    static const valet_mcp_prompt_argument arguments[] = {{.name = "who"}};
    static const valet_mcp_prompt prompt = {
        .name = "greet",
        .arguments = arguments,
        .argument_count = 1,
        .permission = "read",
        .flags = VALET_MCP_ON_THREAD,
        .get = handle_failure,
        .complete = complete_on_thread,
    };
    memset(&crew, 0, sizeof crew);
    crew.desk = desk;
    crew.home = pthread_self();
    (void)pthread_barrier_init(&crew.barrier, NULL, TOGETHER);
    (void)sem_init(&crew.begun, 0, 0);
    (void)sem_init(&crew.released, 0, 0);
    add(desk, "works", 0, handle_work);
    add(desk, "meets", 0, handle_meeting);
    add(desk, "asks", 0, handle_question);
    add(desk, "waits", 0, handle_wait);
    add(desk, "asks_late", 0, handle_late_question);
    add(desk, "task", VALET_MCP_AS_TASK, handle_wait);
    add(desk, "asking_task", VALET_MCP_AS_TASK, handle_question);
    add(desk, "becomes", VALET_MCP_TASK_LATER, handle_work);
    assert_ok(valet_mcp_add_prompt(desk->server, &prompt, NULL));
    return 0;
}

static int
close_crew(void **state)
{
    (void)close_desk(state);
    assert_int_equal(atomic_load(&crew.at_home), 0);
    assert_int_equal(atomic_load(&crew.cancelled_elsewhere), 0);
    (void)pthread_barrier_destroy(&crew.barrier);
    (void)sem_destroy(&crew.begun);
    (void)sem_destroy(&crew.released);
    return 0;
}

static void
await_answer(struct desk *desk, const struct fake_answer *answer)
{
    while (!answer->finished)
        vl_loop_step(desk->loop);
}

/* Handlers wait for the loop: it is not to wait for them. */
static void
await_begun(struct desk *desk, int n)
{
    while (n > 0) {
        vl_loop_deliver(desk->loop);
        n -= sem_trywait(&crew.begun) == 0;
    }
}

static void
release(int n)
{
    while (n-- > 0)
        (void)sem_post(&crew.released);
}

static void
await_finished(struct desk *desk, int n)
{
    while (atomic_load(&crew.finished) < n)
        vl_loop_deliver(desk->loop);
}

/* --- at work --- */

static void
works_beside_the_server(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    size_t at = 0;
    m.meta = ",\"progressToken\":1,\"" META_LEVEL "\":\"info\"";
    call_modern(&m, "1", "works", ",\"arguments\":{\"n\":7}", &answer);
    await_answer(desk, &answer);
    assert_true(atomic_load(&crew.right));
    assert_true(vl_str_has(next_event(&answer, &at), 'p'));
    assert_true(strstr(body_of(&answer), "\"message\":\"one\"") <
                strstr(body_of(&answer), "\"data\":\"two\""));
    (void)next_event(&answer, &at);
    (void)next_event(&answer, &at);
    expect_event(&answer, &at, DONE("1"));
    fake_answer_done(&answer);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_ENDED), 1);
}

static void
runs_handlers_beside_each_other(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answers[TOGETHER];
    for (int i = 0; i < TOGETHER; i++)
        call_modern(&m, "1", "meets", "", &answers[i]);
    for (int i = 0; i < TOGETHER; i++) {
        await_answer(desk, &answers[i]);
        assert_string_equal(body_of(&answers[i]), DONE("1"));
        fake_answer_done(&answers[i]);
    }
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

static void
runs_more_than_there_are_threads(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    static struct fake_answer answers[MANY];
    for (int i = 0; i < MANY; i++)
        call_modern(&m, "1", "works", "", &answers[i]);
    for (int i = 0; i < MANY; i++) {
        await_answer(desk, &answers[i]);
        fake_answer_done(&answers[i]);
    }
    assert_int_equal(atomic_load(&crew.runs), MANY);
}

/* A person with much to do: all but `TOGETHER` of it waits. */
static void
leaves_threads_to_others(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice),
                  other = modern_of(desk, &mallory);
    struct fake_answer answers[TOGETHER + FEW], answer;
    for (int i = 0; i < TOGETHER + FEW; i++)
        call_modern(&m, "1", "waits", "", &answers[i]);
    await_begun(desk, TOGETHER);
    call_modern(&other, "1", "works", "", &answer);
    await_answer(desk, &answer);
    fake_answer_done(&answer);
    assert_int_equal(atomic_load(&crew.runs), TOGETHER + 1);
    release(TOGETHER + FEW);
    for (int i = 0; i < TOGETHER + FEW; i++) {
        await_answer(desk, &answers[i]);
        fake_answer_done(&answers[i]);
    }
}

static void
answers_prompts_and_completions_from_a_thread(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    send_modern(&m, "1", "completion/complete",
                "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"greet\"},"
                "\"argument\":{\"name\":\"who\",\"value\":\"\"}",
                &answer);
    await_answer(desk, &answer);
    assert_true(has(&answer, "\"values\":[\"a\",\"b\"]"));
    fake_answer_done(&answer);
    m.name = "greet";
    send_modern(&m, "1", "prompts/get", "\"name\":\"greet\"", &answer);
    await_answer(desk, &answer);
    assert_string_equal(body_of(&answer), REFUSED("1", "-32602", "Not here"));
    fake_answer_done(&answer);
}

/* --- asking --- */

static void
asks_from_a_thread_in_both_eras(void **state)
{
    struct desk *desk = *state;
    struct client client =
        open_able_client(desk, &alice, "2025-11-25", CAN_ALL);
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL}, result = {NULL};
    char body[300];
    size_t at = 0;
    client_send(&client, "POST", CALL("1", "\"name\":\"asks\""), &answer);
    while (!vl_buf_size(&answer.body))
        vl_loop_step(desk->loop);
    assert_ok(vl_json_parse(next_event(&answer, &at), 32, &doc, NULL));
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":" ANN "}",
                   vl_json_get_str(doc.root, "id").p);
    expect(&client, body, 202, "");
    await_answer(desk, &answer);
    assert_true(has(&answer, "\"text\":\"Ann\""));
    assert_true(atomic_exchange(&crew.right, false));
    fake_answer_done(&answer);
    struct modern m = modern_of(desk, &alice);
    m.abilities = CAN_ALL;
    call_modern(&m, "1", "asks", "", &answer);
    await_answer(desk, &answer);
    vl_auto(vl_buf) more = vl_buf_of(1 << 16);
    vl_buf_addz(&more,
                ",\"inputResponses\":{\"name\":" ANN "},\"requestState\":\"");
    vl_buf_add(&more,
               vl_json_get_str(read_result(&answer, &result), "requestState"));
    vl_buf_addz(&more, "\"");
    fake_answer_done(&answer);
    call_modern(&m, "2", "asks", vl_buf_cstr(&more), &answer);
    await_answer(desk, &answer);
    assert_true(has(&answer, "\"text\":\"Ann\""));
    assert_true(atomic_load(&crew.right));
    fake_answer_done(&answer);
}

static void
begin_task(const struct modern *m, const char *tool, char ret[VL_MCP_ID_SIZE])
{
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL};
    call_modern(m, "1", tool, "", &answer);
    await_answer(m->desk, &answer);
    (void)snprintf(ret, VL_MCP_ID_SIZE, "%s",
                   vl_json_get_str(read_result(&answer, &doc), "taskId").p);
    fake_answer_done(&answer);
}

/* Says whether the answer has this in it. */
static bool
ask_task(const struct modern *m, const char *method, const char *id,
         const char *more, const char *part)
{
    struct modern named = *m;
    struct fake_answer answer;
    char params[300];
    named.name = id;
    (void)snprintf(params, sizeof params, "\"taskId\":\"%s\"%s", id, more);
    send_modern(&named, "9", method, params, &answer);
    bool found = has(&answer, part);
    fake_answer_done(&answer);
    return found;
}

static void
asks_from_a_thread_by_a_task(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    m.abilities = CAN_ALL_AND_TASKS;
    begin_task(&m, "asking_task", id);
    while (!ask_task(&m, "tasks/get", id, "", "input_required"))
        vl_loop_step(desk->loop);
    assert_true(ask_task(&m, "tasks/update", id,
                         ",\"inputResponses\":{\"name\":" ANN "}", "complete"));
    while (!ask_task(&m, "tasks/get", id, "", "\"text\":\"Ann\""))
        vl_loop_step(desk->loop);
    begin_task(&m, "becomes", id);
    while (!ask_task(&m, "tasks/get", id, "", "completed"))
        vl_loop_step(desk->loop);
}

/* --- nobody waits any more --- */

static void
hears_that_it_was_cancelled(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer gone, taken_back;
    m.meta = ",\"progressToken\":1";
    call_modern(&m, "1", "waits", "", &gone);
    client_send(&client, "POST", CALL("1", "\"name\":\"waits\""), &taken_back);
    await_begun(desk, 2);
    assert_true(has(&gone, "waiting"));
    fake_hang_up(&gone);
    expect(&client,
           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
           "\"params\":{\"requestId\":1}}",
           202, "");
    assert_int_equal(atomic_load(&crew.cancelled), 2);
    release(2);
    await_finished(desk, 2);
    assert_true(atomic_load(&crew.saw_cancelled));
    assert_false(has(&gone, "late"));
    assert_int_equal(vl_buf_size(&taken_back.body), 0);
    fake_answer_done(&gone);
    fake_answer_done(&taken_back);
}

static void
hears_that_its_task_was_cancelled(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    char id[VL_MCP_ID_SIZE];
    m.abilities = CAN_ALL_AND_TASKS;
    begin_task(&m, "task", id);
    await_begun(desk, 1);
    assert_true(
        ask_task(&m, "tasks/get", id, "", "\"statusMessage\":\"waiting\""));
    assert_true(ask_task(&m, "tasks/cancel", id, "", "complete"));
    assert_int_equal(atomic_load(&crew.cancelled), 1);
    release(1);
    await_finished(desk, 1);
    assert_true(ask_task(&m, "tasks/get", id, "", "\"cancelled\""));
}

/* What still waits for a thread when nobody waits for it. */
static void
begins_nothing_that_was_cancelled(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answers[TOGETHER], gone, taken_back;
    char id[VL_MCP_ID_SIZE];
    for (int i = 0; i < TOGETHER; i++)
        call_modern(&m, "1", "waits", "", &answers[i]);
    await_begun(desk, TOGETHER);
    call_modern(&m, "1", "works", "", &gone);
    client_send(&client, "POST", CALL("1", "\"name\":\"works\""), &taken_back);
    m.abilities = CAN_ALL_AND_TASKS;
    begin_task(&m, "task", id);
    fake_hang_up(&gone);
    expect(&client,
           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
           "\"params\":{\"requestId\":1}}",
           202, "");
    assert_true(ask_task(&m, "tasks/cancel", id, "", "complete"));
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_CANCELLED), 3);
    fake_answer_done(&gone);
    fake_answer_done(&taken_back);
    release(TOGETHER + 1);
    for (int i = 0; i < TOGETHER; i++) {
        await_answer(desk, &answers[i]);
        fake_answer_done(&answers[i]);
    }
    call_modern(&m, "1", "works", "", &gone);
    await_answer(desk, &gone);
    fake_answer_done(&gone);
    assert_int_equal(atomic_load(&crew.runs), TOGETHER + 1);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

static void
begins_nothing_after_the_end(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answers[TOGETHER + FEW];
    for (int i = 0; i < TOGETHER + FEW; i++)
        call_modern(&m, "1", i < TOGETHER ? "waits" : "works", "", &answers[i]);
    await_begun(desk, TOGETHER);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    release(TOGETHER);
    valet_mcp_server_free(desk->server);
    desk->server = NULL;
    assert_int_equal(atomic_load(&crew.runs), TOGETHER);
    for (int i = 0; i < TOGETHER + FEW; i++) {
        assert_int_equal(answers[i].status, 503);
        fake_answer_done(&answers[i]);
    }
}

/* The server is freed while they are at it, and waits for them. */
static void
may_outlive_the_endpoint(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    static struct fake_answer answers[2 * FEW + 1];
    for (int i = 0; i < FEW; i++) {
        call_modern(&m, "1", "waits", "", &answers[2 * i]);
        m.abilities = CAN_ALL;
        call_modern(&m, "1", "asks_late", "", &answers[2 * i + 1]);
        m.abilities = "{}";
    }
    m.abilities = CAN_ALL_AND_TASKS;
    call_modern(&m, "1", "task", "", &answers[2 * FEW]);
    await_begun(desk, 2 * FEW + 1);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    assert_int_equal(atomic_load(&crew.cancelled), FEW + 1);
    for (int i = 0; i < 2 * FEW; i++)
        assert_int_equal(answers[i].status, 503);
    /* All at once, with nobody at the gate. */
    release(2 * FEW + 1);
    valet_mcp_server_free(desk->server);
    desk->server = NULL;
    assert_int_equal(atomic_load(&crew.finished), 2 * FEW + 1);
    for (int i = 0; i < 2 * FEW + 1; i++)
        fake_answer_done(&answers[i]);
}

/* Those who are on their way to the loop when it ends. */
static void
delivers_what_was_on_its_way(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answers[TOGETHER];
    for (int i = 0; i < TOGETHER; i++)
        call_modern(&m, "1", "works", "", &answers[i]);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    /* Frees the server next, which waits for them. */
    vl_loop_deliver(desk->loop);
    for (int i = 0; i < TOGETHER; i++) {
        assert_true(answers[i].finished);
        fake_answer_done(&answers[i]);
    }
}

/* A server may be served again while a handler of the last time is at it. */
static void
may_outlive_the_way_it_was_served(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer old[TOGETHER], answers[TOGETHER];
    for (int i = 0; i < TOGETHER; i++)
        call_modern(&m, "1", "waits", "", &old[i]);
    await_begun(desk, TOGETHER);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = vl_mcp_endpoint_new(desk->server, &desk->hooks, desk->loop,
                                         &desk->clock, 0);
    release(TOGETHER);
    for (int i = 0; i < TOGETHER; i++)
        call_modern(&m, "1", "works", "", &answers[i]);
    for (int i = 0; i < TOGETHER; i++) {
        await_answer(desk, &answers[i]);
        fake_answer_done(&answers[i]);
        fake_answer_done(&old[i]);
    }
    await_finished(desk, 2 * TOGETHER);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

/* --- other threads --- */

static void *
finish_call(void *call)
{
    valet_mcp_progress(call, 1, 0, NULL);
    finish_on_thread(call, "done");
    return NULL;
}

static void
lets_any_thread_finish_a_call(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answers[TOGETHER];
    pthread_t threads[TOGETHER];
    for (int i = 0; i < TOGETHER; i++)
        call_modern(&m, "1", "later", "", &answers[i]);
    for (int i = 0; i < TOGETHER; i++) {
        valet_mcp_call *call = desk->calls[0];
        forget(desk, call);
        assert_int_equal(pthread_create(&threads[i], NULL, finish_call, call),
                         0);
    }
    for (int i = 0; i < TOGETHER; i++) {
        await_answer(desk, &answers[i]);
        assert_string_equal(body_of(&answers[i]), DONE("1"));
        fake_answer_done(&answers[i]);
    }
    /* Not before: each waits until the loop has done what it asked for. */
    for (int i = 0; i < TOGETHER; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static int run_count, run_elsewhere, stop_count;

static void
count_run(void *ctx)
{
    (void)ctx;
    run_count++; /* on one thread alone, or the sanitizer says so */
    run_elsewhere += !pthread_equal(pthread_self(), crew.home);
}

static void
count_stop(void *ctx)
{
    (void)ctx;
    stop_count++;
}

static void *
run_and_stop(void *server)
{
    for (int i = 0; i < 100; i++) {
        if (!valet_mcp_run(server, count_run, NULL))
            break;
        valet_mcp_stop(server);
        atomic_fetch_add(&crew.finished, 1);
    }
    return NULL;
}

static void
runs_things_on_the_servers_thread(void **state)
{
    struct desk *desk = *state;
    pthread_t threads[4];
    run_count = run_elsewhere = stop_count = 0;
    desk->server->stop = count_stop;
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, run_and_stop, desk->server), 0);
    await_finished(desk, 400);
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    vl_loop_deliver(desk->loop);
    assert_int_equal(run_count, 400);
    assert_int_equal(run_elsewhere, 0);
    assert_int_equal(stop_count, 400);
    /* From its own thread: soon, not now. */
    assert_true(valet_mcp_run(desk->server, count_run, NULL));
    assert_int_equal(run_count, 400);
    vl_loop_deliver(desk->loop);
    assert_int_equal(run_count, 401);
    /* Not served: nothing runs. */
    desk->server->stop = NULL;
    valet_mcp_stop(desk->server);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    assert_false(valet_mcp_run(desk->server, count_run, NULL));
    valet_mcp_stop(desk->server);
    vl_loop_deliver(desk->loop);
    assert_int_equal(run_count, 401);
    assert_int_equal(stop_count, 400);
}

/* While others are still asking for it. */
static void
ends_while_others_ask(void **state)
{
    struct desk *desk = *state;
    pthread_t threads[4];
    run_count = run_elsewhere = 0;
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, run_and_stop, desk->server), 0);
    await_finished(desk, 10);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    vl_loop_deliver(desk->loop);
    assert_int_equal(run_elsewhere, 0);
    assert_int_equal(run_count, atomic_load(&crew.finished));
}

#define CREW_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_crew, close_crew)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CREW_TEST(works_beside_the_server),
        CREW_TEST(runs_handlers_beside_each_other),
        CREW_TEST(runs_more_than_there_are_threads),
        CREW_TEST(leaves_threads_to_others),
        CREW_TEST(answers_prompts_and_completions_from_a_thread),
        CREW_TEST(asks_from_a_thread_in_both_eras),
        CREW_TEST(asks_from_a_thread_by_a_task),
        CREW_TEST(hears_that_it_was_cancelled),
        CREW_TEST(hears_that_its_task_was_cancelled),
        CREW_TEST(begins_nothing_that_was_cancelled),
        CREW_TEST(begins_nothing_after_the_end),
        CREW_TEST(may_outlive_the_endpoint),
        CREW_TEST(delivers_what_was_on_its_way),
        CREW_TEST(may_outlive_the_way_it_was_served),
        CREW_TEST(lets_any_thread_finish_a_call),
        CREW_TEST(runs_things_on_the_servers_thread),
        CREW_TEST(ends_while_others_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
