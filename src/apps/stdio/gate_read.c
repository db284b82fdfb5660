/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/gate_inside.h"
#include "core/limits.h"

void
vl_gate_call_done(struct vl_gate_call *call)
{
    vl_buf_done(&call->id);
    vl_buf_done(&call->token);
}

void
vl_gate_line_done(struct vl_gate_line *line)
{
    for (size_t i = 0; i < line->count; i++)
        vl_gate_call_done(&line->messages[i].call);
    free(line->messages);
    vl_buf_done(&line->rewritten);
    *line = (struct vl_gate_line){.count = 0};
}

/* --- what may pass --- */

/* What tells about a server, and does nothing for anybody. */
static bool
is_free_request(struct vl_str method)
{
    static const char *const names[] = {
        "ping",
        "initialize",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "logging/setLevel",
        "server/discover",
    };
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_eqz(method, names[i]))
            return true;
    return false;
}

/* Yes needs a name that is known: whatever else there is waits. */
static bool
is_gated(const struct vl_rpc_message *message)
{
    switch (message->kind) {
    case VL_RPC_REQUEST:
        return !is_free_request(message->method);
    case VL_RPC_NOTIFICATION:
        return !vl_str_starts(message->method, VL_STR("notifications/"));
    default:
        return false;
    }
}

/* @spec D3: Go's readers of JSON, to name one, take "Method" for "method". */
static bool
is_lookalike(struct vl_str key)
{
    static const char *const names[] = {"method", "id",    "params",
                                        "result", "error", "jsonrpc"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_ieq(key, vl_str_z(names[i])))
            return !vl_str_eqz(key, names[i]);
    return false;
}

static bool
note_lookalike(struct vl_str key, const struct json_t *value, void *ctx)
{
    bool *found = ctx;
    (void)value;
    *found |= is_lookalike(key);
    return !*found;
}

static bool
has_lookalikes(const struct vl_rpc_message *message, const struct json_t *value)
{
    bool found = false;
    if (value) {
        vl_json_each(value, note_lookalike, &found);
        return found;
    }
    const struct vl_json_node *nodes = message->body->nodes;
    for (size_t i = 1; i < nodes[0].span && !found; i += nodes[i].span)
        found = is_lookalike(nodes[i].key);
    return found;
}

/* --- one message --- */

static struct vl_buf
id_text(struct vl_rpc_id id)
{
    /* Each byte of it may be written as six. */
    struct vl_buf text = vl_buf_of((size_t)8 * VL_RPC_ID_MAX);
    vl_rpc_write_id(&text, id);
    return text;
}

/* The member of `meta` or of the parameters that may be an id. */
static struct vl_buf
id_text_of(struct vl_json_view value)
{
    struct vl_rpc_id id;
    return vl_rpc_id_read(value, &id) ? id_text(id) : vl_buf_of(0);
}

/* Only these may be answered with a question (2026-07-28, MRTR). */
static bool
may_be_asked_back(struct vl_str method)
{
    return vl_str_eqz(method, "tools/call") ||
           vl_str_eqz(method, "prompts/get") ||
           vl_str_eqz(method, "resources/read");
}

static void
read_modern(const struct vl_rpc_message *message, struct vl_gate_message *ret)
{
    struct vl_json_view responses =
        vl_rpc_param(message, VL_STR("inputResponses"));
    struct vl_json_view state = vl_rpc_param(message, VL_STR("requestState"));
    struct vl_json_view capabilities =
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_CAPABILITIES));
    /* In the middle of a conversation with the server a question of ours would
     * make the client forget the server's. */
    ret->can_open =
        may_be_asked_back(message->method) &&
        vl_json_view_is_absent(responses) && vl_json_view_is_absent(state) &&
        (vl_mcp_abilities_read(capabilities) & VALET_MCP_CAN_OPEN_URL) != 0;
}

static void
read_request(struct vl_gate *gate, const struct vl_rpc_message *message,
             struct vl_gate_message *ret)
{
    struct vl_gate_call *call = &ret->call;
    ret->sort = VL_GATE_REQUEST;
    call->is_modern =
        vl_json_view_str(
            vl_json_view_get(message->meta, VL_STR(VL_MCP_META_VERSION)))
            .p != NULL;
    gate->was_modern |= call->is_modern;
    call->id = id_text(message->id);
    call->token =
        id_text_of(vl_json_view_get(message->meta, VL_STR("progressToken")));
    /* Who asked for a task gets another result, thus an error. */
    call->is_tool_call =
        vl_str_eqz(message->method, "tools/call") &&
        vl_json_view_is_absent(vl_rpc_param(message, VL_STR("task")));
    if (call->is_modern)
        read_modern(message, ret);
    else
        ret->can_open = gate->has_version &&
                        gate->version == VL_MCP_2025_11_25 &&
                        (gate->abilities & VALET_MCP_CAN_OPEN_URL);
    ret->is_hello =
        !call->is_modern && vl_str_eqz(message->method, "initialize");
    if (ret->is_hello)
        ret->abilities = vl_mcp_abilities_read(
            vl_rpc_param(message, VL_STR("capabilities")));
}

static void
read_message(struct vl_gate *gate, const struct vl_rpc_message *message,
             struct vl_gate_message *ret)
{
    *ret = (struct vl_gate_message){.is_gated = is_gated(message)};
    if (message->kind == VL_RPC_REQUEST) {
        read_request(gate, message, ret);
    } else if (message->kind == VL_RPC_RESPONSE) {
        ret->sort = VL_GATE_RESPONSE;
        ret->call.id = id_text(message->id);
        ret->accepts =
            vl_str_eqz(vl_json_get_str(message->result, "action"), "accept");
    } else {
        ret->sort = VL_GATE_NOTIFICATION;
        if (!vl_str_eqz(message->method, "notifications/cancelled"))
            return;
        ret->call.id = id_text_of(vl_rpc_param(message, VL_STR("requestId")));
        if (vl_buf_size(&ret->call.id))
            ret->sort = VL_GATE_CANCEL;
    }
}

/* --- what we had asked is taken out of it --- */

struct responses {
    const struct vl_gate *gate;
    struct vl_gate_message *message;
    struct vl_json_out *out; /* others, if there are */
    size_t others;
};

static bool
sort_response(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct responses *responses = ctx;
    struct vl_gate_message *message = responses->message;
    if (!vl_gate_is_own_name(responses->gate, key)) {
        if (responses->out)
            vl_json_add_value(responses->out, key.p, value);
        responses->others++;
        return true;
    }
    (void)snprintf(message->answers, sizeof message->answers, VL_STR_FMT,
                   VL_STR_ARG(key));
    message->accepts = vl_str_eqz(vl_json_get_str(value, "action"), "accept");
    return true;
}

static bool
copy_param(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct responses *responses = ctx;
    if (!vl_str_eqz(key, "inputResponses")) {
        vl_json_add_value(responses->out, key.p, value);
        return true;
    }
    if (!responses->others)
        return true;
    vl_json_open_key(responses->out, key.p, '{');
    vl_json_each(value, sort_response, responses);
    vl_json_close(responses->out, '}');
    return true;
}

static void
take_answers(struct vl_gate *gate, const struct vl_rpc_message *message,
             struct vl_gate_message *ret, struct vl_buf *rewritten)
{
    if (!ret->call.is_modern ||
        vl_json_view_is_absent(vl_rpc_param(message, VL_STR("inputResponses"))))
        return;
    struct responses responses = {.gate = gate, .message = ret};
    const struct json_t *params = vl_rpc_params(message);
    vl_json_each(vl_json_get(params, "inputResponses"), sort_response,
                 &responses);
    if (!ret->answers[0])
        return;
    struct vl_json_out out = {rewritten, false};
    *rewritten = vl_buf_of_secret(VL_GATE_LINE_MAX);
    responses.out = &out;
    vl_rpc_open_answer(&out, message->id);
    vl_json_add_str(&out, "method", message->method);
    vl_json_open_key(&out, "params", '{');
    vl_json_each(params, copy_param, &responses);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

/* --- a line --- */

static bool
refuse(struct vl_gate *gate, struct vl_rpc_id id, enum vl_rpc_code code,
       const char *why)
{
    bool is_new = gate->has_version ? gate->version >= VL_MCP_2025_11_25
                                    : gate->was_modern;
    vl_gate_say_error(gate, vl_rpc_id_told(id, is_new), code, why);
    return false;
}

static bool
take_one(struct vl_gate *gate, const struct vl_rpc_message *message,
         const struct json_t *value, struct vl_gate_line *ret)
{
    if (has_lookalikes(message, value))
        return refuse(gate,
                      message->kind == VL_RPC_REQUEST ? message->id
                                                      : VL_RPC_NULL_ID,
                      VL_RPC_INVALID_REQUEST,
                      "Invalid Request: it has a member whose name is almost "
                      "one of JSON-RPC's");
    ret->messages = vl_alloc(sizeof *ret->messages);
    ret->count = 1;
    read_message(gate, message, ret->messages);
    take_answers(gate, message, ret->messages, &ret->rewritten);
    if (!ret->rewritten.failed)
        return true;
    vl_gate_line_done(ret);
    return refuse(gate, message->id, VL_RPC_INVALID_REQUEST,
                  "Invalid Request: it is too long");
}

/* @spec D5 ST-04: a batch is as good as its worst element, and those that
 * begin a conversation are not part of one. */
static bool
take_batch(struct vl_gate *gate, const struct json_t *batch,
           struct vl_gate_line *ret)
{
    size_t size = vl_json_size(batch);
    bool good = gate->has_version && gate->version == VL_MCP_2025_03_26 &&
                size > 0 && size <= VL_GATE_BATCH_MAX;
    if (good)
        ret->messages = vl_alloc(size * sizeof *ret->messages);
    ret->is_batch = true;
    for (size_t i = 0; good && i < size; i++) {
        struct vl_rpc_message message;
        const struct json_t *element = vl_json_at(batch, i);
        good = vl_rpc_read(element, &message, NULL) == VALET_OK &&
               !has_lookalikes(&message, element);
        if (!good)
            break;
        read_message(gate, &message, &ret->messages[ret->count]);
        ret->messages[ret->count].can_open = false;
        good = !ret->messages[ret->count++].is_hello;
    }
    if (good)
        return true;
    vl_gate_line_done(ret);
    return refuse(gate, VL_RPC_NULL_ID, VL_RPC_INVALID_REQUEST,
                  "This array is no batch");
}

/* Outside of strings it is white space, and nowhere else was it let pass. */
static void
straighten(struct vl_str text, struct vl_gate_line *line)
{
    if (vl_buf_size(&line->rewritten) || !vl_str_has(text, '\r'))
        return;
    line->rewritten = vl_buf_of_secret(VL_GATE_LINE_MAX);
    vl_buf_add(&line->rewritten, text);
    for (size_t i = 0; i < vl_buf_size(&line->rewritten); i++)
        if (line->rewritten.p[i] == '\r')
            line->rewritten.p[i] = ' ';
}

bool
vl_gate_read(struct vl_gate *gate, struct vl_str text, struct vl_gate_line *ret)
{
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    valet_error err;
    bool good;
    *ret = (struct vl_gate_line){.count = 0};
    vl_rpc_body_init(&body);
    if (vl_rpc_read_quickly(text, &body, &message))
        good = take_one(gate, &message, NULL, ret);
    else if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &body.doc, NULL) !=
             VALET_OK)
        good = refuse(gate, VL_RPC_NULL_ID, VL_RPC_PARSE_ERROR, "Parse error");
    else if (vl_json_kind(body.doc.root) == VL_JSON_ARRAY)
        good = take_batch(gate, body.doc.root, ret);
    else if (vl_rpc_read(body.doc.root, &message, &err) == VALET_OK)
        good = take_one(gate, &message, body.doc.root, ret);
    else
        good = refuse(gate, vl_rpc_find_id(body.doc.root),
                      VL_RPC_INVALID_REQUEST, err.message);
    if (good)
        straighten(text, ret);
    return good;
}
