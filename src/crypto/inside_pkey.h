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
    EVP_MD_CTX *verify; /* RS256, set up; copied for each verification */
    bool is_private;
};

#endif
