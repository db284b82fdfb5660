/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/id_token.h"

#include "core/status.h"
#include "entra/instance.h"

static valet_status
deny(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_DENIED, "invalid_id_token", "the id token %s",
                   why);
}

static bool
claim_is(const struct json_t *claims, const char *name, struct vl_str wanted)
{
    struct vl_str value = vl_json_get_str(claims, name);
    return wanted.n && value.n && vl_str_eq(value, wanted);
}

/* The lifetime, with the claims' integers never added to: they are theirs and
 * may be as large as an integer gets. */
static valet_status
check_time(const struct json_t *claims, int64_t now_ms, valet_error *err)
{
    int64_t exp, nbf, now = now_ms / 1000;
    const struct json_t *begin = vl_json_get(claims, "nbf");
    if (!vl_json_get_int(claims, "exp", &exp))
        return deny(err, "does not tell when it expires");
    if (now - VL_ID_TOKEN_SKEW_S >= exp)
        return deny(err, "has expired");
    /* It may be absent, but not say something that cannot be understood. */
    if (begin && (!vl_json_int(begin, &nbf) || now + VL_ID_TOKEN_SKEW_S < nbf))
        return deny(err, "is not valid yet");
    return VALET_OK;
}

/* Is it the issuer that this one, perhaps a template, stands for in a tenant?
 */
static bool
is_issuer_of(struct vl_str issuer, struct vl_str pattern, struct vl_str tid)
{
    static const struct vl_str blank = {"{tenantid}", 10};
    while (pattern.n) {
        bool fill = vl_str_starts(pattern, blank);
        struct vl_str next = fill ? tid : vl_str_head(pattern, 1);
        if (!vl_str_starts(issuer, next))
            return false;
        issuer = vl_str_from(issuer, next.n);
        pattern = vl_str_from(pattern, fill ? blank.n : 1);
    }
    return issuer.n == 0;
}

/* @spec S-22: of the configured tenants, whoever signed. That of all personal
 * accounts is one like others: it has to be named. */
static bool
may_sign_in(struct vl_str tid, const struct vl_id_token_rules *rules)
{
    if (!vl_guid_is_valid(tid) || (rules->tid.n && !vl_str_eq(tid, rules->tid)))
        return false;
    return rules->tenants ? vl_instance_lists(rules->tenants, tid)
                          : rules->tid.n > 0;
}

static valet_status
check_origin(const struct json_t *claims, const struct vl_id_token_rules *rules,
             valet_error *err)
{
    struct vl_str tid = vl_json_get_str(claims, "tid");
    struct vl_str iss = vl_json_get_str(claims, "iss");
    if (!iss.n || !is_issuer_of(iss, rules->issuer, tid))
        return deny(err, "is from another issuer");
    /* A set may hold keys of several tenants; each signs for its own. */
    if (rules->key_issuer.n && !is_issuer_of(iss, rules->key_issuer, tid))
        return deny(err, "was signed with another issuer's key");
    if (!claim_is(claims, "aud", rules->client_id))
        return deny(err, "is for another application");
    if (!may_sign_in(tid, rules))
        return deny(err, "is of another tenant");
    if (!rules->no_nonce && !claim_is(claims, "nonce", rules->nonce))
        return deny(err, "belongs to another sign-in");
    return VALET_OK;
}

valet_status
vl_id_token_check(const struct json_t *claims,
                  const struct vl_id_token_rules *rules,
                  struct vl_idp_person *ret, valet_error *err)
{
    struct vl_idp_person person = {0};
    VL_TRY(check_origin(claims, rules, err));
    VL_TRY(check_time(claims, rules->now_ms, err));
    struct vl_str oid = vl_json_get_str(claims, "oid");
    struct vl_str tid = vl_json_get_str(claims, "tid");
    if (!vl_guid_is_valid(oid))
        return deny(err, "names no user");
    memcpy(person.user.oid, oid.p, oid.n);
    memcpy(person.user.tid, tid.p, tid.n);
    person.name = vl_json_get_str(claims, "name");
    person.username = vl_json_get_str(claims, "preferred_username");
    person.roles = vl_json_get(claims, "roles");
    *ret = person;
    return VALET_OK;
}
