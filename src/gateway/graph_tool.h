/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in MCP server: `getUserDetails` answers with the signed-in user's
 * profile from Microsoft Graph (@spec S-73 S-79). Entra's token is lent by the
 * token desk for the call, in the process; it never is in a message.
 */
#ifndef VL_GATEWAY_GRAPH_TOOL_H
#define VL_GATEWAY_GRAPH_TOOL_H

#include "gateway/profiles.h"
#include "guard/audit.h"
#include "issuer/issuer.h"
#include "valet/mcp.h"

struct vl_graph_tool;

struct vl_graph_tool_deps {
    struct vl_issuer *issuer;
    struct vl_profiles *profiles;
    struct vl_audit *audit;
    const char *select; /* @spec W-42: the least by default */
};

/* Adds the tool to the server. The deps' pointers are borrowed. */
valet_status
vl_graph_tool_new(const struct vl_graph_tool_deps *deps,
                  valet_mcp_server *server, struct vl_graph_tool **ret,
                  valet_error *err) VALET_CHECK;
/* Ends calls under way with an error. NULL is fine. */
void vl_graph_tool_free(struct vl_graph_tool *tool);

#endif
