/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/keyset.h"

#include "core/limits.h"
#include "core/status.h"
#include "json/write.h"

#define KEY_BITS 2048
#define CERT_MAX 4096

static void
key_done(struct vl_tenant_key *key)
{
    vl_pkey_free(key->pkey);
    vl_buf_done(&key->cert);
    *key = (struct vl_tenant_key){NULL, {0}, ""};
}

/* The key as JWK to `out`, and its id. */
static valet_status
publish_key(const struct vl_tenant_key *key, struct vl_str issuer,
            struct vl_buf *out, struct vl_buf *ret_kid, valet_error *err)
{
    return vl_jwk_publish(key->pkey, vl_buf_str(&key->cert), issuer, out,
                          ret_kid, err);
}

static valet_status
make_key(struct vl_tenant_key *key, valet_error *err)
{
    vl_auto(vl_buf) jwk = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_buf) kid = vl_buf_of(VL_TENANT_KID_MAX - 1);
    key->cert = vl_buf_of(CERT_MAX);
    VL_TRY(vl_pkey_new_rsa(KEY_BITS, &key->pkey, err));
    VL_TRY(vl_pkey_self_signed(key->pkey, "accounts.accesscontrol.example",
                               &key->cert, err));
    VL_TRY(publish_key(key, VL_STR("-"), &jwk, &kid, err));
    VL_TRY(vl_buf_check(&kid, err));
    memcpy(key->kid, vl_buf_cstr(&kid), vl_buf_size(&kid) + 1);
    return VALET_OK;
}

valet_status
vl_tenant_keyset_publish(const struct vl_tenant_keyset *set,
                         struct vl_str issuer, struct vl_buf *out,
                         valet_error *err)
{
    struct vl_json_out json = {out, false};
    vl_json_open(&json, '{');
    vl_json_open_key(&json, "keys", '[');
    for (size_t i = 0; i < set->count; i++) {
        vl_auto(vl_buf) jwk = vl_buf_of(VL_LIMIT_DOCUMENT);
        vl_auto(vl_buf) kid = vl_buf_of(VL_TENANT_KID_MAX);
        VL_TRY(publish_key(&set->keys[i], issuer, &jwk, &kid, err));
        vl_json_add_raw(&json, NULL, vl_buf_str(&jwk));
    }
    vl_json_close(&json, ']');
    vl_json_close(&json, '}');
    return vl_buf_check(out, err);
}

static valet_status
parse_published(struct vl_tenant_keyset *set, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_jwks *parsed = NULL;
    VL_TRY(vl_tenant_keyset_publish(set, VL_STR("-"), &text, err));
    VL_TRY(vl_jwks_parse(vl_buf_str(&text), &parsed, err));
    vl_jwks_unref(set->published);
    set->published = parsed;
    return VALET_OK;
}

static valet_status
add_key(struct vl_tenant_keyset *set, valet_error *err)
{
    struct vl_tenant_key key = {0};
    valet_status status = make_key(&key, err);
    if (status != VALET_OK) {
        key_done(&key);
        return status;
    }
    if (set->count == VL_TENANT_KEYS_MAX)
        key_done(&set->keys[--set->count]);
    memmove(&set->keys[1], &set->keys[0], set->count * sizeof key);
    set->keys[0] = key;
    set->count++;
    return VALET_OK;
}

valet_status
vl_tenant_keyset_init(struct vl_tenant_keyset *set, valet_error *err)
{
    *set = (struct vl_tenant_keyset){.count = 0};
    VL_TRY(add_key(set, err));
    VL_TRY(add_key(set, err));
    return parse_published(set, err);
}

valet_status
vl_tenant_keyset_rotate(struct vl_tenant_keyset *set, valet_error *err)
{
    VL_TRY(add_key(set, err));
    return parse_published(set, err);
}

void
vl_tenant_keyset_done(struct vl_tenant_keyset *set)
{
    while (set->count)
        key_done(&set->keys[--set->count]);
    vl_jwks_unref(set->published);
    set->published = NULL;
}
