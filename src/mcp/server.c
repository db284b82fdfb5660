/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/server.h"

#include <limits.h>

#include "core/status.h"
#include "io/pool.h"
#include "mcp/thread.h"

/* For how long clients keep a list, unless it is set. */
#define LIST_TTL_MS 60000

/* --- its life --- */

/* It is said with every result, and never changes. */
static void
write_meta(struct vl_mcp_server *server, const char *name, const char *version)
{
    const size_t begin = strlen("{\"" VL_MCP_META_SERVER "\":");
    server->meta = vl_buf_of(6 * (strlen(name) + strlen(version)) + 128);
    struct vl_json_out out = {&server->meta, false};
    vl_json_open(&out, '{');
    vl_json_open_key(&out, VL_MCP_META_SERVER, '{');
    vl_json_add_z(&out, "name", name);
    vl_json_add_z(&out, "version", version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    struct vl_str all = vl_buf_str(&server->meta);
    server->info = vl_str_from(vl_str_head(all, all.n - 1), begin);
}

valet_status
valet_mcp_server_new(const char *name, const char *version,
                     const char *instructions, valet_mcp_server **ret,
                     valet_error *err)
{
    VL_TRY(vl_mcp_check_text("name", "the server", name, false, err));
    VL_TRY(vl_mcp_check_text("version", "the server", version, false, err));
    VL_TRY(vl_mcp_check_text("text of instructions", "the server", instructions,
                             true, err));
    struct vl_mcp_server *server = vl_alloc(sizeof *server);
    write_meta(server, name, version);
    server->instructions = instructions ? vl_strdup(instructions) : NULL;
    for (size_t i = 0; i < VL_MCP_SORT_COUNT; i++)
        vl_map_init(&server->shelves[i].by_id);
    server->list_ttl_ms = LIST_TTL_MS;
    vl_list_init(&server->watchers);
    vl_mcp_people_init(&server->people);
    server->gate = vl_mcp_gate_new();
    *ret = server;
    return VALET_OK;
}

static void
clear_shelf(struct vl_mcp_shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        vl_mcp_item_release(shelf->items[i]);
    free(shelf->items);
    vl_map_done(&shelf->by_id);
}

void
valet_mcp_server_free(valet_mcp_server *server)
{
    if (!server)
        return;
    /* First: handlers on threads of their own may still look at the rest. */
    vl_pool_free(server->pool);
    vl_mcp_gate_release(server->gate);
    for (size_t i = 0; i < VL_MCP_SORT_COUNT; i++)
        clear_shelf(&server->shelves[i]);
    for (unsigned i = 0; i < server->permission_count; i++)
        free(server->permissions[i]);
    vl_mcp_people_done(&server->people);
    vl_buf_done(&server->meta);
    free(server->instructions);
    free(server);
}

void
valet_mcp_set_page_size(valet_mcp_server *server, size_t count)
{
    server->page_size = count;
}

void
valet_mcp_set_list_ttl(valet_mcp_server *server, int64_t ms)
{
    /* MCP has no negative ones. */
    server->list_ttl_ms = ms > 0 ? ms : 0;
}

valet_status
vl_mcp_server_check_rest(const struct vl_mcp_server *server, valet_error *err)
{
    if (vl_mcp_gate_is_open(server->gate))
        return vl_fail(err, VALET_CONFLICT, "", "the server is served already");
    return VALET_OK;
}

/* --- who watches it --- */

void
vl_mcp_server_watch(struct vl_mcp_server *server,
                    struct vl_mcp_watcher *watcher)
{
    vl_list_init(&watcher->in_server);
    vl_list_add_last(&server->watchers, &watcher->in_server);
}

void
vl_mcp_server_unwatch(struct vl_mcp_watcher *watcher)
{
    vl_list_remove(&watcher->in_server);
}

static void
tell_changed(struct vl_mcp_server *server, enum vl_mcp_sort sort)
{
    if (sort == VL_MCP_TEMPLATES)
        sort = VL_MCP_RESOURCES;
    VL_LIST_EACH (it, &server->watchers) {
        struct vl_mcp_watcher *watcher =
            VL_CONTAINER(it, struct vl_mcp_watcher, in_server);
        watcher->list_changed(watcher, sort);
    }
}

void
valet_mcp_resource_updated(valet_mcp_server *server, const char *uri)
{
    VL_LIST_EACH (it, &server->watchers) {
        struct vl_mcp_watcher *watcher =
            VL_CONTAINER(it, struct vl_mcp_watcher, in_server);
        watcher->updated(watcher, uri);
    }
}

bool
vl_mcp_server_has_tasks(const struct vl_mcp_server *server)
{
    const struct vl_mcp_shelf *tools = &server->shelves[VL_MCP_TOOLS];
    for (size_t i = 0; i < tools->count; i++)
        if (tools->items[i]->flags & VL_MCP_TASK_FLAGS)
            return true;
    return false;
}

static bool
completes_any(const struct vl_mcp_shelf *shelf)
{
    size_t i = 0;
    while (i < shelf->count && !shelf->items[i]->complete)
        i++;
    return i < shelf->count;
}

bool
vl_mcp_server_completes(const struct vl_mcp_server *server)
{
    return completes_any(&server->shelves[VL_MCP_PROMPTS]) ||
           completes_any(&server->shelves[VL_MCP_TEMPLATES]);
}

/* --- its shelves --- */

/* Never 0 again, nor the one whose successor would be. */
static void
note_change(struct vl_mcp_shelf *shelf)
{
    if (++shelf->generation == UINT_MAX)
        shelf->generation = 1;
}

/*
 * The index of a permission, which may be the next that is free. None is ever
 * given away twice: whoever was asked about one keeps the answer as a bit.
 */
static bool
find_permission(const struct vl_mcp_server *server, const char *permission,
                unsigned *ret)
{
    unsigned i = 0;
    while (i < server->permission_count &&
           strcmp(server->permissions[i], permission) != 0)
        i++;
    *ret = i;
    return i < VL_MCP_PERMISSIONS_MAX;
}

static void
append(struct vl_mcp_shelf *shelf, struct vl_mcp_item *item)
{
    if (shelf->count == shelf->room) {
        size_t room = shelf->room ? shelf->room * 2 : 8;
        struct vl_mcp_item **items =
            vl_alloc(room * sizeof(struct vl_mcp_item *));
        if (shelf->count)
            memcpy(items, shelf->items,
                   shelf->count * sizeof(struct vl_mcp_item *));
        free(shelf->items);
        shelf->items = items;
        shelf->room = room;
    }
    shelf->items[shelf->count++] = item;
    (void)vl_map_put(&shelf->by_id, vl_str_z(item->id), item);
    note_change(shelf);
}

static const char *const words[VL_MCP_SORT_COUNT] = {
    [VL_MCP_TOOLS] = "tool",
    [VL_MCP_RESOURCES] = "resource",
    [VL_MCP_TEMPLATES] = "template",
    [VL_MCP_PROMPTS] = "prompt",
};

/* Is there room for it? Then also which permission it needs. */
static valet_status
check_place(const struct vl_mcp_server *server, struct vl_mcp_item *item,
            valet_error *err)
{
    const unsigned task = VL_MCP_TASK_FLAGS;
    const unsigned known = item->sort == VL_MCP_TOOLS
                               ? task | VALET_MCP_ON_THREAD
                               : VALET_MCP_ON_THREAD;
    if (item->flags & ~known)
        return vl_fail(err, VALET_INVALID, "",
                       "%s %.150s cannot have these flags", words[item->sort],
                       item->id);
    if (vl_mcp_server_find(server, item->sort, vl_str_z(item->id)))
        return vl_fail(err, VALET_CONFLICT, "", "there is a %s %.150s already",
                       words[item->sort], item->id);
    if (!find_permission(server, item->permission, &item->permission_bit))
        return vl_fail(err, VALET_LIMIT, "",
                       "what a server offers needs at most %d permissions",
                       VL_MCP_PERMISSIONS_MAX);
    return VALET_OK;
}

valet_status
vl_mcp_server_put(struct vl_mcp_server *server, struct vl_mcp_item *item,
                  valet_error *err)
{
    valet_status status = check_place(server, item, err);
    if (status != VALET_OK) {
        vl_mcp_item_release(item);
        return status;
    }
    if (item->permission_bit == server->permission_count)
        server->permissions[server->permission_count++] =
            vl_strdup(item->permission);
    item->permission = server->permissions[item->permission_bit];
    item->serial = ++server->serials;
    append(&server->shelves[item->sort], item);
    tell_changed(server, item->sort);
    return VALET_OK;
}

static bool
remove_item(struct vl_mcp_server *server, enum vl_mcp_sort sort, const char *id)
{
    struct vl_mcp_shelf *shelf = &server->shelves[sort];
    struct vl_mcp_item *item = vl_map_take(&shelf->by_id, vl_str_z(id));
    if (!item)
        return false;
    size_t i = 0;
    while (shelf->items[i] != item)
        i++;
    shelf->count--;
    memmove(shelf->items + i, shelf->items + i + 1,
            (shelf->count - i) * sizeof(struct vl_mcp_item *));
    note_change(shelf);
    vl_mcp_item_release(item);
    tell_changed(server, sort);
    return true;
}

bool
valet_mcp_remove_tool(valet_mcp_server *server, const char *name)
{
    return remove_item(server, VL_MCP_TOOLS, name);
}

bool
valet_mcp_remove_resource(valet_mcp_server *server, const char *uri)
{
    return remove_item(server, VL_MCP_RESOURCES, uri);
}

bool
valet_mcp_remove_template(valet_mcp_server *server, const char *uri_template)
{
    return remove_item(server, VL_MCP_TEMPLATES, uri_template);
}

bool
valet_mcp_remove_prompt(valet_mcp_server *server, const char *name)
{
    return remove_item(server, VL_MCP_PROMPTS, name);
}

struct vl_mcp_item *
vl_mcp_server_find(const struct vl_mcp_server *server, enum vl_mcp_sort sort,
                   struct vl_str id)
{
    return vl_map_find(&server->shelves[sort].by_id, id);
}

struct vl_mcp_item *
vl_mcp_server_find_uri(const struct vl_mcp_server *server, struct vl_str uri)
{
    if (uri.n > VL_MCP_URI_MAX)
        return NULL;
    struct vl_mcp_item *item =
        vl_mcp_server_find(server, VL_MCP_RESOURCES, uri);
    const struct vl_mcp_shelf *shelf = &server->shelves[VL_MCP_TEMPLATES];
    for (size_t i = 0; !item && i < shelf->count; i++)
        if (vl_uri_template_match(shelf->items[i]->pattern, uri, NULL, NULL))
            item = shelf->items[i];
    return item;
}
