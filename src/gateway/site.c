/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a request before anybody looks at its content: Host, Origin,
 * CORS preflight, then the route. The order is what makes it safe (@spec
 * SB-14 HT-01 HT-02; research: mcp-requirements 2.1).
 */
#include "gateway/private.h"
#include "http/url.h"
#include "web/page.h"

#define ALLOWED_METHODS "GET, POST, DELETE, OPTIONS"
#define ALLOWED_HEADERS                                                        \
    "authorization, content-type, accept, mcp-protocol-version, "              \
    "mcp-session-id, last-event-id, mcp-method, mcp-name"
#define EXPOSED_HEADERS                                                        \
    "mcp-session-id, www-authenticate, mcp-protocol-version, "                 \
    "last-event-id, x-correlation-id"

/* @spec SB-14 W-22 S-58: the names this server goes by; a rebound DNS name is
 * none of them. */
static bool
is_our_host(const struct vl_gateway *gateway, struct vl_str host)
{
    for (size_t i = 0; i < gateway->host_count; i++)
        if (vl_str_ieq(host, vl_str_z(gateway->hosts[i])))
            return true;
    return false;
}

static void
add_host(struct vl_gateway *gateway, struct vl_str name, unsigned port)
{
    VL_ASSERT(gateway->host_count < VL_COUNT(gateway->hosts));
    char *host = gateway->hosts[gateway->host_count++];
    if (port)
        (void)snprintf(host, VL_HOST_SIZE, VL_STR_FMT ":%u", VL_STR_ARG(name),
                       port);
    else
        (void)snprintf(host, VL_HOST_SIZE, VL_STR_FMT, VL_STR_ARG(name));
}

void
vl_gateway_name_hosts(struct vl_gateway *gateway)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    struct vl_url url;
    if (vl_url_parse(vl_str_z(gateway->url), &url, NULL) != VALET_OK)
        return;
    struct vl_str authority = vl_str_from(url.origin, url.scheme.n + 3);
    bool has_port = !vl_str_ends(authority, url.host) && !url.is_ipv6;
    add_host(gateway, authority, 0);
    if (!has_port && !url.is_ipv6)
        add_host(gateway, authority, url.port);
    /* Behind a proxy nobody who means us says "localhost". */
    gateway->is_loopback = vl_url_is_loopback(&url);
    gateway->is_strict = vl_url_is_https(&url) && !gateway->is_loopback;
    for (size_t i = 0; gateway->is_loopback && i < VL_COUNT(names); i++)
        add_host(gateway, vl_str_z(names[i]), gateway->port);
}

static bool
is_same_origin(struct vl_str origin, const char *allowed)
{
    struct vl_url a, b;
    return vl_url_parse(origin, &a, NULL) == VALET_OK &&
           vl_url_parse(vl_str_z(allowed), &b, NULL) == VALET_OK &&
           vl_url_same_origin(&a, &b);
}

/*
 * Pages of our own, of the configured origins, and, when public_url is a
 * loopback, pages of the same computer (an inspector in the browser). A foreign
 * page that found us by DNS rebinding has a foreign origin still.
 */
static bool
is_allowed_origin(const struct vl_gateway *gateway, struct vl_str origin)
{
    struct vl_url url;
    /* An origin has no path (RFC 6454 section 7); what has one is none. */
    if (vl_url_parse(origin, &url, NULL) != VALET_OK || url.path.n ||
        url.has_query)
        return false;
    if (is_same_origin(origin, gateway->url))
        return true;
    for (size_t i = 0; i < gateway->conf->allowed_origin_count; i++)
        if (is_same_origin(origin, gateway->conf->allowed_origins[i]))
            return true;
    return gateway->is_loopback && vl_url_is_loopback(&url);
}

/* Browsers send "null" from pages that ask for no referrer, as ours do; the
 * consent form has its own protection against forged posts. */
static bool
is_own_form(const struct vl_http_request *request)
{
    struct vl_str origin = vl_headers_get(&request->headers, "origin");
    struct vl_str site = vl_headers_get(&request->headers, "sec-fetch-site");
    return vl_str_eqz(origin, "null") && vl_str_eqz(site, "same-origin");
}

static void
refuse(struct vl_gateway *gateway, struct vl_exchange *x, const char *reason)
{
    vl_audit(gateway->audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_REQUEST_REJECT,
                                      .refused = true,
                                      .reason = reason,
                                      .peer = vl_exchange_request(x)->peer});
    vl_exchange_reply(
        x, &(struct vl_reply){.status = 403,
                              .type = "application/json",
                              .body = VL_STR("{\"error\":\"forbidden\"}\n")});
}

/* @spec HT-02: CORS for allowed origins, on every answer, errors included.
 * Never for the pages: no script has business there. */
static void
allow_origin(struct vl_exchange *x, struct vl_str origin)
{
    vl_exchange_add_header(x, "Access-Control-Allow-Origin", origin);
    vl_exchange_add_header(x, "Access-Control-Expose-Headers",
                           VL_STR(EXPOSED_HEADERS));
    vl_exchange_add_header(x, "Vary", VL_STR("Origin"));
}

static bool
is_preflight(const struct vl_http_request *request)
{
    return vl_str_eqz(request->method, "OPTIONS") &&
           vl_headers_count(&request->headers,
                            "access-control-request-method") == 1;
}

static void
reply_preflight(struct vl_exchange *x)
{
    struct vl_reply reply = {.status = 204};
    vl_reply_add(&reply, "Access-Control-Allow-Methods",
                 VL_STR(ALLOWED_METHODS));
    vl_reply_add(&reply, "Access-Control-Allow-Headers",
                 VL_STR(ALLOWED_HEADERS));
    vl_reply_add(&reply, "Access-Control-Max-Age", VL_STR("600"));
    vl_exchange_reply(x, &reply);
}

static bool
is_page(struct vl_str path)
{
    return vl_str_starts(path, VL_STR("/authorize")) ||
           vl_str_starts(path, VL_STR("/auth/")) || vl_str_eqz(path, "/");
}

/* @spec rule 4.4.13: with and without a final slash alike. */
static struct vl_door *
find_door(struct vl_lane *lane, struct vl_str path)
{
    if (vl_str_ends(path, VL_STR("/")))
        path.n--;
    for (size_t i = 0; i < lane->door_count; i++)
        if (vl_str_eqz(path, lane->doors[i].path))
            return &lane->doors[i];
    return NULL;
}

static void
reply_home(const struct vl_gateway *gateway, struct vl_exchange *x)
{
    struct vl_page page = {.asset = "home"};
    struct vl_reply reply = {.status = 200};
    vl_page_set(&page, "url", vl_str_z(gateway->resources[0].url));
    vl_page_reply(x, &page, &reply);
}

static void
route(struct vl_lane *lane, struct vl_exchange *x)
{
    size_t body_max;
    const struct vl_http_request *request = vl_exchange_request(x);
    struct vl_door *door = find_door(lane, request->path);
    if (door)
        vl_authn_admit(door, x);
    else if (vl_issuer_owns(lane->issuer, request->path, &body_max))
        vl_issuer_handle(lane->issuer, x);
    else if (vl_str_eqz(request->path, "/") &&
             vl_str_eqz(request->method, "GET"))
        reply_home(lane->gateway, x);
    else
        vl_exchange_reply(
            x, &(struct vl_reply){.status = 404,
                                  .type = "application/json",
                                  .body = VL_STR("{\"error\":\"not_found\"}"
                                                 "\n")});
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct vl_lane *lane = ctx;
    struct vl_gateway *gateway = lane->gateway;
    const struct vl_http_request *request = vl_exchange_request(x);
    struct vl_str origin;
    size_t origins =
        vl_headers_find(&request->headers, VL_STR("origin"), &origin);
    /* @spec S-96: RFC 6797; a year, and whoever ends it here has to say so. */
    if (gateway->is_strict)
        vl_exchange_add_header(x, "Strict-Transport-Security",
                               VL_STR("max-age=31536000"));
    if (!is_our_host(gateway, request->host)) {
        refuse(gateway, x, "foreign_host");
        return;
    }
    if (origins && !is_own_form(request)) {
        if (origins != 1 || !is_allowed_origin(gateway, origin)) {
            refuse(gateway, x, "foreign_origin");
            return;
        }
        if (!is_page(request->path))
            allow_origin(x, origin);
        if (is_preflight(request)) {
            reply_preflight(x);
            return;
        }
    }
    route(lane, x);
}

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    struct vl_lane *lane = ctx;
    size_t max = 0;
    uint64_t length;
    struct vl_str digits = vl_headers_get(&head->headers, "content-length");
    bool small = vl_str_u64(digits, VL_LIMIT_FORM_BODY, &length);
    /* Strangers do not fill our memory: a large message is only read from
     * somebody who brings a token that we made. Whether it is good is asked
     * when the message is here. */
    if (!small && find_door(lane, head->path) &&
        vl_authn_brings_token(lane, head))
        return VL_LIMIT_MCP_BODY;
    /* A small body where none belongs is read, so that the answer is about
     * what is wrong: a foreign Host or Origin, no such path, not this method.
     * Clients go on to the next place after 404, not after 413. */
    if (!vl_issuer_owns(lane->issuer, head->path, &max) || max == 0)
        max = VL_LIMIT_FORM_BODY;
    return max;
}

void
vl_lane_site(struct vl_lane *lane, struct vl_http_site *ret)
{
    *ret = (struct vl_http_site){body_max, handle, lane};
}
