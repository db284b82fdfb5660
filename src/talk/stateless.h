/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that say for themselves who speaks how: MCP from 2026-07-28 on.
 */
#ifndef VL_TALK_STATELESS_H
#define VL_TALK_STATELESS_H

#include "talk/arrival.h"

enum vl_mcp_era { VL_MCP_LEGACY, VL_MCP_MODERN, VL_MCP_NO_ERA };

/*
 * Which era a message over HTTP belongs to (@spec HT-76): the body decides, the
 * header (MCP-Protocol-Version, or {NULL,0}) can only confirm. NO_ERA: they
 * contradict each other, `*ret_code` and `*ret_why` say how.
 */
enum vl_mcp_era
vl_mcp_era_of(const struct vl_rpc_message *message, struct vl_str header,
              enum vl_rpc_code *ret_code, const char **ret_why);
/* Does the body say it alone? */
bool vl_mcp_has_envelope(const struct vl_rpc_message *message);

/* An element of a batch, which is of 2025-03-26. */
valet_status
vl_mcp_read_element(const struct json_t *element, struct vl_rpc_message *ret,
                    valet_error *err) VALET_CHECK;

/* What is wrong with a message of 2026-07-28. */
struct vl_mcp_fault {
    int status; /* of HTTP */
    enum vl_rpc_code code;
    const char *why;
    struct vl_buf data; /* JSON, or empty; the receiver's to free */
};
/*
 * The checks that every transport makes, in order: the envelope is complete,
 * the version is spoken here, the method is known. `headers` are NULL without
 * HTTP. False when one fails.
 */
bool vl_mcp_stateless_check(const struct vl_mcp_server *server,
                            const struct vl_rpc_message *message,
                            const struct vl_headers *headers,
                            struct vl_mcp_peer *ret,
                            struct vl_mcp_fault *fault) VALET_CHECK;

/* Answers a request or notification over HTTP. */
void vl_mcp_stateless_handle(struct vl_mcp_arrival *a,
                             const struct vl_rpc_message *message);

#endif
