/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client said about itself: in `initialize`, for its session, or, from
 * 2026-07-28 on, in the "_meta" of each request, for that one alone (@spec
 * HT-49 HT-57).
 */
#ifndef VL_MCP_PEER_H
#define VL_MCP_PEER_H

#include "mcp/meta.h"
#include "mcp/version.h"
#include "valet/mcp.h"
#include "json/view.h"
#include "json/write.h"

/* Beside VALET_MCP_CAN_FILL_FORM and its like. */
#define VL_MCP_KNOWS_TASKS 64u
/* What a request to sample may hold. */
#define VL_MCP_SAMPLES_TOOLS   128u
#define VL_MCP_SAMPLES_CONTEXT 256u
/* More urgent than any level: nothing is told. */
#define VL_MCP_NO_LOGS (VALET_MCP_EMERGENCY + 1)

struct vl_mcp_peer {
    enum vl_mcp_version version;
    unsigned abilities; /* VALET_MCP_CAN_FILL_FORM …, VL_MCP_KNOWS_TASKS … */
    int level;          /* the least urgent that it wants to hear */
};

/* ClientCapabilities; what is no object says nothing. */
unsigned vl_mcp_abilities_read(struct vl_json_view capabilities);
/* The ClientCapabilities object that says just these. */
void vl_mcp_abilities_write(struct vl_json_out *out, const char *key,
                            unsigned abilities);
/* False for what is no level of RFC 5424. */
bool vl_mcp_level_parse(struct vl_str text, int *ret);
const char *vl_mcp_level_name(enum valet_mcp_level level);

#endif
