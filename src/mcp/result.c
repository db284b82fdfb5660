/* SPDX-License-Identifier: Apache-2.0
 *
 * What is written here goes out as it is: a handler's text must not break the
 * frame. Strings are made UTF-8 by the writer, structured results are parsed
 * unless the scanner has seen all of them.
 */
#include "mcp/result.h"

#include "core/limits.h"
#include "json/read.h"
#include "json/scan.h"

/* @spec HT-56 */
static void
begin(struct vl_json_out *out, enum vl_mcp_version version)
{
    if (vl_mcp_version_is_modern(version))
        vl_json_add_raw(out, "resultType", VL_STR("\"complete\""));
}

/* --- tools --- */

static bool
has_failed(const valet_mcp_result *result)
{
    return result->is_error || result->login_required;
}

void
vl_mcp_result_write_text(struct vl_json_out *out, const char *text)
{
    /* Nearly every result is one text: its frame goes out in two pieces. */
    vl_json_add_raw(out, "content", VL_STR("[{\"type\":\"text\",\"text\":"));
    out->comma = false;
    vl_json_add_z(out, NULL, text);
    vl_buf_add(out->buf, VL_STR("}]"));
}

static const char *
add_contents(struct vl_json_out *out, const struct vl_mcp_result_form *form,
             const valet_mcp_result *result)
{
    const char *trouble = NULL;
    /* 2026-07-28, tools: who knows no structured results gets it as text. */
    const char *text = result->text            ? result->text
                       : result->content_count ? NULL
                                               : result->structured;
    if (text && !result->content_count) {
        vl_mcp_result_write_text(out, text);
        return NULL;
    }
    valet_mcp_content first = {.kind = VALET_MCP_TEXT, .text = text};
    vl_json_open_key(out, "content", '[');
    if (text) {
        vl_json_open(out, '{');
        trouble = vl_mcp_content_write(out, form, &first);
        vl_json_close(out, '}');
    }
    for (size_t i = 0; !trouble && i < result->content_count; i++) {
        vl_json_open(out, '{');
        trouble = vl_mcp_content_write(out, form, &result->content[i]);
        vl_json_close(out, '}');
    }
    vl_json_close(out, ']');
    return trouble;
}

/* May it be passed on as it stands, on one line? False also for what was not
 * looked at closely enough. */
static bool
is_plain_object(struct vl_str text)
{
    struct vl_json_member members[32];
    size_t count;
    return !vl_str_has(text, '\n') && !vl_str_has(text, '\r') &&
           vl_json_scan(text, VL_LIMIT_JSON_DEPTH, members, VL_COUNT(members),
                        &count);
}

/*
 * What was promised is looked at whether or not this client will see it: a
 * tool is right or wrong in all revisions. An object, or what 2026-07-28 knows.
 */
static const char *
add_structured(struct vl_json_out *out, const struct vl_mcp_result_form *form,
               const valet_mcp_result *result)
{
    struct vl_str text = vl_str_z(result->structured);
    const struct vl_schema *promised =
        has_failed(result) ? NULL : form->item->gives;
    bool shown = vl_mcp_item_tells_structure(form->item, form->version);
    if (!promised && is_plain_object(text)) {
        if (shown)
            vl_json_add_raw(out, "structuredContent", text);
        return NULL;
    }
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return "The tool's structured result is no JSON";
    if (promised && vl_schema_check(promised, doc.root, NULL) != VALET_OK)
        return "The tool's result is not what its output schema promises";
    if (shown && (vl_mcp_version_is_modern(form->version) ||
                  vl_json_kind(doc.root) == VL_JSON_OBJECT))
        vl_json_add_value(out, "structuredContent", doc.root);
    return NULL;
}

static const char *
write_tool(struct vl_json_out *out, const struct vl_mcp_result_form *form,
           const valet_mcp_result *result)
{
    const char *trouble = add_contents(out, form, result);
    if (!trouble && result->structured)
        trouble = add_structured(out, form, result);
    else if (!trouble && form->item->gives && !has_failed(result))
        trouble = "The tool's result lacks what its output schema promises";
    vl_json_add_bool(out, "isError", has_failed(result));
    return trouble;
}

/* --- resources --- */

static const char *
add_part(struct vl_json_out *out, const struct vl_mcp_result_form *form,
         const valet_mcp_content *content)
{
    vl_json_open(out, '{');
    const char *trouble = vl_mcp_content_write_resource(out, form, content);
    vl_json_close(out, '}');
    return trouble;
}

/*
 * @spec HT-71, and RS-26: what not everybody may read is never public,
 * whatever its handler says.
 */
static void
add_caching(struct vl_json_out *out, const struct vl_mcp_item *item,
            const valet_mcp_result *result)
{
    bool is_public = result->is_public &&
                     strcmp(item->permission, VALET_MCP_ANY_CALLER) == 0;
    vl_json_add_int(out, "ttlMs", result->ttl_ms > 0 ? result->ttl_ms : 0);
    vl_json_add_z(out, "cacheScope", is_public ? "public" : "private");
}

static const char *
write_resource(struct vl_json_out *out, const struct vl_mcp_result_form *form,
               const valet_mcp_result *result)
{
    const char *trouble = NULL;
    valet_mcp_content first = {.kind = VALET_MCP_TEXT, .text = result->text};
    vl_json_open_key(out, "contents", '[');
    if (result->text)
        trouble = add_part(out, form, &first);
    for (size_t i = 0; !trouble && i < result->content_count; i++)
        trouble = add_part(out, form, &result->content[i]);
    vl_json_close(out, ']');
    if (vl_mcp_version_is_modern(form->version))
        add_caching(out, form->item, result);
    return trouble;
}

/* --- prompts --- */

static const char *
add_message(struct vl_json_out *out, const struct vl_mcp_result_form *form,
            const valet_mcp_content *content)
{
    vl_json_open(out, '{');
    vl_json_add_z(out, "role",
                  content->role == VALET_MCP_ASSISTANT ? "assistant" : "user");
    vl_json_open_key(out, "content", '{');
    const char *trouble = vl_mcp_content_write(out, form, content);
    vl_json_close(out, '}');
    vl_json_close(out, '}');
    return trouble;
}

static const char *
write_prompt(struct vl_json_out *out, const struct vl_mcp_result_form *form,
             const valet_mcp_result *result)
{
    const char *trouble = NULL;
    const char *description = result->description
                                  ? result->description
                                  : form->item->def.prompt.description;
    valet_mcp_content first = {.kind = VALET_MCP_TEXT, .text = result->text};
    if (description)
        vl_json_add_z(out, "description", description);
    vl_json_open_key(out, "messages", '[');
    if (result->text)
        trouble = add_message(out, form, &first);
    for (size_t i = 0; !trouble && i < result->content_count; i++)
        trouble = add_message(out, form, &result->content[i]);
    vl_json_close(out, ']');
    return trouble;
}

/* --- all of them --- */

const char *
vl_mcp_result_write(struct vl_json_out *out,
                    const struct vl_mcp_result_form *form,
                    const valet_mcp_result *result)
{
    const char *trouble = NULL;
    begin(out, form->version);
    switch (form->item->sort) {
    case VL_MCP_TOOLS:
        trouble = write_tool(out, form, result);
        break;
    case VL_MCP_PROMPTS:
        trouble = write_prompt(out, form, result);
        break;
    default:
        trouble = write_resource(out, form, result);
        break;
    }
    return !trouble && out->buf->failed ? "The result is too long" : trouble;
}

/* MCP's limit of one answer. */
#define VALUES_MAX 100

void
vl_mcp_result_write_completion(struct vl_json_out *out,
                               enum vl_mcp_version version,
                               const char *const *values, size_t count,
                               size_t total)
{
    size_t shown = count < VALUES_MAX ? count : VALUES_MAX;
    /* Whoever says a smaller number does not know it. */
    if (total && total < count)
        total = count;
    begin(out, version);
    vl_json_open_key(out, "completion", '{');
    vl_json_open_key(out, "values", '[');
    for (size_t i = 0; i < shown; i++)
        vl_json_add_z(out, NULL, values[i]);
    vl_json_close(out, ']');
    if (total)
        vl_json_add_int(out, "total", (int64_t)total);
    vl_json_add_bool(out, "hasMore", shown < count || shown < total);
    vl_json_close(out, '}');
}
