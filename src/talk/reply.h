/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of HTTP itself, without a post: what is refused before anybody knows
 * what it means, and what needs no waiting.
 */
#ifndef VL_TALK_REPLY_H
#define VL_TALK_REPLY_H

#include "talk/event.h"

/* `application/json`, never cached. `session` is NULL or a new one's id. */
void vl_mcp_reply(struct vl_exchange *x, int status, struct vl_str json,
                  const char *session);
/* The same for clients that accept nothing but an event stream. */
void vl_mcp_reply_event(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                        struct vl_str json, const char *session);
/* A status without a body, such as 202 and 204. */
void vl_mcp_reply_empty(struct vl_exchange *x, int status);
/* 405, with the methods that are allowed. */
void vl_mcp_refuse_method(struct vl_exchange *x, const char *allow);
/* The id of what came in this exchange, as an error about it tells it. */
struct vl_rpc_id
vl_mcp_id_told(const struct vl_exchange *x, struct vl_rpc_id id);
/* Just the JSON-RPC error. @spec HT-73: with another code for a client of
 * 2026-07-28 where this one is of the older revisions. */
void vl_mcp_write_refusal(struct vl_buf *buf, const struct vl_exchange *x,
                          int status, struct vl_rpc_id id,
                          enum vl_rpc_code code, const char *message);
/* A JSON-RPC error; `id` is null where it could not be read. The code follows
 * from the status. */
void vl_mcp_reply_error(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                        int status, struct vl_rpc_id id, const char *message);

#endif
