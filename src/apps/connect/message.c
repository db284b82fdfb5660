/* SPDX-License-Identifier: Apache-2.0
 *
 * What the server says, and whose it is.
 */
#include "apps/connect/downward.h"
#include "apps/connect/inside.h"

#include "core/limits.h"
#include "core/sys.h"

/* An envelope has four members; a server may have more, but not for us. */
#define MEMBERS 16
/* Elements of a batch (2025-03-26). */
#define BATCH_MAX 256

void
vl_bridge_message_done(struct vl_bridge_message *message)
{
    vl_buf_done(&message->room);
}

/* --- reading --- */

static void
note_member(struct vl_bridge_message *message,
            const struct vl_json_member *member, bool *is_rpc)
{
    if (vl_str_eq(member->key, VL_STR("jsonrpc")))
        *is_rpc = vl_str_eq(member->text, VL_STR("\"2.0\""));
    else if (vl_str_eq(member->key, VL_STR("id")))
        message->id = member->text;
    else if (vl_str_eq(member->key, VL_STR("method")))
        message->method = vl_json_member_str(member);
    else if (vl_str_eq(member->key, VL_STR("params")))
        message->params = member->text;
    else if (vl_str_eq(member->key, VL_STR("result")))
        message->result = member->text;
    else if (vl_str_eq(member->key, VL_STR("error")) &&
             member->kind == VL_JSON_OBJECT)
        message->error = member->text;
}

/* @spec HT-05 */
static bool
settle_kind(struct vl_bridge_message *message)
{
    bool is_null = vl_str_eq(message->id, VL_STR("null"));
    if (is_null)
        message->id = (struct vl_str){NULL, 0};
    if (message->id.n && message->id.p[0] != '"' && message->id.p[0] != '-' &&
        !vl_is_digit(message->id.p[0]))
        return false;
    if (message->method.n) {
        message->kind = message->id.n ? VL_RPC_REQUEST : VL_RPC_NOTIFICATION;
        return !message->result.n && !message->error.n && !is_null;
    }
    message->kind = VL_RPC_RESPONSE;
    return !message->result.n != !message->error.n &&
           (message->id.n || message->error.n);
}

/* What is not plain: its members are written anew. */
static bool
read_slowly(struct vl_str line, struct vl_bridge_message *ret)
{
    static const char *const names[] = {"id", "method", "params", "result",
                                        "error"};
    vl_auto(vl_json) doc = {NULL};
    size_t ends[VL_COUNT(names) + 1] = {0};
    if (vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK ||
        !vl_str_eq(vl_json_get_str(doc.root, "jsonrpc"), VL_STR("2.0")))
        return false;
    ret->room = vl_buf_of(2 * VL_BRIDGE_MESSAGE);
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        const struct json_t *value = vl_json_get(doc.root, names[i]);
        struct vl_json_out out = {&ret->room, false};
        if (value && i == 1)
            vl_buf_add(&ret->room, vl_json_str(value));
        else if (value)
            vl_json_add_value(&out, NULL, value);
        ends[i + 1] = vl_buf_size(&ret->room);
    }
    struct vl_str *const slices[] = {&ret->id, &ret->method, &ret->params,
                                     &ret->result, &ret->error};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        *slices[i] = vl_str_from(
            vl_str_head(vl_buf_str(&ret->room), ends[i + 1]), ends[i]);
    return !ret->room.failed;
}

bool
vl_bridge_message_read(struct vl_str line, struct vl_bridge_message *ret)
{
    struct vl_json_member members[MEMBERS];
    size_t count;
    bool is_rpc = false;
    *ret = (struct vl_bridge_message){.line = line, .room = vl_buf_of(0)};
    if (vl_json_scan(line, VL_LIMIT_JSON_DEPTH, members, MEMBERS, &count)) {
        for (size_t i = 0; i < count; i++)
            note_member(ret, &members[i], &is_rpc);
    } else {
        is_rpc = read_slowly(line, ret);
    }
    return is_rpc && settle_kind(ret);
}

bool
vl_bridge_error_code(struct vl_str error, int64_t *ret)
{
    vl_auto(vl_json) doc = {NULL};
    return vl_json_parse_small(error, VL_LIMIT_JSON_DEPTH, &doc, NULL) ==
               VALET_OK &&
           vl_json_get_int(doc.root, "code", ret) &&
           vl_json_get_str(doc.root, "message").p;
}

static bool
add_but_code(struct vl_str key, const struct json_t *value, void *ctx)
{
    if (!vl_str_eq(key, VL_STR("code")))
        vl_json_add_value(ctx, key.p, value);
    return true;
}

void
vl_bridge_error_recode(struct vl_str error, int64_t code, struct vl_buf *ret)
{
    vl_auto(vl_json) doc = {NULL};
    struct vl_json_out out = {ret, false};
    if (vl_json_parse(error, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        doc.root = NULL;
    vl_json_open(&out, '{');
    vl_json_add_int(&out, "code", code);
    vl_json_each(doc.root, add_but_code, &out);
    vl_json_close(&out, '}');
}

struct vl_str
vl_bridge_body_error(struct vl_str body, struct vl_bridge_message *ret)
{
    int64_t code;
    *ret = (struct vl_bridge_message){.room = vl_buf_of(0)};
    if (body.n && vl_bridge_message_read(body, ret) &&
        ret->kind == VL_RPC_RESPONSE && ret->error.n &&
        vl_bridge_error_code(ret->error, &code))
        return ret->error;
    return (struct vl_str){NULL, 0};
}

/* --- where it goes --- */

static void
take_response(struct vl_bridge *bridge, struct vl_bridge_call *call,
              const struct vl_bridge_message *message)
{
    /* An error about something that could not be read has no id; on the stream
     * of a call it is about the call. */
    bool is_its = call && (message->id.n == 0 ||
                           vl_str_eq(message->id, vl_str_z(call->id)));
    if (!is_its)
        call = message->id.n ? vl_bridge_call_of_server(bridge, message->id)
                             : NULL;
    if (!call || !call->id)
        return;
    vl_bridge_call_answer(
        call,
        &(struct vl_bridge_answer){
            .line = message->id.n ? message->line : (struct vl_str){NULL, 0},
            .result = message->result,
            .error = message->error,
        });
}

static void
reply_to_server(struct vl_bridge *bridge, struct vl_str id, const char *result)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_answer_raw(&out, id);
    if (result)
        vl_json_add_raw(&out, "result", vl_str_z(result));
    else
        vl_rpc_add_error(&out, VL_RPC_NO_METHOD,
                         "There is no client that could be asked");
    vl_json_close(&out, '}');
    vl_bridge_respond(bridge, vl_buf_str(&text));
}

/* On no stream, or on one of an exchange of our own. */
static void
relay(struct vl_bridge *bridge, const struct vl_bridge_message *message,
      bool is_modern)
{
    if (bridge->client_is_legacy && !bridge->up) {
        /* @spec HT-58 */
        if (!is_modern || message->kind == VL_RPC_NOTIFICATION)
            vl_bridge_write(bridge, message->line);
        return;
    }
    if (is_modern)
        return;
    if (bridge->down) {
        vl_bridge_downward_relay(bridge, NULL, message);
        return;
    }
    if (message->kind == VL_RPC_REQUEST)
        reply_to_server(bridge, message->id,
                        vl_str_eqz(message->method, "ping") ? "{}" : NULL);
}

static bool
is_about(const struct vl_bridge_call *call, struct vl_str params)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) token = vl_buf_of(2 * VL_RPC_ID_MAX);
    struct vl_json_out out = {&token, false};
    if (!call->token || vl_json_parse_small(params, VL_LIMIT_JSON_DEPTH, &doc,
                                            NULL) != VALET_OK)
        return false;
    const struct json_t *value = vl_json_get(doc.root, "progressToken");
    if (value)
        vl_json_add_value(&out, NULL, value);
    return vl_str_eq(vl_buf_str(&token), vl_str_z(call->token));
}

/* Progress may not fall: what is told of a sign-in begins lower. By HTTP+SSE
 * the token alone says whose it is. */
static void
note_progress(struct vl_bridge *bridge, struct vl_bridge_call *call,
              const struct vl_bridge_message *message)
{
    if (!vl_str_eqz(message->method, "notifications/progress"))
        return;
    if (call) {
        call->has_progress = true;
        return;
    }
    VL_LIST_EACH (it, &bridge->calls) {
        call = VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (!call->has_progress && is_about(call, message->params))
            call->has_progress = true;
    }
}

static void
take_message(struct vl_bridge *bridge, struct vl_bridge_call *call,
             struct vl_str line)
{
    vl_auto(vl_bridge_message) message;
    if (!vl_bridge_message_read(line, &message)) {
        vl_bridge_note(bridge, "the server sent something that is no message "
                               "of MCP; it is left out");
        return;
    }
    if (call && bridge->config.timeout_ms)
        call->deadline = vl_mono_now() + bridge->config.timeout_ms;
    note_progress(bridge, call, &message);
    if (message.kind == VL_RPC_RESPONSE)
        take_response(bridge, call, &message);
    else if (call && call->relay)
        call->relay(call, &message);
    else if (call && call->is_modern && call->client_id &&
             message.kind == VL_RPC_NOTIFICATION)
        vl_bridge_write(bridge, line);
    else
        relay(bridge, &message, call && call->is_modern);
}

/* @spec HT-15: one after the other, as they stand in it. */
static void
take_batch(struct vl_bridge *bridge, struct vl_str json)
{
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK ||
        vl_json_size(doc.root) > BATCH_MAX)
        return;
    for (size_t i = 0; i < vl_json_size(doc.root); i++) {
        vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
        struct vl_json_out out = {&text, false};
        vl_json_add_value(&out, NULL, vl_json_at(doc.root, i));
        /* Any of them may have ended the call. */
        if (!text.failed)
            take_message(bridge, NULL, vl_buf_str(&text));
    }
}

void
vl_bridge_on_message(struct vl_str json, struct vl_remote_call *remote,
                     void *ctx)
{
    struct vl_bridge *bridge = ctx;
    if (bridge->is_ending)
        return;
    if (json.n && json.p[0] == '[')
        take_batch(bridge, json);
    else
        take_message(bridge, remote ? vl_remote_call_ctx(remote) : NULL, json);
}
