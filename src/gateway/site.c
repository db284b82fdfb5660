/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a request before anybody looks at its content: Host, Origin,
 * CORS preflight, then the route. The order is what makes it safe (@spec
 * SB-14 HT-01 HT-02; research: mcp-requirements 2.1).
 */
#include "gateway/private.h"
#include "http/origin.h"
#include "web/page.h"

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
    enum vl_origin from =
        vl_origin_judge(&gateway->origins, &request->headers, &origin);
    /* @spec S-96: RFC 6797; a year, and whoever ends it here has to say so. */
    if (gateway->is_strict)
        vl_exchange_add_header(x, "Strict-Transport-Security",
                               VL_STR("max-age=31536000"));
    if (!vl_origin_is_our_host(&gateway->origins, request->host)) {
        refuse(gateway, x, "foreign_host");
        return;
    }
    if (from != VL_ORIGIN_NONE && !is_own_form(request)) {
        if (from != VL_ORIGIN_ALLOWED) {
            refuse(gateway, x, "foreign_origin");
            return;
        }
        /* Never for the pages: no script has business there. */
        if (!is_page(request->path))
            vl_cors_allow(x, origin);
        if (vl_cors_is_preflight(request)) {
            vl_cors_reply_preflight(x);
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
