/* SPDX-License-Identifier: Apache-2.0
 *
 * A private key, by OpenSSL: what a program proves itself with. Its kind says
 * how it signs. Immutable after birth; threads may share it.
 *
 *   RSA with its certificate   PS256
 *   RSA alone                  RS256
 *   P-256 alone                ES256
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
/* A key alone, in PEM: RSA as above, or on the curve P-256 (PKCS #8 or SEC 1).
 */
valet_status vl_signer_of_key(struct vl_str key, struct vl_signer **ret,
                              valet_error *err) VALET_CHECK;
void vl_signer_free(struct vl_signer *signer); /* NULL is fine */

/* "PS256", "RS256" or "ES256" (RFC 7518 section 3.1). */
const char *vl_signer_algorithm(const struct vl_signer *signer);
/* SHA-256 of the certificate: x5t#S256 (RFC 7515 section 4.1.8), not encoded.
 * False: there is none. */
bool vl_signer_thumbprint(const struct vl_signer *signer,
                          unsigned char ret[VL_SHA256_SIZE]);
/* The signature, as JWS has it (RFC 7518 sections 3.3 to 3.5), appended. */
valet_status vl_signer_sign(const struct vl_signer *signer, struct vl_str bytes,
                            struct vl_buf *out, valet_error *err) VALET_CHECK;

#endif
