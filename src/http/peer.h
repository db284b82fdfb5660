/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom to count a peer as, wherever somebody is allowed so much and no more:
 * an IPv4 address (also one that is mapped into IPv6), or the /64 network of
 * an IPv6 address, for whoever has one address of it has them all (@spec
 * S-64 W-29).
 */
#ifndef VL_HTTP_PEER_H
#define VL_HTTP_PEER_H

#include "core/str.h"

struct vl_peer_key {
    unsigned char bytes[16];
    size_t n;
};

/* What is no address has the empty key, and so is counted with all such. */
struct vl_peer_key vl_peer_key(const char *peer);

static inline struct vl_str
vl_peer_key_str(const struct vl_peer_key *key)
{
    return vl_str_of(key->bytes, key->n);
}

#endif
