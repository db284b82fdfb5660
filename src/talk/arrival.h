/* SPDX-License-Identifier: Apache-2.0
 *
 * A request on its way through the rules of a transport, and the steps that
 * the transports share: each of them answers it, or lets it pass.
 */
#ifndef VL_TALK_ARRIVAL_H
#define VL_TALK_ARRIVAL_H

#include "talk/post.h"

/* All borrowed. */
struct vl_mcp_arrival {
    struct vl_mcp_endpoint *endpoint;
    struct vl_exchange *x;
    const struct vl_http_request *request;
    const struct vl_principal *principal;
    struct vl_mcp_accept accept;
    struct vl_rpc_id id; /* of the message, for errors about it */
};

struct vl_mcp_arrival
vl_mcp_arrival_of(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                  const struct vl_principal *principal);

/* Answers with a status and a JSON-RPC error. */
void vl_mcp_arrival_refuse(const struct vl_mcp_arrival *a, int status,
                           const char *why);
/* The same with a code that does not follow from the status, and data. */
void vl_mcp_arrival_error(const struct vl_mcp_arrival *a, int status,
                          enum vl_rpc_code code, const char *why,
                          struct vl_str data);
/* False when there are several: a proxy in front could read another one than
 * we. {NULL,0} when there is none. */
bool vl_mcp_arrival_header(const struct vl_mcp_arrival *a, struct vl_str name,
                           struct vl_str *ret) VALET_CHECK;
/* False, and answered, unless the body says that it is JSON. */
bool vl_mcp_arrival_is_json(const struct vl_mcp_arrival *a) VALET_CHECK;
/* Answers 503 when the server is stopping: what stays open would hold it. */
bool vl_mcp_arrival_is_too_late(const struct vl_mcp_arrival *a) VALET_CHECK;

enum vl_mcp_body {
    VL_MCP_BODY_MESSAGE,
    VL_MCP_BODY_ARRAY,   /* body->doc, not looked at yet */
    VL_MCP_BODY_REFUSED, /* it is neither, and answered */
};
/* Reads what came; the message borrows from it and from `body`. */
enum vl_mcp_body
vl_mcp_arrival_read(struct vl_mcp_arrival *a, struct vl_rpc_body *body,
                    struct vl_rpc_message *ret) VALET_CHECK;
/*
 * The session with this id, if it is this principal's and of this transport,
 * and the request speaks a version that has sessions. NULL when not: the
 * request is answered, or on its way to the worker whose session it is.
 */
struct vl_mcp_session *
vl_mcp_arrival_session(const struct vl_mcp_arrival *a, struct vl_str id,
                       enum vl_mcp_transport transport) VALET_CHECK;

#endif
