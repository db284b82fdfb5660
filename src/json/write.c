/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings are copied in runs: eight bytes at a time are looked at for one
 * that needs care, and what lies between two such bytes goes out in one copy.
 */
#include "json/write.h"

#include <jansson.h>

#include "core/enc.h"
#include "json/read.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/*
 * Is one of eight bytes a control character, a quote, a backslash or not
 * ASCII? `x - ONES * n` borrows into the high bit of a byte that is below n;
 * a borrow from a neighbour only ever adds a false alarm.
 */
static bool
needs_care(uint64_t x)
{
    uint64_t control = x - ONES * 0x20;
    uint64_t quote = (x ^ ONES * '"') - ONES;
    uint64_t slash = (x ^ ONES * '\\') - ONES;
    return ((control | quote | slash | x) & HIGHS) != 0;
}

static bool
is_harmless(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t
harmless_run(struct vl_str s, size_t i)
{
    size_t start = i;
    while (s.n - i >= 8) {
        uint64_t eight;
        memcpy(&eight, s.p + i, 8);
        if (needs_care(eight))
            break;
        i += 8;
    }
    while (i < s.n && is_harmless((unsigned char)s.p[i]))
        i++;
    return i - start;
}

/*
 * UTF8-2 / UTF8-3 / UTF8-4 of RFC 3629 section 4: the length of the one at
 * `p`, or 0. The range of the second byte excludes overlong forms, surrogates
 * and what is above U+10FFFF.
 */
static size_t
sequence_length(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first, last, low, high, length;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t f = 0; f < VL_COUNT(forms); f++) {
        if (p[0] < forms[f].first || p[0] > forms[f].last)
            continue;
        if (n < forms[f].length || p[1] < forms[f].low || p[1] > forms[f].high)
            return 0;
        for (size_t i = 2; i < forms[f].length; i++)
            if ((p[i] & 0xC0) != 0x80)
                return 0;
        return forms[f].length;
    }
    return 0;
}

/* Bytes from 0x80 on; returns how many were dealt with. */
static size_t
add_beyond_ascii(struct vl_buf *buf, struct vl_str s)
{
    size_t i = 0;
    while (i < s.n && (unsigned char)s.p[i] >= 0x80) {
        size_t length =
            sequence_length((const unsigned char *)s.p + i, s.n - i);
        if (length == 0)
            break;
        i += length;
    }
    vl_buf_add(buf, vl_str_head(s, i));
    if (i > 0)
        return i;
    vl_buf_addz(buf, "\xEF\xBF\xBD");
    return 1;
}

static void
add_escape(struct vl_buf *buf, char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        char two[2] = {'\\', to[at - from]};
        vl_buf_add(buf, vl_str_of(two, 2));
        return;
    }
    vl_buf_addz(buf, "\\u00");
    vl_enc_hex(buf, vl_str_of(&c, 1));
}

static void
add_quoted(struct vl_buf *buf, struct vl_str s)
{
    vl_buf_addc(buf, '"');
    for (size_t i = 0; i < s.n && !buf->failed;) {
        size_t run = harmless_run(s, i);
        vl_buf_add(buf, vl_str_of(s.p + i, run));
        i += run;
        if (i == s.n)
            break;
        if ((unsigned char)s.p[i] >= 0x80)
            i += add_beyond_ascii(buf, vl_str_from(s, i));
        else
            add_escape(buf, s.p[i++]);
    }
    vl_buf_addc(buf, '"');
}

/* The comma, and the key where there is one (`key.p` is not NULL). */
static void
begin(struct vl_json_out *out, struct vl_str key)
{
    if (out->comma)
        vl_buf_addc(out->buf, ',');
    out->comma = true;
    if (key.p) {
        add_quoted(out->buf, key);
        vl_buf_addc(out->buf, ':');
    }
}

void
vl_json_open(struct vl_json_out *out, char bracket)
{
    vl_json_open_key(out, NULL, bracket);
}

static void
open_at(struct vl_json_out *out, struct vl_str key, char bracket)
{
    begin(out, key);
    vl_buf_addc(out->buf, bracket);
    out->comma = false;
}

void
vl_json_open_key(struct vl_json_out *out, const char *key, char bracket)
{
    open_at(out, vl_str_z(key), bracket);
}

void
vl_json_close(struct vl_json_out *out, char bracket)
{
    vl_buf_addc(out->buf, bracket);
    out->comma = true;
}

void
vl_json_add_str(struct vl_json_out *out, const char *key, struct vl_str value)
{
    vl_json_add_str_at(out, vl_str_z(key), value);
}

void
vl_json_add_str_at(struct vl_json_out *out, struct vl_str key,
                   struct vl_str value)
{
    begin(out, key);
    add_quoted(out->buf, value);
}

void
vl_json_add_z(struct vl_json_out *out, const char *key, const char *value)
{
    vl_json_add_str(out, key, vl_str_z(value));
}

static void
add_int(struct vl_buf *buf, int64_t value)
{
    uint64_t size = (uint64_t)value;
    if (value < 0) {
        vl_buf_addc(buf, '-');
        size = 0 - size; /* right for INT64_MIN too */
    }
    vl_buf_addu(buf, size);
}

void
vl_json_add_int(struct vl_json_out *out, const char *key, int64_t value)
{
    begin(out, vl_str_z(key));
    add_int(out->buf, value);
}

void
vl_json_add_bool(struct vl_json_out *out, const char *key, bool value)
{
    vl_json_add_raw(out, key, value ? VL_STR("true") : VL_STR("false"));
}

void
vl_json_add_null(struct vl_json_out *out, const char *key)
{
    vl_json_add_raw(out, key, VL_STR("null"));
}

void
vl_json_add_raw(struct vl_json_out *out, const char *key, struct vl_str json)
{
    begin(out, vl_str_z(key));
    vl_buf_add(out->buf, json);
}

/*
 * The fewest digits that read back as the same number. jansson writes them,
 * for snprintf's decimal point follows the locale of the host program.
 */
static void
add_real(struct vl_buf *buf, const json_t *value)
{
    double real = json_real_value(value);
    char text[64];
    size_t digits = 15;
    for (; digits < 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", (int)digits, real);
        double again = strtod(text, NULL);
        if (memcmp(&again, &real, sizeof real) == 0)
            break;
    }
    size_t n = json_dumpb(value, text, sizeof text,
                          JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    VL_ASSERT(n > 0 && n <= sizeof text); /* a parsed real is finite */
    vl_buf_add(buf, vl_str_of(text, n));
}

static void
add_tree(struct vl_json_out *out, struct vl_str key, const json_t *value);

static bool
add_member(struct vl_str key, const json_t *value, void *ctx)
{
    struct vl_json_out *out = ctx;
    add_tree(out, key, value);
    return !out->buf->failed;
}

/* Recursion goes as deep as vl_json_parse() let the document be. */
static void
add_tree(struct vl_json_out *out, struct vl_str key, const json_t *value)
{
    int64_t number = 0;
    switch (vl_json_kind(value)) {
    case VL_JSON_OBJECT:
        open_at(out, key, '{');
        vl_json_each(value, add_member, out);
        vl_json_close(out, '}');
        return;
    case VL_JSON_ARRAY:
        open_at(out, key, '[');
        for (size_t i = 0; i < vl_json_size(value); i++)
            add_tree(out, (struct vl_str){NULL, 0}, vl_json_at(value, i));
        vl_json_close(out, ']');
        return;
    default:
        break;
    }
    begin(out, key);
    if (json_is_string(value))
        add_quoted(out->buf, vl_json_str(value));
    else if (vl_json_int(value, &number))
        add_int(out->buf, number);
    else if (json_is_real(value))
        add_real(out->buf, value);
    else if (json_is_boolean(value))
        vl_buf_addz(out->buf, json_is_true(value) ? "true" : "false");
    else
        vl_buf_addz(out->buf, "null");
}

void
vl_json_add_value(struct vl_json_out *out, const char *key,
                  const struct json_t *value)
{
    add_tree(out, vl_str_z(key), value);
}
