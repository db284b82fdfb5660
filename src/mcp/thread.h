/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate to the thread of a server: what other threads do with a call they
 * do through it, one after the other, and wait until it is done. So the rest
 * of mcp/ knows one thread alone.
 */
#ifndef VL_MCP_THREAD_H
#define VL_MCP_THREAD_H

#include "io/loop.h"

struct vl_mcp_gate;

/* Closed, with one hold. */
struct vl_mcp_gate *vl_mcp_gate_new(void);
/* Until it is closed again; the loop outlives that. */
void vl_mcp_gate_open(struct vl_mcp_gate *gate, struct vl_loop *loop);
bool vl_mcp_gate_is_open(struct vl_mcp_gate *gate); /* from any thread */
void vl_mcp_gate_hold(struct vl_mcp_gate *gate);
void vl_mcp_gate_release(struct vl_mcp_gate *gate); /* NULL is fine */
/* On the loop's thread, before a call can be handed to another. */
void vl_mcp_gate_settle(struct vl_mcp_gate *gate);
/* On the loop's thread; what is on its way still runs when the loop delivers
 * it. */
void vl_mcp_gate_close(struct vl_mcp_gate *gate);

/* Is this the loop's thread? */
bool vl_mcp_gate_is_home(const struct vl_mcp_gate *gate);
/* Runs it on the loop's thread, at once if this is it, and returns when it has
 * run. Closed: it runs here, since nobody else is there any more. */
void
vl_mcp_gate_do(struct vl_mcp_gate *gate, void (*run)(void *ctx), void *ctx);
/* Runs it there soon; false when it is closed. */
bool
vl_mcp_gate_post(struct vl_mcp_gate *gate, void (*run)(void *ctx), void *ctx);

#endif
