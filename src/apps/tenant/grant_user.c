/* SPDX-License-Identifier: Apache-2.0
 *
 * The grants of a sign-in: its code, the device that waited for it, and the
 * refresh tokens that follow. Unlike RFC 6819 wants it, a refresh token stays
 * good after it was used; this is how Entra does it.
 */
#include "apps/tenant/consent.h"
#include "apps/tenant/grant.h"

#include "core/enc.h"
#include "crypto/digest.h"

#define CODE_PREFIX "1.C"

unsigned
vl_tenant_require(struct vl_tenant_redemption *r, const char *name,
                  struct vl_str *ret)
{
    *ret = vl_params_get(&r->call->form, name);
    if (ret->n)
        return 0;
    r->detail = vl_tenant_format(r->call, "It is %s.", name);
    return 900144;
}

/* @spec RFC 7636 4.6 */
static unsigned
check_verifier(const struct vl_tenant_redemption *r)
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

/* The person may have lost the right since the grant was given, and has to
 * come back for what was not asked of them then. */
unsigned
vl_tenant_check_person(const struct vl_tenant_redemption *r)
{
    const struct vl_tenant_grant *grant = r->grant;
    if (grant->epoch != grant->user->epoch)
        return 50173;
    if (grant->user->sign_in_error)
        return grant->user->sign_in_error;
    if (vl_tenant_acrs_met(r->asked.acrs, grant->acrs))
        return 0;
    r->call->claims = vl_tenant_acrs_challenge(r->call, r->asked.acrs);
    return 50076;
}

/* A refresh token of the family is good for all of the family. */
static unsigned
check_owner(const struct vl_tenant_redemption *r, bool in_family)
{
    const struct vl_tenant_grant *grant = r->grant;
    bool shared =
        in_family && grant->app->in_family && r->client.app->in_family;
    if (grant->app != r->client.app && !shared)
        return 70000;
    if (grant->realm && r->call->realm && r->call->realm != grant->realm)
        return 700005;
    return 0;
}

unsigned
vl_tenant_grant_scopes(struct vl_tenant_redemption *r, struct vl_str text,
                       bool first_wins)
{
    struct vl_tenant_scope_rules rules = {
        .first_wins = first_wins,
        .resource = vl_params_get(&r->call->form, "resource")};
    unsigned code = vl_tenant_scopes_resolve(r->call, text, &rules, &r->scopes);
    if (code)
        return code;
    return vl_tenant_consent_need(r->call, r->grant->user, r->client.app,
                                  &r->scopes) == VL_TENANT_NEEDS_NOTHING
               ? 0
               : 65001;
}

/* What is asked for now; without a word of it, what was asked for then. */
static unsigned
read_scopes(struct vl_tenant_redemption *r, bool first_wins)
{
    struct vl_str asked = vl_str_trim(vl_params_get(&r->call->form, "scope"));
    return vl_tenant_grant_scopes(
        r, asked.n ? asked : vl_str_z(r->grant->scope), first_wins);
}

unsigned
vl_tenant_redeem_code(struct vl_tenant_redemption *r)
{
    struct vl_str code, redirect_uri;
    unsigned fault = vl_tenant_require(r, "code", &code);
    if (!fault)
        fault = vl_tenant_require(r, "redirect_uri", &redirect_uri);
    if (fault)
        return fault;
    if (!vl_str_starts(code, VL_STR(CODE_PREFIX)))
        return 9002313;
    struct vl_tenant_grant *grant =
        vl_tenant_shelf_find(&r->call->tenant->codes, code);
    r->grant = grant;
    if (!grant)
        return 70000;
    fault = check_owner(r, false);
    if (fault)
        return fault;
    if (grant->is_used)
        return 54005;
    if (vl_tenant_now(r->call) >= grant->expires_ms)
        return 70008;
    if (!vl_str_eqz(redirect_uri, grant->redirect_uri))
        return 50011;
    fault = check_verifier(r);
    if (!fault)
        fault = vl_tenant_check_person(r);
    if (!fault)
        fault = read_scopes(r, false);
    r->is_first = true;
    if (!fault)
        grant->is_used = true;
    return fault;
}

unsigned
vl_tenant_redeem_refresh_token(struct vl_tenant_redemption *r)
{
    struct vl_str token;
    unsigned fault = vl_tenant_require(r, "refresh_token", &token);
    if (fault)
        return fault;
    r->grant = vl_tenant_shelf_find(&r->call->tenant->refresh_tokens, token);
    if (!r->grant)
        return 70000;
    fault = check_owner(r, true);
    if (!fault)
        fault = vl_tenant_check_person(r);
    if (fault)
        return fault;
    if (vl_tenant_now(r->call) >= r->grant->expires_ms)
        return 700082;
    return read_scopes(r, true);
}

/* @spec entra-wire 2.13: no slow_down, however fast it asks */
unsigned
vl_tenant_redeem_device(struct vl_tenant_redemption *r)
{
    struct vl_str code = vl_params_get(&r->call->form, "device_code");
    if (!code.n)
        code = vl_params_get(&r->call->form, "code");
    if (!code.n) {
        r->detail = "It is device_code.";
        return 900144;
    }
    struct vl_tenant_grant *grant =
        vl_tenant_shelf_find(&r->call->tenant->devices, code);
    r->grant = grant;
    if (!grant)
        return 70018;
    unsigned fault = check_owner(r, false);
    if (fault)
        return fault;
    if (grant->is_used)
        return 54005;
    if (vl_tenant_now(r->call) >= grant->expires_ms)
        return 70020;
    if (grant->is_declined) {
        r->call->error = "authorization_declined";
        return 65004;
    }
    if (!grant->user)
        return 70016;
    fault = vl_tenant_check_person(r);
    if (!fault)
        fault = read_scopes(r, false);
    r->is_first = true;
    if (!fault)
        grant->is_used = true;
    return fault;
}
