/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers tell and answer (valet/mcp.h). It happens on the server's
 * thread, wherever they are.
 */
#include <math.h>

#include "mcp/result.h"
#include "talk/call.h"

/* --- telling --- */

/* What is to be done there. */
struct errand {
    struct vl_mcp_call *call;
    const void *what;
};

static void
set_on_cancel(void *ctx)
{
    const struct errand *errand = ctx;
    const struct vl_mcp_call *wanted = errand->what;
    struct vl_mcp_call *call = errand->call;
    call->on_cancel = wanted->on_cancel;
    call->cancel_ctx = wanted->cancel_ctx;
    if (call->on_cancel && atomic_load(&call->cancelled))
        call->on_cancel(call, call->cancel_ctx);
}

void
valet_mcp_on_cancel(valet_mcp_call *call,
                    void (*on_cancel)(valet_mcp_call *call, void *ctx),
                    void *ctx)
{
    struct vl_mcp_call wanted = {.on_cancel = on_cancel, .cancel_ctx = ctx};
    vl_mcp_call_do(call, set_on_cancel, &(struct errand){call, &wanted});
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

struct step {
    double progress, total;
    const char *message;
};

static void
tell_progress(void *ctx)
{
    const struct errand *errand = ctx;
    struct vl_mcp_call *call = errand->call;
    const struct step *step = errand->what;
    if (call->task && step->message)
        vl_mcp_task_set_message(call->task, step->message);
    if (!call->token.n || !call->post || !vl_mcp_post_can_send(call->post))
        return;
    if (!isfinite(step->progress) || step->progress <= call->progress)
        return;
    call->progress = step->progress;
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_notification(&out, "notifications/progress");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "progressToken", call->token);
    add_number(&out, "progress", step->progress);
    if (isfinite(step->total) && step->total > 0)
        add_number(&out, "total", step->total);
    if (step->message)
        vl_json_add_z(&out, "message", step->message);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    if (!text->failed)
        vl_mcp_post_send(call->post, vl_buf_str(text));
}

void
valet_mcp_progress(valet_mcp_call *call, double progress, double total,
                   const char *message)
{
    struct step step = {progress, total, message};
    VL_ASSERT(call->item);
    if (call->token.n || call->item->flags & VL_MCP_TASK_FLAGS)
        vl_mcp_call_do(call, tell_progress, &(struct errand){call, &step});
}

struct remark {
    enum valet_mcp_level level;
    const char *logger, *text;
};

static void
tell_log(void *ctx)
{
    const struct errand *errand = ctx;
    struct vl_mcp_call *call = errand->call;
    const struct remark *remark = errand->what;
    if (!call->post || !vl_mcp_post_can_send(call->post))
        return;
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_notification(&out, "notifications/message");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_z(&out, "level", vl_mcp_level_name(remark->level));
    if (remark->logger)
        vl_json_add_z(&out, "logger", remark->logger);
    vl_json_add_z(&out, "data", remark->text);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    if (!text->failed)
        vl_mcp_post_send(call->post, vl_buf_str(text));
}

/* @spec HT-64 */
void
valet_mcp_log(valet_mcp_call *call, enum valet_mcp_level level,
              const char *logger, const char *text)
{
    struct remark remark = {level, logger, text};
    if ((int)level >= call->peer.level)
        vl_mcp_call_do(call, tell_log, &(struct errand){call, &remark});
}

static void
hang_up(void *ctx)
{
    const struct errand *errand = ctx;
    const int64_t *retry_ms = errand->what;
    if (errand->call->post)
        (void)vl_mcp_post_hang_up(errand->call->post, *retry_ms);
}

void
valet_mcp_disconnect(valet_mcp_call *call, int64_t retry_ms)
{
    int64_t ms = retry_ms > 0 ? retry_ms : 1;
    vl_mcp_call_do(call, hang_up, &(struct errand){call, &ms});
}

static void
begin_task(void *ctx)
{
    struct vl_mcp_call *call = ctx;
    /* Where there are too many the client waits as others do. */
    if (call->endpoint && call->item->flags & VALET_MCP_TASK_LATER)
        (void)!vl_mcp_call_begin_task(call, NULL);
}

void
valet_mcp_begin_task(valet_mcp_call *call)
{
    vl_mcp_call_do(call, begin_task, call);
}

/* --- answering --- */

static void
open_result(struct vl_json_out *out, const struct vl_mcp_call *call)
{
    vl_rpc_open_answer_raw(out, call->id);
    vl_json_open_key(out, "result", '{');
}

static void
close_result(struct vl_json_out *out, const struct vl_mcp_call *call)
{
    vl_mcp_result_write_meta(out, call->endpoint->server, call->peer.version);
    vl_json_close(out, '}');
    vl_json_close(out, '}');
}

/* Instead of what could not be written. */
static void
write_trouble(struct vl_buf *text, const struct vl_mcp_call *call,
              const char *trouble)
{
    struct vl_json_out out = {text, false};
    vl_buf_clear(text);
    vl_rpc_open_answer_raw(&out, call->id);
    vl_rpc_add_error(&out, VL_RPC_INTERNAL, trouble);
    vl_json_close(&out, '}');
}

static bool
reads(const struct vl_mcp_call *call)
{
    return !call->completes && (call->item->sort == VL_MCP_RESOURCES ||
                                call->item->sort == VL_MCP_TEMPLATES);
}

/* In the scratch buffer. */
static struct vl_str
write_answer(const struct vl_mcp_call *call, const valet_mcp_result *result)
{
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    struct vl_mcp_result_form form = {.item = call->item,
                                      .uri = reads(call) ? valet_mcp_uri(call)
                                                         : NULL,
                                      .version = call->peer.version};
    open_result(&out, call);
    const char *trouble = vl_mcp_result_write(&out, &form, result);
    close_result(&out, call);
    if (text->failed)
        trouble = "The result is too long";
    if (trouble)
        write_trouble(text, call, trouble);
    return vl_buf_str(text);
}

static void
finish_task(struct vl_mcp_call *call, const valet_mcp_result *result,
            const char *reason)
{
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    struct vl_mcp_result_form form = {.item = call->item,
                                      .version = call->peer.version};
    vl_json_open(&out, '{');
    const char *trouble = vl_mcp_result_write(&out, &form, result);
    vl_json_close(&out, '}');
    if (text->failed)
        trouble = "The result is too long";
    if (trouble) {
        vl_mcp_call_end_error(call, 200, VL_RPC_INTERNAL, trouble,
                              (struct vl_str){NULL, 0});
        return;
    }
    vl_mcp_task_complete(call->task, vl_buf_str(text), NULL);
    call->task = NULL;
    vl_mcp_call_end(call, reason, reason);
}

/* What a completion wants is no result, and the other way round: a mistake of
 * the handler's. */
static void
end_mistaken(struct vl_mcp_call *call)
{
    vl_mcp_call_end_error(call, 200, VL_RPC_INTERNAL,
                          "The handler finished another kind of call",
                          (struct vl_str){NULL, 0});
}

static void
finish(void *ctx)
{
    const struct errand *errand = ctx;
    struct vl_mcp_call *call = errand->call;
    struct vl_mcp_endpoint *endpoint = call->endpoint;
    valet_mcp_result shown = *(const valet_mcp_result *)errand->what;
    const char *reason = shown.login_required ? "login_required"
                         : shown.is_error     ? "tool_error"
                                              : NULL;
    struct vl_mcp_post *post = call->post;
    if (call->completes) {
        end_mistaken(call);
        return;
    }
    if (call->task) {
        shown.is_error |= shown.login_required;
        finish_task(call, &shown, reason);
        return;
    }
    if (!post) { /* Nobody waits. */
        vl_mcp_call_end(call, reason, reason);
        return;
    }
    if (shown.login_required && vl_mcp_post_is_untouched(post)) {
        /* @spec S-08: only a 401 makes clients start a sign-in. */
        vl_mcp_call_end(call, true, reason);
        endpoint->hooks->login(vl_mcp_post_take_exchange(post),
                               endpoint->hooks->ctx);
        return;
    }
    shown.is_error |= shown.login_required;
    struct vl_str json = write_answer(call, &shown);
    vl_mcp_call_end(call, reason, reason);
    vl_mcp_post_answer(post, json);
}

void
valet_mcp_finish(valet_mcp_call *call, const valet_mcp_result *result)
{
    static const valet_mcp_result nothing = {.text = ""};
    vl_mcp_call_do(call, finish,
                   &(struct errand){call, result ? result : &nothing});
}

struct values {
    const char *const *list;
    size_t count, total;
};

static void
finish_completion(void *ctx)
{
    const struct errand *errand = ctx;
    struct vl_mcp_call *call = errand->call;
    const struct values *values = errand->what;
    struct vl_mcp_post *post = call->post;
    if (!call->completes) {
        end_mistaken(call);
        return;
    }
    if (!post) {
        vl_mcp_call_end(call, false, NULL);
        return;
    }
    struct vl_buf *text = vl_mcp_scratch(call->endpoint);
    struct vl_json_out out = {text, false};
    open_result(&out, call);
    vl_mcp_result_write_completion(&out, call->peer.version, values->list,
                                   values->count, values->total);
    close_result(&out, call);
    if (text->failed)
        write_trouble(text, call, "The result is too long");
    vl_mcp_call_end(call, false, NULL);
    vl_mcp_post_answer(post, vl_buf_str(text));
}

void
valet_mcp_finish_completion(valet_mcp_call *call, const char *const *values,
                            size_t count, size_t total)
{
    struct values all = {values, count, total};
    vl_mcp_call_do(call, finish_completion, &(struct errand){call, &all});
}

struct failure {
    valet_status status;
    const char *message;
};

/* @spec HT-73: where there is no resource is an error of its own up to
 * 2025-11-25. */
static enum vl_rpc_code
code_of(const struct vl_mcp_call *call, valet_status status)
{
    if (status == VALET_NOT_FOUND && reads(call) &&
        !vl_mcp_version_is_modern(call->peer.version))
        return VL_RPC_NO_RESOURCE;
    return status == VALET_INVALID || status == VALET_NOT_FOUND
               ? VL_RPC_INVALID_PARAMS
               : VL_RPC_INTERNAL;
}

static void
fail(void *ctx)
{
    const struct errand *errand = ctx;
    const struct failure *failure = errand->what;
    struct vl_mcp_call *call = errand->call;
    vl_auto(vl_buf) data = vl_buf_of(8 * VL_MCP_URI_MAX);
    if (reads(call)) {
        struct vl_json_out out = {&data, false};
        vl_json_open(&out, '{');
        vl_json_add_z(&out, "uri", valet_mcp_uri(call));
        vl_json_close(&out, '}');
    }
    vl_mcp_call_end_error(call, 200, code_of(call, failure->status),
                          failure->message, vl_buf_str(&data));
}

void
valet_mcp_fail(valet_mcp_call *call, valet_status status, const char *message)
{
    struct failure failure = {status, message};
    vl_mcp_call_do(call, fail, &(struct errand){call, &failure});
}
