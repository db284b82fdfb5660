/* SPDX-License-Identifier: Apache-2.0
 *
 * The revisions of MCP that are spoken here, the oldest first. There are two
 * eras: up to 2025-11-25 a client says hello once (`initialize`) and what was
 * agreed holds for its session; from 2026-07-28 on each request says for itself
 * who speaks how.
 */
#ifndef VL_MCP_VERSION_H
#define VL_MCP_VERSION_H

#include "core/str.h"

enum vl_mcp_version {
    VL_MCP_2024_11_05,
    VL_MCP_2025_03_26,
    VL_MCP_2025_06_18,
    VL_MCP_2025_11_25,
    VL_MCP_2026_07_28,
    VL_MCP_VERSION_COUNT
};
/* What an `initialize` can agree upon. */
#define VL_MCP_LAST_LEGACY  VL_MCP_2025_11_25
#define VL_MCP_FIRST_MODERN VL_MCP_2026_07_28

const char *vl_mcp_version_name(enum vl_mcp_version version);
bool vl_mcp_version_parse(struct vl_str text, enum vl_mcp_version *ret);

static inline bool
vl_mcp_version_is_modern(enum vl_mcp_version version)
{
    return version >= VL_MCP_FIRST_MODERN;
}

#endif
