/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"
#include "mcp/server.h"

/* RFC 3986 section 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":" */
static size_t
scheme_length(struct vl_str uri)
{
    size_t n = vl_str_index(uri, ':');
    if (n == uri.n || n == 0 || !vl_is_letter(uri.p[0]))
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!vl_is_letter(uri.p[i]) && !vl_is_digit(uri.p[i]) &&
            uri.p[i] != '+' && uri.p[i] != '-' && uri.p[i] != '.')
            return 0;
    return n;
}

/* One that may stand in a URI: section 2, and of "%" section 2.1. */
static bool
is_uri_char(struct vl_str rest)
{
    if (rest.p[0] == '%')
        return rest.n >= 3 && vl_is_hex(rest.p[1]) && vl_is_hex(rest.p[2]);
    return rest.p[0] > 0x20 && rest.p[0] < 0x7f &&
           !vl_str_has(VL_STR("\"<>\\^`{|}"), rest.p[0]);
}

static valet_status
check_uri(const char *text, valet_error *err)
{
    struct vl_str uri = vl_str_z(text);
    bool good = uri.n <= VL_MCP_URI_MAX && scheme_length(uri) > 0;
    for (size_t i = 0; good && i < uri.n; i++)
        good = is_uri_char(vl_str_from(uri, i));
    if (!good)
        return vl_fail(err, VALET_INVALID, "",
                       "a resource's URI begins with a scheme, has at most %d "
                       "bytes, and what a URI cannot hold percent-encoded",
                       VL_MCP_URI_MAX);
    return VALET_OK;
}

/* What resources and templates have alike. */
static valet_status
check_texts(const char *name, const char *title, const char *description,
            const char *mime_type, valet_error *err)
{
    VL_TRY(vl_mcp_check_text("title", name, title, true, err));
    VL_TRY(vl_mcp_check_text("description", name, description, true, err));
    return vl_mcp_check_text("media type", name, mime_type, true, err);
}

static valet_status
check_reader(const char *name, valet_mcp_handler *read, valet_error *err)
{
    if (!read)
        return vl_fail(err, VALET_INVALID, "", "nobody reads resource %s",
                       name);
    return VALET_OK;
}

valet_status
valet_mcp_add_resource(valet_mcp_server *server,
                       const valet_mcp_resource *resource, valet_error *err)
{
    VL_TRY(vl_mcp_check_later(resource->later, VL_COUNT(resource->later), err));
    VL_TRY(vl_mcp_check_name("resource's name", resource->name, err));
    VL_TRY(check_uri(resource->uri, err));
    VL_TRY(vl_mcp_check_permission(resource->name, resource->permission, err));
    VL_TRY(check_texts(resource->name, resource->title, resource->description,
                       resource->mime_type, err));
    VL_TRY(check_reader(resource->name, resource->read, err));
    if (resource->size < 0)
        return vl_fail(err, VALET_INVALID, "", "resource %s has no size",
                       resource->name);
    struct vl_mcp_item *item = vl_mcp_item_new(VL_MCP_RESOURCES);
    item->id = resource->uri;
    item->permission = resource->permission;
    item->flags = resource->flags;
    item->handle = resource->read;
    item->ctx = resource->ctx;
    item->def.resource = *resource;
    return vl_mcp_server_put(server, item, err);
}

valet_status
valet_mcp_add_template(valet_mcp_server *server, const valet_mcp_template *tmpl,
                       valet_error *err)
{
    struct vl_uri_template *pattern;
    VL_TRY(vl_mcp_check_later(tmpl->later, VL_COUNT(tmpl->later), err));
    VL_TRY(vl_mcp_check_name("template's name", tmpl->name, err));
    VL_TRY(vl_mcp_check_text("URI template", tmpl->name, tmpl->uri_template,
                             false, err));
    VL_TRY(vl_mcp_check_permission(tmpl->name, tmpl->permission, err));
    VL_TRY(check_texts(tmpl->name, tmpl->title, tmpl->description,
                       tmpl->mime_type, err));
    VL_TRY(check_reader(tmpl->name, tmpl->read, err));
    VL_TRY(vl_uri_template_new(tmpl->uri_template, &pattern, err));
    struct vl_mcp_item *item = vl_mcp_item_new(VL_MCP_TEMPLATES);
    item->id = tmpl->uri_template;
    item->permission = tmpl->permission;
    item->flags = tmpl->flags;
    item->handle = tmpl->read;
    item->complete = tmpl->complete;
    item->ctx = tmpl->ctx;
    item->def.tmpl = *tmpl;
    item->pattern = pattern;
    return vl_mcp_server_put(server, item, err);
}
