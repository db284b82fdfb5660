/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and keys of RSA as the text that people paste and programs
 * write to files (RFC 7468).
 */
#ifndef VL_CRYPTO_PEM_H
#define VL_CRYPTO_PEM_H

#include "crypto/pkey.h"

/*
 * The public key of the first certificate in the text, and the certificate
 * (DER) to `ret_der`; or of a bare "PUBLIC KEY", which leaves `ret_der` empty.
 * VALET_INVALID for anything else, and for keys that are no RSA of 2048 to
 * 4096 bits. Nobody's word is taken for the certificate: no issuer, no date.
 */
valet_status
vl_pem_read_public(struct vl_str text, struct vl_buf *ret_der,
                   struct vl_pkey **ret_key, valet_error *err) VALET_CHECK;

/* Appends a certificate (DER) as PEM. */
valet_status vl_pem_write_certificate(struct vl_str der, struct vl_buf *out,
                                      valet_error *err) VALET_CHECK;
/* Appends the private key, PKCS #8 without a password; `out` was made by
 * vl_buf_of_secret(). */
valet_status vl_pem_write_key(const struct vl_pkey *key, struct vl_buf *out,
                              valet_error *err) VALET_CHECK;

#endif
