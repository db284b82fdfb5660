/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: where the documents may lie, in the order in which they
 * are asked for. Without I/O.
 */
#ifndef VL_ACCESS_CANDIDATES_H
#define VL_ACCESS_CANDIDATES_H

#include "core/arena.h"
#include "http/url.h"

struct vl_candidates {
    const char *urls[3]; /* of the arena */
    size_t count;
};

/*
 * Of the protected resource (RFC 9728 section 3; @spec CL-02): where the
 * challenge said ("" if it did not), with the path inserted, at the root. What
 * finds no room in the arena is left out.
 */
void
vl_candidates_of_resource(const struct vl_url *server, const char *metadata_url,
                          struct vl_arena *arena, struct vl_candidates *ret);
/*
 * Of the authorization server (RFC 8414 section 3.1, OpenID Connect Discovery
 * section 4.1; @spec CL-03). With a path: oauth inserted, openid inserted,
 * openid appended; without: oauth, openid.
 */
void vl_candidates_of_issuer(const struct vl_url *issuer,
                             struct vl_arena *arena, struct vl_candidates *ret);

#endif
