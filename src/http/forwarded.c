/* SPDX-License-Identifier: Apache-2.0 */
#include "http/forwarded.h"

/* More proxies than anybody has between a client and us. What is further to
 * the left was written by strangers anyway. */
#define HOPS_MAX 32

/* The last hops of a list, in a ring: hop `i` is at i % HOPS_MAX. */
struct hops {
    struct vl_str node[HOPS_MAX];
    size_t count;
};

bool
vl_http_is_proxy(const struct vl_http_trust *trust, const char *address)
{
    for (size_t i = 0; i < trust->proxy_count; i++)
        if (vl_network_has(&trust->proxies[i], address))
            return true;
    return false;
}

/* --- lists --- */

static bool
leaves_quote_open(struct vl_str s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (quoted && s.p[i] == '\\')
            i++;
    return quoted;
}

/* Like vl_str_split(), and with `quotes` not inside of "quoted text". */
static bool
split(struct vl_str *rest, char separator, bool quotes, struct vl_str *ret)
{
    if (!rest->p)
        return false;
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->n && (quoted || rest->p[i] != separator); i++)
        if (quotes && rest->p[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->p[i] == '\\')
            i++;
    i = i < rest->n ? i : rest->n;
    *ret = vl_str_trim(vl_str_head(*rest, i));
    *rest = i < rest->n ? vl_str_from(*rest, i + 1) : (struct vl_str){NULL, 0};
    return true;
}

/* RFC 7239 section 4: forwarded-element = [ pair ] *( ";" [ pair ] ) */
static struct vl_str
find_for(struct vl_str element, bool quotes)
{
    struct vl_str pair;
    while (split(&element, ';', quotes, &pair)) {
        size_t equals = vl_str_index(pair, '=');
        if (vl_str_ieq(vl_str_head(pair, equals), VL_STR("for")))
            return vl_str_from(pair, equals < pair.n ? equals + 1 : pair.n);
    }
    return (struct vl_str){NULL, 0};
}

/*
 * Proxies write behind what the client wrote. A quote that the client left
 * open must not take in what our proxy says: X-Forwarded-For has no quotes,
 * and a field of Forwarded in which one is open at the end has none either.
 */
static void
collect_field(struct vl_str field, bool has_pairs, struct hops *hops)
{
    bool quotes = has_pairs && !leaves_quote_open(field);
    struct vl_str element;
    while (split(&field, ',', quotes, &element))
        hops->node[hops->count++ % HOPS_MAX] =
            has_pairs ? find_for(element, quotes) : element;
}

/* False when no header has this name. */
static bool
collect(const struct vl_headers *headers, const char *name, bool has_pairs,
        struct hops *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < headers->count; i++)
        if (vl_str_ieq(headers->items[i].name, vl_str_z(name)))
            collect_field(headers->items[i].value, has_pairs, ret);
    return vl_headers_count(headers, name) > 0;
}

/* --- nodes --- */

/*
 * RFC 7239 section 6: an address, in brackets if it is IPv6, with a port or
 * without, in quotes or not. X-Forwarded-For has the same and, without a
 * port, bare IPv6. Names such as "unknown" and "_hidden" are no address.
 */
static bool
read_node(struct vl_str node, char ret[VL_ADDRESS_SIZE])
{
    if (node.n >= 2 && node.p[0] == '"' && node.p[node.n - 1] == '"')
        node = vl_str_of(node.p + 1, node.n - 2);
    size_t colon = vl_str_index(node, ':');
    if (node.n && node.p[0] == '[') {
        size_t close = vl_str_index(node, ']');
        struct vl_str after =
            vl_str_from(node, close < node.n ? close + 1 : node.n);
        if (close == node.n || (after.n && after.p[0] != ':'))
            return false;
        node = vl_str_of(node.p + 1, close - 1);
    } else if (colon < node.n && !vl_str_has(vl_str_from(node, colon + 1), ':'))
        node = vl_str_head(node, colon);
    return vl_address_canonical(node, ret);
}

static void
walk(const struct vl_http_trust *trust, const char *peer,
     const struct hops *hops, char ret[VL_ADDRESS_SIZE])
{
    size_t known = hops->count < HOPS_MAX ? hops->count : HOPS_MAX;
    char next[VL_ADDRESS_SIZE];
    (void)snprintf(ret, VL_ADDRESS_SIZE, "%s", peer);
    for (size_t i = 1; i <= known && vl_http_is_proxy(trust, ret); i++) {
        if (!read_node(hops->node[(hops->count - i) % HOPS_MAX], next))
            return;
        memcpy(ret, next, sizeof next);
    }
}

bool
vl_forwarded_client(const struct vl_http_trust *trust, const char *peer,
                    const struct vl_headers *headers, char ret[VL_ADDRESS_SIZE])
{
    struct hops hops;
    char other[VL_ADDRESS_SIZE];
    bool has_x = collect(headers, "x-forwarded-for", false, &hops);
    walk(trust, peer, &hops, ret);
    if (!collect(headers, "forwarded", true, &hops))
        return true;
    walk(trust, peer, &hops, other);
    /* A proxy that writes one of them may pass on the other one as it came,
     * from whoever would like to be somebody else. */
    if (has_x && strcmp(ret, other) != 0)
        return false;
    memcpy(ret, other, sizeof other);
    return true;
}
