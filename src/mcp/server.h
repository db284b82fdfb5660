/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server of valet/mcp.h is inside: its tools in the order they were
 * added, and the distinct permissions they need. Shared by the endpoints that
 * serve it, and so is what a person has at work; it knows nothing of sessions.
 */
#ifndef VL_MCP_SERVER_H
#define VL_MCP_SERVER_H

#include "core/buf.h"
#include "core/map.h"
#include "valet/mcp.h"
#include "json/schema.h"

/* So that a set of permissions is one number. */
#define VL_MCP_PERMISSIONS_MAX 64
#define VL_MCP_TOOL_NAME_MAX   64
/* A schema of one tool; real ones are below 10 kB. */
#define VL_MCP_SCHEMA_MAX 262144

struct vl_mcp_tool {
    valet_mcp_tool def;
    struct vl_buf input, output; /* the schemas, checked, on one line */
    struct vl_schema *takes;     /* what arguments have to be */
    struct vl_schema *gives;     /* what structured results are, or NULL */
    unsigned permission;         /* index in the server's permissions */
};

struct vl_mcp_server {
    char *name, *version;
    char *instructions; /* NULL: none */
    struct vl_mcp_tool **tools;
    size_t count, room;
    struct vl_map by_name;
    const char *permissions[VL_MCP_PERMISSIONS_MAX];
    unsigned permission_count;
    unsigned generation; /* grows with every change of the tools */
    struct vl_map busy;  /* struct vl_mcp_busy: who has calls at work */
};

/* NULL when there is none of this name. */
const struct vl_mcp_tool *
vl_mcp_server_find(const struct vl_mcp_server *server, struct vl_str name);

#endif
