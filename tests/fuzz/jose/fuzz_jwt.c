/* SPDX-License-Identifier: Apache-2.0
 *
 * The input as a token, which must never be good, under the lenient and the
 * strict rules; and as claims, which must come back the same when they can be
 * signed.
 */
#include "core/enc.h"
#include "core/limits.h"
#include "jose/jws.h"
#include "jose/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct desk {
    struct vl_pkey *key;
    struct vl_jwks *set;
};

static struct desk
make_desk(void)
{
    struct desk desk = {NULL, NULL};
    vl_auto(vl_buf) json = vl_buf_of(4096), n = vl_buf_of(512);
    vl_auto(vl_buf) e = vl_buf_of(512);
    VL_ASSERT(vl_pkey_new_rsa(2048, &desk.key, NULL) == VALET_OK);
    vl_pkey_rsa_numbers(desk.key, &n, &e);
    vl_buf_addz(&json, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"");
    vl_enc_base64url(&json, vl_buf_str(&n));
    vl_buf_addz(&json, "\",\"e\":\"AQAB\"}]}");
    VL_ASSERT(vl_jwks_parse(vl_buf_str(&json), &desk.set, NULL) == VALET_OK);
    return desk;
}

static void
sign_and_verify(const struct desk *desk, struct vl_str claims)
{
    vl_auto(vl_buf) token = vl_buf_of(VL_LIMIT_JWT);
    vl_auto(vl_json) doc = {NULL};
    if (vl_jwt_sign(desk->key, VL_STR("k"), claims, &token, NULL) != VALET_OK)
        return;
    VL_ASSERT(vl_jwt_verify(vl_buf_str(&token), desk->set, &doc, NULL) ==
              VALET_OK);
    VL_ASSERT(vl_json_kind(doc.root) == VL_JSON_OBJECT);
}

static void
refuse(const struct desk *desk, struct vl_str token)
{
    static const struct vl_jws_rules strict = {
        .algs = VL_ALG_RS256 | VL_ALG_PS256 | VL_ALG_ES256, .strict = true};
    struct vl_json claims = {NULL};
    struct vl_jws jws = {.kid = {0}};
    VL_ASSERT(vl_jwt_verify(token, desk->set, &claims, NULL) != VALET_OK);
    VL_ASSERT(!claims.root);
    enum vl_jws_fault fault = vl_jws_verify(token, &strict, desk->set, &jws);
    VL_ASSERT(fault != VL_JWS_GOOD && !jws.payload.p && !jws.kid.p);
    VL_ASSERT(vl_jws_fault_text(fault) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct desk desk;
    if (!desk.key)
        desk = make_desk();
    struct vl_str text = vl_str_of(data, size);
    refuse(&desk, text);
    sign_and_verify(&desk, text);

    /* And as a header, in front of a form that is right. */
    vl_auto(vl_buf) token = vl_buf_of(2 * size + 64);
    vl_enc_base64url(&token, text);
    vl_buf_addz(&token, ".e30.AAAA");
    refuse(&desk, vl_buf_str(&token));
    return 0;
}
