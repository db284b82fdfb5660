/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar is RFC 8259's, less what the header says. Each take_ function
 * takes what it reads off the front, and says no where it is something else.
 */
#include "json/scan.h"

#include <endian.h>

#include "core/limits.h"

/* Integers of so many digits always fit 64 bits. */
#define DIGITS_MAX 18
/* With so few, a number of VL_JSON_SCAN_NUMBER bytes always fits a double. */
#define EXPONENT_DIGITS_MAX 2

/* A key of an object that is still open. */
struct open_key {
    struct vl_str key;
    uint64_t mark;
};

struct scanner {
    const char *p, *end;
    unsigned depth; /* levels that may still be opened */
    size_t key_count;
    struct open_key keys[VL_JSON_SCAN_KEYS];
};

struct value {
    enum vl_json_kind kind;
    bool plain; /* it would be written just as it stands */
};

static bool take_value(struct scanner *s, struct value *ret);

static char
next_byte(const struct scanner *s)
{
    return s->p < s->end ? *s->p : '\0';
}

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static void
skip_space(struct scanner *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* With the space before it. */
static bool
take_byte(struct scanner *s, char byte)
{
    skip_space(s);
    if (next_byte(s) != byte)
        return false;
    s->p++;
    return true;
}

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
skip_plain(struct scanner *s)
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
skip_utf8(struct scanner *s)
{
    do {
        size_t size =
            vl_str_utf8_size(vl_str_of(s->p, (size_t)(s->end - s->p)));
        if (size == 0)
            return false;
        s->p += size;
    } while ((unsigned char)next_byte(s) >= 0x80);
    return true;
}

/* Four digits, the u before them taken already. */
static bool
take_hex(struct scanner *s, unsigned *ret)
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
take_escape(struct scanner *s)
{
    unsigned unit, low;
    s->p++;
    char c = next_byte(s);
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

/* string = quotation-mark *char quotation-mark ; plain without escapes */
static bool
take_string(struct scanner *s, bool *ret_plain)
{
    *ret_plain = true;
    s->p++;
    for (;;) {
        skip_plain(s);
        unsigned char byte = (unsigned char)next_byte(s);
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
take_digits(struct scanner *s)
{
    const char *begin = s->p;
    while (s->p < s->end && vl_is_digit(*s->p))
        s->p++;
    return (size_t)(s->p - begin);
}

/* frac = decimal-point 1*DIGIT ; exp = e [ minus / plus ] 1*DIGIT */
static bool
take_fraction(struct scanner *s)
{
    if (next_byte(s) == '.') {
        s->p++;
        if (take_digits(s) == 0)
            return false;
    }
    if (next_byte(s) == 'e' || next_byte(s) == 'E') {
        s->p++;
        if (next_byte(s) == '+' || next_byte(s) == '-')
            s->p++;
        size_t digits = take_digits(s);
        return digits > 0 && digits <= EXPONENT_DIGITS_MAX;
    }
    return true;
}

/* number = [ minus ] int [ frac ] [ exp ]
 * Part of a number, or of nothing: what follows has to be one of the three
 * that end a value, which those who call see to. */
static bool
take_number(struct scanner *s, struct value *ret)
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
        *ret = (struct value){VL_JSON_REAL, false};
        return true;
    }
    *ret = (struct value){VL_JSON_INT, !(zero && minus)};
    return digits <= DIGITS_MAX;
}

static bool
take_word(struct scanner *s, struct vl_str word)
{
    if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
        return false;
    s->p += word.n;
    return true;
}

/* --- what holds values --- */

/* Different for most keys that differ. */
static uint64_t
mark_of(struct vl_str key)
{
    uint32_t head = 0, tail = 0;
    size_t n = key.n < sizeof head ? key.n : sizeof head;
    if (n) {
        memcpy(&head, key.p, n);
        memcpy(&tail, key.p + key.n - n, n);
    }
    return ((uint64_t)head << 32 | tail) ^ (uint64_t)key.n << 16;
}

/* The name of a member of the object whose keys begin at `first`. */
static bool
take_key(struct scanner *s, size_t first)
{
    bool plain;
    skip_space(s);
    const char *begin = s->p;
    if (next_byte(s) != '"' || !take_string(s, &plain) || !plain ||
        s->key_count == VL_JSON_SCAN_KEYS)
        return false;
    struct vl_str key = vl_str_of(begin + 1, (size_t)(s->p - begin) - 2);
    uint64_t mark = mark_of(key);
    for (size_t i = first; i < s->key_count; i++)
        if (s->keys[i].mark == mark && vl_str_eq(s->keys[i].key, key))
            return false;
    s->keys[s->key_count++] = (struct open_key){key, mark};
    return take_byte(s, ':');
}

/* object = begin-object [ member *( value-separator member ) ] end-object */
static bool
take_object(struct scanner *s)
{
    size_t first = s->key_count;
    struct value value;
    s->p++;
    if (take_byte(s, '}'))
        return true;
    do {
        if (!take_key(s, first) || !take_value(s, &value))
            return false;
    } while (take_byte(s, ','));
    s->key_count = first;
    return take_byte(s, '}');
}

/* array = begin-array [ value *( value-separator value ) ] end-array */
static bool
take_array(struct scanner *s)
{
    struct value value;
    s->p++;
    if (take_byte(s, ']'))
        return true;
    do {
        if (!take_value(s, &value))
            return false;
    } while (take_byte(s, ','));
    return take_byte(s, ']');
}

static bool
take_nested(struct scanner *s, bool (*take)(struct scanner *))
{
    if (s->depth == 0)
        return false;
    s->depth--;
    bool taken = take(s);
    s->depth++;
    return taken;
}

/* value = false / null / true / object / array / number / string */
static bool
take_value(struct scanner *s, struct value *ret)
{
    skip_space(s);
    ret->plain = true;
    switch (next_byte(s)) {
    case '"':
        ret->kind = VL_JSON_STRING;
        return take_string(s, &ret->plain);
    case '{':
        ret->kind = VL_JSON_OBJECT;
        return take_nested(s, take_object);
    case '[':
        ret->kind = VL_JSON_ARRAY;
        return take_nested(s, take_array);
    case 't':
        ret->kind = VL_JSON_BOOL;
        return take_word(s, VL_STR("true"));
    case 'f':
        ret->kind = VL_JSON_BOOL;
        return take_word(s, VL_STR("false"));
    case 'n':
        ret->kind = VL_JSON_NULL;
        return take_word(s, VL_STR("null"));
    case '\0':
        return false;
    default:
        return take_number(s, ret);
    }
}

static bool
take_member(struct scanner *s, struct vl_json_member *ret)
{
    struct value value;
    if (!take_key(s, 0))
        return false;
    ret->key = s->keys[s->key_count - 1].key;
    skip_space(s);
    const char *begin = s->p;
    if (!take_value(s, &value) || !value.plain)
        return false;
    ret->kind = value.kind;
    ret->text = vl_str_of(begin, (size_t)(s->p - begin));
    return true;
}

bool
vl_json_scan(struct vl_str text, unsigned max_depth,
             struct vl_json_member *members, size_t max, size_t *ret_count)
{
    struct scanner s; /* its keys are written before they are read */
    size_t count = 0;
    if (text.n == 0 || max_depth == 0)
        return false;
    s.p = text.p;
    s.end = text.p + text.n;
    s.depth =
        (max_depth < VL_LIMIT_JSON_DEPTH ? max_depth : VL_LIMIT_JSON_DEPTH) - 1;
    s.key_count = 0;
    if (!take_byte(&s, '{'))
        return false;
    if (!take_byte(&s, '}')) {
        do {
            if (count == max || !take_member(&s, &members[count]))
                return false;
            count++;
        } while (take_byte(&s, ','));
        if (!take_byte(&s, '}'))
            return false;
    }
    skip_space(&s);
    *ret_count = count;
    return s.p == s.end;
}

struct vl_str
vl_json_member_str(const struct vl_json_member *member)
{
    if (member->kind != VL_JSON_STRING)
        return (struct vl_str){NULL, 0};
    return (struct vl_str){member->text.p + 1, member->text.n - 2};
}
