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
ask(const struct vl_http_trust *trust, const struct vl_headers *headers,
    char ret[VL_ADDRESS_SIZE])
{
    char again[VL_ADDRESS_SIZE];
    VL_ASSERT(vl_forwarded_client(trust, PROXY, headers, ret));
    VL_ASSERT(vl_address_canonical(vl_str_z(ret), again));
    VL_ASSERT(strcmp(ret, again) == 0);
}

/* What our proxy writes counts, in a field of its own and in the client's:
 * no quote reaches so far. */
static void
check_behind(const struct vl_http_trust *trust, const char *name,
             struct vl_str value, const char *ours)
{
    char client[VL_ADDRESS_SIZE];
    struct vl_headers headers = {.count = 0};
    vl_auto(vl_buf) field = vl_buf_of(value.n + 64);
    VL_ASSERT(vl_headers_add(&headers, vl_str_z(name), value));
    VL_ASSERT(vl_headers_add(&headers, vl_str_z(name), vl_str_z(ours)));
    ask(trust, &headers, client);
    VL_ASSERT(strcmp(client, "2001:db9::9") == 0);
    vl_buf_add(&field, value);
    vl_buf_addf(&field, ", %s", ours);
    headers = (struct vl_headers){.count = 0};
    VL_ASSERT(vl_headers_add(&headers, vl_str_z(name), vl_buf_str(&field)));
    ask(trust, &headers, client);
    VL_ASSERT(strcmp(client, "2001:db9::9") == 0);
}

static void
check(const struct vl_http_trust *trust, const char *name, struct vl_str value)
{
    char client[VL_ADDRESS_SIZE];
    struct vl_headers headers = {.count = 0};
    VL_ASSERT(vl_headers_add(&headers, vl_str_z(name), value));
    ask(trust, &headers, client);
    if (strcmp(name, "forwarded") != 0) {
        check_behind(trust, name, value, "2001:db9::9");
        return;
    }
    check_behind(trust, name, value, "for=\"[2001:db9::9]:80\"");
    check_behind(trust, name, value, "proto=https;for=\"[2001:db9::9]\"");
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
