/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/issuer.h"

#include "issuer/desk.h"
#include "oauth/error.h"
#include "web/page.h"

static void
reply_jwks(struct vl_req *req)
{
    /* We sign nothing: our tokens are opaque. Parsers of OpenID discovery
     * insist on the address all the same. */
    vl_oauth_reply(req->x, 200, VL_STR("{\"keys\":[]}"));
    vl_req_end(req);
}

/* Every door of the desk, in one place. */
static const struct route {
    const char *path, *allow;
    size_t body_max;
    bool is_page;
    void (*handle)(struct vl_req *req);
} routes[] = {
    {"/authorize", "GET, POST", VL_LIMIT_FORM_BODY, true, vl_desk_authorize},
    {"/authorize/consent", "POST", VL_LIMIT_FORM_BODY, true, vl_desk_consent},
    {"/auth/callback", "GET", 0, true, vl_desk_callback},
    {"/token", "POST", VL_LIMIT_FORM_BODY, false, vl_desk_token},
    {"/revoke", "POST", VL_LIMIT_FORM_BODY, false, vl_desk_revoke},
    {"/register", "POST", VL_LIMIT_FORM_BODY, false, vl_desk_register},
    {"/jwks", "GET, HEAD", 0, false, reply_jwks},
};

struct vl_issuer *
vl_issuer_new(const struct vl_issuer_deps *deps,
              const struct vl_issuer_config *config)
{
    struct vl_url url;
    struct vl_issuer *issuer = vl_alloc(sizeof *issuer);
    VL_ASSERT(config->resource_count > 0);
    VL_ASSERT(vl_url_parse(vl_str_z(config->issuer), &url, NULL) == VALET_OK);
    issuer->deps = *deps;
    issuer->config = config;
    issuer->base = url.path;
    issuer->is_secure = vl_url_is_https(&url);
    vl_list_init(&issuer->ops);
    vl_token_keys_init(&issuer->keys, deps->ring);
    issuer->limits = deps->limits;
    vl_documents_init(issuer);
    issuer->verdicts = vl_verdicts_new(issuer);
    issuer->leases = vl_leases_new(issuer);
    return issuer;
}

void
vl_issuer_free(struct vl_issuer *issuer)
{
    if (!issuer)
        return;
    vl_op_orphan_all(issuer);
    vl_leases_free(issuer->leases);
    vl_verdicts_free(issuer->verdicts);
    vl_documents_done(issuer);
    vl_token_keys_done(&issuer->keys);
    free(issuer);
}

static const struct route *
find_route(const struct vl_issuer *issuer, struct vl_str path)
{
    if (!vl_str_starts(path, issuer->base))
        return NULL;
    struct vl_str rest = vl_str_from(path, issuer->base.n);
    for (size_t i = 0; i < VL_COUNT(routes); i++)
        if (vl_str_eqz(rest, routes[i].path))
            return &routes[i];
    return NULL;
}

bool
vl_issuer_owns(const struct vl_issuer *issuer, struct vl_str path,
               size_t *ret_body_max)
{
    const struct route *route = find_route(issuer, path);
    if (!route && !vl_documents_owns(issuer, path))
        return false;
    *ret_body_max = route ? route->body_max : 0;
    return true;
}

static void
refuse_method(struct vl_exchange *x, const struct route *route)
{
    struct vl_reply reply = {.status = 405,
                             .type = "application/json",
                             .body = VL_STR("{\"error\":\"invalid_request\"}")};
    vl_oauth_headers(&reply, NULL);
    vl_reply_add(&reply, "Allow", vl_str_z(route->allow));
    vl_exchange_reply(x, &reply);
}

static bool
is_allowed(struct vl_str method, struct vl_str allow)
{
    struct vl_str item;
    while (vl_str_split(&allow, ',', &item))
        if (vl_str_eq(vl_str_trim(item), method))
            return true;
    return false;
}

/* @spec W-29: every door counts for itself. */
static bool
take_request(struct vl_issuer *issuer, const struct route *route,
             struct vl_exchange *x, int64_t *ret_wait_ms)
{
    vl_auto(vl_buf) key = vl_buf_of(128);
    struct vl_peer_key peer = vl_peer_key(vl_exchange_request(x)->peer);
    vl_buf_addu(&key, (uint64_t)(route - routes));
    vl_buf_addc(&key, ' ');
    vl_buf_add(&key, vl_peer_key_str(&peer));
    return vl_limiter_take(issuer->limits->requests, vl_buf_str(&key),
                           ret_wait_ms);
}

/* One audit line a minute for an address: a flood must not become one. */
static void
refuse_rate(struct vl_issuer *issuer, struct vl_exchange *x,
            const struct route *route, int64_t wait_ms)
{
    const char *peer = vl_exchange_request(x)->peer;
    struct vl_peer_key key = vl_peer_key(peer);
    if (vl_limiter_take(issuer->limits->refusals, vl_peer_key_str(&key), NULL))
        vl_audit(issuer->deps.audit,
                 &(struct vl_audit_event){.kind = VL_AUDIT_REQUEST_REJECT,
                                          .refused = true,
                                          .reason = "too_many_requests",
                                          .peer = peer});
    if (route->is_page)
        vl_page_error(x, 429, "Too many requests",
                      "Too much comes from your network address. Wait a "
                      "minute and start again in your program.",
                      NULL);
    else
        vl_oauth_reply_error(x, &(struct vl_oauth_error){
                                    .status = 429,
                                    .error = "temporarily_unavailable",
                                    .description = "too many requests",
                                    .retry_ms = wait_ms > 0 ? wait_ms : 1000});
}

void
vl_issuer_handle(struct vl_issuer *issuer, struct vl_exchange *x)
{
    const struct vl_http_request *in = vl_exchange_request(x);
    const struct route *route = find_route(issuer, in->path);
    int64_t wait_ms = 0;
    if (!route)
        vl_documents_reply(issuer, x);
    else if (!is_allowed(in->method, vl_str_z(route->allow)))
        refuse_method(x, route);
    else if (!take_request(issuer, route, x, &wait_ms))
        refuse_rate(issuer, x, route, wait_ms);
    else
        route->handle(vl_req_new(issuer, x, route->is_page));
}

void
vl_issuer_on_end(struct vl_issuer *issuer,
                 void (*ended)(const char *session, void *ctx), void *ctx)
{
    VL_ASSERT(issuer->ended_count < VL_COUNT(issuer->ended));
    issuer->ended[issuer->ended_count].call = ended;
    issuer->ended[issuer->ended_count].ctx = ctx;
    issuer->ended_count++;
}

void
vl_issuer_forget(struct vl_issuer *issuer, const char *session)
{
    vl_verdicts_forget(issuer->verdicts, session);
}
