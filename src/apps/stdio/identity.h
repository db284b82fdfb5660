/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the server behind the gate who is signed in, over a pipe that it
 * inherits: one line of JSON each time that changes, written before the message
 * that needs it (docs/local-gate.md). A server that never reads it holds nobody
 * up: what does not fit waits here, and of what waits only the newest is kept.
 */
#ifndef VL_APPS_STDIO_IDENTITY_H
#define VL_APPS_STDIO_IDENTITY_H

#include "io/loop.h"
#include "valet/entra.h"

/* The variable that names its descriptor, which is no secret. */
#define VL_IDENTITY_VARIABLE "MCP_VALET_IDENTITY_FD"

struct vl_identity;

/* `fd` is moved, and does not wait. */
struct vl_identity *
vl_identity_new(struct vl_loop *loop, int fd, bool gives_token);
void
vl_identity_tell(struct vl_identity *identity, const valet_auth_result *who);
void vl_identity_free(struct vl_identity *identity); /* NULL is fine */

#endif
