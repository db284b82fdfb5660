/* SPDX-License-Identifier: Apache-2.0
 *
 * A tool may do anything inside its callbacks: finish this call or another,
 * at once or never. So each function here takes the call out of all lists
 * and settles it before it calls out, and does not touch it afterwards.
 */
#include "mcp/call.h"

#include <math.h>

static void
free_call(struct vl_mcp_call *call)
{
    vl_buf_done(&call->id);
    vl_buf_done(&call->arguments);
    vl_buf_done(&call->token);
    free(call);
}

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
        vl_mcp_busy_leave(&call->endpoint->server->busy, call->busy);
    call->busy = NULL;
}

static void
note(const struct vl_mcp_call *call, enum vl_mcp_happening what,
     const char *reason)
{
    if (!call->endpoint)
        return;
    bool ended = what == VL_MCP_TOOL_ENDED;
    vl_mcp_endpoint_note(call->endpoint,
                         &(struct vl_mcp_note){
                             .what = what,
                             .principal = &call->principal,
                             .tool = call->tool->def.name,
                             .permission = call->tool->def.permission,
                             .peer = call->peer,
                             .correlation = call->correlation,
                             .reason = reason,
                             .failed = ended && reason,
                             .ms = ended ? vl_mono_now() - call->started : 0,
                         });
}

static void
write_value(struct vl_buf *buf, const struct json_t *value)
{
    struct vl_json_out out = {buf, false};
    if (value)
        vl_json_add_value(&out, NULL, value);
}

static bool
copy_order(struct vl_mcp_call *call, const struct vl_mcp_call_order *order)
{
    call->id = vl_buf_of(8 * VL_RPC_ID_MAX);
    call->token = vl_buf_of(8 * VL_RPC_ID_MAX);
    call->arguments = vl_buf_of(VL_MCP_ARGUMENTS_MAX);
    vl_rpc_write_id(&call->id, order->id);
    write_value(&call->token, order->token);
    write_value(&call->arguments, order->arguments);
    if (!order->arguments)
        vl_buf_addz(&call->arguments, "{}");
    call->endpoint = order->endpoint;
    call->session = order->session;
    call->version = order->session->version;
    call->post = order->post;
    call->tool = order->tool;
    call->principal = *order->principal;
    call->started = vl_mono_now();
    call->progress = -INFINITY;
    (void)vl_buf_cstr(&call->arguments); /* ends it in NUL, for the tool */
    vl_uuid(call->correlation);
    (void)snprintf(call->peer, sizeof call->peer, "%s",
                   vl_exchange_peer(order->post->x));
    return !call->id.failed && !call->token.failed && !call->arguments.failed;
}

valet_status
vl_mcp_call_start(const struct vl_mcp_call_order *order)
{
    struct vl_map *people = &order->endpoint->server->busy;
    struct vl_mcp_busy *busy = vl_mcp_busy_enter(
        people, &order->principal->user, VL_LIMIT_MCP_CALLS_PER_USER);
    if (!busy)
        return VALET_RETRY;
    struct vl_mcp_call *call = vl_alloc(sizeof *call);
    call->busy = busy;
    if (!copy_order(call, order)) {
        vl_mcp_busy_leave(people, busy);
        free_call(call);
        return VALET_LIMIT;
    }
    vl_list_init(&call->in_session);
    vl_list_init(&call->in_endpoint);
    vl_list_add_last(&call->session->calls, &call->in_session);
    vl_list_add_last(&call->endpoint->calls, &call->in_endpoint);
    call->session->call_count++;
    vl_mcp_session_hold(call->session);
    vl_mcp_endpoint_wake(call->endpoint);
    note(call, VL_MCP_TOOL_STARTED, NULL);
    call->tool->def.call(call, call->tool->def.ctx);
    return VALET_OK;
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
        if (vl_str_eq(vl_buf_str(&call->id), vl_buf_str(&text)))
            return call;
    }
    return NULL;
}

static void
answer_timeout(struct vl_mcp_post *post, struct vl_str id)
{
    struct vl_buf *text = vl_mcp_scratch(post->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer_raw(&out, id);
    vl_rpc_add_error(&out, VL_RPC_REFUSED, "The tool took too long");
    vl_json_close(&out, '}');
    vl_mcp_post_answer(post, vl_buf_str(text));
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
    if (call->cancelled)
        return;
    call->cancelled = true;
    struct vl_mcp_post *post = call->post;
    call->post = NULL;
    vl_auto(vl_buf) id = vl_buf_of(call->id.max);
    vl_buf_add(&id, vl_buf_str(&call->id));
    note(call, VL_MCP_TOOL_CANCELLED, reasons[why]);
    if (why == VL_MCP_CANCEL_CLOSING)
        call->endpoint = NULL;
    if (call->on_cancel)
        call->on_cancel(call, call->cancel_ctx);
    if (!post)
        return;
    switch (why) {
    case VL_MCP_CANCEL_BY_CLIENT:
        vl_mcp_post_answer(post, (struct vl_str){NULL, 0});
        return;
    case VL_MCP_CANCEL_SESSION_ENDED:
        vl_mcp_post_fail(post, 404);
        return;
    case VL_MCP_CANCEL_TOO_LATE:
        answer_timeout(post, vl_buf_str(&id));
        return;
    case VL_MCP_CANCEL_CLOSING:
        vl_mcp_post_fail(post, 503);
        return;
    }
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

/* The first that is at work since before `before`, and not given up yet. */
static struct vl_mcp_call *
find_older(const struct vl_mcp_endpoint *endpoint, int64_t before)
{
    VL_LIST_EACH (it, &endpoint->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        if (call->started > before)
            return NULL;
        if (!call->cancelled)
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

void
vl_mcp_calls_tend(struct vl_mcp_endpoint *endpoint)
{
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
        if (call->cancelled)
            call->endpoint = NULL;
        else
            vl_mcp_call_cancel(call, VL_MCP_CANCEL_CLOSING);
    }
}

/* --- what tools call --- */

const char *
valet_mcp_arguments(const valet_mcp_call *call, size_t *ret_size)
{
    struct vl_str text = vl_buf_str(&call->arguments);
    if (ret_size)
        *ret_size = text.n;
    return text.p;
}

const struct vl_principal *
vl_mcp_call_principal(const struct vl_mcp_call *call)
{
    return &call->principal;
}

const char *
valet_mcp_user_tid(const valet_mcp_call *call)
{
    return call->principal.user.tid;
}

const char *
valet_mcp_user_oid(const valet_mcp_call *call)
{
    return call->principal.user.oid;
}

const char *
valet_mcp_client_id(const valet_mcp_call *call)
{
    return call->principal.client.text;
}

const char *
valet_mcp_correlation_id(const valet_mcp_call *call)
{
    return call->correlation;
}

bool
valet_mcp_is_cancelled(const valet_mcp_call *call)
{
    return call->cancelled;
}

void
valet_mcp_on_cancel(valet_mcp_call *call,
                    void (*on_cancel)(valet_mcp_call *call, void *ctx),
                    void *ctx)
{
    call->on_cancel = on_cancel;
    call->cancel_ctx = ctx;
}

/* The decimal sign of printf follows the host program's locale. */
static void
add_number(struct vl_json_out *out, const char *key, double value)
{
    if (fabs(value) < 9e15 && (double)(int64_t)value == value) {
        vl_json_add_int(out, key, (int64_t)value);
        return;
    }
    char text[32];
    int n = snprintf(text, sizeof text, "%.15g", value);
    for (char *p = text; *p; p++)
        if (!strchr("0123456789+-e", *p))
            *p = '.';
    vl_json_add_raw(out, key, vl_str_of(text, (size_t)n));
}

void
valet_mcp_progress(valet_mcp_call *call, double progress, double total,
                   const char *message)
{
    if (!call->post || !vl_buf_size(&call->token) ||
        !vl_mcp_post_can_send(call->post))
        return;
    if (!isfinite(progress) || progress <= call->progress)
        return;
    call->progress = progress;
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    vl_json_open(&out, '{');
    vl_json_add_raw(&out, "jsonrpc", VL_STR("\"2.0\""));
    vl_json_add_z(&out, "method", "notifications/progress");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "progressToken", vl_buf_str(&call->token));
    add_number(&out, "progress", progress);
    if (isfinite(total) && total > 0)
        add_number(&out, "total", total);
    if (message)
        vl_json_add_z(&out, "message", message);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    if (!text->failed)
        vl_mcp_post_send(call->post, vl_buf_str(text));
}

void
vl_mcp_call_add_content(struct vl_json_out *out, const char *text)
{
    vl_json_open_key(out, "content", '[');
    vl_json_open(out, '{');
    vl_json_add_z(out, "type", "text");
    vl_json_add_z(out, "text", text);
    vl_json_close(out, '}');
    vl_json_close(out, ']');
}

/* The structured part is a tool's text: it must not break the frame, and is
 * what was promised unless the tool has failed. NULL, or what is wrong. */
static const char *
add_structured(struct vl_json_out *out, const struct vl_mcp_call *call,
               const valet_mcp_result *result)
{
    const struct vl_schema *promised = call->tool->gives;
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(vl_str_z(result->structured), VL_LIMIT_JSON_DEPTH, &doc,
                      NULL) != VALET_OK ||
        vl_json_kind(doc.root) != VL_JSON_OBJECT)
        return "The tool's result is no JSON object";
    if (promised && !result->is_error &&
        vl_schema_check(promised, doc.root, NULL) != VALET_OK)
        return "The tool's result is not what its output schema promises";
    vl_json_add_value(out, "structuredContent", doc.root);
    return NULL;
}

/* NULL, or what is wrong with the result. */
static const char *
write_result(struct vl_buf *text, const struct vl_mcp_call *call,
             const valet_mcp_result *result)
{
    struct vl_json_out out = {text, false};
    const char *trouble = NULL;
    vl_rpc_open_answer_raw(&out, vl_buf_str(&call->id));
    vl_json_open_key(&out, "result", '{');
    vl_mcp_call_add_content(&out, result->text);
    /* @spec HT-39: 2025-03-26 does not know it. */
    if (result->structured && call->version > VL_MCP_2025_03_26)
        trouble = add_structured(&out, call, result);
    vl_json_add_bool(&out, "isError", result->is_error);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    return text->failed ? "The tool's result is too long" : trouble;
}

static void
answer(struct vl_mcp_call *call, const valet_mcp_result *result)
{
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    const char *trouble = write_result(text, call, result);
    if (trouble) {
        vl_buf_clear(text);
        struct vl_json_out out = {text, false};
        vl_rpc_open_answer_raw(&out, vl_buf_str(&call->id));
        vl_rpc_add_error(&out, VL_RPC_INTERNAL, trouble);
        vl_json_close(&out, '}');
    }
    vl_mcp_post_answer(call->post, vl_buf_str(text));
}

void
valet_mcp_finish(valet_mcp_call *call, const valet_mcp_result *result)
{
    struct vl_mcp_endpoint *endpoint = call->endpoint;
    vl_list_remove(&call->in_endpoint);
    leave_session(call);
    leave_busy(call);
    note(call, VL_MCP_TOOL_ENDED,
         result->login_required ? "login_required"
         : result->is_error     ? "tool_error"
                                : NULL);
    valet_mcp_result shown = *result;
    if (result->login_required)
        shown.is_error = true;
    if (!call->post) {
        /* Nobody waits. */
    } else if (result->login_required && vl_mcp_post_is_untouched(call->post)) {
        /* @spec S-08: only a 401 makes clients start a sign-in. */
        endpoint->hooks->login(vl_mcp_post_take_exchange(call->post),
                               endpoint->hooks->ctx);
    } else {
        answer(call, &shown);
    }
    free_call(call);
}
