/* SPDX-License-Identifier: Apache-2.0
 *
 * What the methods mean. One message at a time, already parsed and within its
 * session; HTTP is not known here.
 */
#ifndef VL_MCP_DISPATCH_H
#define VL_MCP_DISPATCH_H

#include "mcp/call.h"

struct vl_mcp_turn {
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_session *session;
    const struct vl_principal *principal; /* of this very request */
    struct vl_mcp_post *post;
};

/*
 * Deals with one message and uses up one hold of the post: it is answered
 * (perhaps later), or there is nothing to answer. A post that is no batch may
 * be gone afterwards.
 */
void vl_mcp_dispatch(const struct vl_mcp_turn *turn,
                     const struct vl_rpc_message *message);

/* The version to speak with a client that sent this `initialize`.
 * VALET_INVALID when it names none. */
valet_status
vl_mcp_dispatch_version(const struct vl_rpc_message *message,
                        enum vl_mcp_version *ret, valet_error *err) VALET_CHECK;
/* Writes the answer to it. */
void vl_mcp_dispatch_welcome(const struct vl_mcp_endpoint *endpoint,
                             const struct vl_rpc_message *message,
                             enum vl_mcp_version version, struct vl_buf *text);

#endif
