/* SPDX-License-Identifier: Apache-2.0 */
#include "core/limits.h"
#include "core/status.h"
#include "mcp/server.h"
#include "json/read.h"

static valet_status
check(const valet_mcp_tool *tool, valet_error *err)
{
    const unsigned known = VALET_MCP_READ_ONLY | VALET_MCP_DESTRUCTIVE |
                           VALET_MCP_IDEMPOTENT | VALET_MCP_OPEN_WORLD;
    VL_TRY(vl_mcp_check_name("tool's name", tool->name, err));
    VL_TRY(vl_mcp_check_permission(tool->name, tool->permission, err));
    const char *name = tool->name;
    VL_TRY(vl_mcp_check_text("title", name, tool->title, true, err));
    VL_TRY(
        vl_mcp_check_text("description", name, tool->description, false, err));
    VL_TRY(vl_mcp_check_text("input schema", name, tool->input_schema, false,
                             err));
    if (tool->hints & ~known)
        return vl_fail(err, VALET_INVALID, "",
                       "tool %s cannot have these hints", name);
    if (!tool->call)
        return vl_fail(err, VALET_INVALID, "", "tool %s does nothing", name);
    return VALET_OK;
}

/* The sentence about one of its schemas. */
static valet_status
blame(const valet_mcp_tool *tool, const char *text, const char *what,
      valet_error *err)
{
    return vl_fail(err, VALET_INVALID, "", "the %s schema of tool %s: %s",
                   text == tool->output_schema ? "output" : "input", tool->name,
                   what);
}

/* Also writes it anew: on one line, and just what was checked. */
static valet_status
read_schema(const valet_mcp_tool *tool, const char *text, struct vl_json *ret,
            struct vl_buf *ret_text, struct vl_schema **ret_schema,
            valet_error *err)
{
    valet_error why;
    if (vl_json_parse(vl_str_z(text), VL_LIMIT_JSON_DEPTH, ret, &why) !=
        VALET_OK)
        return blame(tool, text, why.message, err);
    if (vl_json_kind(ret->root) != VL_JSON_OBJECT)
        return blame(tool, text, "it is no JSON object", err);
    struct vl_json_out out = {ret_text, false};
    vl_json_add_value(&out, NULL, ret->root);
    if (ret_text->failed)
        return blame(tool, text, "it is too long", err);
    if (vl_schema_new(ret->root, ret_schema, &why) != VALET_OK)
        return blame(tool, text, why.message, err);
    return VALET_OK;
}

static bool
is_of_object(const struct vl_json *schema)
{
    return vl_str_eq(vl_json_get_str(schema->root, "type"), VL_STR("object"));
}

static valet_status
read_input(struct vl_mcp_item *item, valet_error *err)
{
    const valet_mcp_tool *tool = &item->def.tool;
    vl_auto(vl_json) doc = {NULL};
    valet_error why;
    VL_TRY(read_schema(tool, tool->input_schema, &doc, &item->input,
                       &item->takes, err));
    if (!is_of_object(&doc))
        return blame(tool, tool->input_schema,
                     "it is not of \"type\":\"object\"", err);
    if (vl_mcp_mirror_new(doc.root, &item->mirror, &why) != VALET_OK)
        return blame(tool, tool->input_schema, why.message, err);
    return VALET_OK;
}

static valet_status
read_output(struct vl_mcp_item *item, valet_error *err)
{
    const valet_mcp_tool *tool = &item->def.tool;
    vl_auto(vl_json) doc = {NULL};
    if (!tool->output_schema)
        return VALET_OK;
    VL_TRY(read_schema(tool, tool->output_schema, &doc, &item->output,
                       &item->gives, err));
    item->gives_object = is_of_object(&doc);
    return VALET_OK;
}

valet_status
valet_mcp_add_tool(valet_mcp_server *server, const valet_mcp_tool *tool,
                   valet_error *err)
{
    VL_TRY(vl_mcp_check_later(tool->later, VL_COUNT(tool->later), err));
    VL_TRY(check(tool, err));
    struct vl_mcp_item *item = vl_mcp_item_new(VL_MCP_TOOLS);
    item->id = tool->name;
    item->permission = tool->permission;
    item->flags = tool->flags;
    item->handle = tool->call;
    item->ctx = tool->ctx;
    item->def.tool = *tool;
    valet_status status = read_input(item, err);
    if (status == VALET_OK)
        status = read_output(item, err);
    if (status == VALET_OK)
        return vl_mcp_server_put(server, item, err);
    vl_mcp_item_release(item);
    return status;
}
