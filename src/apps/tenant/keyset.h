/* SPDX-License-Identifier: Apache-2.0
 *
 * The signing keys: the newest signs, the older ones are still published, so
 * that what they signed stays good for a while.
 */
#ifndef VL_TENANT_KEYSET_H
#define VL_TENANT_KEYSET_H

#include "core/buf.h"
#include "jose/jwt.h"

#define VL_TENANT_KEYS_MAX 3
#define VL_TENANT_KID_MAX  64

struct vl_tenant_key {
    struct vl_pkey *pkey;
    struct vl_buf cert; /* DER */
    char kid[VL_TENANT_KID_MAX];
};

struct vl_tenant_keyset {
    struct vl_tenant_key keys[VL_TENANT_KEYS_MAX]; /* newest first */
    size_t count;
    struct vl_jwks *published; /* to check what comes back to us */
};

/* Two fresh keys. */
valet_status vl_tenant_keyset_init(struct vl_tenant_keyset *set,
                                   valet_error *err) VALET_CHECK;
void vl_tenant_keyset_done(struct vl_tenant_keyset *set);
/* A fresh key that signs from now on, without being published before. */
valet_status vl_tenant_keyset_rotate(struct vl_tenant_keyset *set,
                                     valet_error *err) VALET_CHECK;
/* The JWKS document; every key says `issuer`. */
valet_status vl_tenant_keyset_publish(const struct vl_tenant_keyset *set,
                                      struct vl_str issuer, struct vl_buf *out,
                                      valet_error *err) VALET_CHECK;

#endif
