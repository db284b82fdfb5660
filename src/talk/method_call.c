/* SPDX-License-Identifier: Apache-2.0
 *
 * tools/call, resources/read, prompts/get, completion/complete: what a handler
 * is found for, may be asked by this caller, and is asked for rightly.
 */
#include "core/status.h"
#include "mcp/result.h"
#include "talk/method.h"

/* @spec S-01 RS-11: a 403 lets the client ask for more; in a batch, where one
 * status cannot speak for all, the refusal is an answer. */
static void
deny(const struct vl_mcp_turn *turn, const struct vl_rpc_message *message,
     const struct vl_mcp_item *item)
{
    const struct vl_mcp_hooks *hooks = turn->endpoint->hooks;
    char correlation[VL_UUID_SIZE];
    vl_uuid(correlation);
    vl_mcp_endpoint_note(turn->endpoint,
                         &(struct vl_mcp_note){
                             .what = VL_MCP_TOOL_DENIED,
                             .principal = turn->principal,
                             .tool = item->id,
                             .permission = item->permission,
                             .reason = "insufficient_scope",
                             .peer = vl_mcp_post_peer(turn->post),
                             .correlation = correlation,
                         });
    if (vl_mcp_post_is_untouched(turn->post))
        hooks->refuse(vl_mcp_post_take_exchange(turn->post), item->permission,
                      hooks->ctx);
    else
        vl_mcp_turn_error(turn, message, VL_RPC_NOT_PERMITTED,
                          "The token's scope does not cover this");
}

static void
start(const struct vl_mcp_turn *turn, const struct vl_rpc_message *message,
      struct vl_mcp_item *item, bool completes)
{
    struct vl_mcp_call_order order = {
        .endpoint = turn->endpoint,
        .session = turn->session,
        .post = turn->post,
        .item = item,
        .completes = completes,
        .peer = turn->peer,
        .principal = turn->principal,
        .message = message,
    };
    if (vl_mcp_turn_is_taken(turn, message))
        return;
    switch (vl_mcp_call_start(&order)) {
    case VALET_OK:
        return;
    case VALET_RETRY:
        vl_mcp_turn_error(turn, message, VL_RPC_REFUSED,
                          "Too many calls at once; wait for one to end");
        return;
    case VALET_INVALID:
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "The inputResponses are no object");
        return;
    default:
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "The requestState is not good for this request; "
                          "begin without it");
    }
}

/* --- tools --- */

/* The handler never sees what its schema does not allow. */
static valet_status
check_arguments(const struct vl_mcp_item *tool, struct vl_json_view arguments,
                valet_error *err)
{
    static const struct vl_json_node none = {
        .kind = VL_JSON_OBJECT, .is_plain = true, .span = 1};
    if (vl_mcp_is_left_out(arguments))
        arguments = (struct vl_json_view){NULL, &none};
    valet_error why;
    valet_status status = vl_schema_check_view(tool->takes, arguments, &why);
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
    if (turn->peer->version < VL_MCP_2025_11_25) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS, why);
        return;
    }
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    if (vl_mcp_version_is_modern(turn->peer->version))
        vl_json_add_z(&out, "resultType", "complete");
    vl_mcp_result_write_text(&out, why);
    vl_json_add_bool(&out, "isError", true);
    vl_mcp_result_write_meta(&out, turn->endpoint->server, turn->peer->version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

/* @spec HT-84 D1 D4 */
static const char *
find_mismatch(const struct vl_mcp_turn *turn, const struct vl_mcp_item *tool,
              const struct vl_rpc_message *message)
{
    if (!turn->headers || !tool->mirror)
        return NULL;
    return vl_mcp_mirror_check(tool->mirror, turn->headers,
                               vl_rpc_arguments(message));
}

void
vl_mcp_answer_call(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, enum vl_mcp_sort sort)
{
    struct vl_str name = vl_rpc_param_str(message, VL_STR("name"));
    struct vl_mcp_item *tool =
        name.p ? vl_mcp_server_find(turn->endpoint->server, sort, name) : NULL;
    if (!tool) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS, "Unknown tool");
        return;
    }
    if (!vl_mcp_turn_may(turn, tool->permission)) {
        deny(turn, message, tool);
        return;
    }
    struct vl_json_view arguments = vl_rpc_view_arguments(message);
    if (!vl_mcp_is_left_out(arguments) &&
        vl_json_view_kind(arguments) != VL_JSON_OBJECT) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "The arguments are no object");
        return;
    }
    if (!vl_mcp_turn_can(
            turn, message,
            tool->flags & VALET_MCP_ONLY_AS_TASK ? VL_MCP_KNOWS_TASKS : 0))
        return;
    const char *mismatch = find_mismatch(turn, tool, message);
    if (mismatch) {
        vl_mcp_turn_error_data(turn, message, 400, VL_RPC_HEADER_MISMATCH,
                               mismatch, (struct vl_str){NULL, 0});
        return;
    }
    valet_error err;
    if (check_arguments(tool, arguments, &err) != VALET_OK)
        answer_misfit(turn, message, err.message);
    else
        start(turn, message, tool, false);
}

/* --- resources --- */

static void
answer_no_resource(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, struct vl_str uri)
{
    vl_auto(vl_buf) data = vl_buf_of(8 * VL_MCP_URI_MAX);
    struct vl_json_out out = {&data, false};
    bool is_modern = vl_mcp_version_is_modern(turn->peer->version);
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "uri", uri);
    vl_json_close(&out, '}');
    vl_mcp_turn_error_data(
        turn, message, 200,
        is_modern ? VL_RPC_INVALID_PARAMS : VL_RPC_NO_RESOURCE,
        "There is no such resource",
        data.failed ? (struct vl_str){NULL, 0} : vl_buf_str(&data));
}

void
vl_mcp_answer_read(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, enum vl_mcp_sort sort)
{
    (void)sort;
    struct vl_str uri = vl_rpc_param_str(message, VL_STR("uri"));
    if (!uri.n) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "The uri is missing");
        return;
    }
    struct vl_mcp_item *item =
        vl_mcp_server_find_uri(turn->endpoint->server, uri);
    if (!item)
        answer_no_resource(turn, message, uri);
    else if (!vl_mcp_turn_may(turn, item->permission))
        deny(turn, message, item);
    else
        start(turn, message, item, false);
}

/* --- prompts --- */

static bool
is_text(struct vl_str key, const struct json_t *value, void *ctx)
{
    bool *all = ctx;
    (void)key;
    *all = *all && vl_json_kind(value) == VL_JSON_STRING;
    return *all;
}

/* NULL, or what is wrong. */
static const char *
check_prompt(const valet_mcp_prompt *prompt, const struct json_t *arguments)
{
    bool all = true;
    if (arguments && vl_json_kind(arguments) != VL_JSON_OBJECT)
        return "The arguments are no object";
    vl_json_each(arguments, is_text, &all);
    if (!all)
        return "An argument is no string";
    for (size_t i = 0; i < prompt->argument_count; i++)
        if (prompt->arguments[i].is_required &&
            !vl_json_get(arguments, prompt->arguments[i].name))
            return "A required argument is missing";
    return NULL;
}

void
vl_mcp_answer_prompt(const struct vl_mcp_turn *turn,
                     const struct vl_rpc_message *message,
                     enum vl_mcp_sort sort)
{
    struct vl_str name = vl_rpc_param_str(message, VL_STR("name"));
    struct vl_mcp_item *prompt =
        name.p ? vl_mcp_server_find(turn->endpoint->server, sort, name) : NULL;
    if (!prompt) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "Unknown prompt");
        return;
    }
    if (!vl_mcp_turn_may(turn, prompt->permission)) {
        deny(turn, message, prompt);
        return;
    }
    const struct json_t *arguments = vl_rpc_arguments(message);
    const char *why = check_prompt(
        &prompt->def.prompt,
        vl_mcp_is_left_out(vl_json_view_of(arguments)) ? NULL : arguments);
    if (why)
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS, why);
    else
        start(turn, message, prompt, false);
}

/* --- completion --- */

static struct vl_mcp_item *
find_reference(const struct vl_mcp_server *server, const struct json_t *ref)
{
    struct vl_str type = vl_json_get_str(ref, "type");
    struct vl_str name = vl_json_get_str(ref, "name");
    struct vl_str uri = vl_json_get_str(ref, "uri");
    if (vl_str_eqz(type, "ref/prompt") && name.p)
        return vl_mcp_server_find(server, VL_MCP_PROMPTS, name);
    if (vl_str_eqz(type, "ref/resource") && uri.p)
        return vl_mcp_server_find(server, VL_MCP_TEMPLATES, uri);
    return NULL;
}

static bool
has_argument(const struct vl_mcp_item *item, struct vl_str name)
{
    if (item->sort == VL_MCP_TEMPLATES)
        return vl_uri_template_has(item->pattern, name);
    const valet_mcp_prompt *prompt = &item->def.prompt;
    for (size_t i = 0; i < prompt->argument_count; i++)
        if (vl_str_eqz(name, prompt->arguments[i].name))
            return true;
    return false;
}

static void
answer_no_values(const struct vl_mcp_turn *turn,
                 const struct vl_rpc_message *message)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    vl_mcp_result_write_completion(&out, turn->peer->version, NULL, 0, 0);
    vl_mcp_result_write_meta(&out, turn->endpoint->server, turn->peer->version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

void
vl_mcp_answer_complete(const struct vl_mcp_turn *turn,
                       const struct vl_rpc_message *message,
                       enum vl_mcp_sort sort)
{
    (void)sort;
    const struct json_t *params = vl_rpc_params(message);
    const struct json_t *argument = vl_json_get(params, "argument");
    struct vl_str name = vl_json_get_str(argument, "name");
    struct vl_mcp_item *item =
        find_reference(turn->endpoint->server, vl_json_get(params, "ref"));
    if (!item || !name.p || !vl_json_get_str(argument, "value").p ||
        !has_argument(item, name))
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "There is nothing of that name to complete");
    else if (!vl_mcp_turn_may(turn, item->permission))
        deny(turn, message, item);
    else if (!item->complete)
        answer_no_values(turn, message);
    else
        start(turn, message, item, true);
}
