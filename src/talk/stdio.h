/* SPDX-License-Identifier: Apache-2.0
 *
 * MCP over standard input and output, or two other descriptors: one message a
 * line (@spec ST-01 ST-02), one client, both eras side by side. Whoever started
 * the program is the caller; there is no sign-in (@spec RS-02).
 */
#ifndef VL_TALK_STDIO_H
#define VL_TALK_STDIO_H

#include "talk/endpoint.h"

struct vl_mcp_stdio;

/*
 * Serves the endpoint, which is for this client alone, until `on_end` was
 * called, once: the client is gone (or has closed its side), and this is still
 * to be freed.
 */
valet_status
vl_mcp_stdio_new(struct vl_mcp_endpoint *endpoint, struct vl_loop *loop, int in,
                 int out, void (*on_end)(void *ctx), void *ctx,
                 struct vl_mcp_stdio **ret, valet_error *err) VALET_CHECK;
/* Takes no more messages, cancels what is at work, writes what waits for at
 * most `ms`, then calls `done` once. */
void vl_mcp_stdio_finish(struct vl_mcp_stdio *stdio, int64_t ms,
                         void (*done)(void *ctx), void *ctx);
/* Before the endpoint. NULL is fine. */
void vl_mcp_stdio_free(struct vl_mcp_stdio *stdio);

#endif
