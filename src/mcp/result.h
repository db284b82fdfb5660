/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers answer, as each revision of MCP writes it.
 *
 *     result.c          results of tools, resources, prompts, completions
 *     result_content.c  what is in them: one block each
 *     welcome.c         what a server says about itself
 */
#ifndef VL_MCP_RESULT_H
#define VL_MCP_RESULT_H

#include "mcp/server.h"

struct vl_mcp_result_form {
    const struct vl_mcp_item *item; /* what was asked for */
    const char *uri;                /* that was read; or NULL */
    enum vl_mcp_version version;
};

/*
 * Writes the members of a CallToolResult, ReadResourceResult or
 * GetPromptResult, as the item's sort is, into an object that is open; from
 * 2026-07-28 on with "resultType":"complete" and, of resources, ttlMs and
 * cacheScope. NULL, or what is wrong with the result (then what was written is
 * of no use).
 */
const char *vl_mcp_result_write(struct vl_json_out *out,
                                const struct vl_mcp_result_form *form,
                                const valet_mcp_result *result);
/* The members of a CompleteResult: the first 100 values. */
void vl_mcp_result_write_completion(struct vl_json_out *out,
                                    enum vl_mcp_version version,
                                    const char *const *values, size_t count,
                                    size_t total);
/* The `content` of a tool's result: one text. */
void vl_mcp_result_write_text(struct vl_json_out *out, const char *text);
/* The member "_meta" that every result has from 2026-07-28 on: whose it is
 * (basic/index, "Per-response protocol fields"). */
void vl_mcp_result_write_meta(struct vl_json_out *out,
                              const struct vl_mcp_server *server,
                              enum vl_mcp_version version);
/* The members "capabilities" (what the shelves hold, for this revision) and,
 * up to 2025-11-25, "serverInfo" and "instructions" of an InitializeResult;
 * later the members of a DiscoverResult. */
void vl_mcp_result_write_welcome(struct vl_json_out *out,
                                 const struct vl_mcp_server *server,
                                 enum vl_mcp_version version);

/* --- for result.c --- */

/* One content block, into an object that is open (a member of an array, or of
 * a message). NULL, or what is wrong with it. */
const char *vl_mcp_content_write(struct vl_json_out *out,
                                 const struct vl_mcp_result_form *form,
                                 const valet_mcp_content *content);
/* What is in a resource: {"uri","mimeType","text"|"blob"}, likewise. */
const char *vl_mcp_content_write_resource(struct vl_json_out *out,
                                          const struct vl_mcp_result_form *form,
                                          const valet_mcp_content *content);

#endif
