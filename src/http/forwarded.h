/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose request it is when it came through a proxy. Anybody can write
 * Forwarded (RFC 7239) and X-Forwarded-For; they are believed only as far as
 * proxies that we were told of have written them.
 */
#ifndef VL_HTTP_FORWARDED_H
#define VL_HTTP_FORWARDED_H

#include "http/message.h"
#include "io/network.h"

struct vl_http_trust {
    const struct vl_network *proxies; /* borrowed */
    size_t proxy_count;
    /* Nobody else may connect, but this machine itself. */
    bool proxies_only;
    /* Told when a connection or request is refused for it; may be NULL. */
    void (*refused)(const char *peer, const char *reason, void *ctx);
    void *ctx;
};

bool vl_http_is_proxy(const struct vl_http_trust *trust, const char *address);
/*
 * The client of a request that `peer`, one of the proxies, sends: the address
 * nearest to us that is no proxy's. Where a proxy does not say whom it speaks
 * for (or there is nobody before it) it is the proxy. False when the two
 * headers name different clients: one of them is not our proxy's.
 */
bool vl_forwarded_client(const struct vl_http_trust *trust, const char *peer,
                         const struct vl_headers *headers,
                         char ret[VL_ADDRESS_SIZE]);

#endif
