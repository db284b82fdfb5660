/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to crypto/: what all certificates that are made here have.
 */
#ifndef VL_CRYPTO_INSIDE_CERTIFICATE_H
#define VL_CRYPTO_INSIDE_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/x509.h>

/* Version, serial number, names, times and key; `issuer` NULL: itself. It is
 * not signed yet. */
bool vl_certificate_fill(X509 *cert, EVP_PKEY *key, const char *common_name,
                         const X509 *issuer, int days);

#endif
