/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Key sets (RFC 7517): what an issuer publishes, and what we verify
 * with. A set is immutable and counted, so that a refetched one can replace
 * it while others still verify with the old one.
 */
#ifndef VL_JOSE_JWK_H
#define VL_JOSE_JWK_H

#include "crypto/pkey.h"

struct vl_jwks;

/* The algorithms of JWS that we verify (RFC 7518 section 3.1), as a set. HMAC
 * and `none` have no name here. */
enum vl_alg {
    VL_ALG_RS256 = 1,
    VL_ALG_PS256 = 2,
    VL_ALG_ES256 = 4,
};

/*
 * Reads a JWKS document. Keys that are neither RSA nor on P-256, not for
 * signatures, too weak or broken are left out; a set without one usable key is
 * VALET_INVALID. At most 100 keys.
 */
valet_status vl_jwks_parse(struct vl_str json, struct vl_jwks **ret,
                           valet_error *err) VALET_CHECK;
struct vl_jwks *vl_jwks_ref(struct vl_jwks *set);
void vl_jwks_unref(struct vl_jwks *set);
/* Borrowed; NULL when there is no key with exactly this id that verifies this
 * algorithm: its kind is right, and its `alg` says so or is absent. A NULL set
 * has no keys, here and below. */
const struct vl_pkey *
vl_jwks_find_for(const struct vl_jwks *set, struct vl_str kid, enum vl_alg alg);
/* The same for RS256. */
const struct vl_pkey *
vl_jwks_find(const struct vl_jwks *set, struct vl_str kid);
/* Is there a key with this id, whatever it verifies? */
bool vl_jwks_has(const struct vl_jwks *set, struct vl_str kid);
/* The member `issuer` of that key; {NULL,0} when it has none. Borrowed. */
struct vl_str vl_jwks_issuer(const struct vl_jwks *set, struct vl_str kid);

/*
 * Appends one public key as a JWK the way Entra publishes it: kty, use, kid,
 * x5t (both the SHA-1 thumbprint of the certificate), n, e, x5c, issuer.
 * `out` gets the object; *ret_kid (of at least 28 bytes) the key id.
 */
valet_status
vl_jwk_publish(const struct vl_pkey *key, struct vl_str cert_der,
               struct vl_str issuer, struct vl_buf *out, struct vl_buf *ret_kid,
               valet_error *err) VALET_CHECK;

#endif
