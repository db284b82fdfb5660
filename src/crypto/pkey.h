/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and certificates by OpenSSL: what jose/ signs and verifies with. RSA,
 * and for verifying P-256.
 * Keys are immutable after birth and may be shared by threads.
 */
#ifndef VL_CRYPTO_PKEY_H
#define VL_CRYPTO_PKEY_H

#include "core/buf.h"
#include "core/secret.h"

struct vl_pkey;

/* A fresh RSA key of `bits` (2048 to 4096). */
valet_status vl_pkey_new_rsa(unsigned bits, struct vl_pkey **ret,
                             valet_error *err) VALET_CHECK;
/* A public RSA key of 2048 to 4096 bits from modulus and exponent. */
valet_status vl_pkey_of_rsa(struct vl_str n, struct vl_str e,
                            struct vl_pkey **ret, valet_error *err) VALET_CHECK;
/* A public key on the curve P-256, from the point's coordinates: 32 bytes
 * each (RFC 7518 section 6.2.1). */
valet_status
vl_pkey_of_p256(struct vl_str x, struct vl_str y, struct vl_pkey **ret,
                valet_error *err) VALET_CHECK;
void vl_pkey_free(struct vl_pkey *key);

/* Modulus and exponent as big-endian bytes, appended. */
void vl_pkey_rsa_numbers(const struct vl_pkey *key, struct vl_buf *ret_n,
                         struct vl_buf *ret_e);
/* RSASSA-PKCS1-v1_5 with SHA-256 (RS256, RFC 7518 section 3.3). */
valet_status
vl_pkey_sign_rs256(const struct vl_pkey *key, struct vl_str bytes,
                   struct vl_buf *out, valet_error *err) VALET_CHECK;
/* VALET_DENIED unless the signature is good, and the key of that kind. */
valet_status
vl_pkey_verify_rs256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err) VALET_CHECK;
/* RSASSA-PSS with SHA-256 and a salt of 32 bytes (RFC 7518 section 3.5). */
valet_status
vl_pkey_verify_ps256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err) VALET_CHECK;
/* ECDSA on P-256 with SHA-256; r and s, 32 bytes each (section 3.4). */
valet_status
vl_pkey_verify_es256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err) VALET_CHECK;
/* A self-signed certificate (DER) for `common_name`, valid ten years. */
valet_status
vl_pkey_self_signed(const struct vl_pkey *key, const char *common_name,
                    struct vl_buf *out, valet_error *err) VALET_CHECK;

#endif
