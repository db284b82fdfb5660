/* SPDX-License-Identifier: Apache-2.0 */
#include "io/network.h"

#include "io/address.h"

#define MAPPED_BITS 96 /* ::ffff:0:0/96 is IPv4 */

static const unsigned char mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

_Static_assert(VL_ADDRESS_SIZE == INET6_ADDRSTRLEN, "addresses as text");

/* `ret_is_v4`: it was written as IPv4. */
static bool
to_bytes(const char *text, unsigned char ret[16], bool *ret_is_v4)
{
    union vl_address address;
    if (vl_address_parse(text, 0, &address, NULL) != VALET_OK)
        return false;
    *ret_is_v4 = address.any.sa_family == AF_INET;
    if (*ret_is_v4) {
        memcpy(ret, mapped, sizeof mapped);
        memcpy(ret + sizeof mapped, &address.v4.sin_addr, 4);
    } else {
        memcpy(ret, &address.v6.sin6_addr, 16);
    }
    return true;
}

/* As C text; false when it is too long for an address. */
static bool
to_text(struct vl_str s, char ret[VL_ADDRESS_SIZE])
{
    if (s.n >= VL_ADDRESS_SIZE || vl_str_has(s, '\0'))
        return false;
    if (s.n)
        memcpy(ret, s.p, s.n);
    ret[s.n] = '\0';
    return true;
}

static bool
is_set(const unsigned char bytes[16], unsigned bit)
{
    return (bytes[bit / 8] >> (7 - bit % 8)) & 1;
}

bool
vl_network_parse(struct vl_str text, struct vl_network *ret)
{
    struct vl_network network = {.bits = 128};
    char address[VL_ADDRESS_SIZE];
    uint64_t bits;
    bool is_v4;
    size_t slash = vl_str_index(text, '/');
    if (!to_text(vl_str_head(text, slash), address) ||
        !to_bytes(address, network.prefix, &is_v4))
        return false;
    if (slash < text.n) {
        if (!vl_str_u64(vl_str_from(text, slash + 1), is_v4 ? 32 : 128, &bits))
            return false;
        network.bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
    }
    for (unsigned bit = network.bits; bit < 128; bit++)
        if (is_set(network.prefix, bit))
            return false;
    *ret = network;
    return true;
}

static bool
begins_as(const unsigned char bytes[16], const struct vl_network *network)
{
    for (unsigned bit = 0; bit < network->bits; bit++)
        if (is_set(bytes, bit) != is_set(network->prefix, bit))
            return false;
    return true;
}

static bool
is_mapped(const unsigned char bytes[16])
{
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

/* An IPv6 network so wide that the mapped addresses are in it does not mean
 * them: whoever writes ::/64 thinks of no IPv4 address. */
bool
vl_network_has(const struct vl_network *network, const char *address)
{
    unsigned char bytes[16];
    bool is_v4;
    bool of_v4 = network->bits >= MAPPED_BITS && is_mapped(network->prefix);
    return to_bytes(address, bytes, &is_v4) && is_mapped(bytes) == of_v4 &&
           begins_as(bytes, network);
}

bool
vl_network_has_everybody(const struct vl_network *network)
{
    /* Of IPv6, what is given out (RFC 4291 section 2.4, IANA). */
    static const char *const everybody[] = {"0.0.0.0/0", "2000::/3"};
    struct vl_network all;
    for (size_t i = 0; i < VL_COUNT(everybody); i++)
        if (vl_network_parse(vl_str_z(everybody[i]), &all) &&
            network->bits <= all.bits && begins_as(all.prefix, network))
            return true;
    return false;
}

bool
vl_address_is_loopback(const char *address)
{
    static const char *const own[] = {"127.0.0.0/8", "::1"};
    struct vl_network network;
    for (size_t i = 0; i < VL_COUNT(own); i++)
        if (vl_network_parse(vl_str_z(own[i]), &network) &&
            vl_network_has(&network, address))
            return true;
    return false;
}

/* Of IANA's special-purpose registries: what is not, or may not be, reachable
 * for everybody, and what stands for another address. */
static const char *const special[] = {
    "0.0.0.0/8",       /* this network */
    "10.0.0.0/8",      /* private */
    "100.64.0.0/10",   /* shared: behind a provider's NAT */
    "127.0.0.0/8",     /* loopback */
    "169.254.0.0/16",  /* link-local; what clouds tell machines is there */
    "172.16.0.0/12",   /* private */
    "192.0.0.0/24",    /* protocol assignments */
    "192.0.2.0/24",    /* documentation */
    "192.88.99.0/24",  /* relays of 6to4 */
    "192.168.0.0/16",  /* private */
    "198.18.0.0/15",   /* benchmarks */
    "198.51.100.0/24", /* documentation */
    "203.0.113.0/24",  /* documentation */
    "224.0.0.0/4",     /* multicast */
    "240.0.0.0/4",     /* reserved, broadcast */
    "2001::/23",       /* protocol assignments; Teredo */
    "2001:db8::/32",   /* documentation */
    "2002::/16",       /* 6to4: stands for an IPv4 address */
    "3fff::/20",       /* documentation */
};

/* All of IPv4, all of IPv6 that is given out: what is in neither (::1,
 * fc00::/7, fe80::/10, ff00::/8, …) is no unicast address of everybody's. */
static const char *const given_out[] = {"0.0.0.0/0", "2000::/3"};

static bool
is_in_one(const char *address, const char *const *networks, size_t count)
{
    struct vl_network network;
    for (size_t i = 0; i < count; i++)
        if (vl_network_parse(vl_str_z(networks[i]), &network) &&
            vl_network_has(&network, address))
            return true;
    return false;
}

/* RFC 6052 section 2.1: 64:ff9b::/96 and the address. False when it is none. */
static bool
unwrap_nat64(const char *address, char ret[VL_ADDRESS_SIZE])
{
    struct vl_network nat64;
    union vl_address inner = {.v4.sin_family = AF_INET};
    unsigned char bytes[16];
    bool is_v4;
    if (!vl_network_parse(VL_STR("64:ff9b::/96"), &nat64) ||
        !vl_network_has(&nat64, address) || !to_bytes(address, bytes, &is_v4))
        return false;
    memcpy(&inner.v4.sin_addr, bytes + 12, 4);
    vl_address_text(&inner, ret);
    return true;
}

bool
vl_address_is_public(const char *address)
{
    char inner[VL_ADDRESS_SIZE];
    if (unwrap_nat64(address, inner))
        address = inner;
    return is_in_one(address, given_out, VL_COUNT(given_out)) &&
           !is_in_one(address, special, VL_COUNT(special));
}

bool
vl_address_canonical(struct vl_str text, char ret[VL_ADDRESS_SIZE])
{
    char copy[VL_ADDRESS_SIZE];
    union vl_address address;
    if (!to_text(text, copy) ||
        vl_address_parse(copy, 0, &address, NULL) != VALET_OK)
        return false;
    vl_address_text(&address, ret);
    return true;
}

bool
vl_host_is_below_localhost(struct vl_str host)
{
    static const struct vl_str suffix = {".localhost", 10};
    return host.n > suffix.n &&
           vl_str_ieq(vl_str_from(host, host.n - suffix.n), suffix);
}

bool
vl_host_is_public(struct vl_str host)
{
    char address[VL_ADDRESS_SIZE];
    return vl_address_canonical(host, address)
               ? vl_address_is_public(address)
               : !vl_str_ieq(host, VL_STR("localhost")) &&
                     !vl_host_is_below_localhost(host);
}
