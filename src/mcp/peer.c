/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/peer.h"

static const char *const levels[] = {
    [VALET_MCP_DEBUG] = "debug",   [VALET_MCP_INFO] = "info",
    [VALET_MCP_NOTICE] = "notice", [VALET_MCP_WARNING] = "warning",
    [VALET_MCP_ERROR] = "error",   [VALET_MCP_CRITICAL] = "critical",
    [VALET_MCP_ALERT] = "alert",   [VALET_MCP_EMERGENCY] = "emergency",
};

bool
vl_mcp_level_parse(struct vl_str text, int *ret)
{
    for (size_t i = 0; i < VL_COUNT(levels); i++)
        if (vl_str_eqz(text, levels[i])) {
            *ret = (int)i;
            return true;
        }
    return false;
}

const char *
vl_mcp_level_name(enum valet_mcp_level level)
{
    return (unsigned)level < VL_COUNT(levels) ? levels[level] : "error";
}

static bool
has(struct vl_json_view object, struct vl_str key)
{
    return vl_json_view_kind(vl_json_view_get(object, key)) == VL_JSON_OBJECT;
}

/* An empty one is of the time when there was nothing but forms (2025-06-18). */
static unsigned
read_elicitation(struct vl_json_view elicitation)
{
    unsigned abilities = 0;
    if (has(elicitation, VL_STR("url")))
        abilities |= VALET_MCP_CAN_OPEN_URL;
    if (has(elicitation, VL_STR("form")) || !abilities)
        abilities |= VALET_MCP_CAN_FILL_FORM;
    return abilities;
}

static unsigned
read_sampling(struct vl_json_view sampling)
{
    unsigned abilities = VALET_MCP_CAN_SAMPLE;
    if (has(sampling, VL_STR("tools")))
        abilities |= VL_MCP_SAMPLES_TOOLS;
    if (has(sampling, VL_STR("context")))
        abilities |= VL_MCP_SAMPLES_CONTEXT;
    return abilities;
}

unsigned
vl_mcp_abilities_read(struct vl_json_view capabilities)
{
    unsigned abilities = 0;
    if (has(capabilities, VL_STR("sampling")))
        abilities |=
            read_sampling(vl_json_view_get(capabilities, VL_STR("sampling")));
    if (has(capabilities, VL_STR("roots")))
        abilities |= VALET_MCP_CAN_LIST_ROOTS;
    if (has(capabilities, VL_STR("elicitation")))
        abilities |= read_elicitation(
            vl_json_view_get(capabilities, VL_STR("elicitation")));
    if (has(vl_json_view_get(capabilities, VL_STR("extensions")),
            VL_STR(VL_MCP_TASKS)))
        abilities |= VL_MCP_KNOWS_TASKS;
    return abilities;
}

static void
add_empty(struct vl_json_out *out, const char *key)
{
    vl_json_open_key(out, key, '{');
    vl_json_close(out, '}');
}

void
vl_mcp_abilities_write(struct vl_json_out *out, const char *key,
                       unsigned abilities)
{
    const unsigned elicits = VALET_MCP_CAN_FILL_FORM | VALET_MCP_CAN_OPEN_URL;
    const unsigned samples =
        VALET_MCP_CAN_SAMPLE | VL_MCP_SAMPLES_TOOLS | VL_MCP_SAMPLES_CONTEXT;
    vl_json_open_key(out, key, '{');
    if (abilities & samples) {
        vl_json_open_key(out, "sampling", '{');
        if (abilities & VL_MCP_SAMPLES_TOOLS)
            add_empty(out, "tools");
        if (abilities & VL_MCP_SAMPLES_CONTEXT)
            add_empty(out, "context");
        vl_json_close(out, '}');
    }
    if (abilities & VALET_MCP_CAN_LIST_ROOTS)
        add_empty(out, "roots");
    if (abilities & elicits) {
        vl_json_open_key(out, "elicitation", '{');
        if (abilities & VALET_MCP_CAN_FILL_FORM)
            add_empty(out, "form");
        if (abilities & VALET_MCP_CAN_OPEN_URL)
            add_empty(out, "url");
        vl_json_close(out, '}');
    }
    if (abilities & VL_MCP_KNOWS_TASKS) {
        vl_json_open_key(out, "extensions", '{');
        add_empty(out, VL_MCP_TASKS);
        vl_json_close(out, '}');
    }
    vl_json_close(out, '}');
}
