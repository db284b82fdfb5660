/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/signed.h"

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "jose/inside_jws.h"

/* Certificates in the header (x5c) make it long. */
#define HEADER_MAX    VL_LIMIT_JWT
#define HEADER_DEPTH  4
#define SIGNATURE_MAX 512

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_DENIED, "invalid_token", "%s", why);
}

/* base64url of an object; `scratch` is for the text. */
static bool
read_object(struct vl_str part, unsigned depth, struct vl_buf *scratch,
            struct vl_json *ret)
{
    vl_buf_clear(scratch);
    return vl_dec_base64url(part, scratch) &&
           vl_json_parse(vl_buf_str(scratch), depth, ret, NULL) == VALET_OK &&
           vl_json_kind(ret->root) == VL_JSON_OBJECT;
}

static bool
read_parts(struct vl_str token, struct vl_signed *shown)
{
    vl_auto(vl_buf) scratch = vl_buf_of(HEADER_MAX);
    struct vl_jws_parts parts;
    if (!vl_jws_split(token, &parts))
        return false;
    shown->signed_text = parts.signed_text;
    return read_object(parts.header, HEADER_DEPTH, &scratch, &shown->header) &&
           read_object(parts.payload, VL_LIMIT_JSON_DEPTH, &scratch,
                       &shown->claims) &&
           vl_dec_base64url(parts.signature, &shown->signature);
}

valet_status
vl_signed_read(struct vl_str token, struct vl_signed *ret, valet_error *err)
{
    struct vl_signed shown = {.signature = vl_buf_of(SIGNATURE_MAX)};
    if (token.n > VL_LIMIT_JWT || !read_parts(token, &shown)) {
        vl_signed_done(&shown);
        return refuse(err, "it is no signed token");
    }
    *ret = shown;
    return VALET_OK;
}

void
vl_signed_done(struct vl_signed *shown)
{
    vl_json_done(&shown->header);
    vl_json_done(&shown->claims);
    vl_buf_done(&shown->signature);
}

valet_status
vl_signed_verify(const struct vl_signed *shown, const struct vl_pkey *key,
                 valet_error *err)
{
    struct vl_str alg = vl_json_get_str(shown->header.root, "alg");
    struct vl_str signature = vl_buf_str(&shown->signature);
    if (vl_json_get(shown->header.root, "crit"))
        return refuse(err, "it has a critical extension");
    if (vl_str_eqz(alg, "RS256"))
        return vl_pkey_verify_rs256(key, shown->signed_text, signature, err);
    if (vl_str_eqz(alg, "PS256"))
        return vl_pkey_verify_ps256(key, shown->signed_text, signature, err);
    return refuse(err, "it is signed with another algorithm");
}
