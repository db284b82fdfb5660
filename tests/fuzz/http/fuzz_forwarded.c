/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a proxy passes on, the client is an address; and what is written to
 * the left of what our proxy wrote changes nothing.
 */
#include "core/buf.h"
#include "http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROXY "10.0.0.1"

static void
check(const struct vl_http_trust *trust, const char *name, struct vl_str value)
{
    char client[VL_ADDRESS_SIZE], again[VL_ADDRESS_SIZE];
    struct vl_headers headers = {.count = 0};
    VL_ASSERT(vl_headers_add(&headers, vl_str_z(name), value));
    VL_ASSERT(vl_forwarded_client(trust, PROXY, &headers, client));
    VL_ASSERT(vl_address_canonical(vl_str_z(client), again));
    VL_ASSERT(strcmp(client, again) == 0);
    /* In a field of its own: not even an open quote reaches so far. */
    bool is_pair = strcmp(name, "forwarded") == 0;
    VL_ASSERT(vl_headers_add(&headers, vl_str_z(name),
                             is_pair ? VL_STR("for=192.0.2.9")
                                     : VL_STR("192.0.2.9")));
    VL_ASSERT(vl_forwarded_client(trust, PROXY, &headers, client));
    VL_ASSERT(strcmp(client, "192.0.2.9") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_network proxy;
    struct vl_str value = vl_str_of(data, size);
    VL_ASSERT(vl_network_parse(VL_STR("10.0.0.0/8"), &proxy));
    const struct vl_http_trust trust = {.proxies = &proxy, .proxy_count = 1};
    check(&trust, "x-forwarded-for", value);
    check(&trust, "forwarded", value);
    return 0;
}
