/* SPDX-License-Identifier: Apache-2.0
 *
 * Compact JSON Web Tokens (RFC 7515 section 3.1, RFC 7519): verified with RS256
 * only. `none`, HMAC and everything else is refused before a key is looked
 * for, whatever the header says. What the claims mean is the caller's.
 */
#ifndef VL_JOSE_JWT_H
#define VL_JOSE_JWT_H

#include "jose/jwk.h"
#include "json/read.h"

/*
 * Checks form, algorithm and signature. On success `ret_claims` owns the
 * payload. VALET_NOT_FOUND: the key id is unknown (fetch the key set again,
 * not too often); VALET_DENIED: anything else. At most VL_LIMIT_JWT bytes.
 */
valet_status
vl_jwt_verify(struct vl_str token, const struct vl_jwks *keys,
              struct vl_json *ret_claims, valet_error *err) VALET_CHECK;
/*
 * The same, and tells what issuer the key set names for the key that signed:
 * empty when it names none, else borrowed from `keys`. Who trusts a key set
 * of many tenants (Entra's "common") has to compare it with the claim `iss`.
 */
valet_status
vl_jwt_verify_key(struct vl_str token, const struct vl_jwks *keys,
                  struct vl_json *ret_claims, struct vl_str *ret_key_issuer,
                  valet_error *err) VALET_CHECK;
/* Appends a token over these claims (a JSON object), header typ, alg, kid. */
valet_status
vl_jwt_sign(const struct vl_pkey *key, struct vl_str kid, struct vl_str claims,
            struct vl_buf *out, valet_error *err) VALET_CHECK;

#endif
