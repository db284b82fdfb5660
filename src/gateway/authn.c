/* SPDX-License-Identifier: Apache-2.0
 *
 * The bearer check (RFC 6750; @spec S-65 RS-04 RS-19): in front of every MCP
 * path, for every method, on every request. What a stranger sees is decided
 * here: no token, and all bad tokens alike.
 */
#include "gateway/private.h"
#include "guard/policy.h"
#include "mcp/server.h"
#include "oauth/scope.h"
#include "web/page.h"

/* Its longest parts: a token's scopes, those that all need, one permission,
 * and the URL of the metadata. */
#define CHALLENGE_MAX 4096

/* A request that waits for the store's word on its token. */
struct admission {
    struct vl_door *door;
    struct vl_exchange *x;
};

/* @spec RS-08 RS-09: one Bearer challenge, alone, with quoted values. */
static void
write_challenge(const struct vl_door *door, const char *error,
                const char *scope, struct vl_buf *out)
{
    vl_buf_addz(out, "Bearer realm=\"mcp-valet\"");
    if (error)
        vl_buf_addf(out, ", error=\"%s\"", error);
    vl_buf_addf(out, ", scope=\"%s\", resource_metadata=\"%s\"", scope,
                door->metadata);
}

/* Does a person look at this with a browser? (@spec S-84) */
static bool
is_browser(const struct vl_http_request *request)
{
    return vl_str_eqz(request->method, "GET") &&
           vl_headers_have_token(&request->headers, "accept", "text/html");
}

static void
reply_page(struct vl_door *door, struct vl_exchange *x, struct vl_reply *reply)
{
    struct vl_page page = {.asset = "sign-in-needed"};
    vl_page_set(&page, "url", vl_str_z(door->backend->resource->url));
    vl_page_reply(x, &page, reply);
}

/* A token with one byte more would be refused. */
static bool
has_room(struct vl_str scope, const void *ctx)
{
    const struct vl_buf *set = ctx;
    return vl_buf_size(set) + scope.n + 2 <= VL_SCOPES_SIZE;
}

void
vl_authn_add_scopes(struct vl_buf *set, const char *scopes)
{
    vl_scope_filter(set, vl_str_z(scopes), has_room, set);
}

/*
 * What a sign-in should ask for. Of a program's server: all its permissions,
 * of which a person gets those that he has. Asked for one by one they would
 * not be had: clients that hold a refresh token renew it, and give up, where
 * they should sign in again (the TypeScript SDK does, up to 1.32).
 */
static void
add_wanted_scopes(const struct vl_gateway *gateway, struct vl_buf *set)
{
    const struct vl_mcp_server *own = gateway->own;
    vl_authn_add_scopes(set, gateway->conf->required_scopes);
    for (unsigned i = 0; own && i < own->permission_count; i++)
        if (strcmp(own->permissions[i], VALET_MCP_ANY_CALLER) != 0)
            vl_authn_add_scopes(set, own->permissions[i]);
}

void
vl_authn_challenge(struct vl_door *door, struct vl_exchange *x, bool token_came)
{
    vl_auto(vl_buf) challenge = vl_buf_of(CHALLENGE_MAX);
    vl_auto(vl_buf) scopes = vl_buf_of(VL_SCOPES_SIZE);
    struct vl_reply reply = {.status = 401, .type = "application/json"};
    add_wanted_scopes(door->backend->lane->gateway, &scopes);
    /* RFC 6750 section 3: no error code when nothing was presented. */
    write_challenge(door, token_came ? "invalid_token" : NULL,
                    vl_buf_cstr(&scopes), &challenge);
    vl_reply_add(&reply, "WWW-Authenticate", vl_buf_str(&challenge));
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    if (!token_came && is_browser(vl_exchange_request(x))) {
        reply_page(door, x, &reply);
        return;
    }
    reply.body = token_came
                     ? VL_STR("{\"error\":\"invalid_token\",\"error_"
                              "description\":\"The access token is not valid; "
                              "sign in again.\"}\n")
                     : VL_STR("{\"error\":\"unauthorized\",\"error_"
                              "description\":\"This address needs an access "
                              "token; see WWW-Authenticate.\"}\n");
    vl_exchange_reply(x, &reply);
}

/* @spec RS-11 RS-12 */
void
vl_authn_forbid(struct vl_door *door, struct vl_exchange *x, const char *scope)
{
    vl_auto(vl_buf) challenge = vl_buf_of(CHALLENGE_MAX);
    struct vl_reply reply = {
        .status = 403,
        .type = "application/json",
        .body = VL_STR("{\"error\":\"insufficient_scope\",\"error_"
                       "description\":\"The access token does not allow "
                       "this.\"}\n")};
    write_challenge(door, "insufficient_scope", scope, &challenge);
    vl_reply_add(&reply, "WWW-Authenticate", vl_buf_str(&challenge));
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    vl_exchange_reply(x, &reply);
}

/* The answer carries the number under which the audit has the reason, so that
 * an operator finds the 401 that a user complains of (@spec S-94 S-98). */
static void
audit_refusal(struct vl_door *door, struct vl_exchange *x,
              enum vl_audit_kind kind, const char *reason,
              const struct vl_principal *who)
{
    char id[VL_UUID_SIZE];
    vl_uuid(id);
    struct vl_str kept = vl_arena_dup(vl_exchange_arena(x), vl_str_z(id));
    if (kept.n)
        vl_exchange_add_header(x, "X-Correlation-Id", kept);
    vl_audit(door->backend->lane->gateway->audit,
             &(struct vl_audit_event){.kind = kind,
                                      .refused = true,
                                      .reason = reason,
                                      .client = who ? &who->client : NULL,
                                      .user = who ? &who->user : NULL,
                                      .session = who ? who->session : NULL,
                                      .correlation = id,
                                      .peer = vl_exchange_request(x)->peer});
}

/* The token is good: is it good for enough? Then on to the MCP endpoint. */
static void
admit(struct vl_door *door, struct vl_exchange *x,
      const struct vl_principal *who)
{
    const char *required = door->backend->lane->gateway->conf->required_scopes;
    if (!vl_policy_has_scopes(vl_str_z(who->scopes), vl_str_z(required))) {
        audit_refusal(door, x, VL_AUDIT_RBAC_DENY, "insufficient_scope", who);
        vl_authn_forbid(door, x, required);
        return;
    }
    door->backend->lane->caller = who;
    door->handle(door->backend->endpoint, x, who);
    door->backend->lane->caller = NULL;
}

static void
refuse(struct vl_door *door, struct vl_exchange *x, const char *reason)
{
    audit_refusal(door, x, VL_AUDIT_BEARER_REJECT, reason, NULL);
    vl_authn_challenge(door, x, true);
}

/* A store that cannot answer is a no, but it says nothing about the token: a
 * 401 would send every client into a new sign-in. */
static void
defer(struct vl_door *door, struct vl_exchange *x, const char *reason)
{
    struct vl_reply reply = {
        .status = 503,
        .type = "application/json",
        .body = VL_STR("{\"error\":\"temporarily_unavailable\"}\n")};
    audit_refusal(door, x, VL_AUDIT_BEARER_REJECT, reason, NULL);
    vl_reply_add(&reply, "Retry-After", VL_STR("1"));
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    vl_exchange_reply(x, &reply);
}

static void
on_verdict(valet_status status, const struct vl_principal *who,
           const char *reason, void *ctx)
{
    struct admission *admission = ctx;
    if (status == VALET_OK)
        admit(admission->door, admission->x, who);
    else if (status == VALET_RETRY)
        defer(admission->door, admission->x, reason);
    else
        refuse(admission->door, admission->x, reason);
    free(admission);
}

/* b64token of RFC 6750 section 2.1. */
static bool
is_b64token(struct vl_str s)
{
    while (s.n && s.p[s.n - 1] == '=')
        s.n--;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c >= '0' && c <= '9');
        if (!alnum && !memchr("-._~+/", c, 6))
            return false;
    }
    return s.n > 0;
}

/*
 * credentials = "Bearer" 1*SP b64token. Exactly one Authorization header: two
 * could mean different things to different readers.
 */
static bool
read_token(struct vl_str value, struct vl_str *ret)
{
    if (!vl_str_ieq(vl_str_head(value, 7), VL_STR("Bearer ")))
        return false;
    *ret = vl_str_trim(vl_str_from(value, 7));
    return true;
}

bool
vl_authn_brings_token(const struct vl_lane *lane,
                      const struct vl_http_request *request)
{
    struct vl_str token;
    return read_token(vl_headers_get(&request->headers, "authorization"),
                      &token) &&
           vl_issuer_is_ours(lane->issuer, token);
}

void
vl_authn_admit(struct vl_door *door, struct vl_exchange *x)
{
    struct vl_issuer *issuer = door->backend->lane->issuer;
    const struct vl_http_request *request = vl_exchange_request(x);
    const struct vl_principal *who;
    const char *reason = "malformed";
    struct vl_str value, token,
        resource = vl_str_z(door->backend->resource->url);
    size_t count =
        vl_headers_find(&request->headers, VL_STR("authorization"), &value);
    if (count == 0) {
        audit_refusal(door, x, VL_AUDIT_AUTH_CHALLENGE, "no_token", NULL);
        vl_authn_challenge(door, x, false);
        return;
    }
    if (count != 1 || !read_token(value, &token)) {
        refuse(door, x, reason);
        return;
    }
    switch (vl_issuer_verdict(issuer, token, resource, &who, &reason)) {
    case VALET_OK:
        admit(door, x, who);
        return;
    case VALET_RETRY: {
        struct admission *admission = vl_alloc(sizeof *admission);
        *admission = (struct admission){door, x};
        vl_issuer_look_up(issuer, token, resource, on_verdict, admission);
        return;
    }
    default:
        /* Ours are b64tokens all: only of a refused one it is asked. */
        refuse(door, x, is_b64token(token) ? reason : "malformed");
    }
}
