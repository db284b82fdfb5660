/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the ring sealed it opens. */
static void
use(const struct vl_keyring *ring)
{
    vl_auto(vl_buf) sealed = vl_buf_of(200);
    vl_auto(vl_buf) plain = vl_buf_of_secret(200);
    VL_ASSERT(vl_seal(ring, VL_STR("context"), VL_STR("text"), &sealed, NULL) ==
              VALET_OK);
    VL_ASSERT(vl_unseal(ring, VL_STR("context"), vl_buf_str(&sealed), &plain,
                        NULL) == VALET_OK);
    VL_ASSERT(vl_str_eqz(vl_buf_str(&plain), "text"));
}

/* A good file is lines of an id, a space and 43 characters, and no more; of a
 * bad one the error tells the place alone. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_keyring *ring = NULL;
    valet_error err = {.message = ""};
    struct vl_str text = vl_str_of(data, size), line;
    if (vl_keyring_parse("file", text, &ring, &err) != VALET_OK) {
        VL_ASSERT(!ring &&
                  vl_str_starts(vl_str_z(err.message), VL_STR("file:")));
        return 0;
    }
    use(ring);
    vl_keyring_free(ring);
    if (vl_str_ends(text, VL_STR("\n")))
        text.n--;
    while (vl_str_split(&text, '\n', &line)) {
        size_t space = vl_str_index(line, ' ');
        VL_ASSERT(space >= 1 && space <= 16 && line.n == space + 1 + 43);
    }
    return 0;
}
