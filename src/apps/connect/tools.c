/* SPDX-License-Identifier: Apache-2.0
 *
 * The schemas by which headers repeat arguments (@spec HT-79 … HT-81): noted
 * when a list of tools passes by, or asked for when a tool is called before.
 */
#define _GNU_SOURCE /* memmem */
#include "apps/connect/inside.h"

#include <stdlib.h>

#include "core/limits.h"

/* Tools whose arguments are repeated. */
#define MIRRORS_MAX 4096

static bool
mentions(struct vl_str text, struct vl_str word)
{
    return memmem(text.p, text.n, word.p, word.n) != NULL;
}

static void
forget_mirror(struct vl_bridge *bridge, struct vl_str name)
{
    vl_mcp_mirror_free(vl_map_take(&bridge->tools, name));
}

/* @spec HT-81 */
static bool
may_be_called(struct vl_bridge *bridge, const struct json_t *tool)
{
    struct vl_mcp_mirror *mirror = NULL;
    struct vl_str name = vl_json_get_str(tool, "name");
    valet_error err = {0};
    if (vl_mcp_mirror_new(vl_json_get(tool, "inputSchema"), &mirror, &err) !=
        VALET_OK) {
        vl_bridge_note(bridge, "the tool \"" VL_STR_FMT "\" is left out: %s",
                       VL_STR_ARG(name), err.message);
        return false;
    }
    forget_mirror(bridge, name);
    if (mirror && vl_map_size(&bridge->tools) < MIRRORS_MAX)
        vl_map_put(&bridge->tools, name, mirror);
    else
        vl_mcp_mirror_free(mirror);
    return true;
}

struct rest {
    struct vl_json_out out;
    const struct vl_buf *tools;
};

static bool
add_member(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct rest *rest = ctx;
    if (vl_str_eq(key, VL_STR("tools")))
        vl_json_add_raw(&rest->out, "tools", vl_buf_str(rest->tools));
    else
        vl_json_add_value(&rest->out, key.p, value);
    return true;
}

bool
vl_bridge_tools_note(struct vl_bridge *bridge, struct vl_str result,
                     struct vl_buf *ret)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) kept = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out list = {&kept, false};
    bool all = true;
    if (!mentions(result, VL_STR("\"nextCursor\"")))
        bridge->knows_tools = true;
    if (!mentions(result, VL_STR("x-mcp-header")) ||
        vl_json_parse(result, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return false;
    const struct json_t *tools = vl_json_get(doc.root, "tools");
    vl_json_open(&list, '[');
    for (size_t i = 0; i < vl_json_size(tools); i++) {
        const struct json_t *tool = vl_json_at(tools, i);
        if (may_be_called(bridge, tool))
            vl_json_add_value(&list, NULL, tool);
        else
            all = false;
    }
    vl_json_close(&list, ']');
    if (all)
        return false;
    struct rest rest = {{ret, false}, &kept};
    vl_json_open(&rest.out, '{');
    vl_json_each(doc.root, add_member, &rest);
    vl_json_close(&rest.out, '}');
    return true;
}

const struct vl_mcp_mirror *
vl_bridge_tools_mirror(struct vl_bridge *bridge, const char *tool)
{
    return tool ? vl_map_find(&bridge->tools, vl_str_z(tool)) : NULL;
}

static void
free_mirror(struct vl_str name, void *mirror, void *ctx)
{
    (void)name, (void)ctx;
    vl_mcp_mirror_free(mirror);
}

void
vl_bridge_tools_forget(struct vl_bridge *bridge)
{
    vl_bridge_tools_done(bridge);
    vl_map_init(&bridge->tools);
    bridge->knows_tools = false;
}

void
vl_bridge_tools_done(struct vl_bridge *bridge)
{
    vl_map_each(&bridge->tools, free_mirror, NULL);
    vl_map_done(&bridge->tools);
}
