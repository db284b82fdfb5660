/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of hosts to their addresses, as the system knows them (RFC 6724 order),
 * on threads that nobody waits for.
 */
#ifndef VL_IO_RESOLVE_H
#define VL_IO_RESOLVE_H

#include "io/loop.h"
#include "io/network.h"

/* More are not tried. */
#define VL_RESOLVE_MAX 8

struct vl_resolve;

/* Numeric addresses, the best first; none: the name is not known, or nobody
 * could be asked. Borrowed for the call. */
typedef void vl_resolve_done(const char (*addresses)[VL_ADDRESS_SIZE],
                             size_t count, void *ctx);
/* A numeric address is its own answer. */
struct vl_resolve *vl_resolve_start(struct vl_loop *loop, const char *host,
                                    vl_resolve_done *done, void *ctx);
/* Silences it; *resolve becomes NULL. NULL is fine. */
void vl_resolve_abort(struct vl_resolve **resolve);

#endif
