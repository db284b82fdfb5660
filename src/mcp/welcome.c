/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server says about itself: the same to everybody, for it tells what
 * sorts of things there are, and not which.
 */
#include "mcp/result.h"

static void
add_nothing(struct vl_json_out *out, const char *key)
{
    vl_json_add_raw(out, key, VL_STR("{}"));
}

/* One that had something once may have something again. */
static bool
is_used(const struct vl_mcp_server *server, enum vl_mcp_sort sort)
{
    return server->shelves[sort].generation > 0;
}

static void
add_capabilities(struct vl_json_out *out, const struct vl_mcp_server *server,
                 enum vl_mcp_version version)
{
    vl_json_open_key(out, "capabilities", '{');
    add_nothing(out, "logging");
    if (version >= VL_MCP_2025_03_26 && vl_mcp_server_completes(server))
        add_nothing(out, "completions");
    if (is_used(server, VL_MCP_TOOLS))
        vl_json_add_raw(out, "tools", VL_STR("{\"listChanged\":true}"));
    if (is_used(server, VL_MCP_RESOURCES) || is_used(server, VL_MCP_TEMPLATES))
        vl_json_add_raw(out, "resources",
                        VL_STR("{\"subscribe\":true,\"listChanged\":true}"));
    if (is_used(server, VL_MCP_PROMPTS))
        vl_json_add_raw(out, "prompts", VL_STR("{\"listChanged\":true}"));
    if (vl_mcp_version_is_modern(version) && vl_mcp_server_has_tasks(server))
        vl_json_add_raw(out, "extensions", VL_STR("{\"" VL_MCP_TASKS "\":{}}"));
    vl_json_close(out, '}');
}

void
vl_mcp_result_write_meta(struct vl_json_out *out,
                         const struct vl_mcp_server *server,
                         enum vl_mcp_version version)
{
    if (vl_mcp_version_is_modern(version))
        vl_json_add_raw(out, "_meta", vl_buf_str(&server->meta));
}

/* What a request may name: an `initialize` is answered too, but agrees on a
 * version by itself. */
static void
add_versions(struct vl_json_out *out)
{
    vl_json_open_key(out, "supportedVersions", '[');
    for (unsigned i = VL_MCP_FIRST_MODERN; i < VL_MCP_VERSION_COUNT; i++)
        vl_json_add_z(out, NULL, vl_mcp_version_name((enum vl_mcp_version)i));
    vl_json_close(out, ']');
}

/* @spec HT-55 HT-56 HT-71 */
void
vl_mcp_result_write_welcome(struct vl_json_out *out,
                            const struct vl_mcp_server *server,
                            enum vl_mcp_version version)
{
    bool modern = vl_mcp_version_is_modern(version);
    if (modern) {
        vl_json_add_z(out, "resultType", "complete");
        add_versions(out);
    }
    add_capabilities(out, server, version);
    if (!modern)
        vl_json_add_raw(out, "serverInfo", server->info);
    if (server->instructions)
        vl_json_add_z(out, "instructions", server->instructions);
    if (!modern)
        return;
    vl_json_add_int(out, "ttlMs", server->list_ttl_ms);
    vl_json_add_z(out, "cacheScope", "public");
    vl_mcp_result_write_meta(out, server, version);
}
