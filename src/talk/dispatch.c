/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/dispatch.h"

#include "core/status.h"
#include "mcp/result.h"
#include "talk/listen.h"
#include "talk/method.h"

enum { LEGACY = 1, MODERN = 2, BOTH = 3 };
/* Of no shelf: it is always there; or there are tools that become tasks; or
 * something completes. */
#define ALWAYS    VL_MCP_SORT_COUNT
#define TASKS     (VL_MCP_SORT_COUNT + 1)
#define COMPLETES (VL_MCP_SORT_COUNT + 2)

/* `initialize` has no session yet; the transports deal with it before. */
static void
answer_initialize(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message, enum vl_mcp_sort sort)
{
    (void)sort;
    vl_mcp_turn_error(turn, message, VL_RPC_INVALID_REQUEST,
                      "initialize stands alone and opens a session");
}

/* @spec W-25 HT-52: what is not here is neither answered nor advertised. */
static const struct row {
    const char *method;
    unsigned eras;
    unsigned sort;
    vl_mcp_method *answer;
} rows[] = {
    {"tools/call", BOTH, VL_MCP_TOOLS, vl_mcp_answer_call},
    {"tools/list", BOTH, VL_MCP_TOOLS, vl_mcp_answer_list},
    {"resources/list", BOTH, VL_MCP_RESOURCES, vl_mcp_answer_list},
    {"resources/templates/list", BOTH, VL_MCP_TEMPLATES, vl_mcp_answer_list},
    {"resources/read", BOTH, VL_MCP_RESOURCES, vl_mcp_answer_read},
    {"prompts/list", BOTH, VL_MCP_PROMPTS, vl_mcp_answer_list},
    {"prompts/get", BOTH, VL_MCP_PROMPTS, vl_mcp_answer_prompt},
    {"completion/complete", BOTH, COMPLETES, vl_mcp_answer_complete},
    {"initialize", LEGACY, ALWAYS, answer_initialize},
    {"ping", LEGACY, ALWAYS, vl_mcp_answer_ping},
    {"logging/setLevel", LEGACY, ALWAYS, vl_mcp_answer_level},
    {"resources/subscribe", LEGACY, VL_MCP_RESOURCES, vl_mcp_answer_subscribe},
    {"resources/unsubscribe", LEGACY, VL_MCP_RESOURCES,
     vl_mcp_answer_unsubscribe},
    {"server/discover", MODERN, ALWAYS, vl_mcp_answer_discover},
    {"subscriptions/listen", MODERN, ALWAYS, vl_mcp_answer_listen},
    {"tasks/get", MODERN, TASKS, vl_mcp_answer_task_get},
    {"tasks/update", MODERN, TASKS, vl_mcp_answer_task_update},
    {"tasks/cancel", MODERN, TASKS, vl_mcp_answer_task_cancel},
};

/* Both kinds of resources are one capability. */
static bool
has_shelf(const struct vl_mcp_server *server, unsigned sort)
{
    switch (sort) {
    case ALWAYS:
        return true;
    case TASKS:
        return vl_mcp_server_has_tasks(server);
    case COMPLETES:
        return vl_mcp_server_completes(server);
    case VL_MCP_RESOURCES:
    case VL_MCP_TEMPLATES:
        return server->shelves[VL_MCP_RESOURCES].generation ||
               server->shelves[VL_MCP_TEMPLATES].generation;
    default:
        return server->shelves[sort].generation;
    }
}

static const struct row *
find_row(const struct vl_mcp_server *server, enum vl_mcp_version version,
         struct vl_str method)
{
    unsigned era = vl_mcp_version_is_modern(version) ? MODERN : LEGACY;
    for (size_t i = 0; i < VL_COUNT(rows); i++)
        if (rows[i].eras & era && vl_str_eqz(method, rows[i].method))
            return has_shelf(server, rows[i].sort) ? &rows[i] : NULL;
    return NULL;
}

bool
vl_mcp_dispatch_knows(const struct vl_mcp_server *server,
                      enum vl_mcp_version version, struct vl_str method)
{
    return find_row(server, version, method) != NULL;
}

static void
answer_request(const struct vl_mcp_turn *turn,
               const struct vl_rpc_message *message)
{
    const struct row *row =
        find_row(turn->endpoint->server, turn->peer->version, message->method);
    if (!row)
        vl_mcp_turn_error_data(
            turn, message,
            vl_mcp_version_is_modern(turn->peer->version) ? 404 : 200,
            VL_RPC_NO_METHOD, "Method not found", (struct vl_str){NULL, 0});
    else if (vl_mcp_is_left_out(message->params) ||
             vl_json_view_kind(message->params) == VL_JSON_OBJECT)
        row->answer(turn, message, (enum vl_mcp_sort)row->sort);
    else
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "The parameters are no object");
}

/* @spec HT-20 ST-08 D22: only what this session began, so nobody can guess
 * another's. */
static void
take_notification(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message)
{
    /* The others (`notifications/initialized`, and what may come) change
     * nothing here. */
    struct vl_rpc_id id;
    if (!vl_str_eq(message->method, VL_STR("notifications/cancelled")) ||
        !vl_rpc_id_read(vl_rpc_param(message, VL_STR("requestId")), &id) ||
        !turn->session)
        return;
    struct vl_mcp_call *call = vl_mcp_call_find(turn->session, id);
    if (call)
        vl_mcp_call_cancel(call, VL_MCP_CANCEL_BY_CLIENT);
    else
        vl_mcp_listen_cancel(turn->session, id);
}

void
vl_mcp_dispatch(const struct vl_mcp_turn *turn,
                const struct vl_rpc_message *message)
{
    switch (message->kind) {
    case VL_RPC_REQUEST:
        answer_request(turn, message);
        return;
    case VL_RPC_NOTIFICATION:
        take_notification(turn, message);
        break;
    case VL_RPC_RESPONSE:
        if (turn->session)
            vl_mcp_ask_take(turn->session, message);
        break;
    }
    vl_mcp_post_answer(turn->post, (struct vl_str){NULL, 0});
}

/* @spec HT-37 */
valet_status
vl_mcp_dispatch_hello(const struct vl_rpc_message *message,
                      struct vl_mcp_peer *ret, valet_error *err)
{
    struct vl_str wanted = vl_rpc_param_str(message, VL_STR("protocolVersion"));
    if (!wanted.p)
        return vl_fail(err, VALET_INVALID, "",
                       "The protocolVersion is missing");
    if (!vl_mcp_version_parse(wanted, &ret->version) ||
        vl_mcp_version_is_modern(ret->version))
        ret->version = VL_MCP_LAST_LEGACY;
    /* @spec HT-77 EX-12: a session has no tasks/get, whatever its client
     * declares. */
    ret->abilities =
        vl_mcp_abilities_read(vl_rpc_param(message, VL_STR("capabilities"))) &
        ~VL_MCP_KNOWS_TASKS;
    ret->level = VALET_MCP_INFO;
    return VALET_OK;
}

void
vl_mcp_dispatch_welcome(const struct vl_mcp_endpoint *endpoint,
                        const struct vl_rpc_message *message,
                        enum vl_mcp_version version, struct vl_buf *text)
{
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    vl_json_add_z(&out, "protocolVersion", vl_mcp_version_name(version));
    vl_mcp_result_write_welcome(&out, endpoint->server, version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

/* --- how methods answer --- */

void
vl_mcp_turn_error_data(const struct vl_mcp_turn *turn,
                       const struct vl_rpc_message *message, int status,
                       enum vl_rpc_code code, const char *why,
                       struct vl_str data)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    bool is_modern = vl_mcp_version_is_modern(turn->peer->version);
    vl_rpc_open_answer(&out, message->id);
    vl_rpc_add_error_data(&out, vl_rpc_code_for(is_modern, code), why, data);
    vl_json_close(&out, '}');
    vl_mcp_post_answer_status(turn->post, status, vl_buf_str(text));
}

void
vl_mcp_turn_error(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message, enum vl_rpc_code code,
                  const char *why)
{
    vl_mcp_turn_error_data(turn, message, 200, code, why,
                           (struct vl_str){NULL, 0});
}

void
vl_mcp_turn_result(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, struct vl_str result)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_add_raw(&out, "result", result);
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

void
vl_mcp_turn_empty(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    if (vl_mcp_version_is_modern(turn->peer->version))
        vl_json_add_z(&out, "resultType", "complete");
    vl_mcp_result_write_meta(&out, turn->endpoint->server, turn->peer->version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

/* The code and the status are of 2026-07-28: older clients would take a 400
 * for the end of their connection, and know a tool that they cannot call in
 * their way as no method (2025-11-25, tasks). */
bool
vl_mcp_turn_can(const struct vl_mcp_turn *turn,
                const struct vl_rpc_message *message, unsigned abilities)
{
    static const char why[] = "The client lacks a capability that this needs";
    unsigned missing = abilities & ~turn->peer->abilities;
    vl_auto(vl_buf) data = vl_buf_of(512);
    struct vl_json_out out = {&data, false};
    if (!missing)
        return true;
    if (!vl_mcp_version_is_modern(turn->peer->version)) {
        /* That code is of 2026-07-28; to this client it is not there. */
        vl_mcp_turn_error(turn, message, VL_RPC_NO_METHOD, why);
        return false;
    }
    vl_json_open(&out, '{');
    vl_mcp_abilities_write(&out, "requiredCapabilities", missing);
    vl_json_close(&out, '}');
    vl_mcp_turn_error_data(turn, message, 400, VL_RPC_MISSING_ABILITY, why,
                           vl_buf_str(&data));
    return false;
}

/* @spec HT-06: or it could not be told which one is to be cancelled. */
bool
vl_mcp_turn_is_taken(const struct vl_mcp_turn *turn,
                     const struct vl_rpc_message *message)
{
    if (!turn->session || (!vl_mcp_call_find(turn->session, message->id) &&
                           !vl_mcp_listen_has(turn->session, message->id)))
        return false;
    vl_mcp_turn_error(turn, message, VL_RPC_INVALID_REQUEST,
                      "A request with this id is under way");
    return true;
}

bool
vl_mcp_turn_may(const struct vl_mcp_turn *turn, const char *permission)
{
    const struct vl_mcp_hooks *hooks = turn->endpoint->hooks;
    return hooks->may(turn->principal, permission, hooks->ctx);
}

bool
vl_mcp_is_left_out(struct vl_json_view value)
{
    enum vl_json_kind kind = vl_json_view_kind(value);
    return kind == VL_JSON_ABSENT || kind == VL_JSON_NULL;
}
