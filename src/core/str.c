/* SPDX-License-Identifier: Apache-2.0 */
#include "core/str.h"

/* The same for the eight letters of a word at once. With the high bit of each
 * byte out of the way the sums cannot carry; their own high bits say "not
 * below A" and "above Z". */
static uint64_t
lower_word(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t word;
    memcpy(&word, p, sizeof word);
    uint64_t low = word & ones * 0x7f;
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t above_z = low + ones * (0x7f - 'Z');
    uint64_t upper = ~word & (from_a ^ above_z) & ones * 0x80;
    return word | upper >> 2; /* 0x20: what tells a from A */
}

/* Eight letters, compared without case. */
static bool
same_word(const char *a, const char *b)
{
    return lower_word(a) == lower_word(b);
}

bool
vl_bytes_ieq(const char *a, const char *b, size_t n)
{
    if (n < 8) {
        for (size_t i = 0; i < n; i++)
            if (vl_to_lower(a[i]) != vl_to_lower(b[i]))
                return false;
        return true;
    }
    for (size_t i = 0; n - i >= 8; i += 8)
        if (!same_word(a + i, b + i))
            return false;
    /* The last word may have been looked at in part. */
    return same_word(a + n - 8, b + n - 8);
}

bool
vl_str_starts(struct vl_str s, struct vl_str prefix)
{
    return s.n >= prefix.n && vl_str_eq(vl_str_head(s, prefix.n), prefix);
}

bool
vl_str_ends(struct vl_str s, struct vl_str suffix)
{
    return s.n >= suffix.n && vl_str_eq(vl_str_from(s, s.n - suffix.n), suffix);
}

bool
vl_str_has(struct vl_str s, char c)
{
    return vl_str_index(s, c) < s.n;
}

bool
vl_str_same_secret(struct vl_str a, struct vl_str b)
{
    /* The length is no secret: ours are all of one length. */
    if (a.n != b.n || a.n == 0)
        return false;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a.n; i++)
        difference |= (unsigned char)(a.p[i] ^ b.p[i]);
    return difference == 0;
}

struct vl_str
vl_str_trim(struct vl_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = vl_str_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

size_t
vl_str_index(struct vl_str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

bool
vl_str_split(struct vl_str *rest, char sep, struct vl_str *ret_item)
{
    if (!rest->p)
        return false;
    size_t at = vl_str_index(*rest, sep);
    *ret_item = vl_str_head(*rest, at);
    if (at == rest->n)
        *rest = (struct vl_str){NULL, 0};
    else
        *rest = (struct vl_str){rest->p + at + 1, rest->n - at - 1};
    return true;
}

bool
vl_str_has_word(struct vl_str list, struct vl_str word)
{
    struct vl_str item;
    while (vl_str_split(&list, ' ', &item))
        if (item.n && vl_str_eq(item, word))
            return true;
    return false;
}

bool
vl_str_u64(struct vl_str s, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value) ||
            value > max)
            return false;
    }
    *ret_value = value;
    return true;
}

size_t
vl_str_utf8_size(struct vl_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong =
        (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

bool
vl_str_is_utf8(struct vl_str s)
{
    while (s.n) {
        size_t length = vl_str_utf8_size(s);
        if (length == 0)
            return false;
        s = vl_str_from(s, length);
    }
    return true;
}

/* One well-formed character: a control (C0, DEL, C1), a separator of lines or
 * paragraphs, or one that changes the direction of what follows? */
static bool
is_wild(const unsigned char *p, size_t length)
{
    if (length == 1)
        return p[0] < 0x20 || p[0] == 0x7f;
    if (length == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    if (length == 3 && p[0] == 0xe2)
        return (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f ||
                                 (p[2] >= 0xa8 && p[2] <= 0xae))) ||
               (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
    return false;
}

void
vl_str_tame(char *text)
{
    struct vl_str rest = vl_str_z(text);
    while (rest.n) {
        size_t length = vl_str_utf8_size(rest);
        char *at = text + (rest.p - text);
        if (length == 0) {
            *at = '?';
            length = 1;
        } else if (is_wild((const unsigned char *)at, length)) {
            memset(at, '?', length);
        }
        rest = vl_str_from(rest, length);
    }
}
