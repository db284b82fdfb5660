/* SPDX-License-Identifier: Apache-2.0
 *
 * jose/jws.h says whether the signature is good; only what was signed is read
 * as claims.
 */
#include "jose/jwt.h"

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "jose/jws.h"
#include "json/write.h"

#define SIGNATURE_MAX 512
#define HEADER_MAX    4096

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_DENIED, "invalid_token", "%s", why);
}

/* Only what the signature covers comes here. */
static valet_status
read_claims(struct vl_str text, struct vl_json *ret, valet_error *err)
{
    vl_auto(vl_json) claims = {NULL};
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &claims, NULL) != VALET_OK ||
        vl_json_kind(claims.root) != VL_JSON_OBJECT)
        return refuse(err, "the token's claims are no JSON object");
    *ret = claims;
    claims.root = NULL;
    return VALET_OK;
}

valet_status
vl_jwt_verify_key(struct vl_str token, const struct vl_jwks *keys,
                  struct vl_json *ret_claims, struct vl_str *ret_key_issuer,
                  valet_error *err)
{
    static const struct vl_jws_rules rules = {.algs = VL_ALG_RS256};
    vl_auto(vl_jws) jws = {.kid = {0}};
    enum vl_jws_fault fault = vl_jws_verify(token, &rules, keys, &jws);
    /* A key for another algorithm is none: fetching it again may help. */
    if (fault == VL_JWS_UNKNOWN_KEY || fault == VL_JWS_UNFIT_KEY)
        return vl_fail(err, VALET_NOT_FOUND, "invalid_token", "%s",
                       vl_jws_fault_text(fault));
    if (fault != VL_JWS_GOOD)
        return refuse(err, vl_jws_fault_text(fault));
    VL_TRY(read_claims(vl_buf_str(&jws.payload), ret_claims, err));
    *ret_key_issuer = jws.key_issuer;
    return VALET_OK;
}

valet_status
vl_jwt_verify(struct vl_str token, const struct vl_jwks *keys,
              struct vl_json *ret_claims, valet_error *err)
{
    struct vl_str unused;
    return vl_jwt_verify_key(token, keys, ret_claims, &unused, err);
}

valet_status
vl_jwt_sign(const struct vl_pkey *key, struct vl_str kid, struct vl_str claims,
            struct vl_buf *out, valet_error *err)
{
    vl_auto(vl_json) checked = {NULL};
    if (read_claims(claims, &checked, NULL) != VALET_OK)
        return vl_fail(err, VALET_INVALID, "", "claims are a JSON object");
    vl_auto(vl_buf) header = vl_buf_of(HEADER_MAX);
    vl_auto(vl_buf) token = vl_buf_of_secret(out->max);
    vl_auto(vl_buf) signature = vl_buf_of(SIGNATURE_MAX);
    struct vl_json_out json = {&header, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "typ", "JWT");
    vl_json_add_z(&json, "alg", "RS256");
    vl_json_add_str(&json, "kid", kid);
    vl_json_close(&json, '}');
    VL_TRY(vl_buf_check(&header, err));
    vl_enc_base64url(&token, vl_buf_str(&header));
    vl_buf_addc(&token, '.');
    vl_enc_base64url(&token, claims);
    VL_TRY(vl_buf_check(&token, err));
    VL_TRY(vl_pkey_sign_rs256(key, vl_buf_str(&token), &signature, err));
    vl_buf_addc(&token, '.');
    vl_enc_base64url(&token, vl_buf_str(&signature));
    VL_TRY(vl_buf_check(&token, err));
    vl_buf_add(out, vl_buf_str(&token));
    return vl_buf_check(out, err);
}
