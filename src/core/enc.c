/* SPDX-License-Identifier: Apache-2.0 */
#include "core/enc.h"

static const char plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
encode64(struct vl_buf *out, struct vl_str bytes, const char *alphabet,
         bool padded)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0u;
        char four[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63],
                        alphabet[v >> 6 & 63], alphabet[v & 63]};
        size_t n = left >= 3 ? 4 : left + 1;
        vl_buf_add(out, vl_str_of(four, n));
        for (; padded && n < 4; n++)
            vl_buf_addc(out, '=');
    }
}

void
vl_enc_base64url(struct vl_buf *out, struct vl_str bytes)
{
    encode64(out, bytes, url_safe, false);
}

void
vl_enc_base64(struct vl_buf *out, struct vl_str bytes)
{
    encode64(out, bytes, plain, true);
}

static void
write_hex(struct vl_str bytes, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        ret[2 * i] = digits[byte >> 4];
        ret[2 * i + 1] = digits[byte & 15];
    }
}

void
vl_enc_hex(struct vl_buf *out, struct vl_str bytes)
{
    char *room = bytes.n ? vl_buf_reserve(out, 2 * bytes.n) : NULL;
    if (!room)
        return;
    write_hex(bytes, room);
    vl_buf_commit(out, 2 * bytes.n);
}

void
vl_hex(struct vl_str bytes, char *ret)
{
    write_hex(bytes, ret);
    ret[2 * bytes.n] = '\0';
}

static bool
is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

void
vl_enc_percent(struct vl_buf *out, struct vl_str bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        if (is_unreserved(bytes.p[i])) {
            vl_buf_addc(out, bytes.p[i]);
            continue;
        }
        char three[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        vl_buf_add(out, vl_str_of(three, 3));
    }
}

/* The six bits of each ASCII letter, or -1. */
/* clang-format off */
static const signed char plain_bits[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, -1, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
    -1,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1,
    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};
static const signed char url_bits[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
    -1,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};
/* clang-format on */

static int
bits_of(char c, const signed char bits[128])
{
    unsigned char byte = (unsigned char)c;
    return byte < 128 ? bits[byte] : -1;
}

/* Of a text without padding; a length of 4n + 1 there is not. */
static size_t
decoded_size(struct vl_str text)
{
    size_t rest = text.n % 4;
    return text.n / 4 * 3 + (rest ? rest - 1 : 0);
}

/* One, two or three letters at the end: none, one or two bytes. The bits left
 * over must be zero, else two texts would mean the same. */
static bool
decode_rest(struct vl_str rest, const signed char bits[128], char *ret)
{
    if (rest.n == 1)
        return false;
    int a = bits_of(rest.p[0], bits), b = bits_of(rest.p[1], bits);
    int c = rest.n == 3 ? bits_of(rest.p[2], bits) : 0;
    if ((a | b | c) < 0)
        return false;
    int all = a << 18 | b << 12 | c << 6;
    *ret++ = (char)(all >> 16 & 0xff);
    if (rest.n == 3)
        *ret = (char)(all >> 8 & 0xff);
    return (all & (rest.n == 3 ? 0xff : 0xffff)) == 0;
}

/* The bytes of `text` (no padding) to `ret`; false if it is not canonical. */
static bool
decode64(struct vl_str text, const signed char bits[128], char *ret)
{
    size_t i = 0;
    for (; text.n - i >= 4; i += 4) {
        int a = bits_of(text.p[i], bits), b = bits_of(text.p[i + 1], bits);
        int c = bits_of(text.p[i + 2], bits), d = bits_of(text.p[i + 3], bits);
        if ((a | b | c | d) < 0)
            return false;
        int all = a << 18 | b << 12 | c << 6 | d;
        *ret++ = (char)(all >> 16 & 0xff);
        *ret++ = (char)(all >> 8 & 0xff);
        *ret++ = (char)(all & 0xff);
    }
    return i == text.n || decode_rest(vl_str_from(text, i), bits, ret);
}

static bool
append64(struct vl_str text, const signed char bits[128], struct vl_buf *out)
{
    size_t size = decoded_size(text);
    bool failed = out->failed;
    char *room = vl_buf_reserve(out, size);
    if (!room || !decode64(text, bits, room)) {
        out->failed = failed; /* `out` stays as it was */
        return false;
    }
    vl_buf_commit(out, size);
    return true;
}

bool
vl_dec_base64url_into(struct vl_str text, void *ret, size_t size)
{
    return decoded_size(text) == size && decode64(text, url_bits, ret);
}

bool
vl_dec_base64url(struct vl_str text, struct vl_buf *out)
{
    return append64(text, url_bits, out);
}

bool
vl_dec_base64(struct vl_str text, struct vl_buf *out)
{
    if (text.n % 4)
        return false;
    for (int pad = 0; pad < 2 && text.n && text.p[text.n - 1] == '='; pad++)
        text.n--;
    return append64(text, plain_bits, out);
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool
decode_percent(struct vl_str text, bool plus_is_space, struct vl_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            if (text.n - i < 3 || hex_value(text.p[i + 1]) < 0 ||
                hex_value(text.p[i + 2]) < 0)
                return false;
            c = (char)(hex_value(text.p[i + 1]) << 4 |
                       hex_value(text.p[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        vl_buf_addc(out, c);
    }
    return !out->failed;
}

bool
vl_dec_percent(struct vl_str text, bool plus_is_space, struct vl_buf *out)
{
    size_t size = vl_buf_size(out);
    bool failed = out->failed;
    if (decode_percent(text, plus_is_space, out))
        return true;
    /* `out` becomes what it was. */
    out->n = out->off + size;
    out->failed = failed;
    return false;
}
