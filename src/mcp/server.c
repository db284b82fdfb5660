/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/server.h"

#include "core/limits.h"
#include "core/status.h"
#include "json/read.h"
#include "json/write.h"

static valet_status
check_text(const char *what, const char *text, bool optional, valet_error *err)
{
    if (!text && optional)
        return VALET_OK;
    if (!text || !*text)
        return vl_fail(err, VALET_INVALID, "", "the %s is missing", what);
    if (!vl_str_is_utf8(vl_str_z(text)))
        return vl_fail(err, VALET_INVALID, "", "the %s is not UTF-8", what);
    return VALET_OK;
}

valet_status
valet_mcp_server_new(const char *name, const char *version,
                     const char *instructions, valet_mcp_server **ret,
                     valet_error *err)
{
    VL_TRY(check_text("server's name", name, false, err));
    VL_TRY(check_text("server's version", version, false, err));
    VL_TRY(check_text("server's instruction", instructions, true, err));
    struct vl_mcp_server *server = vl_alloc(sizeof *server);
    server->name = vl_strdup(name);
    server->version = vl_strdup(version);
    server->instructions = instructions ? vl_strdup(instructions) : NULL;
    vl_map_init(&server->by_name);
    vl_map_init(&server->busy);
    *ret = server;
    return VALET_OK;
}

static void
free_tool(struct vl_mcp_tool *tool)
{
    vl_buf_done(&tool->input);
    vl_buf_done(&tool->output);
    vl_schema_free(tool->takes);
    vl_schema_free(tool->gives);
    free(tool);
}

void
valet_mcp_server_free(valet_mcp_server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->count; i++)
        free_tool(server->tools[i]);
    free(server->tools);
    vl_map_done(&server->by_name);
    vl_map_done(&server->busy);
    free(server->name);
    free(server->version);
    free(server->instructions);
    free(server);
}

static bool
is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static valet_status
check_name(const char *name, valet_error *err)
{
    size_t n = name ? strlen(name) : 0;
    bool good = n > 0 && n <= VL_MCP_TOOL_NAME_MAX;
    for (size_t i = 0; good && i < n; i++)
        good = is_name_char(name[i]);
    if (!good)
        return vl_fail(err, VALET_INVALID, "",
                       "a tool's name is 1 to 64 of A-Z a-z 0-9 _ - .");
    return VALET_OK;
}

/*
 * @spec S-07: a tool that does not say what a caller needs is not served.
 * RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
 */
static valet_status
check_permission(const valet_mcp_tool *tool, valet_error *err)
{
    const char *p = tool->permission;
    bool good = p && *p;
    for (; good && *p; p++)
        good = *p > 0x20 && *p < 0x7f && *p != '"' && *p != '\\';
    if (!good)
        return vl_fail(err, VALET_INVALID, "",
                       "tool %s names no permission that a caller needs",
                       tool->name);
    return VALET_OK;
}

/* Also writes it anew: on one line, and just what was checked. */
static valet_status
check_schema(const valet_mcp_tool *tool, const char *text, struct vl_buf *ret,
             struct vl_schema **ret_schema, valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    valet_error why;
    if (vl_json_parse(vl_str_z(text), VL_LIMIT_JSON_DEPTH, &doc, &why) !=
        VALET_OK)
        return vl_fail(err, VALET_INVALID, "", "a schema of tool %s: %s",
                       tool->name, why.message);
    if (vl_json_kind(doc.root) != VL_JSON_OBJECT ||
        !vl_str_eq(vl_json_get_str(doc.root, "type"), VL_STR("object")))
        return vl_fail(err, VALET_INVALID, "",
                       "a schema of tool %s is not of \"type\":\"object\"",
                       tool->name);
    struct vl_json_out out = {ret, false};
    vl_json_add_value(&out, NULL, doc.root);
    VL_TRY(vl_buf_check(ret, err));
    if (vl_schema_new(doc.root, ret_schema, &why) != VALET_OK)
        return vl_fail(err, VALET_INVALID, "", "a schema of tool %s: %s",
                       tool->name, why.message);
    return VALET_OK;
}

static valet_status
check_texts(const valet_mcp_tool *tool, valet_error *err)
{
    VL_TRY(check_name(tool->name, err));
    VL_TRY(check_permission(tool, err));
    VL_TRY(check_text("tool's title", tool->title, true, err));
    VL_TRY(check_text("tool's description", tool->description, false, err));
    VL_TRY(check_text("tool's input schema", tool->input_schema, false, err));
    if (!tool->call)
        return vl_fail(err, VALET_INVALID, "", "tool %s does nothing",
                       tool->name);
    return VALET_OK;
}

static valet_status
find_permission(struct vl_mcp_server *server, const char *permission,
                unsigned *ret, valet_error *err)
{
    unsigned i = 0;
    while (i < server->permission_count &&
           strcmp(server->permissions[i], permission) != 0)
        i++;
    if (i == VL_MCP_PERMISSIONS_MAX)
        return vl_fail(err, VALET_LIMIT, "",
                       "the tools of a server need at most %d permissions",
                       VL_MCP_PERMISSIONS_MAX);
    *ret = i;
    return VALET_OK;
}

static void
append(struct vl_mcp_server *server, struct vl_mcp_tool *tool)
{
    if (server->count == server->room) {
        size_t room = server->room ? server->room * 2 : 8;
        struct vl_mcp_tool **tools =
            vl_alloc(room * sizeof(struct vl_mcp_tool *));
        if (server->count)
            memcpy(tools, server->tools,
                   server->count * sizeof(struct vl_mcp_tool *));
        free(server->tools);
        server->tools = tools;
        server->room = room;
    }
    server->tools[server->count++] = tool;
    if (tool->permission == server->permission_count)
        server->permissions[server->permission_count++] = tool->def.permission;
    (void)vl_map_put(&server->by_name, vl_str_z(tool->def.name), tool);
    server->generation++;
}

static valet_status
build_tool(struct vl_mcp_server *server, struct vl_mcp_tool *tool,
           valet_error *err)
{
    const valet_mcp_tool *def = &tool->def;
    VL_TRY(
        check_schema(def, def->input_schema, &tool->input, &tool->takes, err));
    if (def->output_schema)
        VL_TRY(check_schema(def, def->output_schema, &tool->output,
                            &tool->gives, err));
    return find_permission(server, def->permission, &tool->permission, err);
}

valet_status
valet_mcp_add_tool(valet_mcp_server *server, const valet_mcp_tool *tool,
                   valet_error *err)
{
    VL_TRY(check_texts(tool, err));
    if (vl_mcp_server_find(server, vl_str_z(tool->name)))
        return vl_fail(err, VALET_CONFLICT, "", "there is a tool %s already",
                       tool->name);
    struct vl_mcp_tool *added = vl_alloc(sizeof *added);
    added->def = *tool;
    added->input = vl_buf_of(VL_MCP_SCHEMA_MAX);
    added->output = vl_buf_of(VL_MCP_SCHEMA_MAX);
    valet_status status = build_tool(server, added, err);
    if (status == VALET_OK)
        append(server, added);
    else
        free_tool(added);
    return status;
}

const struct vl_mcp_tool *
vl_mcp_server_find(const struct vl_mcp_server *server, struct vl_str name)
{
    return vl_map_find(&server->by_name, name);
}
