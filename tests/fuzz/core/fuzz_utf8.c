/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 by ranges (core/str) against UTF-8 by decoding, written here: they
 * must agree; and a tamed text is UTF-8 of one line and the same length.
 */
#include "core/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 3629 by arithmetic: decode, then ask whether so many bytes were due. */
static size_t
decode(const uint8_t *p, size_t n)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0},
                 {0xe0, 0xc0, 0x80},
                 {0xf0, 0xe0, 0x800},
                 {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < VL_COUNT(forms); more++) {
        if ((p[0] & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t c = p[0] & (uint8_t)~forms[more].mask;
        if (n < more + 1)
            return 0;
        for (size_t i = 1; i <= more; i++) {
            if ((p[i] >> 6) != 2)
                return 0;
            c = c << 6 | (p[i] & 63u);
        }
        bool good = c >= forms[more].least && c <= 0x10ffff &&
                    !(c >= 0xd800 && c <= 0xdfff);
        return good ? more + 1 : 0;
    }
    return 0;
}

static bool
is_utf8(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = decode(data + at, size - at);
        VL_ASSERT(length == vl_str_utf8_size(vl_str_of(data + at, size - at)));
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str input = vl_str_of(data, size);
    VL_ASSERT(vl_str_is_utf8(input) == is_utf8(data, size));

    char *text = vl_alloc(size + 1);
    if (size)
        memcpy(text, data, size);
    size_t length = strlen(text);
    vl_str_tame(text);
    VL_ASSERT(strlen(text) == length);
    VL_ASSERT(vl_str_is_utf8(vl_str_z(text)));
    for (size_t i = 0; i < length; i++)
        VL_ASSERT((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
    free(text);
    return 0;
}
