/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/version.h"

static const char *const names[VL_MCP_VERSION_COUNT] = {
    [VL_MCP_2024_11_05] = "2024-11-05", [VL_MCP_2025_03_26] = "2025-03-26",
    [VL_MCP_2025_06_18] = "2025-06-18", [VL_MCP_2025_11_25] = "2025-11-25",
    [VL_MCP_2026_07_28] = "2026-07-28",
};

const char *
vl_mcp_version_name(enum vl_mcp_version version)
{
    return version < VL_MCP_VERSION_COUNT ? names[version] : "?";
}

bool
vl_mcp_version_parse(struct vl_str text, enum vl_mcp_version *ret)
{
    for (unsigned i = 0; i < VL_MCP_VERSION_COUNT; i++)
        if (vl_str_eqz(text, names[i])) {
            *ret = (enum vl_mcp_version)i;
            return true;
        }
    return false;
}
