/* SPDX-License-Identifier: Apache-2.0
 *
 * The token endpoint (entra-wire 2.7): redeeming codes and refresh tokens.
 * Unlike RFC 6819 wants it, a refresh token stays good after it was used;
 * this is how Entra does it.
 */
#include "apps/tenant/claims.h"
#include "apps/tenant/client.h"
#include "apps/tenant/consent.h"
#include "apps/tenant/route.h"

#include "core/enc.h"
#include "core/limits.h"
#include "crypto/digest.h"

#define REFRESH_MS   (90LL * 86400000)
#define LIFETIME_MIN 3600
#define LIFETIME_MAX 5400
#define CODE_PREFIX  "1.C"

struct redemption {
    struct vl_tenant_call *call;
    struct vl_tenant_client client;
    struct vl_tenant_grant *grant; /* borrowed from its shelf */
    struct vl_tenant_scopes scopes;
    const char *detail; /* of a refusal, or NULL */
    bool with_nonce;
};

static unsigned
draw_lifetime(const struct vl_tenant_data *data)
{
    uint16_t random;
    if (data->access_token_seconds)
        return data->access_token_seconds;
    vl_random(&random, sizeof random);
    return LIFETIME_MIN + random % (LIFETIME_MAX - LIFETIME_MIN + 1);
}

static unsigned
require(struct redemption *r, const char *name, struct vl_str *ret)
{
    *ret = vl_params_get(&r->call->form, name);
    if (ret->n)
        return 0;
    r->detail = vl_tenant_format(r->call, "It is %s.", name);
    return 900144;
}

/* @spec RFC 7636 4.6 */
static unsigned
check_verifier(const struct redemption *r)
{
    const struct vl_tenant_grant *grant = r->grant;
    struct vl_str verifier = vl_params_get(&r->call->form, "code_verifier");
    if (!grant->challenge)
        return verifier.n ? 501481 : 0;
    if (!verifier.n)
        return 50148;
    unsigned char hash[VL_SHA256_SIZE];
    vl_auto(vl_buf) made = vl_buf_of(64);
    vl_sha256(verifier, hash);
    vl_enc_base64url(&made, vl_str_of(hash, sizeof hash));
    struct vl_str wanted =
        grant->challenge_is_plain ? verifier : vl_buf_str(&made);
    return vl_str_same_secret(wanted, vl_str_z(grant->challenge)) ? 0 : 501481;
}

/* The person may have lost the right since the grant was given. */
static unsigned
check_person(const struct redemption *r)
{
    const struct vl_tenant_grant *grant = r->grant;
    if (grant->epoch != grant->user->epoch)
        return 50173;
    return grant->user->sign_in_error;
}

static unsigned
check_owner(const struct redemption *r)
{
    if (r->grant->app != r->client.app)
        return 70000;
    if (r->call->realm && r->call->realm != r->grant->realm)
        return 700005;
    return 0;
}

/* What is asked for now; without a word of it, what was asked for then. */
static unsigned
read_scopes(struct redemption *r, bool first_wins)
{
    struct vl_str asked = vl_str_trim(vl_params_get(&r->call->form, "scope"));
    struct vl_tenant_scope_rules rules = {
        .first_wins = first_wins,
        .resource = vl_params_get(&r->call->form, "resource")};
    unsigned code = vl_tenant_scopes_resolve(
        r->call, asked.n ? asked : vl_str_z(r->grant->scope), &rules,
        &r->scopes);
    if (code)
        return code;
    return vl_tenant_consent_need(r->call, r->grant->user, r->client.app,
                                  &r->scopes) == VL_TENANT_NEEDS_NOTHING
               ? 0
               : 65001;
}

static unsigned
redeem_code(struct redemption *r)
{
    struct vl_str code, redirect_uri;
    unsigned fault = require(r, "code", &code);
    if (!fault)
        fault = require(r, "redirect_uri", &redirect_uri);
    if (fault)
        return fault;
    if (!vl_str_starts(code, VL_STR(CODE_PREFIX)))
        return 9002313;
    r->grant = vl_tenant_shelf_find(&r->call->tenant->codes, code);
    if (!r->grant)
        return 70000;
    fault = check_owner(r);
    if (fault)
        return fault;
    if (r->grant->is_used)
        return 54005;
    if (vl_tenant_now(r->call) >= r->grant->expires_ms)
        return 70008;
    if (!vl_str_eqz(redirect_uri, r->grant->redirect_uri))
        return 50011;
    fault = check_verifier(r);
    if (!fault)
        fault = check_person(r);
    if (!fault)
        fault = read_scopes(r, false);
    r->with_nonce = true;
    if (!fault)
        r->grant->is_used = true;
    return fault;
}

static unsigned
redeem_refresh_token(struct redemption *r)
{
    struct vl_str token;
    unsigned fault = require(r, "refresh_token", &token);
    if (fault)
        return fault;
    r->grant = vl_tenant_shelf_find(&r->call->tenant->refresh_tokens, token);
    if (!r->grant)
        return 70000;
    fault = check_owner(r);
    if (!fault)
        fault = check_person(r);
    if (fault)
        return fault;
    if (vl_tenant_now(r->call) >= r->grant->expires_ms)
        return 700082;
    return read_scopes(r, true);
}

static const struct {
    const char *grant_type;
    const char *counter;
    unsigned (*redeem)(struct redemption *r);
} grant_types[] = {
    {"authorization_code", "token.authorization_code", redeem_code},
    {"refresh_token", "token.refresh_token", redeem_refresh_token},
};

static unsigned
redeem(struct redemption *r)
{
    struct vl_str type;
    if (vl_params_repeat(&r->call->form, NULL)) {
        r->detail = "A parameter was given twice.";
        return 90023;
    }
    unsigned code = require(r, "grant_type", &type);
    if (code)
        return code;
    for (size_t i = 0; i < VL_COUNT(grant_types); i++) {
        if (!vl_str_eqz(type, grant_types[i].grant_type))
            continue;
        vl_tenant_count(r->call->tenant, grant_types[i].counter);
        code = vl_tenant_client_read(r->call, &r->client);
        r->detail = r->client.detail;
        return code ? code : grant_types[i].redeem(r);
    }
    return 70003;
}

/* A fresh refresh token for what the old grant, or the code, was for. */
static struct vl_str
put_refresh_token(const struct redemption *r)
{
    const struct vl_tenant_grant *old = r->grant;
    int64_t now = vl_tenant_now(r->call);
    struct vl_tenant_grant grant = {
        .expires_ms = now + REFRESH_MS,
        .user = old->user,
        .app = old->app,
        .realm = old->realm,
        .epoch = old->epoch,
        .signed_in = old->signed_in,
        .scope = vl_tenant_dup(vl_str_z(old->scope)),
    };
    return vl_tenant_shelf_put(&r->call->tenant->refresh_tokens, &grant, now);
}

static valet_status
write_answer(const struct redemption *r, struct vl_buf *out, valet_error *err)
{
    const struct vl_tenant_call *call = r->call;
    vl_auto(vl_buf) access = vl_buf_of(VL_LIMIT_JWT);
    vl_auto(vl_buf) id = vl_buf_of(VL_LIMIT_JWT);
    struct vl_tenant_subject subject = {
        .user = r->grant->user,
        .app = r->client.app,
        .scopes = r->scopes,
        .nonce = r->with_nonce ? r->grant->nonce : NULL,
        .signed_in = r->grant->signed_in,
        .lifetime = draw_lifetime(call->tenant->data),
        .with_secret = r->client.with_secret};
    VL_TRY(vl_tenant_access_token(call, &subject, &access, err));
    struct vl_json_out json = {out, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "token_type", "Bearer");
    vl_json_add_z(&json, "scope", r->scopes.granted);
    vl_json_add_int(&json, "expires_in", subject.lifetime);
    vl_json_add_int(&json, "ext_expires_in", subject.lifetime);
    vl_json_add_str(&json, "access_token", vl_buf_str(&access));
    if (r->scopes.openid) {
        VL_TRY(vl_tenant_id_token(call, &subject, &id, err));
        vl_json_add_str(&json, "id_token", vl_buf_str(&id));
    }
    if (vl_str_eqz(vl_params_get(&call->form, "client_info"), "1"))
        vl_json_add_z(&json, "client_info",
                      vl_tenant_client_info(call, subject.user));
    /* Who has one gets a new one, whatever it asks for this time. */
    if (r->scopes.offline || !r->with_nonce)
        vl_json_add_str(&json, "refresh_token", put_refresh_token(r));
    vl_json_close(&json, '}');
    return vl_buf_check(out, err);
}

void
vl_tenant_token(struct vl_tenant_call *call)
{
    struct redemption r = {.call = call};
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    unsigned code = redeem(&r);
    if (code)
        vl_tenant_fail(call, code, r.detail);
    else if (write_answer(&r, &body, NULL) != VALET_OK)
        vl_tenant_fail(call, 90033, NULL);
    else
        vl_tenant_send_token(call, vl_buf_str(&body));
}
