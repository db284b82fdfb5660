/* SPDX-License-Identifier: Apache-2.0
 *
 * A private RSA key with its certificate, by OpenSSL: what a program proves
 * itself with. Immutable after birth; threads may share it.
 */
#ifndef VL_CRYPTO_SIGNER_H
#define VL_CRYPTO_SIGNER_H

#include "core/buf.h"
#include "core/secret.h"
#include "crypto/digest.h"

struct vl_signer;

/*
 * From PEM, in one text or two: a certificate (the first one in `certificate`)
 * and its key, PKCS #8 or PKCS #1, without a passphrase. VALET_INVALID unless
 * both are there, belong together, and the key has 2048 to 4096 bits.
 */
valet_status
vl_signer_of_pem(struct vl_str certificate, struct vl_str key,
                 struct vl_signer **ret, valet_error *err) VALET_CHECK;
void vl_signer_free(struct vl_signer *signer); /* NULL is fine */

/* SHA-256 of the certificate: x5t#S256 (RFC 7515 section 4.1.8), not encoded.
 */
void vl_signer_thumbprint(const struct vl_signer *signer,
                          unsigned char ret[VL_SHA256_SIZE]);
/* RSASSA-PSS with SHA-256 (PS256, RFC 7518 section 3.5), appended. */
valet_status
vl_signer_sign_ps256(const struct vl_signer *signer, struct vl_str bytes,
                     struct vl_buf *out, valet_error *err) VALET_CHECK;

#endif
