/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a key set: what is taken must be able to refuse a signature.
 */
#include "jose/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_jwks *set = NULL;
    if (vl_jwks_parse(vl_str_of(data, size), &set, NULL) != VALET_OK)
        return 0;
    struct vl_jwks *held = vl_jwks_ref(set);
    vl_jwks_unref(set);
    const struct vl_pkey *key = vl_jwks_find(held, VL_STR("k"));
    (void)vl_jwks_issuer(held, VL_STR("k"));
    if (key) {
        vl_auto(vl_buf) n = vl_buf_of(1024), e = vl_buf_of(1024);
        vl_pkey_rsa_numbers(key, &n, &e);
        VL_ASSERT(vl_buf_size(&n) >= 256 && vl_buf_size(&n) <= 512);
        VL_ASSERT(vl_buf_size(&e) >= 1 && vl_buf_size(&e) <= 4);
        VL_ASSERT(vl_pkey_verify_rs256(key, VL_STR("text"), VL_STR("signature"),
                                       NULL) == VALET_DENIED);
    }
    vl_jwks_unref(held);
    return 0;
}
