/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything about the form is checked first, then the signature, and only
 * what was signed is read as claims. A header tells us which key of ours to
 * take, nothing else: `jwk`, `jku`, `x5c` and `x5u` are never looked at.
 */
#include "jose/jwt.h"

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "json/write.h"

/* A header is flat but for the certificates some put into it. */
#define HEADER_DEPTH 4
/* The signature of the largest key, 4096 bits. */
#define SIGNATURE_MAX 512
#define HEADER_MAX    4096

/* The parts of a token, still encoded; they point into it. */
struct parts {
    struct vl_str header, payload, signature;
    struct vl_str signed_text; /* header "." payload */
};

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_DENIED, "invalid_token", "%s", why);
}

/* RFC 7515 section 3.1: header "." payload "." signature, none empty. */
static bool
split(struct vl_str token, struct parts *ret)
{
    size_t first = vl_str_index(token, '.');
    if (first == token.n)
        return false;
    struct vl_str rest = vl_str_from(token, first + 1);
    size_t second = vl_str_index(rest, '.');
    if (second == rest.n)
        return false;
    *ret = (struct parts){
        .header = vl_str_head(token, first),
        .payload = vl_str_head(rest, second),
        .signature = vl_str_from(rest, second + 1),
        .signed_text = vl_str_head(token, first + 1 + second),
    };
    /* A third dot is no letter of base64url, so the decoder refuses it. */
    return ret->header.n && ret->payload.n && ret->signature.n;
}

/*
 * @spec S-15 W-97
 * RFC 7515 sections 4.1.1, 4.1.4 and 4.1.11, RFC 8725 section 3.1: the one
 * algorithm is ours to choose, and an extension that has to be understood is
 * not.
 */
static valet_status
check_header(struct vl_str text, struct vl_json *ret_header, valet_error *err)
{
    vl_auto(vl_json) header = {NULL};
    if (vl_json_parse(text, HEADER_DEPTH, &header, NULL) != VALET_OK ||
        vl_json_kind(header.root) != VL_JSON_OBJECT)
        return refuse(err, "the token's header is no JSON object");
    if (!vl_str_eqz(vl_json_get_str(header.root, "alg"), "RS256"))
        return refuse(err, "the token is not signed with RS256");
    if (vl_json_get(header.root, "crit"))
        return refuse(err, "the token has a critical extension");
    if (vl_json_get_str(header.root, "kid").n == 0)
        return refuse(err, "the token names no key");
    *ret_header = header;
    header.root = NULL;
    return VALET_OK;
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
    struct parts parts = {.header = {NULL, 0}};
    if (token.n > VL_LIMIT_JWT)
        return refuse(err, "the token is too long");
    if (!split(token, &parts))
        return refuse(err, "the token has not three parts");
    vl_auto(vl_buf) header_text = vl_buf_of(HEADER_MAX);
    vl_auto(vl_buf) payload = vl_buf_of(VL_LIMIT_JWT);
    vl_auto(vl_buf) signature = vl_buf_of(SIGNATURE_MAX);
    if (!vl_dec_base64url(parts.header, &header_text) ||
        !vl_dec_base64url(parts.payload, &payload) ||
        !vl_dec_base64url(parts.signature, &signature))
        return refuse(err, "a part of the token is not base64url");
    vl_auto(vl_json) header = {NULL};
    VL_TRY(check_header(vl_buf_str(&header_text), &header, err));
    struct vl_str kid = vl_json_get_str(header.root, "kid");
    const struct vl_pkey *key = vl_jwks_find(keys, kid);
    if (!key)
        return vl_fail(err, VALET_NOT_FOUND, "invalid_token",
                       "the token was signed with an unknown key");
    if (vl_pkey_verify_rs256(key, parts.signed_text, vl_buf_str(&signature),
                             NULL) != VALET_OK)
        return refuse(err, "the token's signature is wrong");
    VL_TRY(read_claims(vl_buf_str(&payload), ret_claims, err));
    *ret_key_issuer = vl_jwks_issuer(keys, kid);
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
