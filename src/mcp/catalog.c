/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/catalog.h"

#include "json/write.h"

void
vl_mcp_catalog_done(struct vl_mcp_catalog *catalog)
{
    for (size_t i = 0; i < VL_MCP_CATALOG_SLOTS; i++)
        vl_buf_done(&catalog->slots[i].text);
    *catalog = (struct vl_mcp_catalog){0};
}

/* All four or none: what is left out means "destructive" and "open world". */
static void
add_hints(struct vl_json_out *out, unsigned hints, const char *title)
{
    if (!hints && !title)
        return;
    vl_json_open_key(out, "annotations", '{');
    if (title)
        vl_json_add_z(out, "title", title);
    if (hints) {
        vl_json_add_bool(out, "readOnlyHint", hints & VALET_MCP_READ_ONLY);
        vl_json_add_bool(out, "destructiveHint", hints & VALET_MCP_DESTRUCTIVE);
        vl_json_add_bool(out, "idempotentHint", hints & VALET_MCP_IDEMPOTENT);
        vl_json_add_bool(out, "openWorldHint", hints & VALET_MCP_OPEN_WORLD);
    }
    vl_json_close(out, '}');
}

static void
add_tool(struct vl_json_out *out, const struct vl_mcp_tool *tool, bool modern)
{
    vl_json_open(out, '{');
    vl_json_add_z(out, "name", tool->def.name);
    if (modern && tool->def.title)
        vl_json_add_z(out, "title", tool->def.title);
    vl_json_add_z(out, "description", tool->def.description);
    vl_json_add_raw(out, "inputSchema", vl_buf_str(&tool->input));
    if (modern && vl_buf_size(&tool->output))
        vl_json_add_raw(out, "outputSchema", vl_buf_str(&tool->output));
    add_hints(out, tool->def.hints, tool->def.title);
    vl_json_close(out, '}');
}

static void
build(struct vl_buf *text, const struct vl_mcp_server *server,
      struct vl_mcp_view view)
{
    struct vl_json_out out = {text, false};
    vl_json_open(&out, '{');
    vl_json_open_key(&out, "tools", '[');
    for (size_t i = 0; i < server->count; i++)
        if (view.permissions >> server->tools[i]->permission & 1)
            add_tool(&out, server->tools[i], view.modern);
    vl_json_close(&out, ']');
    vl_json_close(&out, '}');
}

struct vl_str
vl_mcp_catalog_get(struct vl_mcp_catalog *catalog,
                   const struct vl_mcp_server *server, struct vl_mcp_view view)
{
    /* An empty server is of generation 0; a slot is never. */
    unsigned generation = server->generation + 1;
    for (size_t i = 0; i < VL_MCP_CATALOG_SLOTS; i++) {
        struct vl_mcp_catalog_slot *slot = &catalog->slots[i];
        if (slot->generation == generation &&
            slot->view.permissions == view.permissions &&
            slot->view.modern == view.modern)
            return vl_buf_str(&slot->text);
    }
    struct vl_mcp_catalog_slot *slot = &catalog->slots[catalog->next];
    catalog->next = (catalog->next + 1) % VL_MCP_CATALOG_SLOTS;
    vl_buf_done(&slot->text);
    *slot = (struct vl_mcp_catalog_slot){
        .view = view,
        .generation = generation,
        .text = vl_buf_of(VL_MCP_CATALOG_MAX),
    };
    build(&slot->text, server, view);
    if (!slot->text.failed)
        return vl_buf_str(&slot->text);
    slot->generation = 0;
    return (struct vl_str){NULL, 0};
}
