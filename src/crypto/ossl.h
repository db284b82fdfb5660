/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to crypto/: what its files say when OpenSSL says no.
 */
#ifndef VL_CRYPTO_OSSL_H
#define VL_CRYPTO_OSSL_H

#include "core/base.h"

/*
 * Returns `status` with this sentence and empties OpenSSL's error queue of
 * this thread: what stays in it would be taken for a fault of the next TLS
 * call.
 */
valet_status
vl_ossl_fail(valet_error *err, valet_status status, const char *sentence);

#endif
