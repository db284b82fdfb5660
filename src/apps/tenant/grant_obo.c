/* SPDX-License-Identifier: Apache-2.0
 *
 * On behalf of: an API shows the token that was sent to it, and gets one for
 * the next API in the name of the same person (entra-wire 1.10).
 */
#include "apps/tenant/grant.h"

#include "jose/jwt.h"
#include "json/read.h"

/* A token for this application, of either version. */
static bool
is_for(const struct json_t *claims, const struct vl_tenant_app *app)
{
    struct vl_str aud = vl_json_get_str(claims, "aud");
    return vl_str_eqz(aud, app->id) || (app->uri && vl_str_eqz(aud, app->uri));
}

/* Whose token is it? Id tokens have no scope, and applications are nobody. */
static unsigned
check_kind(const struct json_t *claims)
{
    if (vl_str_eqz(vl_json_get_str(claims, "idtyp"), "app"))
        return 7000114;
    return vl_json_get_str(claims, "scp").n ? 0 : 240002;
}

/* In the arena, where a grant that stands on no shelf may have it; NULL when
 * there are none. */
static char *
join_acrs(const struct vl_tenant_call *call, const struct json_t *claims)
{
    const struct json_t *list = vl_json_get(claims, "acrs");
    const char *acrs = "";
    for (size_t i = 0; i < vl_json_size(list); i++) {
        struct vl_str word = vl_json_str(vl_json_at(list, i));
        acrs = vl_tenant_acrs_join(
            call, acrs, vl_tenant_format(call, VL_STR_FMT, VL_STR_ARG(word)));
    }
    size_t size = strlen(acrs) + 1;
    char *copy = vl_arena_alloc(call->arena, size);
    if (copy)
        memcpy(copy, acrs, size);
    return copy;
}

/* The epoch that claims.c put into "1.EPOCH.…" */
static unsigned
epoch_of(const struct json_t *claims)
{
    struct vl_str rest = vl_str_from(vl_json_get_str(claims, "rh"), 2);
    uint64_t value = UINT32_MAX;
    if (!vl_str_u64(vl_str_head(rest, vl_str_index(rest, '.')), UINT32_MAX,
                    &value))
        return UINT32_MAX;
    return (unsigned)value;
}

static unsigned
read_claims(struct vl_tenant_redemption *r, const struct json_t *claims)
{
    struct vl_tenant_call *call = r->call;
    int64_t exp, now = vl_tenant_now(call) / 1000;
    struct vl_str oid = vl_json_get_str(claims, "oid");
    if (!is_for(claims, r->client.app)) {
        struct vl_str aud = vl_json_get_str(claims, "aud");
        r->detail = vl_tenant_format(call, "It is for '" VL_STR_FMT "'.",
                                     VL_STR_ARG(aud));
        return 500131;
    }
    if (!vl_json_get_int(claims, "exp", &exp) || now >= exp)
        return 500133;
    unsigned code = check_kind(claims);
    if (code)
        return code;
    const struct vl_tenant_user *user =
        vl_tenant_find_user(call->tenant->data, oid);
    if (!oid.n || !user || !vl_str_eqz(oid, user->id))
        return 50013;
    if (call->realm && call->realm != user->realm)
        return 50020;
    struct vl_tenant_grant *grant = vl_arena_alloc(call->arena, sizeof *grant);
    if (!grant)
        return 90033;
    grant->user = user;
    grant->app = r->client.app;
    grant->realm = user->realm;
    grant->epoch = epoch_of(claims);
    grant->signed_in = now;
    grant->acrs = join_acrs(call, claims);
    r->grant = grant;
    return 0;
}

static unsigned
read_assertion(struct vl_tenant_redemption *r, struct vl_str assertion)
{
    vl_auto(vl_json) claims = {NULL};
    if (vl_jwt_verify(assertion, r->call->tenant->keys.published, &claims,
                      NULL) != VALET_OK)
        return 50013;
    return read_claims(r, claims.root);
}

/* @spec entra-wire 2.7 */
unsigned
vl_tenant_redeem_assertion(struct vl_tenant_redemption *r)
{
    struct vl_str assertion, use, scope;
    if (r->client.proof == VL_TENANT_BY_NOTHING)
        return 7000218;
    unsigned code = vl_tenant_require(r, "assertion", &assertion);
    if (!code)
        code = vl_tenant_require(r, "requested_token_use", &use);
    if (!code)
        code = vl_tenant_require(r, "scope", &scope);
    if (code)
        return code;
    if (!vl_str_eqz(use, "on_behalf_of")) {
        r->detail = "It is requested_token_use.";
        return 90023;
    }
    code = read_assertion(r, assertion);
    if (!code)
        code = vl_tenant_check_person(r);
    r->is_first = true;
    return code ? code : vl_tenant_grant_scopes(r, scope, false);
}
