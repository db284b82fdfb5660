/* SPDX-License-Identifier: Apache-2.0
 *
 * What an API wants, from the field in which it says so.
 */
#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "entra/claims.h"
#include "http/challenge.h"
#include "json/read.h"

static valet_status
none(valet_error *err)
{
    return vl_fail(err, VALET_NOT_FOUND, "",
                   "the field has no claims challenge");
}

static valet_status
broken(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_INVALID, "invalid_claims", "%s", why);
}

/* Entra's APIs tell claims with the error insufficient_claims; APIs in front
 * of them pass them on with other errors, so the error is not asked for. */
static valet_status
find_claims(struct vl_str field, struct vl_buf *ret, valet_error *err)
{
    struct vl_challenge challenge;
    enum vl_challenge_found found;
    while ((found = vl_challenge_next(&field, &challenge)) ==
           VL_CHALLENGE_FOUND) {
        if (!vl_str_ieq(challenge.scheme, VL_STR("Bearer")))
            continue;
        valet_status status = vl_challenge_get(&challenge, "claims", ret, err);
        if (status != VALET_NOT_FOUND)
            return status;
    }
    return found == VL_CHALLENGE_END
               ? none(err)
               : broken(err, "the field is no WWW-Authenticate field");
}

static bool
is_object(struct vl_str text)
{
    vl_auto(vl_json) doc = {NULL};
    return vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK &&
           vl_json_kind(doc.root) == VL_JSON_OBJECT;
}

/* Either alphabet, with padding or without. */
static bool
decode_base64(struct vl_str text, struct vl_buf *ret)
{
    vl_auto(vl_buf) plain = vl_buf_of(text.n);
    for (size_t i = 0; i < 2 && vl_str_ends(text, VL_STR("=")); i++)
        text = vl_str_head(text, text.n - 1);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        vl_buf_addc(&plain, c == '+' ? '-' : c == '/' ? '_' : c);
    }
    return vl_dec_base64url(vl_buf_str(&plain), ret);
}

/* As Entra's APIs write them, or as others do: JSON itself, perhaps escaped as
 * in a URL. Neither '{' nor '%' is of base64. */
static bool
decode(struct vl_str text, struct vl_buf *ret)
{
    if (vl_str_starts(text, VL_STR("{")))
        vl_buf_add(ret, text);
    else if (!(vl_str_starts(text, VL_STR("%"))
                   ? vl_dec_percent(text, false, ret)
                   : decode_base64(text, ret)))
        return false;
    return vl_buf_check(ret, NULL) == VALET_OK && is_object(vl_buf_str(ret));
}

valet_status
valet_claims_challenge(const char *www_authenticate, char *ret, size_t size,
                       valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_HEAD);
    vl_auto(vl_buf) claims = vl_buf_of(VL_LIMIT_HEAD);
    struct vl_str field = vl_str_z(www_authenticate);
    if (field.n > VL_LIMIT_HEAD)
        return vl_fail(err, VALET_LIMIT, "", "the field is too long");
    VL_TRY(find_claims(field, &text, err));
    if (!decode(vl_buf_str(&text), &claims))
        return broken(err, "the claims challenge is no object of JSON");
    if (vl_buf_size(&claims) >= size)
        return vl_fail(err, VALET_LIMIT, "",
                       "the claims challenge does not fit");
    memcpy(ret, vl_buf_cstr(&claims), vl_buf_size(&claims) + 1);
    return VALET_OK;
}
