/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/arrival.h"

#include "talk/reply.h"

struct vl_mcp_arrival
vl_mcp_arrival_of(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                  const struct vl_principal *principal)
{
    return (struct vl_mcp_arrival){.endpoint = endpoint,
                                   .x = x,
                                   .request = vl_exchange_request(x),
                                   .principal = principal};
}

void
vl_mcp_arrival_refuse(const struct vl_mcp_arrival *a, int status,
                      const char *why)
{
    vl_mcp_reply_error(a->endpoint, a->x, status, a->id, why);
}

void
vl_mcp_arrival_error(const struct vl_mcp_arrival *a, int status,
                     enum vl_rpc_code code, const char *why, struct vl_str data)
{
    struct vl_buf *text = vl_mcp_scratch(a->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, vl_mcp_id_told(a->x, a->id));
    vl_rpc_add_error_data(&out, code, why, data);
    vl_json_close(&out, '}');
    vl_mcp_reply(a->x, status, vl_buf_str(text), NULL);
}

bool
vl_mcp_arrival_header(const struct vl_mcp_arrival *a, struct vl_str name,
                      struct vl_str *ret)
{
    return vl_headers_find(&a->request->headers, name, ret) <= 1;
}

bool
vl_mcp_arrival_is_json(const struct vl_mcp_arrival *a)
{
    struct vl_str type;
    if (vl_mcp_arrival_header(a, VL_STR("content-type"), &type) &&
        vl_media_type_is(type, "application/json"))
        return true;
    vl_mcp_arrival_refuse(a, 415, "The Content-Type is not application/json");
    return false;
}

bool
vl_mcp_arrival_is_too_late(const struct vl_mcp_arrival *a)
{
    if (!a->endpoint->draining)
        return false;
    vl_mcp_arrival_refuse(a, 503, "The server is stopping");
    return true;
}

static void
refuse_text(const struct vl_mcp_arrival *a)
{
    vl_mcp_arrival_error(a, 400, VL_RPC_PARSE_ERROR, "Parse error",
                         (struct vl_str){NULL, 0});
}

/* @spec W-04 */
enum vl_mcp_body
vl_mcp_arrival_read(struct vl_mcp_arrival *a, struct vl_rpc_body *body,
                    struct vl_rpc_message *ret)
{
    valet_error err;
    struct vl_json *doc = &body->doc;
    if (vl_rpc_read_quickly(a->request->body, body, ret)) {
        a->id = ret->id;
        return VL_MCP_BODY_MESSAGE;
    }
    if (vl_json_parse(a->request->body, VL_LIMIT_JSON_DEPTH, doc, NULL) !=
        VALET_OK) {
        refuse_text(a);
        return VL_MCP_BODY_REFUSED;
    }
    a->id = vl_rpc_find_id(doc->root);
    if (vl_json_kind(doc->root) == VL_JSON_ARRAY)
        return VL_MCP_BODY_ARRAY;
    if (vl_rpc_read(doc->root, ret, &err) == VALET_OK)
        return VL_MCP_BODY_MESSAGE;
    vl_mcp_arrival_refuse(a, 400, err.message);
    return VL_MCP_BODY_REFUSED;
}

/* @spec HT-35 HT-36: the session speaks what was agreed upon, whatever stands
 * here; official clients are known to say an older one. */
static bool
check_version(const struct vl_mcp_arrival *a)
{
    struct vl_str text;
    enum vl_mcp_version version;
    if (!vl_mcp_arrival_header(a, VL_STR("mcp-protocol-version"), &text)) {
        vl_mcp_arrival_refuse(a, 400,
                              "MCP-Protocol-Version stands there "
                              "twice");
        return false;
    }
    if (!text.p)
        return true;
    if (vl_mcp_version_parse(vl_str_trim(text), &version) &&
        !vl_mcp_version_is_modern(version))
        return true;
    vl_mcp_arrival_refuse(a, 400, "MCP-Protocol-Version is none of a session");
    return false;
}

/* Sessions live on the worker that opened them; a request that came to another
 * one goes there, with its connection. */
static bool
hand_over(const struct vl_mcp_arrival *a, struct vl_str id)
{
    const struct vl_mcp_hooks *hooks = a->endpoint->hooks;
    unsigned home;
    return vl_mcp_session_home(id, &home) &&
           home != a->endpoint->sessions.rules.home && hooks->hand_over &&
           hooks->hand_over(a->x, home, hooks->ctx);
}

/* @spec HT-30 HT-31 SB-21 W-02: a foreign one is answered like one that does
 * not exist, byte for byte. */
struct vl_mcp_session *
vl_mcp_arrival_session(const struct vl_mcp_arrival *a, struct vl_str id,
                       enum vl_mcp_transport transport)
{
    struct vl_mcp_session *session = NULL;
    if (hand_over(a, id))
        return NULL;
    valet_status status = vl_mcp_sessions_find(&a->endpoint->sessions, id,
                                               a->principal, &session);
    if (status == VALET_DENIED)
        vl_mcp_endpoint_note_session(a->endpoint, VL_MCP_SESSION_HIJACK,
                                     a->principal, "not_the_owner",
                                     a->request->peer);
    if (status != VALET_OK || session->transport != transport) {
        vl_mcp_arrival_refuse(a, 404, "Session not found");
        return NULL;
    }
    return check_version(a) ? session : NULL;
}
