/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/start.h"

#include <openssl/crypto.h>

void
vl_crypto_start(void)
{
    /* Where it fails the texts are loaded, and all is as it would be. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
}
