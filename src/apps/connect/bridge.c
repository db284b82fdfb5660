/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/connect/downward.h"
#include "apps/connect/inside.h"
#include "apps/connect/upward.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"

/* How often time-outs are looked for, and a client that reads slowly. */
#define SWEEP_MS 500
#define HELD_MS  5
/* For the server, when it is read again. */
#define GRANTED_MS 2000
/* The session is given back, and the last lines are written, for so long. */
#define LEAVE_MS 1000
/* A server could have us fill the client's log. */
#define NOTES_MAX 100
/* Messages of a client's batch (2025-03-26). */
#define BATCH_MAX 256

#define TEXT(number)    #number
#define TEXT_OF(number) TEXT(number)
#define TOO_MANY        TEXT_OF(VL_BRIDGE_CALLS) " requests are under way already"

/* --- what the client gets --- */

/* What has come while nothing was read is still to be read. */
static void
grant_time(struct vl_bridge *bridge)
{
    int64_t next = vl_mono_now() + GRANTED_MS;
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (call->deadline && call->deadline < next)
            call->deadline = next;
    }
}

static void
hold(struct vl_bridge *bridge, bool is_held)
{
    if (bridge->is_held == is_held)
        return;
    bridge->is_held = is_held;
    if (!is_held)
        grant_time(bridge);
    vl_remote_hold(bridge->remote, is_held);
    vl_timer_start(bridge->sweep, is_held ? HELD_MS : SWEEP_MS);
}

/* @spec ST-01 ST-02 */
void
vl_bridge_write(struct vl_bridge *bridge, struct vl_str line)
{
    if (!vl_lines_write(bridge->lines, line) && !bridge->is_ending)
        hold(bridge, true);
}

void
vl_bridge_note(struct vl_bridge *bridge, const char *format, ...)
{
    char text[512];
    va_list args;
    if (!bridge->config.note || bridge->note_count > NOTES_MAX)
        return;
    if (bridge->note_count++ == NOTES_MAX) {
        bridge->config.note("what else there is to complain about is not told",
                            bridge->config.ctx);
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bridge->config.note(text, bridge->config.ctx);
}

void
vl_bridge_refuse(struct vl_bridge *bridge, struct vl_rpc_id id,
                 enum vl_rpc_code code, const char *why)
{
    vl_auto(vl_buf) text = vl_buf_of(65536);
    vl_rpc_write_error(&text, id, code, why);
    vl_bridge_write(bridge, vl_buf_str(&text));
}

void
vl_bridge_reply(struct vl_bridge *bridge, struct vl_rpc_id id,
                struct vl_str result)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_answer(&out, id);
    vl_json_add_raw(&out, "result", result);
    vl_json_close(&out, '}');
    vl_bridge_write(bridge, vl_buf_str(&text));
}

char *
vl_bridge_new_id(struct vl_bridge *bridge)
{
    char text[64];
    (void)snprintf(text, sizeof text, "\"mcp-valet-%llu\"",
                   (unsigned long long)++bridge->ids);
    return vl_strdup(text);
}

/* --- what the client says --- */

static bool
is_called(const struct vl_rpc_message *message, const char *method)
{
    return vl_str_eqz(message->method, method);
}

static void
cancel(struct vl_bridge *bridge, const struct vl_rpc_message *message,
       struct vl_str json)
{
    vl_auto(vl_buf) id = vl_buf_of(2 * VL_RPC_ID_MAX);
    struct vl_rpc_id read;
    if (!vl_rpc_id_read(vl_rpc_param(message, VL_STR("requestId")), &read))
        return;
    vl_rpc_write_id(&id, read);
    struct vl_bridge_call *call =
        vl_bridge_call_of_client(bridge, vl_buf_str(&id));
    if (!call)
        return;
    if (call->is_modern)
        vl_bridge_cancel_modern(call);
    else if (call->relay || call->go)
        vl_bridge_downward_cancel(call);
    else
        vl_bridge_cancel_legacy(call, json);
}

static void
take_notification(struct vl_bridge *bridge,
                  const struct vl_rpc_message *message, struct vl_str json)
{
    if (is_called(message, "notifications/cancelled"))
        cancel(bridge, message, json);
    else if (is_called(message, "notifications/initialized"))
        vl_bridge_begin(bridge, json);
    else if (bridge->client_is_legacy)
        vl_bridge_take_legacy(bridge, message, json);
    else
        vl_bridge_take_modern(bridge, message, json);
}

static void
take_request(struct vl_bridge *bridge, const struct vl_rpc_message *message,
             struct vl_str json)
{
    struct vl_json_view version =
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_VERSION));
    vl_auto(vl_buf) id = vl_buf_of(2 * VL_RPC_ID_MAX);
    vl_rpc_write_id(&id, message->id);
    if (bridge->request_count >= VL_BRIDGE_CALLS)
        vl_bridge_refuse(bridge, message->id, VL_RPC_INTERNAL, TOO_MANY);
    else if (vl_bridge_call_of_client(bridge, vl_buf_str(&id)))
        vl_bridge_refuse(bridge, message->id, VL_RPC_INVALID_REQUEST,
                         "A request with this id is under way");
    else if (!vl_json_view_is_absent(version))
        vl_bridge_take_modern(bridge, message, json);
    else if (is_called(message, "initialize"))
        vl_bridge_greet(bridge, message, json);
    else if (bridge->client_is_legacy)
        vl_bridge_take_legacy(bridge, message, json);
    else if (is_called(message, "ping"))
        vl_bridge_reply(bridge, message->id, VL_STR("{}"));
    else
        vl_bridge_refuse(bridge, message->id, VL_RPC_INVALID_REQUEST,
                         "Before all others comes initialize, or a _meta that "
                         "names a protocolVersion");
}

static void
take_message(struct vl_bridge *bridge, const struct vl_rpc_message *message,
             struct vl_str json)
{
    if (message->kind == VL_RPC_REQUEST)
        take_request(bridge, message, json);
    else if (message->kind == VL_RPC_NOTIFICATION)
        take_notification(bridge, message, json);
    else
        vl_bridge_respond(bridge, json);
}

/* @spec ST-04 D5: each for itself. */
static void
take_batch(struct vl_bridge *bridge, const struct json_t *batch)
{
    if (vl_json_size(batch) == 0 || vl_json_size(batch) > BATCH_MAX) {
        vl_bridge_refuse(bridge, VL_RPC_NULL_ID, VL_RPC_INVALID_REQUEST,
                         "This array is no batch");
        return;
    }
    for (size_t i = 0; i < vl_json_size(batch); i++) {
        vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
        struct vl_json_out out = {&text, false};
        struct vl_rpc_message message;
        const struct json_t *element = vl_json_at(batch, i);
        valet_error err;
        vl_json_add_value(&out, NULL, element);
        if (vl_rpc_read(element, &message, &err) == VALET_OK)
            take_message(bridge, &message, vl_buf_str(&text));
        else
            vl_bridge_refuse(bridge, vl_rpc_find_id(element),
                             VL_RPC_INVALID_REQUEST, err.message);
    }
}

static void
take_line(struct vl_str line, void *ctx)
{
    struct vl_bridge *bridge = ctx;
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    valet_error err;
    vl_rpc_body_init(&body);
    if (bridge->is_ending)
        return;
    if (vl_rpc_read_quickly(line, &body, &message))
        take_message(bridge, &message, line);
    else if (vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &body.doc, NULL) !=
             VALET_OK)
        vl_bridge_refuse(bridge, VL_RPC_NULL_ID, VL_RPC_PARSE_ERROR,
                         "Parse error");
    else if (vl_json_kind(body.doc.root) == VL_JSON_ARRAY)
        take_batch(bridge, body.doc.root);
    else if (vl_rpc_read(body.doc.root, &message, &err) == VALET_OK)
        take_message(bridge, &message, line);
    else
        vl_bridge_refuse(bridge, vl_rpc_find_id(body.doc.root),
                         VL_RPC_INVALID_REQUEST, err.message);
}

static void
note_too_long(void *ctx)
{
    vl_bridge_refuse(ctx, VL_RPC_NULL_ID, VL_RPC_INVALID_REQUEST,
                     "A message is at most 16 MiB long");
}

static void
on_end(bool broken, void *ctx)
{
    struct vl_bridge *bridge = ctx;
    (void)broken;
    bridge->config.on_end(bridge->config.ctx);
}

/* --- time --- */

/* True: something was done, and the list may be another. A server that is not
 * read is not late. */
static bool
look_at(struct vl_bridge_call *call, int64_t now)
{
    if (call->again_at) {
        if (call->again_at > now)
            return false;
        call->again_at = 0;
        vl_remote_call_abort(&call->remote);
        vl_bridge_send_modern(call);
        return true;
    }
    if (!call->deadline || call->deadline > now || call->bridge->is_held ||
        (call->is_listener && !call->is_answered))
        return false;
    if (call->is_answered || call->is_cancelled || call->is_parked ||
        !call->id) {
        vl_bridge_call_free(call);
        return true;
    }
    vl_remote_call_abort(&call->remote);
    vl_bridge_tell_cancelled(call);
    vl_bridge_call_error(call, VL_RPC_INTERNAL,
                         "The server did not answer in time");
    return true;
}

static void
sweep(void *ctx)
{
    struct vl_bridge *bridge = ctx;
    int64_t now = vl_mono_now(), next = SWEEP_MS;
    if (bridge->is_ending)
        return;
    if (bridge->is_held &&
        vl_lines_waiting(bridge->lines) < VL_LIMIT_STREAM_HIGH / 2)
        hold(bridge, false);
    vl_bridge_reopen_late(bridge, now);
    VL_LIST_EACH (it, &bridge->calls)
        if (look_at(VL_CONTAINER(it, struct vl_bridge_call, in_bridge), now)) {
            next = 1;
            break;
        }
    if (bridge->is_held && next > HELD_MS)
        next = HELD_MS;
    bridge->is_awake =
        bridge->is_held || bridge->call_count || bridge->reopen_at;
    if (bridge->is_awake)
        vl_timer_start(bridge->sweep, next);
}

/* Nothing ticks while nothing is under way. */
void
vl_bridge_wake(struct vl_bridge *bridge)
{
    if (bridge->is_awake || bridge->is_ending)
        return;
    bridge->is_awake = true;
    vl_timer_start(bridge->sweep, SWEEP_MS);
}

void
vl_bridge_hurry(struct vl_bridge *bridge)
{
    bridge->is_awake = true;
    vl_timer_start(bridge->sweep, 1);
}

static void
tell_one(struct vl_bridge_call *call, const char *text)
{
    vl_auto(vl_buf) line = vl_buf_of(65536);
    struct vl_json_out out = {&line, false};
    char progress[32];
    /* It has to grow, and the server begins anew. */
    (void)snprintf(progress, sizeof progress, "0.%06u", ++call->told);
    vl_rpc_open_notification(&out, "notifications/progress");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "progressToken", vl_str_z(call->token));
    vl_json_add_raw(&out, "progress", vl_str_z(progress));
    vl_json_add_z(&out, "message", text);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_bridge_write(call->bridge, vl_buf_str(&line));
}

void
vl_bridge_tell(struct vl_bridge *bridge, const char *text)
{
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (call->token && !call->has_progress && !call->is_answered &&
            !call->is_cancelled)
            tell_one(call, text);
    }
}

/* --- its life --- */

static const struct vl_secret *
bearer(void *ctx)
{
    const struct vl_bridge_config *config = &((struct vl_bridge *)ctx)->config;
    return config->bearer ? config->bearer(config->ctx) : NULL;
}

static void
authorize(const struct vl_remote_refusal *refusal,
          struct vl_remote_retry *retry, void *ctx)
{
    const struct vl_bridge_config *config = &((struct vl_bridge *)ctx)->config;
    config->authorize(refusal, retry, config->ctx);
}

valet_status
vl_bridge_new(const struct vl_bridge_config *config, struct vl_bridge **ret,
              valet_error *err)
{
    struct vl_bridge *bridge = vl_alloc(sizeof *bridge);
    const struct vl_remote_hooks remote = {
        .message = vl_bridge_on_message,
        .bearer = bearer,
        .authorize = authorize,
        .deaf = vl_bridge_on_deaf,
        .ctx = bridge,
    };
    const struct vl_lines_hooks lines = {.line = take_line,
                                         .too_long = note_too_long,
                                         .end = on_end,
                                         .ctx = bridge};
    bridge->config = *config;
    vl_list_init(&bridge->calls);
    vl_map_init(&bridge->tools);
    vl_bridge_memory_init(bridge);
    bridge->hello = vl_buf_of(VL_BRIDGE_MESSAGE);
    valet_status status =
        vl_remote_new(config->loop, config->fetcher, config->url, &remote,
                      &bridge->remote, err);
    if (status == VALET_OK)
        status = vl_lines_new(config->loop, config->in, config->out,
                              VL_BRIDGE_MESSAGE, &lines, &bridge->lines, err);
    bridge->sweep = vl_timer_new(config->loop, sweep, bridge);
    if (status == VALET_OK)
        *ret = bridge;
    else
        vl_bridge_free(bridge);
    return status;
}

static void
drop_calls(struct vl_bridge *bridge)
{
    while (!vl_list_is_empty(&bridge->calls))
        vl_bridge_call_free(
            VL_CONTAINER(bridge->calls.next, struct vl_bridge_call, in_bridge));
}

static void
written(bool all, void *ctx)
{
    struct vl_bridge *bridge = ctx;
    (void)all;
    bridge->done(bridge->done_ctx);
}

static void
left(void *ctx)
{
    struct vl_bridge *bridge = ctx;
    vl_lines_finish(bridge->lines, LEAVE_MS, written, bridge);
}

/* @spec ST-06 HT-32 */
void
vl_bridge_finish(struct vl_bridge *bridge, void (*done)(void *ctx), void *ctx)
{
    bridge->done = done;
    bridge->done_ctx = ctx;
    bridge->is_ending = true;
    vl_timer_stop(bridge->sweep);
    drop_calls(bridge);
    vl_remote_hold(bridge->remote, false);
    vl_remote_leave(bridge->remote, LEAVE_MS, left, bridge);
}

void
vl_bridge_free(struct vl_bridge *bridge)
{
    if (!bridge)
        return;
    bridge->is_ending = true;
    drop_calls(bridge);
    vl_bridge_upward_free(bridge->up);
    vl_bridge_downward_free(bridge->down);
    vl_remote_free(bridge->remote);
    vl_lines_free(bridge->lines);
    vl_timer_free(bridge->sweep);
    vl_bridge_tools_done(bridge);
    vl_bridge_modern_done(bridge);
    vl_bridge_memory_done(bridge);
    vl_buf_done(&bridge->hello);
    free(bridge);
}
