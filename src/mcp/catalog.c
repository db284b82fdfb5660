/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/catalog.h"

#include <endian.h>

#include "core/enc.h"
#include "mcp/result.h"

void
vl_mcp_catalog_done(struct vl_mcp_catalog *catalog)
{
    for (size_t i = 0; i < VL_MCP_CATALOG_SLOTS; i++)
        vl_buf_done(&catalog->slots[i].text);
    *catalog = (struct vl_mcp_catalog){0};
}

/* --- one thing --- */

static void
add_optional(struct vl_json_out *out, const char *key, const char *text)
{
    if (text)
        vl_json_add_z(out, key, text);
}

/* All four or none: what is left out means "destructive" and "open world". */
static void
add_hints(struct vl_json_out *out, unsigned hints, const char *title)
{
    if (!hints && !title)
        return;
    vl_json_open_key(out, "annotations", '{');
    add_optional(out, "title", title);
    if (hints) {
        vl_json_add_bool(out, "readOnlyHint", hints & VALET_MCP_READ_ONLY);
        vl_json_add_bool(out, "destructiveHint", hints & VALET_MCP_DESTRUCTIVE);
        vl_json_add_bool(out, "idempotentHint", hints & VALET_MCP_IDEMPOTENT);
        vl_json_add_bool(out, "openWorldHint", hints & VALET_MCP_OPEN_WORLD);
    }
    vl_json_close(out, '}');
}

/* What all sorts begin with. @spec HT-39: older clients know no titles. */
static void
add_names(struct vl_json_out *out, enum vl_mcp_version version,
          const char *name, const char *title, const char *description)
{
    vl_json_add_z(out, "name", name);
    if (version >= VL_MCP_2025_06_18)
        add_optional(out, "title", title);
    add_optional(out, "description", description);
}

static void
add_tool(struct vl_json_out *out, enum vl_mcp_version version,
         const struct vl_mcp_item *item)
{
    const valet_mcp_tool *tool = &item->def.tool;
    add_names(out, version, tool->name, tool->title, tool->description);
    vl_json_add_raw(out, "inputSchema", vl_buf_str(&item->input));
    if (vl_mcp_item_tells_structure(item, version) && item->gives)
        vl_json_add_raw(out, "outputSchema", vl_buf_str(&item->output));
    if (version >= VL_MCP_2025_03_26)
        add_hints(out, tool->hints, tool->title);
}

static void
add_resource(struct vl_json_out *out, enum vl_mcp_version version,
             const struct vl_mcp_item *item)
{
    const valet_mcp_resource *resource = &item->def.resource;
    vl_json_add_z(out, "uri", resource->uri);
    add_names(out, version, resource->name, resource->title,
              resource->description);
    add_optional(out, "mimeType", resource->mime_type);
    if (resource->size)
        vl_json_add_int(out, "size", resource->size);
}

static void
add_template(struct vl_json_out *out, enum vl_mcp_version version,
             const struct vl_mcp_item *item)
{
    const valet_mcp_template *tmpl = &item->def.tmpl;
    vl_json_add_z(out, "uriTemplate", tmpl->uri_template);
    add_names(out, version, tmpl->name, tmpl->title, tmpl->description);
    add_optional(out, "mimeType", tmpl->mime_type);
}

static void
add_prompt(struct vl_json_out *out, enum vl_mcp_version version,
           const struct vl_mcp_item *item)
{
    const valet_mcp_prompt *prompt = &item->def.prompt;
    add_names(out, version, prompt->name, prompt->title, prompt->description);
    if (!prompt->argument_count)
        return;
    vl_json_open_key(out, "arguments", '[');
    for (size_t i = 0; i < prompt->argument_count; i++) {
        const valet_mcp_prompt_argument *argument = &prompt->arguments[i];
        vl_json_open(out, '{');
        add_names(out, version, argument->name, argument->title,
                  argument->description);
        if (argument->is_required)
            vl_json_add_bool(out, "required", true);
        vl_json_close(out, '}');
    }
    vl_json_close(out, ']');
}

static const struct {
    const char *key;
    void (*add)(struct vl_json_out *out, enum vl_mcp_version version,
                const struct vl_mcp_item *item);
} sorts[VL_MCP_SORT_COUNT] = {
    [VL_MCP_TOOLS] = {"tools", add_tool},
    [VL_MCP_RESOURCES] = {"resources", add_resource},
    [VL_MCP_TEMPLATES] = {"resourceTemplates", add_template},
    [VL_MCP_PROMPTS] = {"prompts", add_prompt},
};

/* --- pages --- */

#define SERIAL_TEXT 11 /* of 8 bytes, in base64url */

static void
add_cursor(struct vl_json_out *out, uint64_t serial)
{
    uint64_t bytes = htobe64(serial);
    vl_auto(vl_buf) text = vl_buf_of(SERIAL_TEXT);
    vl_enc_base64url(&text, vl_str_of(&bytes, sizeof bytes));
    vl_json_add_str(out, "nextCursor", vl_buf_str(&text));
}

bool
vl_mcp_cursor_read(struct vl_str text, uint64_t *ret)
{
    uint64_t bytes;
    if (text.n != SERIAL_TEXT ||
        !vl_dec_base64url_into(text, &bytes, sizeof bytes) || bytes == 0)
        return false;
    *ret = be64toh(bytes);
    return true;
}

/* The index of the first thing behind the place that a cursor names; serials
 * grow along a shelf. */
static size_t
find_place(const struct vl_mcp_shelf *shelf, uint64_t after)
{
    size_t low = 0, high = after ? shelf->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shelf->items[middle]->serial <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
may_see(const struct vl_mcp_view *view, const struct vl_mcp_item *item)
{
    return view->permissions >> item->permission_bit & 1;
}

static void
add_page(struct vl_json_out *out, const struct vl_mcp_server *server,
         const struct vl_mcp_view *view)
{
    const struct vl_mcp_shelf *shelf = &server->shelves[view->sort];
    size_t left = server->page_size ? server->page_size : SIZE_MAX;
    uint64_t last = 0;
    size_t i = find_place(shelf, view->after);
    vl_json_open_key(out, sorts[view->sort].key, '[');
    for (; i < shelf->count; i++) {
        if (!may_see(view, shelf->items[i]))
            continue;
        if (left-- == 0)
            break;
        last = shelf->items[i]->serial;
        vl_json_open(out, '{');
        sorts[view->sort].add(out, view->version, shelf->items[i]);
        vl_json_close(out, '}');
    }
    vl_json_close(out, ']');
    if (i < shelf->count)
        add_cursor(out, last);
}

/* Of the whole shelf, for all pages have to say the same (@spec HT-71). */
static bool
is_for_everybody(const struct vl_mcp_shelf *shelf)
{
    size_t i = 0;
    while (i < shelf->count &&
           strcmp(shelf->items[i]->permission, VALET_MCP_ANY_CALLER) == 0)
        i++;
    return i == shelf->count;
}

static void
build(struct vl_buf *text, const struct vl_mcp_server *server,
      const struct vl_mcp_view *view)
{
    struct vl_json_out out = {text, false};
    bool modern = vl_mcp_version_is_modern(view->version);
    vl_json_open(&out, '{');
    if (modern)
        vl_json_add_z(&out, "resultType", "complete");
    add_page(&out, server, view);
    if (modern) {
        vl_json_add_int(&out, "ttlMs", server->list_ttl_ms);
        vl_json_add_z(&out, "cacheScope",
                      is_for_everybody(&server->shelves[view->sort])
                          ? "public"
                          : "private");
        vl_mcp_result_write_meta(&out, server, view->version);
    }
    vl_json_close(&out, '}');
}

/* --- what is kept --- */

static bool
is_same_view(const struct vl_mcp_view *a, const struct vl_mcp_view *b)
{
    return a->sort == b->sort && a->version == b->version &&
           a->permissions == b->permissions && a->after == b->after;
}

/* The same page under one name: cursors that a client makes up, and
 * permissions that nothing needs, would push others out. */
static struct vl_mcp_view
normalise(const struct vl_mcp_server *server, const struct vl_mcp_view *view)
{
    struct vl_mcp_view same = *view;
    const struct vl_mcp_shelf *shelf = &server->shelves[view->sort];
    size_t place = find_place(shelf, view->after);
    same.after = place ? shelf->items[place - 1]->serial : 0;
    if (server->permission_count < VL_MCP_PERMISSIONS_MAX)
        same.permissions &= (UINT64_C(1) << server->permission_count) - 1;
    return same;
}

struct vl_str
vl_mcp_catalog_get(struct vl_mcp_catalog *catalog,
                   const struct vl_mcp_server *server,
                   const struct vl_mcp_view *asked)
{
    struct vl_mcp_view view = normalise(server, asked);
    /* A shelf that never had anything is of generation 0; a slot is never. */
    unsigned generation = server->shelves[view.sort].generation + 1;
    for (size_t i = 0; i < VL_MCP_CATALOG_SLOTS; i++) {
        struct vl_mcp_catalog_slot *slot = &catalog->slots[i];
        if (slot->generation == generation && is_same_view(&slot->view, &view))
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
    build(&slot->text, server, &view);
    if (!slot->text.failed)
        return vl_buf_str(&slot->text);
    slot->generation = 0;
    vl_buf_done(&slot->text);
    return (struct vl_str){NULL, 0};
}
