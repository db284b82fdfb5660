/* SPDX-License-Identifier: Apache-2.0
 *
 * A revision that does not know a kind of content gets a text instead, which
 * says what it was (@spec HT-39): a model can still make something of that.
 */
#include "mcp/result.h"

#include "core/enc.h"

/* MCP wants a media type where there are bytes. */
static const char *
name_type(const char *mime_type)
{
    return mime_type ? mime_type : "application/octet-stream";
}

/* No base64 character needs an escape. */
static void
add_bytes(struct vl_json_out *out, const char *key,
          const valet_mcp_content *content)
{
    vl_json_add_raw(out, key, VL_STR("\""));
    if (content->data)
        vl_enc_base64(out->buf, vl_str_of(content->data, content->size));
    vl_buf_addc(out->buf, '"');
}

static void
add_text(struct vl_json_out *out, const char *text)
{
    vl_json_add_raw(out, "type", VL_STR("\"text\""));
    vl_json_add_str(out, "text", text ? vl_str_z(text) : VL_STR(""));
}

/* Texts in pieces, of which each may be anything. */
static void
add_notice(struct vl_json_out *out, const char *what, const char *about)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_URI_MAX + 256);
    vl_buf_addz(&text, what);
    vl_buf_addz(&text, about);
    vl_json_add_raw(out, "type", VL_STR("\"text\""));
    vl_json_add_str(out, "text", vl_buf_str(&text));
}

static void
add_media(struct vl_json_out *out, const char *type,
          const valet_mcp_content *content)
{
    vl_json_add_z(out, "type", type);
    add_bytes(out, "data", content);
    vl_json_add_z(out, "mimeType", name_type(content->mime_type));
}

static const char *
add_link(struct vl_json_out *out, const struct vl_mcp_result_form *form,
         const valet_mcp_content *content)
{
    if (!content->uri)
        return "A link has no URI";
    if (form->version < VL_MCP_2025_06_18) {
        add_notice(out, "See the resource ", content->uri);
        return NULL;
    }
    vl_json_add_raw(out, "type", VL_STR("\"resource_link\""));
    vl_json_add_z(out, "uri", content->uri);
    vl_json_add_z(out, "name", content->name ? content->name : content->uri);
    if (content->mime_type)
        vl_json_add_z(out, "mimeType", content->mime_type);
    return NULL;
}

/* What the resource that is read is said to be. */
static const char *
find_type(const struct vl_mcp_result_form *form)
{
    switch (form->item->sort) {
    case VL_MCP_RESOURCES:
        return form->item->def.resource.mime_type;
    case VL_MCP_TEMPLATES:
        return form->item->def.tmpl.mime_type;
    default:
        return NULL;
    }
}

const char *
vl_mcp_content_write_resource(struct vl_json_out *out,
                              const struct vl_mcp_result_form *form,
                              const valet_mcp_content *content)
{
    if (content->kind != VALET_MCP_EMBEDDED && content->kind != VALET_MCP_TEXT)
        return "What is in a resource is no text and not embedded";
    const char *uri = content->uri ? content->uri : form->uri;
    const char *type = content->mime_type;
    if (!uri)
        return "An embedded resource has no URI";
    if (!type && !content->uri)
        type = find_type(form);
    vl_json_add_z(out, "uri", uri);
    if (type)
        vl_json_add_z(out, "mimeType", type);
    if (content->data && content->kind == VALET_MCP_EMBEDDED)
        add_bytes(out, "blob", content);
    else
        vl_json_add_z(out, "text", content->text ? content->text : "");
    return NULL;
}

static const char *
add_embedded(struct vl_json_out *out, const struct vl_mcp_result_form *form,
             const valet_mcp_content *content)
{
    vl_json_add_raw(out, "type", VL_STR("\"resource\""));
    vl_json_open_key(out, "resource", '{');
    const char *trouble = vl_mcp_content_write_resource(out, form, content);
    vl_json_close(out, '}');
    return trouble;
}

const char *
vl_mcp_content_write(struct vl_json_out *out,
                     const struct vl_mcp_result_form *form,
                     const valet_mcp_content *content)
{
    switch (content->kind) {
    case VALET_MCP_TEXT:
        add_text(out, content->text);
        return NULL;
    case VALET_MCP_IMAGE:
        add_media(out, "image", content);
        return NULL;
    case VALET_MCP_AUDIO:
        if (form->version < VL_MCP_2025_03_26)
            add_notice(out, "A sound was left out here: ",
                       name_type(content->mime_type));
        else
            add_media(out, "audio", content);
        return NULL;
    case VALET_MCP_EMBEDDED:
        return add_embedded(out, form, content);
    case VALET_MCP_LINK:
        return add_link(out, form, content);
    }
    return "A content is of no known kind";
}
