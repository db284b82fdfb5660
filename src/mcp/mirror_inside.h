/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a mirror share:
 *
 *     mirror.c        reads a schema: which headers repeat what
 *     mirror_check.c  what they say, against the body
 *     mirror_write.c  what they have to say
 */
#ifndef VL_MCP_MIRROR_INSIDE_H
#define VL_MCP_MIRROR_INSIDE_H

#include "core/limits.h"
#include "mcp/mirror.h"

#define VL_MCP_MIRROR_MISMATCH "Header mismatch: "
/* Each property is two levels of the schema: itself, and the `properties` that
 * it stands in. */
#define VL_MCP_MIRROR_DEPTH (VL_LIMIT_JSON_DEPTH / 2 + 1)

/* What can be wrong with a header. */
enum vl_mcp_mirror_fault {
    VL_MCP_MIRROR_FINE,
    VL_MCP_MIRROR_MISSING,
    VL_MCP_MIRROR_TWICE,
    VL_MCP_MIRROR_TOO_LONG,
    VL_MCP_MIRROR_MALFORMED,
    VL_MCP_MIRROR_DIFFERENT,
    VL_MCP_MIRROR_UNASKED,
    VL_MCP_MIRROR_UNSAFE,
    VL_MCP_MIRROR_FAULTS /* how many there are */
};

struct vl_mcp_mirror_field {
    struct vl_str header; /* Mcp-Param-… */
    char *sentences[VL_MCP_MIRROR_FAULTS];
    size_t depth;
    const char *path[VL_MCP_MIRROR_DEPTH]; /* keys, borrowed from the schema */
};

struct vl_mcp_mirror {
    struct vl_json schema;
    size_t count;
    struct vl_mcp_mirror_field *fields[VL_MCP_MIRROR_MAX];
};

/* What an argument is when it is repeated, which is told by the value itself:
 * whether the schema wants that kind is the schema's business. */
struct vl_mcp_mirror_argument {
    enum {
        VL_MCP_MIRROR_NOTHING,
        VL_MCP_MIRROR_TEXT,
        VL_MCP_MIRROR_INTEGER,
        VL_MCP_MIRROR_OUT_OF_RANGE
    } kind;
    struct vl_str text;
    int64_t number;
};
struct vl_mcp_mirror_argument
vl_mcp_mirror_argument(const struct vl_mcp_mirror_field *field,
                       const struct json_t *arguments);

#endif
