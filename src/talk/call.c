/* SPDX-License-Identifier: Apache-2.0
 *
 * A handler may do anything inside its callbacks: finish this call or another,
 * at once or never. So each function here takes the call out of all lists
 * and settles it before it calls out, and does not touch it afterwards.
 */
#include "talk/call.h"

#include "mcp/result.h"

/* Of those that asked for one, over all callers; and of one who has signed in:
 * whoever has the most to do must not keep the others waiting. */
#define THREADS_MAX      32
#define THREADS_PER_USER 8

/* --- the end --- */

static void
leave_session(struct vl_mcp_call *call)
{
    struct vl_mcp_session *session = call->session;
    if (!session)
        return;
    vl_list_remove(&call->in_session);
    call->session = NULL;
    session->call_count--;
    vl_mcp_session_release(session);
}

/* Only while there is an endpoint: the server may be gone after it. */
static void
leave_busy(struct vl_mcp_call *call)
{
    if (call->endpoint)
        vl_mcp_busy_leave(&call->endpoint->server->people, call->busy);
    call->busy = NULL;
}

static void
dispose(struct vl_mcp_call *call)
{
    void (*lost)(void *ctx) = call->on_lost;
    void *lost_ctx = call->lost_ctx;
    VL_ASSERT(!call->task); /* it would find nobody */
    vl_list_remove(&call->in_endpoint);
    leave_session(call);
    leave_busy(call);
    if (call->post)
        vl_mcp_post_watch(call->post, NULL, NULL);
    vl_mcp_call_free(call);
    if (lost)
        lost(lost_ctx);
}

void
vl_mcp_call_on_lost(struct vl_mcp_call *call, void (*lost)(void *ctx),
                    void *ctx)
{
    call->on_lost = lost;
    call->lost_ctx = ctx;
}

static void
note(const struct vl_mcp_call *call, enum vl_mcp_happening what, bool failed,
     const char *reason)
{
    if (!call->endpoint || !call->endpoint->hooks->note || call->completes)
        return;
    bool ended = what == VL_MCP_TOOL_ENDED;
    vl_mcp_endpoint_note(call->endpoint,
                         &(struct vl_mcp_note){
                             .what = what,
                             .principal = &call->principal,
                             .tool = call->item->id,
                             .permission = call->item->permission,
                             .peer = call->address,
                             .correlation = vl_mcp_call_correlation(call),
                             .reason = reason,
                             .failed = failed,
                             .ms = ended ? vl_mono_now() - call->started : 0,
                         });
}

void
vl_mcp_call_end(struct vl_mcp_call *call, bool failed, const char *reason)
{
    note(call, VL_MCP_TOOL_ENDED, failed, reason);
    dispose(call);
}

void
vl_mcp_call_end_error(struct vl_mcp_call *call, int status,
                      enum vl_rpc_code code, const char *message,
                      struct vl_str data)
{
    struct vl_mcp_post *post = call->post;
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_ANSWER_MAX);
    struct vl_json_out out = {&text, false};
    if (call->task) {
        vl_rpc_write_error_object(&out, NULL, code, message, data);
        vl_mcp_task_fail(call->task, vl_buf_str(&text), message);
        call->task = NULL;
    } else {
        vl_rpc_open_answer_raw(&out, call->id);
        vl_rpc_add_error_data(&out, code, message, data);
        vl_json_close(&out, '}');
    }
    vl_mcp_call_end(call, true, "tool_error");
    if (post)
        vl_mcp_post_answer_status(post, status, vl_buf_str(&text));
}

void
vl_mcp_call_end_refused(struct vl_mcp_call *call, const char *why)
{
    if (call->item->sort == VL_MCP_TOOLS && !call->completes)
        valet_mcp_finish(call,
                         &(valet_mcp_result){.text = why, .is_error = true});
    else
        vl_mcp_call_end_error(call, 200, VL_RPC_INTERNAL, why,
                              (struct vl_str){NULL, 0});
}

static void
enter_lists(struct vl_mcp_call *call)
{
    vl_list_add_last(&call->endpoint->calls, &call->in_endpoint);
    if (!call->session)
        return;
    vl_list_add_last(&call->session->calls, &call->in_session);
    call->session->call_count++;
    vl_mcp_session_hold(call->session);
}

/* --- as a task --- */

/* @spec EX-12: it can be found before its client hears of it. */
valet_status
vl_mcp_call_begin_task(struct vl_mcp_call *call, valet_error *err)
{
    struct vl_mcp_post *post = call->post;
    if (call->task || !post || !(call->peer.abilities & VL_MCP_KNOWS_TASKS))
        return VALET_OK;
    /* The item, and what it says, may be gone before the task is. */
    const char *permission =
        call->endpoint->server->permissions[call->item->permission_bit];
    VL_TRY(vl_mcp_task_new(&call->endpoint->tasks, &call->principal, permission,
                           call, &call->task, err));
    vl_mcp_post_watch(post, NULL, NULL);
    call->post = NULL;
    leave_session(call);
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer_raw(&out, call->id);
    vl_json_open_key(&out, "result", '{');
    vl_mcp_task_write(&out, call->task, VL_MCP_TASK_CREATED);
    vl_mcp_result_write_meta(&out, call->endpoint->server, call->peer.version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_endpoint_wake(call->endpoint);
    vl_mcp_post_answer(post, vl_buf_str(text));
    return VALET_OK;
}

void
vl_mcp_call_answered(struct vl_mcp_task *task)
{
    struct vl_mcp_call *call = task->owner;
    vl_mcp_talk_take(call->talk, task);
    vl_mcp_talk_turn(call->talk);
    vl_mcp_call_run(call);
}

void
vl_mcp_call_let_go(void *ctx)
{
    struct vl_mcp_call *call = ctx;
    call->task = NULL;
    vl_mcp_call_cancel(call, VL_MCP_CANCEL_BY_CLIENT);
}

/* --- the beginning --- */

static bool
is_task_at_once(const struct vl_mcp_call *call)
{
    unsigned flags = call->item->flags;
    return call->item->sort == VL_MCP_TOOLS &&
           flags & (VALET_MCP_AS_TASK | VALET_MCP_ONLY_AS_TASK) &&
           !(flags & VALET_MCP_TASK_LATER);
}

/* @spec HT-62 */
static void
on_gone(void *ctx)
{
    vl_mcp_call_cancel(ctx, VL_MCP_CANCEL_BY_CLIENT);
}

valet_status
vl_mcp_call_start(const struct vl_mcp_call_order *order)
{
    struct vl_mcp_people *people = &order->endpoint->server->people;
    struct vl_mcp_busy *busy = vl_mcp_busy_enter(
        people, &order->principal->user, VL_LIMIT_MCP_CALLS_PER_USER);
    if (!busy)
        return VALET_RETRY;
    struct vl_mcp_call *call = vl_mcp_call_new(order);
    call->busy = busy;
    valet_status status = vl_mcp_talk_read(call, order->message, &call->talk);
    if (status != VALET_OK) {
        call->session = NULL;
        call->post = NULL;
        dispose(call);
        return status;
    }
    enter_lists(call);
    vl_mcp_post_watch(call->post, on_gone, call);
    vl_mcp_endpoint_wake(call->endpoint);
    note(call, VL_MCP_TOOL_STARTED, false, NULL);
    valet_error err;
    if (is_task_at_once(call) && vl_mcp_call_begin_task(call, &err) != VALET_OK)
        vl_mcp_call_end_refused(call, err.message);
    else
        vl_mcp_call_run(call);
    return VALET_OK;
}

/* --- at work --- */

static void
handle(struct vl_mcp_call *call)
{
    const struct vl_mcp_item *item = call->item;
    (call->completes ? item->complete : item->handle)(call, item->ctx);
}

static void
handle_on_thread(struct vl_job *job)
{
    handle(VL_CONTAINER(job, struct vl_mcp_call, job));
}

void
vl_mcp_call_run(struct vl_mcp_call *call)
{
    struct vl_mcp_server *server = call->endpoint->server;
    call->is_waiting = false;
    call->on_lost = NULL;
    if (!(call->item->flags & VALET_MCP_ON_THREAD)) {
        handle(call);
        return;
    }
    if (!server->pool)
        server->pool = vl_pool_new(THREADS_MAX, THREADS_PER_USER);
    call->job.run = handle_on_thread;
    char room[VL_MCP_USER_KEY_SIZE];
    if (!vl_pool_run(server->pool, vl_mcp_user_key(&call->principal.user, room),
                     &call->job))
        vl_mcp_call_end_refused(call, "There is no thread to run this on");
}

/* False while its handler has it. */
static bool
is_ours(struct vl_mcp_call *call)
{
    struct vl_pool *pool = call->endpoint->server->pool;
    return call->is_waiting || (pool && vl_pool_take(pool, &call->job));
}

const char *
vl_mcp_call_method(const struct vl_mcp_call *call)
{
    static const char *const methods[] = {
        [VL_MCP_TOOLS] = "tools/call",
        [VL_MCP_RESOURCES] = "resources/read",
        [VL_MCP_TEMPLATES] = "resources/read",
        [VL_MCP_PROMPTS] = "prompts/get",
    };
    return call->completes ? "completion/complete" : methods[call->item->sort];
}

struct vl_mcp_call *
vl_mcp_call_find(const struct vl_mcp_session *session, struct vl_rpc_id id)
{
    if (session->call_count == 0)
        return NULL;
    vl_auto(vl_buf) text = vl_buf_of(8 * VL_RPC_ID_MAX);
    vl_rpc_write_id(&text, id);
    VL_LIST_EACH (it, &session->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_session);
        if (vl_str_eq(call->id, vl_buf_str(&text)))
            return call;
    }
    return NULL;
}

/* --- taken back --- */

static void
answer_error(struct vl_mcp_post *post, struct vl_str id, int status,
             enum vl_rpc_code code, const char *why)
{
    struct vl_buf *text = vl_mcp_scratch(post->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer_raw(&out, id);
    vl_rpc_add_error(&out, code, why);
    vl_json_close(&out, '}');
    vl_mcp_post_answer_status(post, status, vl_buf_str(text));
}

/* Where there was no session, the sign-in has ended. */
static void
end_waiting(struct vl_mcp_post *post)
{
    const struct vl_mcp_hooks *hooks = post->endpoint->hooks;
    if (post->way == VL_MCP_WAY_STATELESS && vl_mcp_post_is_untouched(post))
        hooks->login(vl_mcp_post_take_exchange(post), hooks->ctx);
    else
        vl_mcp_post_fail(post, 404);
}

static void
answer_cancelled(struct vl_mcp_post *post, struct vl_str id, bool is_modern,
                 enum vl_mcp_cancel why)
{
    switch (why) {
    case VL_MCP_CANCEL_BY_CLIENT:
        vl_mcp_post_answer(post, (struct vl_str){NULL, 0});
        return;
    case VL_MCP_CANCEL_SESSION_ENDED:
        end_waiting(post);
        return;
    case VL_MCP_CANCEL_TOO_LATE:
        answer_error(post, id, 200, vl_rpc_code_for(is_modern, VL_RPC_REFUSED),
                     "The tool took too long");
        return;
    case VL_MCP_CANCEL_CLOSING:
        /* @spec HT-05: by its id, also at the end of a stream. */
        if (post->batch) /* one status speaks for all of it */
            vl_mcp_post_fail(post, 503);
        else
            answer_error(post, id, 503, VL_RPC_INTERNAL,
                         "The server is stopping");
        return;
    }
}

static const char *const reasons[] = {
    [VL_MCP_CANCEL_BY_CLIENT] = "client",
    [VL_MCP_CANCEL_SESSION_ENDED] = "session_end",
    [VL_MCP_CANCEL_TOO_LATE] = "time_out",
    [VL_MCP_CANCEL_CLOSING] = "shutdown",
};

void
vl_mcp_call_cancel(struct vl_mcp_call *call, enum vl_mcp_cancel why)
{
    if (atomic_exchange(&call->cancelled, true))
        return;
    struct vl_mcp_post *post = call->post;
    call->post = NULL;
    if (post)
        vl_mcp_post_watch(post, NULL, NULL);
    vl_auto(vl_buf) id = vl_buf_of(8 * VL_RPC_ID_MAX);
    vl_buf_add(&id, call->id);
    bool is_modern = vl_mcp_version_is_modern(call->peer.version);
    note(call, VL_MCP_TOOL_CANCELLED, false, reasons[why]);
    bool ours = is_ours(call);
    if (why == VL_MCP_CANCEL_CLOSING) {
        leave_busy(call);
        call->endpoint = NULL;
    }
    if (ours)
        dispose(call);
    else if (call->on_cancel)
        call->on_cancel(call, call->cancel_ctx);
    if (post)
        answer_cancelled(post, vl_buf_str(&id), is_modern, why);
}

void
vl_mcp_call_leave_session(struct vl_mcp_session *session)
{
    while (!vl_list_is_empty(&session->calls)) {
        struct vl_mcp_call *call =
            VL_CONTAINER(session->calls.next, struct vl_mcp_call, in_session);
        leave_session(call);
        vl_mcp_call_cancel(call, VL_MCP_CANCEL_SESSION_ENDED);
    }
}

static struct vl_mcp_call *
find_of_family(const struct vl_mcp_endpoint *endpoint, const char *family)
{
    VL_LIST_EACH (it, &endpoint->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        /* Sessions and tasks are ended as such. */
        if (!call->session && !call->task && !atomic_load(&call->cancelled) &&
            strcmp(call->principal.session, family) == 0)
            return call;
    }
    return NULL;
}

void
vl_mcp_call_leave_family(struct vl_mcp_endpoint *endpoint, const char *family)
{
    struct vl_mcp_call *call;
    while ((call = find_of_family(endpoint, family)))
        vl_mcp_call_cancel(call, VL_MCP_CANCEL_SESSION_ENDED);
}

/* The first that is at work since before `before`, and not given up yet. */
static struct vl_mcp_call *
find_older(const struct vl_mcp_endpoint *endpoint, int64_t before)
{
    VL_LIST_EACH (it, &endpoint->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        if (call->started > before)
            return NULL;
        /* A task has a time of its own. */
        if (!atomic_load(&call->cancelled) && !call->task)
            return call;
    }
    return NULL;
}

/* @spec HT-40 */
void
vl_mcp_call_sweep(struct vl_mcp_endpoint *endpoint, int64_t before)
{
    struct vl_mcp_call *call;
    while ((call = find_older(endpoint, before)))
        vl_mcp_call_cancel(call, VL_MCP_CANCEL_TOO_LATE);
}

static struct vl_mcp_call *
find_left(const struct vl_mcp_endpoint *endpoint)
{
    VL_LIST_EACH (it, &endpoint->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        if (call->post && vl_mcp_post_is_left(call->post))
            return call;
    }
    return NULL;
}

/* @spec HT-62: a client that closes its connection is seen to have closed its
 * direction, and might still read. Who is not answered by now is taken for
 * gone, for hardly anybody does the one without the other. */
void
vl_mcp_calls_tend(struct vl_mcp_endpoint *endpoint)
{
    struct vl_mcp_call *left;
    while ((left = find_left(endpoint)))
        vl_mcp_call_cancel(left, VL_MCP_CANCEL_BY_CLIENT);
    VL_LIST_EACH (it, &endpoint->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        if (call->post)
            vl_mcp_post_tend(call->post, call->started);
    }
}

void
vl_mcp_call_leave_endpoint(struct vl_mcp_endpoint *endpoint)
{
    while (!vl_list_is_empty(&endpoint->calls)) {
        struct vl_mcp_call *call =
            VL_CONTAINER(endpoint->calls.next, struct vl_mcp_call, in_endpoint);
        vl_list_remove(&call->in_endpoint);
        leave_session(call);
        leave_busy(call);
        if (atomic_load(&call->cancelled))
            call->endpoint = NULL;
        else
            vl_mcp_call_cancel(call, VL_MCP_CANCEL_CLOSING);
    }
    vl_mcp_calls_done(endpoint);
}
