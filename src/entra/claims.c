/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/claims.h"

#include "core/limits.h"
#include "core/status.h"
#include "http/url.h"
#include "json/read.h"
#include "json/write.h"

/* A claim about the program, in what it asks for (entra-wire 2.15). */
#define CAPABILITIES "xms_cc"

struct merging {
    struct vl_json_out out;
    const char *const *capabilities;
    bool has_access_token;
};

static void
add_capabilities(struct merging *m)
{
    vl_json_open_key(&m->out, CAPABILITIES, '{');
    vl_json_open_key(&m->out, "values", '[');
    for (size_t i = 0; m->capabilities[i]; i++)
        vl_json_add_z(&m->out, NULL, m->capabilities[i]);
    vl_json_close(&m->out, ']');
    vl_json_close(&m->out, '}');
}

static bool
copy_claim(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct merging *m = ctx;
    if (!vl_str_eqz(key, CAPABILITIES))
        vl_json_add_value(&m->out, key.p, value);
    return true;
}

/* `asked` is what the challenge wants of the access token; or NULL. */
static void
add_access_token(struct merging *m, const struct json_t *asked)
{
    vl_json_open_key(&m->out, "access_token", '{');
    vl_json_each(asked, copy_claim, m);
    add_capabilities(m);
    vl_json_close(&m->out, '}');
}

static bool
copy_place(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct merging *m = ctx;
    if (m->capabilities && vl_str_eqz(key, "access_token")) {
        m->has_access_token = true;
        add_access_token(m, value);
    } else {
        vl_json_add_value(&m->out, key.p, value);
    }
    return true;
}

static valet_status
not_claims(valet_error *err)
{
    return vl_fail(err, VALET_INVALID, "invalid_claims",
                   "the claims challenge is no object of JSON");
}

static valet_status
parse(struct vl_str challenge, struct vl_json *ret, valet_error *err)
{
    if (challenge.n > VL_LIMIT_CLAIMS)
        return vl_fail(err, VALET_LIMIT, "invalid_claims",
                       "the claims challenge is longer than %d bytes",
                       VL_LIMIT_CLAIMS);
    if (vl_json_parse(challenge, VL_LIMIT_JSON_DEPTH, ret, NULL) != VALET_OK ||
        vl_json_kind(ret->root) != VL_JSON_OBJECT)
        return not_claims(err);
    enum vl_json_kind access =
        vl_json_kind(vl_json_get(ret->root, "access_token"));
    bool is_place = access == VL_JSON_ABSENT || access == VL_JSON_NULL ||
                    access == VL_JSON_OBJECT;
    return is_place ? VALET_OK : not_claims(err);
}

valet_status
vl_claims_merge(struct vl_str challenge, const char *const *capabilities,
                struct vl_buf *out, valet_error *err)
{
    vl_auto(vl_json) asked = {NULL};
    bool any = capabilities && capabilities[0];
    struct merging m = {{out, false}, any ? capabilities : NULL, false};
    if (!challenge.n && !any)
        return VALET_OK;
    if (challenge.n)
        VL_TRY(parse(challenge, &asked, err));
    vl_json_open(&m.out, '{');
    vl_json_each(asked.root, copy_place, &m);
    if (any && !m.has_access_token)
        add_access_token(&m, NULL);
    vl_json_close(&m.out, '}');
    return vl_buf_check(out, err);
}

valet_status
vl_claims_add(struct vl_str challenge, const char *const *capabilities,
              struct vl_buf *form, valet_error *err)
{
    vl_auto(vl_buf) claims = vl_buf_of(VL_CLAIMS_MERGED_MAX);
    VL_TRY(vl_claims_merge(challenge, capabilities, &claims, err));
    if (vl_buf_size(&claims))
        vl_form_add(form, "claims", vl_buf_str(&claims));
    return VALET_OK;
}
