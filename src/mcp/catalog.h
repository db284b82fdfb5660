/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of tools/list, resources/list, resources/templates/list and
 * prompts/list, kept ready: one for each page, revision and set of permissions
 * that was asked with. The set is the key, so nobody is ever shown a list that
 * was made for somebody who may do more (@spec RS-25 RS-26).
 */
#ifndef VL_MCP_CATALOG_H
#define VL_MCP_CATALOG_H

#include "mcp/server.h"

/* Few lists and sets of permissions are in use at a time. */
#define VL_MCP_CATALOG_SLOTS 16
#define VL_MCP_CATALOG_MAX   (4 * 1024 * 1024)

/* Which things, told how. */
struct vl_mcp_view {
    enum vl_mcp_sort sort;
    enum vl_mcp_version version;
    uint64_t permissions; /* bit i: server->permissions[i] is held */
    uint64_t after;       /* the serial of the last one seen; 0: begin */
};

struct vl_mcp_catalog {
    struct vl_mcp_catalog_slot {
        struct vl_mcp_view view;
        unsigned generation; /* of the shelf; 0: empty slot */
        struct vl_buf text;
    } slots[VL_MCP_CATALOG_SLOTS];
    size_t next; /* to be replaced */
};

void vl_mcp_catalog_done(struct vl_mcp_catalog *catalog);
/*
 * The whole result, such as `{"tools":[…],"nextCursor":"…"}`, from 2026-07-28
 * on with resultType, ttlMs, _meta and cacheScope (public only where every item
 * needs nothing but VALET_MCP_ANY_CALLER); borrowed until the next call;
 * {NULL,0} if it would be too long.
 */
struct vl_str vl_mcp_catalog_get(struct vl_mcp_catalog *catalog,
                                 const struct vl_mcp_server *server,
                                 const struct vl_mcp_view *view);
/* The place that a cursor names, for view.after; false for what is none. */
bool vl_mcp_cursor_read(struct vl_str text, uint64_t *ret);

#endif
