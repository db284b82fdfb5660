/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of tools/list, kept ready: one for each set of permissions that was
 * asked with. The set is the key, so nobody is ever shown a list that was made
 * for somebody who may do more.
 */
#ifndef VL_MCP_CATALOG_H
#define VL_MCP_CATALOG_H

#include "mcp/server.h"

/* Few sets of permissions are in use at a time. */
#define VL_MCP_CATALOG_SLOTS 8
#define VL_MCP_CATALOG_MAX   (4 * 1024 * 1024)

/* Which tools, told how. */
struct vl_mcp_view {
    uint64_t permissions; /* bit i: server->permissions[i] is held */
    bool modern;          /* from 2025-06-18 on: titles and output schemas */
};

struct vl_mcp_catalog {
    struct vl_mcp_catalog_slot {
        struct vl_mcp_view view;
        unsigned generation; /* of the server; 0: empty slot */
        struct vl_buf text;
    } slots[VL_MCP_CATALOG_SLOTS];
    size_t next; /* to be replaced */
};

void vl_mcp_catalog_done(struct vl_mcp_catalog *catalog);
/* `{"tools":[…]}`, borrowed until the next call; {NULL,0} if it would be too
 * long. */
struct vl_str
vl_mcp_catalog_get(struct vl_mcp_catalog *catalog,
                   const struct vl_mcp_server *server, struct vl_mcp_view view);

#endif
