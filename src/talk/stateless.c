/* SPDX-License-Identifier: Apache-2.0
 *
 * Each step answers before the next one runs; their order is what makes it
 * safe.
 */
#include "talk/stateless.h"

#include "core/status.h"
#include "talk/method.h"

static struct vl_str
version_in(const struct vl_rpc_message *message)
{
    return vl_json_view_str(
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_VERSION)));
}

bool
vl_mcp_has_envelope(const struct vl_rpc_message *message)
{
    return message->kind != VL_RPC_RESPONSE && version_in(message).p;
}

valet_status
vl_mcp_read_element(const struct json_t *element, struct vl_rpc_message *ret,
                    valet_error *err)
{
    VL_TRY(vl_rpc_read(element, ret, err));
    if (vl_mcp_has_envelope(ret))
        return vl_fail(err, VALET_INVALID, "",
                       "A request of this revision stands alone");
    return VALET_OK;
}

enum vl_mcp_era
vl_mcp_era_of(const struct vl_rpc_message *message, struct vl_str header,
              enum vl_rpc_code *ret_code, const char **ret_why)
{
    enum vl_mcp_version version;
    if (vl_mcp_has_envelope(message))
        return VL_MCP_MODERN;
    if (!vl_mcp_version_parse(header, &version) ||
        !vl_mcp_version_is_modern(version))
        return VL_MCP_LEGACY;
    if (message->kind == VL_RPC_NOTIFICATION)
        return VL_MCP_MODERN;
    *ret_code = VL_RPC_INVALID_PARAMS;
    *ret_why = "The _meta of the request names no protocolVersion";
    if (message->kind == VL_RPC_RESPONSE) {
        *ret_code = VL_RPC_INVALID_REQUEST;
        *ret_why = "In this revision nobody asked";
    } else if (vl_str_eqz(message->method, "initialize")) {
        *ret_code = VL_RPC_HEADER_MISMATCH;
        *ret_why = "initialize is of older revisions than the header";
    }
    return VL_MCP_NO_ERA;
}

/* --- the steps --- */

static bool
fail(struct vl_mcp_fault *fault, enum vl_rpc_code code, const char *why)
{
    *fault = (struct vl_mcp_fault){.status = 400, .code = code, .why = why};
    return false;
}

/* @spec HT-49 HT-64 */
static bool
check_envelope(const struct vl_rpc_message *message, struct vl_mcp_peer *ret,
               struct vl_mcp_fault *fault)
{
    struct vl_json_view meta = message->meta;
    struct vl_json_view capabilities =
        vl_json_view_get(meta, VL_STR(VL_MCP_META_CAPABILITIES));
    struct vl_json_view level =
        vl_json_view_get(meta, VL_STR(VL_MCP_META_LEVEL));
    if (!version_in(message).p)
        return fail(fault, VL_RPC_INVALID_PARAMS,
                    "The _meta of the request names no protocolVersion");
    if (vl_json_view_kind(capabilities) != VL_JSON_OBJECT)
        return fail(fault, VL_RPC_INVALID_PARAMS,
                    "The _meta of the request has no clientCapabilities");
    ret->abilities = vl_mcp_abilities_read(capabilities);
    ret->level = VL_MCP_NO_LOGS;
    if (!vl_mcp_is_left_out(level) &&
        !vl_mcp_level_parse(vl_json_view_str(level), &ret->level))
        return fail(fault, VL_RPC_INVALID_PARAMS, "There is no such logLevel");
    return true;
}

/* What Mcp-Name repeats. */
static struct vl_str
name_in(const struct vl_rpc_message *message)
{
    static const struct {
        const char *method, *member;
    } names[] = {
        {"tools/call", "name"},     {"prompts/get", "name"},
        {"resources/read", "uri"},  {"tasks/get", "taskId"},
        {"tasks/update", "taskId"}, {"tasks/cancel", "taskId"},
    };
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_eqz(message->method, names[i].method))
            return vl_rpc_param_str(message, vl_str_z(names[i].member));
    return (struct vl_str){NULL, 0};
}

/* @spec HT-50 HT-78 HT-84 D1 */
static bool
check_headers(const struct vl_rpc_message *message,
              const struct vl_headers *headers, struct vl_mcp_fault *fault)
{
    struct vl_str version;
    bool is_notification = message->kind == VL_RPC_NOTIFICATION;
    size_t count =
        vl_headers_find(headers, VL_STR("mcp-protocol-version"), &version);
    struct vl_str inside = version_in(message);
    if (!count && !is_notification)
        return fail(fault, VL_RPC_HEADER_MISMATCH,
                    "MCP-Protocol-Version is missing");
    if (count > 1 ||
        (count && inside.p && !vl_str_eq(vl_str_trim(version), inside)))
        return fail(fault, VL_RPC_HEADER_MISMATCH,
                    "MCP-Protocol-Version is not what the _meta says");
    const char *why = vl_mcp_mirror_check_names(
        headers, message->method, name_in(message), is_notification);
    return why ? fail(fault, VL_RPC_HEADER_MISMATCH, why) : true;
}

/* @spec HT-51 */
static bool
check_version(const struct vl_rpc_message *message, struct vl_mcp_peer *ret,
              struct vl_mcp_fault *fault)
{
    struct vl_str wanted = version_in(message);
    if (vl_mcp_version_parse(wanted, &ret->version) &&
        vl_mcp_version_is_modern(ret->version))
        return true;
    (void)fail(fault, VL_RPC_NO_VERSION, "This revision is not spoken here");
    fault->data = vl_buf_of(VL_MCP_KEEP_MAX);
    struct vl_json_out out = {&fault->data, false};
    vl_json_open(&out, '{');
    vl_json_open_key(&out, "supported", '[');
    for (unsigned v = VL_MCP_FIRST_MODERN; v < VL_MCP_VERSION_COUNT; v++)
        vl_json_add_z(&out, NULL, vl_mcp_version_name((enum vl_mcp_version)v));
    vl_json_close(&out, ']');
    vl_json_add_str(&out, "requested", vl_str_head(wanted, 64));
    vl_json_close(&out, '}');
    return false;
}

bool
vl_mcp_stateless_check(const struct vl_mcp_server *server,
                       const struct vl_rpc_message *message,
                       const struct vl_headers *headers,
                       struct vl_mcp_peer *ret, struct vl_mcp_fault *fault)
{
    bool is_notification = message->kind == VL_RPC_NOTIFICATION;
    if (!is_notification && !check_envelope(message, ret, fault))
        return false;
    if (headers && !check_headers(message, headers, fault))
        return false;
    if (is_notification && !version_in(message).p)
        ret->version = VL_MCP_FIRST_MODERN;
    else if (!check_version(message, ret, fault))
        return false;
    if (is_notification ||
        vl_mcp_dispatch_knows(server, ret->version, message->method))
        return true;
    (void)fail(fault, VL_RPC_NO_METHOD, "Method not found");
    fault->status = 404;
    return false;
}

/* Tasks live on the worker that began them; who asks elsewhere goes there. */
static bool
hand_over(const struct vl_mcp_arrival *a, const struct vl_rpc_message *message)
{
    const struct vl_mcp_hooks *hooks = a->endpoint->hooks;
    struct vl_str id = {NULL, 0};
    unsigned home;
    if (vl_str_starts(message->method, VL_STR("tasks/")))
        id = vl_rpc_param_str(message, VL_STR("taskId"));
    else if (vl_str_eqz(message->method, "subscriptions/listen"))
        id = vl_json_str(vl_json_at(
            vl_json_get(vl_json_get(vl_rpc_params(message), "notifications"),
                        "taskIds"),
            0));
    return vl_mcp_id_home(id, &home) &&
           home != a->endpoint->sessions.rules.home && hooks->hand_over &&
           hooks->hand_over(a->x, home, hooks->ctx);
}

/* @spec HT-46 HT-47 HT-48 */
void
vl_mcp_stateless_handle(struct vl_mcp_arrival *a,
                        const struct vl_rpc_message *message)
{
    struct vl_mcp_fault fault = {.status = 0};
    struct vl_mcp_peer peer = {.level = VL_MCP_NO_LOGS};
    a->id = vl_rpc_id_told(a->id, true);
    if (!vl_mcp_stateless_check(a->endpoint->server, message,
                                &a->request->headers, &peer, &fault)) {
        vl_mcp_arrival_error(a, fault.status, fault.code, fault.why,
                             vl_buf_str(&fault.data));
        vl_buf_done(&fault.data);
        return;
    }
    if (hand_over(a, message))
        return;
    struct vl_mcp_turn turn = {
        .endpoint = a->endpoint,
        .peer = &peer,
        .principal = a->principal,
        .post = vl_mcp_post_new_stateless(a->endpoint, a->x, a->accept),
        .headers = &a->request->headers,
    };
    vl_mcp_dispatch(&turn, message);
}
