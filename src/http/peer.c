/* SPDX-License-Identifier: Apache-2.0 */
#include "http/peer.h"

#include <arpa/inet.h>

#define MAPPED_AT    12 /* in ::ffff:a.b.c.d */
#define ADDRESS_SIZE 4
#define NETWORK_SIZE 8

struct vl_peer_key
vl_peer_key(const char *peer)
{
    struct vl_peer_key key = {{0}, 0};
    struct in6_addr v6;
    if (inet_pton(AF_INET, peer, key.bytes) == 1) {
        key.n = ADDRESS_SIZE;
    } else if (inet_pton(AF_INET6, peer, &v6) == 1) {
        bool is_v4 = IN6_IS_ADDR_V4MAPPED(&v6);
        key.n = is_v4 ? ADDRESS_SIZE : NETWORK_SIZE;
        memcpy(key.bytes, v6.s6_addr + (is_v4 ? MAPPED_AT : 0), key.n);
    }
    return key;
}
