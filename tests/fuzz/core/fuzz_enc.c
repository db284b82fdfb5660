/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text: what decodes is encoded to the same text again (for escapes: to
 * one that means the same), what does not leaves the buffer as it was. Any
 * bytes: they come back.
 */
#include "core/enc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef bool decoder(struct vl_str text, struct vl_buf *out);
typedef void encoder(struct vl_buf *out, struct vl_str bytes);

static bool
decode_form(struct vl_str text, struct vl_buf *out)
{
    return vl_dec_percent(text, true, out);
}

static void
try_one(struct vl_str input, decoder *decode, encoder *encode, bool canonical)
{
    vl_auto(vl_buf) bytes = vl_buf_of(input.n + 1), text, again;
    text = vl_buf_of(3 * input.n + 4);
    again = vl_buf_of(3 * input.n + 4);
    vl_buf_addc(&bytes, '!');
    if (decode(input, &bytes)) {
        vl_buf_consume(&bytes, 1);
        encode(&text, vl_buf_str(&bytes));
        VL_ASSERT(vl_buf_check(&text, NULL) == VALET_OK);
        if (canonical)
            VL_ASSERT(vl_str_eq(vl_buf_str(&text), input));
        VL_ASSERT(decode(vl_buf_str(&text), &again));
        VL_ASSERT(vl_str_eq(vl_buf_str(&again), vl_buf_str(&bytes)));
    } else {
        VL_ASSERT(vl_str_eqz(vl_buf_str(&bytes), "!") && !bytes.failed);
    }

    vl_buf_clear(&text);
    vl_buf_clear(&again);
    encode(&text, input);
    VL_ASSERT(decode(vl_buf_str(&text), &again));
    VL_ASSERT(vl_str_eq(vl_buf_str(&again), input));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str input = vl_str_of(data, size);
    try_one(input, vl_dec_base64url, vl_enc_base64url, true);
    try_one(input, vl_dec_base64, vl_enc_base64, true);
    try_one(input, decode_form, vl_enc_percent, false);
    return 0;
}
