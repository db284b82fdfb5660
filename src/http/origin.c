/* SPDX-License-Identifier: Apache-2.0 */
#include "http/origin.h"

#define ALLOWED_METHODS "GET, POST, DELETE, OPTIONS"
#define ALLOWED_HEADERS                                                        \
    "authorization, content-type, accept, mcp-protocol-version, "              \
    "mcp-session-id, last-event-id, mcp-method, mcp-name"
#define EXPOSED_HEADERS                                                        \
    "mcp-session-id, www-authenticate, mcp-protocol-version, "                 \
    "last-event-id, x-correlation-id"
/* What ALLOWED_HEADERS may become by arguments that headers repeat. */
#define ALLOWED_HEADERS_MAX 4096

/* --- Host --- */

static void
add_host(struct vl_origin_rules *rules, struct vl_str name, unsigned port)
{
    VL_ASSERT(rules->host_count < VL_COUNT(rules->hosts));
    char *host = rules->hosts[rules->host_count++];
    if (port)
        (void)snprintf(host, VL_HOST_SIZE, VL_STR_FMT ":%u", VL_STR_ARG(name),
                       port);
    else
        (void)snprintf(host, VL_HOST_SIZE, VL_STR_FMT, VL_STR_ARG(name));
}

void
vl_origin_rules_init(struct vl_origin_rules *ret, const char *url,
                     unsigned port)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    struct vl_url parsed;
    *ret = (struct vl_origin_rules){.url = url};
    if (vl_url_parse(vl_str_z(url), &parsed, NULL) != VALET_OK)
        return;
    struct vl_str authority = vl_str_from(parsed.origin, parsed.scheme.n + 3);
    bool has_port = !vl_str_ends(authority, parsed.host) && !parsed.is_ipv6;
    add_host(ret, authority, 0);
    if (!has_port && !parsed.is_ipv6)
        add_host(ret, authority, parsed.port);
    ret->is_https = vl_url_is_https(&parsed);
    /* Behind a proxy nobody who means us says "localhost". */
    ret->is_loopback = vl_url_is_loopback(&parsed);
    for (size_t i = 0; ret->is_loopback && i < VL_COUNT(names); i++)
        add_host(ret, vl_str_z(names[i]), port);
}

/* @spec SB-14 W-22 S-58: a rebound DNS name is none of them. */
bool
vl_origin_is_our_host(const struct vl_origin_rules *rules, struct vl_str host)
{
    for (size_t i = 0; i < rules->host_count; i++)
        if (vl_str_ieq(host, vl_str_z(rules->hosts[i])))
            return true;
    return false;
}

/* --- Origin --- */

static bool
is_same(struct vl_str origin, const char *allowed)
{
    struct vl_url a, b;
    return vl_url_parse(origin, &a, NULL) == VALET_OK &&
           vl_url_parse(vl_str_z(allowed), &b, NULL) == VALET_OK &&
           vl_url_same_origin(&a, &b);
}

/*
 * Pages of our own, of the allowed origins, and, when our URL is a loopback,
 * pages of the same computer (an inspector in the browser). A foreign page that
 * found us by DNS rebinding has a foreign origin still.
 */
static bool
is_allowed(const struct vl_origin_rules *rules, struct vl_str origin)
{
    struct vl_url url;
    /* An origin has no path (RFC 6454 section 7); what has one is none. */
    if (vl_url_parse(origin, &url, NULL) != VALET_OK || url.path.n ||
        url.has_query)
        return false;
    if (is_same(origin, rules->url))
        return true;
    for (size_t i = 0; i < rules->allowed_count; i++)
        if (is_same(origin, rules->allowed[i]))
            return true;
    return rules->is_loopback && vl_url_is_loopback(&url);
}

enum vl_origin
vl_origin_judge(const struct vl_origin_rules *rules,
                const struct vl_headers *headers, struct vl_str *ret)
{
    size_t count = vl_headers_find(headers, VL_STR("origin"), ret);
    if (count == 0)
        return VL_ORIGIN_NONE;
    return count == 1 && is_allowed(rules, *ret) ? VL_ORIGIN_ALLOWED
                                                 : VL_ORIGIN_FOREIGN;
}

/* --- CORS --- */

/* @spec HT-02: on every answer, errors included. */
void
vl_cors_allow(struct vl_exchange *x, struct vl_str origin)
{
    vl_exchange_add_header(x, "Access-Control-Allow-Origin", origin);
    vl_exchange_add_header(x, "Access-Control-Expose-Headers",
                           VL_STR(EXPOSED_HEADERS));
    vl_exchange_add_header(x, "Vary", VL_STR("Origin"));
}

bool
vl_cors_is_preflight(const struct vl_http_request *request)
{
    return vl_str_eqz(request->method, "OPTIONS") &&
           vl_headers_count(&request->headers,
                            "access-control-request-method") == 1;
}

/* Mcp-Param-NAME, in which clients repeat an argument: which names there are
 * depends on the tools. */
static bool
is_param(struct vl_str name)
{
    static const struct vl_str prefix = {"mcp-param-", 10};
    if (name.n <= prefix.n || !vl_str_ieq(vl_str_head(name, prefix.n), prefix))
        return false;
    for (size_t i = prefix.n; i < name.n; i++)
        if (!vl_is_letter(name.p[i]) && !vl_is_digit(name.p[i]) &&
            !memchr("!#$%&'*+-.^_`|~", name.p[i], 15))
            return false;
    return true;
}

static void
add_params(const struct vl_http_request *request, struct vl_buf *out)
{
    struct vl_str rest = vl_headers_get(&request->headers,
                                        "access-control-request-headers"),
                  name;
    while (vl_str_split(&rest, ',', &name)) {
        name = vl_str_trim(name);
        if (!is_param(name) ||
            vl_buf_size(out) + name.n + 2 > ALLOWED_HEADERS_MAX)
            continue;
        vl_buf_addz(out, ", ");
        vl_buf_add(out, name);
    }
}

void
vl_cors_reply_preflight(struct vl_exchange *x)
{
    vl_auto(vl_buf) headers = vl_buf_of(ALLOWED_HEADERS_MAX);
    struct vl_reply reply = {.status = 204};
    vl_buf_addz(&headers, ALLOWED_HEADERS);
    add_params(vl_exchange_request(x), &headers);
    vl_reply_add(&reply, "Access-Control-Allow-Methods",
                 VL_STR(ALLOWED_METHODS));
    vl_reply_add(&reply, "Access-Control-Allow-Headers", vl_buf_str(&headers));
    vl_reply_add(&reply, "Access-Control-Max-Age", VL_STR("600"));
    vl_exchange_reply(x, &reply);
}
