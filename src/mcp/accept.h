/* SPDX-License-Identifier: Apache-2.0
 *
 * The Accept header of a POST (RFC 9110 12.5.1), as far as two media types
 * are concerned.
 */
#ifndef VL_MCP_ACCEPT_H
#define VL_MCP_ACCEPT_H

#include "http/message.h"

struct vl_mcp_accept {
    bool json;
    bool events; /* only if the client names the type: wildcards are sent by
                  * clients that have never heard of event streams */
};

/* @spec HT-14: clients have to list both; those that do not still get what
 * they can read. */
struct vl_mcp_accept vl_mcp_accept_read(const struct vl_headers *headers);

#endif
