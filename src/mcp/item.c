/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/server.h"

#include "core/status.h"

struct vl_mcp_item *
vl_mcp_item_new(enum vl_mcp_sort sort)
{
    struct vl_mcp_item *item = vl_alloc(sizeof *item);
    item->sort = sort;
    atomic_init(&item->holds, 1);
    item->input = vl_buf_of(VL_MCP_SCHEMA_MAX);
    item->output = vl_buf_of(VL_MCP_SCHEMA_MAX);
    return item;
}

void
vl_mcp_item_hold(struct vl_mcp_item *item)
{
    atomic_fetch_add_explicit(&item->holds, 1, memory_order_relaxed);
}

void
vl_mcp_item_release(struct vl_mcp_item *item)
{
    size_t before =
        atomic_fetch_sub_explicit(&item->holds, 1, memory_order_acq_rel);
    VL_ASSERT(before > 0);
    if (before > 1)
        return;
    vl_buf_done(&item->input);
    vl_buf_done(&item->output);
    vl_schema_free(item->takes);
    vl_schema_free(item->gives);
    vl_mcp_mirror_free(item->mirror);
    vl_uri_template_free(item->pattern);
    free(item);
}

bool
vl_mcp_item_tells_structure(const struct vl_mcp_item *item,
                            enum vl_mcp_version version)
{
    if (vl_mcp_version_is_modern(version))
        return true;
    return version >= VL_MCP_2025_06_18 && (!item->gives || item->gives_object);
}

valet_status
vl_mcp_check_later(void *const *later, size_t count, valet_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (later[i])
            return vl_fail(err, VALET_INVALID, "",
                           "this version of libvalet has no such member");
    return VALET_OK;
}

valet_status
vl_mcp_check_text(const char *what, const char *whose, const char *text,
                  bool optional, valet_error *err)
{
    if (!text && optional)
        return VALET_OK;
    if (!text || !*text)
        return vl_fail(err, VALET_INVALID, "", "the %s of %.150s is missing",
                       what, whose);
    if (!vl_str_is_utf8(vl_str_z(text)))
        return vl_fail(err, VALET_INVALID, "", "the %s of %.150s is not UTF-8",
                       what, whose);
    return VALET_OK;
}

static bool
is_name_char(char c)
{
    return vl_is_letter(c) || vl_is_digit(c) || c == '_' || c == '-' ||
           c == '.';
}

valet_status
vl_mcp_check_name(const char *what, const char *name, valet_error *err)
{
    size_t n = name ? strlen(name) : 0;
    bool good = n > 0 && n <= VL_MCP_NAME_MAX;
    for (size_t i = 0; good && i < n; i++)
        good = is_name_char(name[i]);
    if (!good)
        return vl_fail(err, VALET_INVALID, "",
                       "a %s is 1 to %d of A-Z a-z 0-9 _ - .", what,
                       VL_MCP_NAME_MAX);
    return VALET_OK;
}

/*
 * @spec S-07: what does not say what a caller needs is not served.
 * RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
 */
valet_status
vl_mcp_check_permission(const char *name, const char *permission,
                        valet_error *err)
{
    const char *p = permission;
    bool good = p && *p;
    for (; good && *p; p++)
        good = *p > 0x20 && *p < 0x7f && *p != '"' && *p != '\\';
    if (!good)
        return vl_fail(err, VALET_INVALID, "",
                       "%.100s names no permission that a caller needs; "
                       "VALET_MCP_ANY_CALLER is one",
                       name);
    return VALET_OK;
}
