/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to crypto/: the inside of a key, shared by pkey.c and certificate.c.
 */
#ifndef VL_CRYPTO_INSIDE_PKEY_H
#define VL_CRYPTO_INSIDE_PKEY_H

#include <openssl/evp.h>

#include "crypto/pkey.h"

struct vl_pkey {
    EVP_PKEY *pkey;
    EVP_MD_CTX *verify; /* RS256 or ES256, set up; copied each time */
    bool is_private;
    bool is_ec; /* P-256, else RSA */
};

/* Makes the key, with its context. Takes `pkey` over, also when it fails. */
valet_status vl_pkey_wrap(EVP_PKEY *pkey, bool is_private, struct vl_pkey **ret,
                          valet_error *err) VALET_CHECK;

#endif
