/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/reply.h"

static struct vl_reply
head_of(int status, const char *type)
{
    struct vl_reply reply = {.status = status, .type = type};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    return reply;
}

void
vl_mcp_reply(struct vl_exchange *x, int status, struct vl_str json,
             const char *session)
{
    struct vl_reply reply = head_of(status, "application/json");
    if (session)
        vl_reply_add(&reply, "Mcp-Session-Id", vl_str_z(session));
    reply.body = json;
    vl_exchange_reply(x, &reply);
}

void
vl_mcp_reply_empty(struct vl_exchange *x, int status)
{
    struct vl_reply reply = head_of(status, NULL);
    vl_exchange_reply(x, &reply);
}

void
vl_mcp_reply_event(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                   struct vl_str json, const char *session)
{
    vl_mcp_events_start(
        x,
        vl_mcp_event_write(
            endpoint, &(struct vl_mcp_event){.name = "message", .data = json}),
        session);
    vl_exchange_finish(x);
}

/* Whatever else is wrong: does it say that it is of this revision, or later? */
static bool
is_since(const struct vl_exchange *x, enum vl_mcp_version first)
{
    struct vl_str text;
    enum vl_mcp_version version;
    return vl_headers_find(&vl_exchange_request(x)->headers,
                           VL_STR("mcp-protocol-version"), &text) == 1 &&
           vl_mcp_version_parse(vl_str_trim(text), &version) &&
           version >= first;
}

struct vl_rpc_id
vl_mcp_id_told(const struct vl_exchange *x, struct vl_rpc_id id)
{
    return vl_rpc_id_told(id, is_since(x, VL_MCP_2025_11_25));
}

void
vl_mcp_write_refusal(struct vl_buf *buf, const struct vl_exchange *x,
                     int status, struct vl_rpc_id id, enum vl_rpc_code code,
                     const char *message)
{
    if (is_since(x, VL_MCP_FIRST_MODERN) && vl_rpc_code_for(true, code) != code)
        code = status < 500 ? VL_RPC_INVALID_REQUEST : VL_RPC_INTERNAL;
    vl_rpc_write_error(buf, vl_mcp_id_told(x, id), code, message);
}

void
vl_mcp_refuse_method(struct vl_exchange *x, const char *allow)
{
    vl_auto(vl_buf) text = vl_buf_of(256);
    vl_mcp_write_refusal(&text, x, 405, VL_RPC_NULL_ID, VL_RPC_REFUSED,
                         "Method not allowed");
    struct vl_reply reply = head_of(405, "application/json");
    vl_reply_add(&reply, "Allow", vl_str_z(allow));
    reply.body = vl_buf_str(&text);
    vl_exchange_reply(x, &reply);
}

static enum vl_rpc_code
code_of(int status)
{
    switch (status) {
    case 404:
        return VL_RPC_NO_SESSION;
    case 400:
        return VL_RPC_INVALID_REQUEST;
    case 500:
        return VL_RPC_INTERNAL;
    default:
        return VL_RPC_REFUSED;
    }
}

/* @spec HT-17: the body says in JSON-RPC what the status says in HTTP. */
void
vl_mcp_reply_error(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                   int status, struct vl_rpc_id id, const char *message)
{
    struct vl_buf *out = vl_mcp_scratch(endpoint);
    vl_mcp_write_refusal(out, x, status, id, code_of(status), message);
    vl_mcp_reply(x, status, vl_buf_str(out), NULL);
}
