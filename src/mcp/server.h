/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server of valet/mcp.h is inside: its tools, resources, templates and
 * prompts in the order they were added, and the distinct permissions they
 * need. Shared by the endpoints that serve it, and so is what a person has at
 * work; it knows nothing of sessions.
 *
 *     server.c    its life, its shelves, its permissions, who watches it
 *     item.c      something that was registered, and what all of them have
 *     tool.c      what a tool has to be           (valet_mcp_add_tool())
 *     resource.c  what a resource or template has to be
 *     prompt.c    what a prompt has to be
 */
#ifndef VL_MCP_SERVER_H
#define VL_MCP_SERVER_H

#include <stdatomic.h>

#include "core/buf.h"
#include "core/list.h"
#include "core/map.h"
#include "mcp/busy.h"
#include "mcp/meta.h"
#include "mcp/mirror.h"
#include "mcp/uri_template.h"
#include "mcp/version.h"
#include "valet/mcp.h"
#include "json/schema.h"
#include "json/write.h"

/* So that a set of permissions is one number. */
#define VL_MCP_PERMISSIONS_MAX 64
#define VL_MCP_NAME_MAX        64
#define VL_MCP_TASK_FLAGS                                                      \
    (VALET_MCP_AS_TASK | VALET_MCP_ONLY_AS_TASK | VALET_MCP_TASK_LATER)
#define VL_MCP_URI_MAX 2048
/* A schema of one tool; real ones are below 10 kB. */
#define VL_MCP_SCHEMA_MAX 262144

enum vl_mcp_sort {
    VL_MCP_TOOLS,
    VL_MCP_RESOURCES,
    VL_MCP_TEMPLATES,
    VL_MCP_PROMPTS,
    VL_MCP_SORT_COUNT
};

/* Something that was registered. */
struct vl_mcp_item {
    enum vl_mcp_sort sort;
    const char *id; /* its name, URI or template: what it is found by */
    const char *permission;
    unsigned permission_bit; /* index in the server's permissions */
    unsigned flags;          /* VALET_MCP_ON_THREAD … */
    valet_mcp_handler *handle, *complete; /* the latter may be NULL */
    void *ctx;
    union {
        valet_mcp_tool tool;
        valet_mcp_resource resource;
        valet_mcp_template tmpl;
        valet_mcp_prompt prompt;
    } def;
    uint64_t serial; /* by which a cursor finds its place again */
    /* Atomic: once a server is not served any more, its handlers let go of it
     * on their own threads. */
    atomic_size_t holds;
    /* Of tools: the schemas, checked, on one line; what arguments have to be;
     * what structured results are, or NULL; which arguments headers repeat, or
     * NULL. */
    struct vl_buf input, output;
    struct vl_schema *takes, *gives;
    bool gives_object; /* what it gives is said to be an object */
    struct vl_mcp_mirror *mirror;
    /* Of templates. */
    struct vl_uri_template *pattern;
};

struct vl_mcp_shelf {
    struct vl_mcp_item **items;
    size_t count, room;
    struct vl_map by_id;
    unsigned generation; /* grows with every change; 0: never had anything */
};

/* Hears of changes; called on the server's thread. */
struct vl_mcp_watcher {
    struct vl_list in_server;
    /* TEMPLATES are told as RESOURCES. */
    void (*list_changed)(struct vl_mcp_watcher *watcher, enum vl_mcp_sort sort);
    void (*updated)(struct vl_mcp_watcher *watcher, const char *uri);
};

struct vl_mcp_gate; /* thread.h */

struct vl_mcp_server {
    /* {"io.modelcontextprotocol/serverInfo":{…}}, and what that is. */
    struct vl_buf meta;
    struct vl_str info;
    char *instructions; /* NULL: none */
    struct vl_mcp_shelf shelves[VL_MCP_SORT_COUNT];
    uint64_t serials;
    char *permissions[VL_MCP_PERMISSIONS_MAX]; /* copies */
    unsigned permission_count;
    size_t page_size; /* 0: all */
    int64_t list_ttl_ms;
    struct vl_list watchers;
    struct vl_mcp_people people; /* who has calls at work */
    struct vl_pool *pool;        /* threads of handlers; NULL: none yet */
    struct vl_mcp_gate *gate;    /* to its thread; closed: it is not served */
    /* What serves it ends with this; NULL: nothing to be ended. */
    void (*stop)(void *ctx);
    void *stop_ctx;
};

/* VALET_CONFLICT while something serves it. */
valet_status vl_mcp_server_check_rest(const struct vl_mcp_server *server,
                                      valet_error *err) VALET_CHECK;
/* NULL when there is none of this name or URI. */
struct vl_mcp_item *vl_mcp_server_find(const struct vl_mcp_server *server,
                                       enum vl_mcp_sort sort, struct vl_str id);
/* What answers for a URI: the resource, or the first template that fits. */
struct vl_mcp_item *
vl_mcp_server_find_uri(const struct vl_mcp_server *server, struct vl_str uri);
/* Is there a tool whose calls may become tasks? */
bool vl_mcp_server_has_tasks(const struct vl_mcp_server *server);
/* Is there a prompt or template that completes arguments? */
bool vl_mcp_server_completes(const struct vl_mcp_server *server);
/* An item that was removed lives while it is held. */
void vl_mcp_item_hold(struct vl_mcp_item *item);
void vl_mcp_item_release(struct vl_mcp_item *item);
/* Of a tool: does this revision know its structured results? Before 2025-06-18
 * it knows none, before 2026-07-28 only objects (@spec HT-39). */
bool vl_mcp_item_tells_structure(const struct vl_mcp_item *item,
                                 enum vl_mcp_version version);

void vl_mcp_server_watch(struct vl_mcp_server *server,
                         struct vl_mcp_watcher *watcher);
void vl_mcp_server_unwatch(struct vl_mcp_watcher *watcher);

/* For tool.c, resource.c, prompt.c. Takes the item over, also when it fails:
 * VALET_CONFLICT, VALET_LIMIT. `item->permission` is the definition's. */
valet_status
vl_mcp_server_put(struct vl_mcp_server *server, struct vl_mcp_item *item,
                  valet_error *err) VALET_CHECK;
/* An item of this sort, empty, with one hold. */
struct vl_mcp_item *vl_mcp_item_new(enum vl_mcp_sort sort);
/* A program that knows later versions of the header gets no half of what it
 * asked for. */
valet_status vl_mcp_check_later(void *const *later, size_t count,
                                valet_error *err) VALET_CHECK;
/* "the WHAT of WHOSE is missing", "… is not UTF-8". */
valet_status
vl_mcp_check_text(const char *what, const char *whose, const char *text,
                  bool optional, valet_error *err) VALET_CHECK;
valet_status vl_mcp_check_name(const char *what, const char *name,
                               valet_error *err) VALET_CHECK;
/* `name`: of whatever needs it, for the sentence. */
valet_status vl_mcp_check_permission(const char *name, const char *permission,
                                     valet_error *err) VALET_CHECK;

#endif
