/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/dispatch.h"

#include "core/status.h"

typedef void
answer_fn(const struct vl_mcp_turn *turn, const struct vl_rpc_message *message);

static void
answer_error(const struct vl_mcp_turn *turn,
             const struct vl_rpc_message *message, enum vl_rpc_code code,
             const char *why)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    vl_rpc_write_error(text, message->id, code, why);
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

/* `result` is a JSON object. */
static void
answer_result(const struct vl_mcp_turn *turn,
              const struct vl_rpc_message *message, struct vl_str result)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_add_raw(&out, "result", result);
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

static void
answer_ping(const struct vl_mcp_turn *turn,
            const struct vl_rpc_message *message)
{
    answer_result(turn, message, VL_STR("{}"));
}

static bool
may(const struct vl_mcp_turn *turn, const char *permission)
{
    const struct vl_mcp_hooks *hooks = turn->endpoint->hooks;
    return hooks->may(turn->principal, permission, hooks->ctx);
}

/* Serialisers of some clients write null for what they leave out. */
static bool
is_left_out(const struct json_t *value)
{
    enum vl_json_kind kind = vl_json_kind(value);
    return kind == VL_JSON_ABSENT || kind == VL_JSON_NULL;
}

/* One page holds all tools, so no cursor was ever given out. */
static void
answer_list(const struct vl_mcp_turn *turn,
            const struct vl_rpc_message *message)
{
    if (!is_left_out(vl_json_get(message->params, "cursor"))) {
        answer_error(turn, message, VL_RPC_INVALID_PARAMS, "Unknown cursor");
        return;
    }
    const struct vl_mcp_server *server = turn->endpoint->server;
    struct vl_mcp_view view = {
        .modern = turn->session->version > VL_MCP_2025_03_26,
    };
    /* Asked for every request: what was granted may have changed. */
    for (unsigned i = 0; i < server->permission_count; i++)
        if (may(turn, server->permissions[i]))
            view.permissions |= UINT64_C(1) << i;
    struct vl_str list =
        vl_mcp_catalog_get(&turn->endpoint->catalog, server, view);
    if (list.n)
        answer_result(turn, message, list);
    else
        answer_error(turn, message, VL_RPC_INTERNAL, "The list is too long");
}

/* @spec S-01 RS-11: a 403 lets the client ask for more; in a batch, where one
 * status cannot speak for all, the refusal is an answer. */
static void
deny(const struct vl_mcp_turn *turn, const struct vl_rpc_message *message,
     const struct vl_mcp_tool *tool)
{
    const struct vl_mcp_hooks *hooks = turn->endpoint->hooks;
    char correlation[VL_UUID_SIZE];
    vl_uuid(correlation);
    vl_mcp_endpoint_note(turn->endpoint,
                         &(struct vl_mcp_note){
                             .what = VL_MCP_TOOL_DENIED,
                             .principal = turn->principal,
                             .tool = tool->def.name,
                             .permission = tool->def.permission,
                             .reason = "insufficient_scope",
                             .peer = vl_exchange_peer(turn->post->x),
                             .correlation = correlation,
                         });
    if (vl_mcp_post_is_untouched(turn->post))
        hooks->refuse(vl_mcp_post_take_exchange(turn->post),
                      tool->def.permission, hooks->ctx);
    else
        answer_error(turn, message, VL_RPC_NOT_PERMITTED,
                     "The token's scope does not cover this tool");
}

/* NULL: it may start. */
static const char *
find_obstacle(const struct vl_mcp_turn *turn,
              const struct vl_rpc_message *message,
              const struct json_t *arguments, enum vl_rpc_code *ret_code)
{
    *ret_code = VL_RPC_INVALID_PARAMS;
    if (arguments && vl_json_kind(arguments) != VL_JSON_OBJECT)
        return "The arguments are no object";
    *ret_code = VL_RPC_INVALID_REQUEST;
    /* @spec HT-06: or it could not be told which one is to be cancelled. */
    if (vl_mcp_call_find(turn->session, message->id))
        return "A request with this id is under way";
    return NULL;
}

/* The handler never sees what its schema does not allow. */
static valet_status
check_arguments(const struct vl_mcp_tool *tool, const struct json_t *arguments,
                valet_error *err)
{
    vl_auto(vl_json) none = {NULL};
    if (!arguments) {
        VL_TRY(vl_json_parse(VL_STR("{}"), 1, &none, err));
        arguments = none.root;
    }
    valet_error why;
    valet_status status = vl_schema_check(tool->takes, arguments, &why);
    if (status == VALET_OK)
        return VALET_OK;
    return vl_fail(err, status, "", "The arguments do not fit: %s",
                   why.message);
}

/*
 * Up to 2025-06-18 "invalid arguments" are an error of the protocol; since
 * then (SEP-1303) they are one of the tool, which the model gets to read and
 * can do better.
 */
static void
answer_misfit(const struct vl_mcp_turn *turn,
              const struct vl_rpc_message *message, const char *why)
{
    if (turn->session->version < VL_MCP_2025_11_25) {
        answer_error(turn, message, VL_RPC_INVALID_PARAMS, why);
        return;
    }
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    vl_mcp_call_add_content(&out, why);
    vl_json_add_bool(&out, "isError", true);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

static void
answer_call(const struct vl_mcp_turn *turn,
            const struct vl_rpc_message *message)
{
    struct vl_str name = vl_json_get_str(message->params, "name");
    const struct vl_mcp_tool *tool =
        vl_mcp_server_find(turn->endpoint->server, name);
    if (!tool) {
        answer_error(turn, message, VL_RPC_INVALID_PARAMS, "Unknown tool");
        return;
    }
    /* @spec S-16: nothing else of the parameters is looked at before. */
    if (!may(turn, tool->def.permission)) {
        deny(turn, message, tool);
        return;
    }
    /* @spec S-74 W-14: `params.context` is nobody's, whatever it holds. */
    const struct json_t *arguments = vl_json_get(message->params, "arguments");
    if (is_left_out(arguments))
        arguments = NULL;
    enum vl_rpc_code code;
    const char *obstacle = find_obstacle(turn, message, arguments, &code);
    if (obstacle) {
        answer_error(turn, message, code, obstacle);
        return;
    }
    valet_error err;
    if (check_arguments(tool, arguments, &err) != VALET_OK) {
        answer_misfit(turn, message, err.message);
        return;
    }
    const struct json_t *token =
        vl_json_get(vl_json_get(message->params, "_meta"), "progressToken");
    struct vl_mcp_call_order order = {
        .endpoint = turn->endpoint,
        .session = turn->session,
        .post = turn->post,
        .tool = tool,
        .principal = turn->principal,
        .id = message->id,
        .arguments = arguments,
        .token = vl_rpc_is_id(token) ? token : NULL,
    };
    switch (vl_mcp_call_start(&order)) {
    case VALET_OK:
        return;
    case VALET_RETRY:
        answer_error(turn, message, VL_RPC_REFUSED,
                     "Too many calls at once; wait for one to end");
        return;
    default:
        answer_error(turn, message, VL_RPC_INVALID_PARAMS,
                     "The arguments are too long");
    }
}

/* `initialize` has no session yet; the endpoint deals with it before. */
static void
answer_initialize(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message)
{
    answer_error(turn, message, VL_RPC_INVALID_REQUEST,
                 "initialize stands alone and opens a session");
}

/* @spec W-25: what is not here is neither answered nor advertised. */
static const struct {
    const char *method;
    answer_fn *answer;
} methods[] = {
    {"initialize", answer_initialize},
    {"ping", answer_ping},
    {"tools/list", answer_list},
    {"tools/call", answer_call},
};

static void
answer_request(const struct vl_mcp_turn *turn,
               const struct vl_rpc_message *message)
{
    bool is_usable = is_left_out(message->params) ||
                     vl_json_kind(message->params) == VL_JSON_OBJECT;
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        if (!vl_str_eqz(message->method, methods[i].method))
            continue;
        if (is_usable)
            methods[i].answer(turn, message);
        else
            answer_error(turn, message, VL_RPC_INVALID_PARAMS,
                         "The parameters are no object");
        return;
    }
    answer_error(turn, message, VL_RPC_NO_METHOD, "Method not found");
}

/* @spec HT-20: only calls of this session, so nobody can guess another's. */
static void
take_notification(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message)
{
    /* The others (`notifications/initialized`, and what may come) change
     * nothing here. */
    if (!vl_str_eq(message->method, VL_STR("notifications/cancelled")))
        return;
    const struct json_t *id = vl_json_get(message->params, "requestId");
    struct vl_mcp_call *call = NULL;
    if (vl_rpc_is_id(id))
        call = vl_mcp_call_find(turn->session, (struct vl_rpc_id){.value = id});
    if (call)
        vl_mcp_call_cancel(call, VL_MCP_CANCEL_BY_CLIENT);
}

void
vl_mcp_dispatch(const struct vl_mcp_turn *turn,
                const struct vl_rpc_message *message)
{
    if (message->kind == VL_RPC_REQUEST) {
        answer_request(turn, message);
        return;
    }
    if (message->kind == VL_RPC_NOTIFICATION)
        take_notification(turn, message);
    /* Responses answer requests, and we send none: accepted and dropped. */
    vl_mcp_post_answer(turn->post, (struct vl_str){NULL, 0});
}

/* @spec HT-37 */
valet_status
vl_mcp_dispatch_version(const struct vl_rpc_message *message,
                        enum vl_mcp_version *ret, valet_error *err)
{
    struct vl_str wanted = vl_json_get_str(message->params, "protocolVersion");
    if (!wanted.p)
        return vl_fail(err, VALET_INVALID, "",
                       "The protocolVersion is missing");
    if (!vl_mcp_version_parse(wanted, ret))
        *ret = VL_MCP_LATEST;
    return VALET_OK;
}

void
vl_mcp_dispatch_welcome(const struct vl_mcp_endpoint *endpoint,
                        const struct vl_rpc_message *message,
                        enum vl_mcp_version version, struct vl_buf *text)
{
    const struct vl_mcp_server *server = endpoint->server;
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    vl_json_add_z(&out, "protocolVersion", vl_mcp_version_name(version));
    /* @spec W-25 HT-39 */
    vl_json_add_raw(&out, "capabilities", VL_STR("{\"tools\":{}}"));
    vl_json_open_key(&out, "serverInfo", '{');
    vl_json_add_z(&out, "name", server->name);
    vl_json_add_z(&out, "version", server->version);
    vl_json_close(&out, '}');
    if (server->instructions)
        vl_json_add_z(&out, "instructions", server->instructions);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}
