/* SPDX-License-Identifier: Apache-2.0
 *
 * valet_mcp_serve_stdio() for programs of the house, whose handlers have work
 * of their own on the server's loop.
 */
#ifndef VL_TALK_SERVE_STDIO_H
#define VL_TALK_SERVE_STDIO_H

#include "io/loop.h"
#include "valet/mcp.h"

struct vl_mcp_around {
    /* Before the first message is read. */
    void (*begin)(struct vl_loop *loop, void *ctx);
    /* When all calls have ended, before the loop is freed. */
    void (*end)(void *ctx);
    void *ctx;
};

/* `around` may be NULL; borrowed. */
valet_status
vl_mcp_serve_stdio(valet_mcp_server *server, const struct vl_mcp_around *around,
                   valet_error *err) VALET_CHECK;

#endif
