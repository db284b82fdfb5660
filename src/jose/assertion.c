/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/assertion.h"

#include "core/enc.h"
#include "core/sys.h"
#include "json/write.h"

#define HEADER_MAX    512
#define CLAIMS_MAX    4096
#define SIGNATURE_MAX 512
/* Clocks differ; Entra refuses what begins later than now. */
#define EARLIER_S 60

static void
write_header(const struct vl_signer *signer, struct vl_buf *out)
{
    unsigned char thumbprint[VL_SHA256_SIZE];
    vl_auto(vl_buf) text = vl_buf_of(64);
    if (vl_signer_thumbprint(signer, thumbprint))
        vl_enc_base64url(&text, vl_str_of(thumbprint, sizeof thumbprint));
    struct vl_json_out json = {out, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "alg", vl_signer_algorithm(signer));
    vl_json_add_z(&json, "typ", "JWT");
    if (vl_buf_size(&text))
        vl_json_add_str(&json, "x5t#S256", vl_buf_str(&text));
    vl_json_close(&json, '}');
}

static void
write_claims(const struct vl_assertion *assertion, struct vl_buf *out)
{
    char id[VL_UUID_SIZE];
    struct vl_json_out json = {out, false};
    vl_uuid(id);
    vl_json_open(&json, '{');
    vl_json_add_str(&json, "aud", assertion->audience);
    vl_json_add_str(&json, "iss", assertion->client_id);
    vl_json_add_str(&json, "sub", assertion->client_id);
    vl_json_add_z(&json, "jti", id);
    vl_json_add_int(&json, "iat", assertion->now_s);
    vl_json_add_int(&json, "nbf", assertion->now_s - EARLIER_S);
    vl_json_add_int(&json, "exp", assertion->now_s + assertion->lifetime_s);
    vl_json_close(&json, '}');
}

/* RFC 7515 section 7.1: header "." payload "." signature */
valet_status
vl_assertion_write(const struct vl_signer *signer,
                   const struct vl_assertion *assertion, struct vl_buf *out,
                   valet_error *err)
{
    vl_auto(vl_buf) header = vl_buf_of(HEADER_MAX);
    vl_auto(vl_buf) claims = vl_buf_of(CLAIMS_MAX);
    vl_auto(vl_buf) token = vl_buf_of_secret(out->max);
    vl_auto(vl_buf) signature = vl_buf_of(SIGNATURE_MAX);
    write_header(signer, &header);
    write_claims(assertion, &claims);
    VL_TRY(vl_buf_check(&header, err));
    VL_TRY(vl_buf_check(&claims, err));
    vl_enc_base64url(&token, vl_buf_str(&header));
    vl_buf_addc(&token, '.');
    vl_enc_base64url(&token, vl_buf_str(&claims));
    VL_TRY(vl_buf_check(&token, err));
    VL_TRY(vl_signer_sign(signer, vl_buf_str(&token), &signature, err));
    vl_buf_addc(&token, '.');
    vl_enc_base64url(&token, vl_buf_str(&signature));
    VL_TRY(vl_buf_check(&token, err));
    vl_buf_add(out, vl_buf_str(&token));
    return vl_buf_check(out, err);
}
