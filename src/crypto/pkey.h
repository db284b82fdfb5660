/* SPDX-License-Identifier: Apache-2.0
 *
 * RSA keys and certificates by OpenSSL: what jose/ signs and verifies with.
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
void vl_pkey_free(struct vl_pkey *key);

/* Modulus and exponent as big-endian bytes, appended. */
void vl_pkey_rsa_numbers(const struct vl_pkey *key, struct vl_buf *ret_n,
                         struct vl_buf *ret_e);
/* RSASSA-PKCS1-v1_5 with SHA-256 (RS256, RFC 7518 section 3.3). */
valet_status
vl_pkey_sign_rs256(const struct vl_pkey *key, struct vl_str bytes,
                   struct vl_buf *out, valet_error *err) VALET_CHECK;
/* VALET_DENIED unless the signature is good. */
valet_status
vl_pkey_verify_rs256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err) VALET_CHECK;
/* A self-signed certificate (DER) for `common_name`, valid ten years. */
valet_status
vl_pkey_self_signed(const struct vl_pkey *key, const char *common_name,
                    struct vl_buf *out, valet_error *err) VALET_CHECK;

#endif
