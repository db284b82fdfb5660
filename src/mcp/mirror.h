/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers in which clients from 2026-07-28 on repeat what stands in the
 * body (@spec HT-78 … HT-85; SEP-2243): Mcp-Method, Mcp-Name, and Mcp-Param-…
 * of arguments whose schema has "x-mcp-header". Whoever stands in front may
 * route by them, so they have to say the same as the body; nothing here
 * believes them.
 */
#ifndef VL_MCP_MIRROR_H
#define VL_MCP_MIRROR_H

#include "core/buf.h"
#include "http/message.h"
#include "json/read.h"

/* Annotated properties of one schema. */
#define VL_MCP_MIRROR_MAX 32
/* A value, decoded. */
#define VL_MCP_MIRROR_VALUE_MAX 8192

struct vl_mcp_mirror;

/*
 * Which arguments of a tool with this input schema headers repeat; NULL when
 * none do. VALET_INVALID for an annotation that breaks HT-80: empty, no
 * 1*tchar, the same as another but for case, on something whose type is not one
 * of integer, string and boolean (a list of types is none), or not reached
 * through `properties` alone; and for one of more than 128 bytes or beyond
 * VL_MCP_MIRROR_MAX. Takes a share of the schema, which was read
 * with VL_LIMIT_JSON_DEPTH at most.
 */
valet_status
vl_mcp_mirror_new(const struct json_t *schema, struct vl_mcp_mirror **ret,
                  valet_error *err) VALET_CHECK;
void vl_mcp_mirror_free(struct vl_mcp_mirror *mirror); /* NULL is fine */

/*
 * Do the headers say what the arguments (an object, or NULL) say? NULL, or a
 * sentence for the client, which lives as long as the mirror. A header that is
 * missing, there twice, malformed or different fails (HT-84), and so does one
 * whose argument is absent or null (HT-82). Headers that no annotation names
 * are ignored (HT-86).
 *
 * Integers are compared as numbers: 42.0 is 42 in either, 4.2e1 only in the
 * body. Beyond 2^53 - 1 they fail. Arguments of a kind that no header repeats
 * (objects, arrays, fractions) have to come without one; they pass here, for
 * the schema refuses them in words that help a model.
 */
const char *vl_mcp_mirror_check(const struct vl_mcp_mirror *mirror,
                                const struct vl_headers *headers,
                                const struct json_t *arguments);

/* The same of Mcp-Method and, where the method has one, Mcp-Name ({NULL,0}:
 * it has none, then the header is ignored). `optional`: of a notification,
 * which may leave them out (HT-47). */
const char *vl_mcp_mirror_check_names(const struct vl_headers *headers,
                                      struct vl_str method, struct vl_str name,
                                      bool optional);

/* --- as a client --- */

/* Appends the text as a header says it: itself, or, where a header cannot carry
 * it or would be taken for something else, encoded (HT-83). */
void vl_mcp_mirror_encode(struct vl_str text, struct vl_buf *out);
/* Calls `add` for each header that has to be sent with these arguments (an
 * object, or NULL); the name lives as long as the mirror, the value until `add`
 * returns. */
void vl_mcp_mirror_write(
    const struct vl_mcp_mirror *mirror, const struct json_t *arguments,
    void (*add)(struct vl_str name, struct vl_str value, void *ctx), void *ctx);

#endif
