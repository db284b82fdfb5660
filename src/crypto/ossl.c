/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ossl.h"

#include <openssl/err.h>

#include "core/status.h"

valet_status
vl_ossl_fail(valet_error *err, valet_status status, const char *sentence)
{
    ERR_clear_error();
    return vl_fail(err, status, "", "%s", sentence);
}
