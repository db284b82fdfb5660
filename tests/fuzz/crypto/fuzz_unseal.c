/* SPDX-License-Identifier: Apache-2.0
 *
 * The first byte is the length of a context, which follows; the rest is an
 * envelope. The ring is always the same, so that seeds may hold good ones.
 */
#include "core/limits.h"
#include "crypto/keyring.h"

#define FUZZ_KEYS                                                              \
    "new AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"                        \
    "old Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is refused leaves nothing behind. */
static bool
opens(const struct vl_keyring *ring, struct vl_str context,
      struct vl_str sealed)
{
    vl_auto(vl_buf) out = vl_buf_of_secret(VL_LIMIT_STORE_VALUE);
    vl_buf_addz(&out, "before");
    valet_status status = vl_unseal(ring, context, sealed, &out, NULL);
    VL_ASSERT(status == VALET_OK || status == VALET_DENIED ||
              status == VALET_LIMIT);
    VL_ASSERT(status == VALET_OK || vl_str_eqz(vl_buf_str(&out), "before"));
    VL_ASSERT(status != VALET_OK || vl_buf_size(&out) < 6 + sealed.n);
    return status == VALET_OK;
}

/* With the last byte taken off, or a bit of any byte changed, it is not what
 * was sealed. */
static void
spoil(const struct vl_keyring *ring, struct vl_str context,
      struct vl_str sealed, size_t at)
{
    vl_auto(vl_buf) other = vl_buf_of(2 * VL_LIMIT_STORE_VALUE);
    vl_buf_add(&other, sealed);
    VL_ASSERT(!opens(ring, context, vl_str_head(sealed, sealed.n - 1)));
    if (other.failed)
        return;
    other.p[other.off + at % sealed.n] ^= (char)(1u << (at % 8));
    VL_ASSERT(!opens(ring, context, vl_buf_str(&other)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_keyring *ring = NULL;
    if (size == 0)
        return 0;
    VL_ASSERT(vl_keyring_parse("keys", VL_STR(FUZZ_KEYS), &ring, NULL) ==
              VALET_OK);
    struct vl_str rest = vl_str_of(data + 1, size - 1);
    struct vl_str context = vl_str_head(rest, data[0]);
    struct vl_str sealed = vl_str_from(rest, context.n);
    if (opens(ring, context, sealed))
        spoil(ring, context, sealed, size);
    vl_auto(vl_buf) other = vl_buf_of(300);
    vl_buf_add(&other, context);
    vl_buf_addc(&other, '+');
    vl_auto(vl_buf) envelope = vl_buf_of(2 * VL_LIMIT_STORE_VALUE);
    if (vl_seal(ring, context, sealed, &envelope, NULL) == VALET_OK &&
        sealed.n <= VL_LIMIT_STORE_VALUE - 6) {
        VL_ASSERT(opens(ring, context, vl_buf_str(&envelope)));
        VL_ASSERT(!opens(ring, vl_buf_str(&other), vl_buf_str(&envelope)));
        spoil(ring, context, vl_buf_str(&envelope), data[0]);
    }
    vl_keyring_free(ring);
    return 0;
}
