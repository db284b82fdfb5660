/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/id_token.h"

#include "core/status.h"

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
    if (!vl_json_get_int(claims, "exp", &exp) ||
        now - VL_ID_TOKEN_SKEW_S >= exp)
        return deny(err, "has expired");
    if (vl_json_get_int(claims, "nbf", &nbf) && now + VL_ID_TOKEN_SKEW_S < nbf)
        return deny(err, "is not valid yet");
    return VALET_OK;
}

valet_status
vl_id_token_check(const struct json_t *claims,
                  const struct vl_id_token_rules *rules,
                  struct vl_idp_person *ret, valet_error *err)
{
    struct vl_idp_person person = {0};
    if (!claim_is(claims, "iss", rules->issuer))
        return deny(err, "is from another issuer");
    if (!claim_is(claims, "aud", rules->client_id))
        return deny(err, "is for another application");
    /* @spec S-22: the tenant is the configured one, whoever signed. */
    if (!claim_is(claims, "tid", rules->tid))
        return deny(err, "is of another tenant");
    if (!claim_is(claims, "nonce", rules->nonce))
        return deny(err, "belongs to another sign-in");
    VL_TRY(check_time(claims, rules->now_ms, err));
    struct vl_str oid = vl_json_get_str(claims, "oid");
    if (oid.n != VL_GUID_SIZE - 1)
        return deny(err, "names no user");
    memcpy(person.user.oid, oid.p, oid.n);
    memcpy(person.user.tid, rules->tid.p, rules->tid.n);
    person.name = vl_json_get_str(claims, "name");
    person.username = vl_json_get_str(claims, "preferred_username");
    *ret = person;
    return VALET_OK;
}
