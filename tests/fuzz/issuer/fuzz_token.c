/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a token as a client sends it, of every kind, and as a mask over
 * tokens that are good. The keys are always the same, so that seeds may hold
 * good tokens.
 */
#include "issuer/token_format.h"

#define FUZZ_KEYS                                                              \
    "new AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"                        \
    "old Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
reads(const struct vl_token_keys *keys, enum vl_token_kind kind,
      struct vl_str text)
{
    struct vl_token_id id = {""};
    struct vl_token_family family;
    bool good = vl_token_read(keys, kind, text, &id, &family);
    VL_ASSERT(!good || strlen(id.text) == 32);
    VL_ASSERT(good || id.text[0] == '\0');
    return good;
}

/* A token is of one kind, and any change of it makes it none. */
static void
change(const struct vl_token_keys *keys, enum vl_token_kind kind,
       struct vl_str mask)
{
    struct vl_token_family family = {{1}};
    struct vl_token_id id;
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_TOKEN_TEXT_MAX);
    vl_token_mint(keys, kind, kind == VL_TOKEN_REFRESH ? &family : NULL, &text,
                  &id);
    VL_ASSERT(!text.failed && reads(keys, kind, vl_buf_str(&text)));
    bool changed = false;
    for (size_t i = 0; i < mask.n && i < vl_buf_size(&text); i++) {
        text.p[text.off + i] ^= mask.p[i];
        changed = changed || mask.p[i];
    }
    VL_ASSERT(reads(keys, kind, vl_buf_str(&text)) == !changed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_keyring *ring = NULL;
    struct vl_token_keys keys;
    struct vl_str text = vl_str_of(data, size);
    unsigned kinds = 0;
    VL_ASSERT(vl_keyring_parse("keys", VL_STR(FUZZ_KEYS), &ring, NULL) ==
              VALET_OK);
    vl_token_keys_init(&keys, ring);
    for (int kind = 0; kind < VL_TOKEN_KIND_COUNT; kind++) {
        kinds += reads(&keys, (enum vl_token_kind)kind, text);
        change(&keys, (enum vl_token_kind)kind, text);
    }
    VL_ASSERT(kinds <= 1);
    VL_ASSERT(!vl_handle_is_valid(text) || size == VL_HANDLE_SIZE - 1);
    vl_token_keys_done(&keys);
    vl_keyring_free(ring);
    return 0;
}
