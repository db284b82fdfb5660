/* SPDX-License-Identifier: Apache-2.0 */
#include "json/scan_inside.h"

#include <endian.h>

/* Integers of so many digits always fit 64 bits. */
#define DIGITS_MAX 18
/* With so few, a number of VL_JSON_SCAN_NUMBER bytes always fits a double. */
#define EXPONENT_DIGITS_MAX 2

/* --- strings --- */

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS (EACH_BYTE * 0x80)

/* The high bit of each byte that is a quote, a backslash, a control or no
 * ASCII; the lowest bit is exact, those above it may be too many. */
static uint64_t
find_special(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE * '"', slash = word ^ EACH_BYTE * '\\';
    uint64_t found = (quote - EACH_BYTE) & ~quote;
    found |= (slash - EACH_BYTE) & ~slash;
    found |= (word - EACH_BYTE * 0x20) & ~word;
    return (found | word) & HIGH_BITS;
}

/* Most bytes of most messages are here: eight at a time. */
static void
skip_plain(struct vl_scanner *s)
{
    while (s->end - s->p >= 8) {
        uint64_t word;
        memcpy(&word, s->p, sizeof word);
        uint64_t special = find_special(le64toh(word));
        if (special) {
            s->p += __builtin_ctzll(special) / 8;
            return;
        }
        s->p += 8;
    }
    while (s->p < s->end && (unsigned char)*s->p >= 0x20 &&
           (unsigned char)*s->p < 0x80 && *s->p != '"' && *s->p != '\\')
        s->p++;
}

/* Characters that are no ASCII; false when there is something else. */
static bool
skip_utf8(struct vl_scanner *s)
{
    do {
        size_t size =
            vl_str_utf8_size(vl_str_of(s->p, (size_t)(s->end - s->p)));
        if (size == 0)
            return false;
        s->p += size;
    } while ((unsigned char)vl_scan_next(s) >= 0x80);
    return true;
}

/* Four digits, the u before them taken already. */
static bool
take_hex(struct vl_scanner *s, unsigned *ret)
{
    unsigned value = 0;
    if (s->end - s->p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *s->p++;
        if (!vl_is_hex(c))
            return false;
        value =
            value << 4 |
            (unsigned)(vl_is_digit(c) ? c - '0' : vl_to_lower(c) - 'a' + 10);
    }
    *ret = value;
    return true;
}

/* escape and what it stands for; surrogates in pairs, and never NUL */
static bool
take_escape(struct vl_scanner *s)
{
    unsigned unit, low;
    s->p++;
    char c = vl_scan_next(s);
    if (c == '\0')
        return false;
    s->p++;
    if (c != 'u')
        return strchr("\"\\/bfnrt", c);
    if (!take_hex(s, &unit) || unit == 0)
        return false;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit > 0xdbff || s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
        return false;
    s->p += 2;
    return take_hex(s, &low) && low >= 0xdc00 && low <= 0xdfff;
}

bool
vl_scan_take_string(struct vl_scanner *s, bool *ret_plain)
{
    *ret_plain = true;
    s->p++;
    for (;;) {
        skip_plain(s);
        unsigned char byte = (unsigned char)vl_scan_next(s);
        if (byte == '"') {
            s->p++;
            return true;
        }
        if (byte == '\\')
            *ret_plain = false;
        if (byte == '\\' ? !take_escape(s) : byte < 0x80 || !skip_utf8(s))
            return false;
    }
}

/* --- numbers and words --- */

static size_t
take_digits(struct vl_scanner *s)
{
    const char *begin = s->p;
    while (s->p < s->end && vl_is_digit(*s->p))
        s->p++;
    return (size_t)(s->p - begin);
}

/* frac = decimal-point 1*DIGIT ; exp = e [ minus / plus ] 1*DIGIT */
static bool
take_fraction(struct vl_scanner *s)
{
    if (vl_scan_next(s) == '.') {
        s->p++;
        if (take_digits(s) == 0)
            return false;
    }
    if (vl_scan_next(s) == 'e' || vl_scan_next(s) == 'E') {
        s->p++;
        if (vl_scan_next(s) == '+' || vl_scan_next(s) == '-')
            s->p++;
        size_t digits = take_digits(s);
        return digits > 0 && digits <= EXPONENT_DIGITS_MAX;
    }
    return true;
}

bool
vl_scan_take_number(struct vl_scanner *s, struct vl_scan_value *ret)
{
    const char *begin = s->p;
    bool minus = *s->p == '-';
    s->p += minus;
    const char *first = s->p;
    size_t digits = take_digits(s);
    bool zero = digits > 0 && *first == '0';
    if (digits == 0 || (zero && digits > 1))
        return false;
    const char *integer_end = s->p;
    if (!take_fraction(s) || s->p - begin > VL_JSON_SCAN_NUMBER)
        return false;
    if (s->p > integer_end) {
        *ret = (struct vl_scan_value){VL_JSON_REAL, false};
        return true;
    }
    *ret = (struct vl_scan_value){VL_JSON_INT, !(zero && minus)};
    return digits <= DIGITS_MAX;
}

bool
vl_scan_take_word(struct vl_scanner *s, struct vl_str word)
{
    if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
        return false;
    s->p += word.n;
    return true;
}
