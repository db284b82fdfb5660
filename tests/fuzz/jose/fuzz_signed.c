/* SPDX-License-Identifier: Apache-2.0
 *
 * The input as somebody's token: it is read or refused, and never good by a
 * key that did not sign it. What was read is part of the input.
 */
#include "core/limits.h"
#include "jose/signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vl_pkey *key;
    struct vl_signed shown;
    if (!key)
        VL_ASSERT(vl_pkey_new_rsa(2048, &key, NULL) == VALET_OK);
    struct vl_str token = vl_str_of(data, size);
    if (vl_signed_read(token, &shown, NULL) != VALET_OK)
        return 0;
    VL_ASSERT(vl_json_kind(shown.header.root) == VL_JSON_OBJECT);
    VL_ASSERT(vl_json_kind(shown.claims.root) == VL_JSON_OBJECT);
    VL_ASSERT(shown.signed_text.p == token.p && shown.signed_text.n < token.n &&
              token.p[shown.signed_text.n] == '.');
    VL_ASSERT(vl_signed_verify(&shown, key, NULL) == VALET_DENIED);
    vl_signed_done(&shown);
    return 0;
}
