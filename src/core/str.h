/* SPDX-License-Identifier: Apache-2.0
 *
 * A borrowed slice of bytes: it owns nothing and need not end in NUL. Valid
 * as long as what it points into. `{NULL, 0}` is the empty string, and also
 * "absent" where a comment says so.
 *
 *     struct vl_str rest = VL_STR("a, b"), item;
 *     while (vl_str_split(&rest, ',', &item))
 *         use(vl_str_trim(item));
 */
#ifndef VL_CORE_STR_H
#define VL_CORE_STR_H

#include "core/base.h"

struct vl_str {
    const char *p;
    size_t n;
};

#define VL_STR(literal) ((struct vl_str){"" literal, sizeof(literal) - 1})
#define VL_STR_FMT      "%.*s"
#define VL_STR_ARG(s)   (int)(s).n, (s).p ? (s).p : ""

/* The smallest are inline: compared with a literal they come down to a length
 * and a word or two. */

/* A slice of a NUL-terminated text; NULL gives the empty slice. */
static inline struct vl_str
vl_str_z(const char *text)
{
    return (struct vl_str){text, text ? strlen(text) : 0};
}

static inline struct vl_str
vl_str_of(const void *bytes, size_t n)
{
    return (struct vl_str){(const char *)bytes, n};
}

static inline bool
vl_str_eq(struct vl_str a, struct vl_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
vl_str_eqz(struct vl_str a, const char *text)
{
    return vl_str_eq(a, vl_str_z(text));
}

/* Of ASCII; no locale is asked. */
static inline bool
vl_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
vl_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
vl_is_hex(char c)
{
    return vl_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline char
vl_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* vl_str_ieq() for two of one length. */
bool vl_bytes_ieq(const char *a, const char *b, size_t n);

/* ASCII letters compare without case; no locale is asked. */
static inline bool
vl_str_ieq(struct vl_str a, struct vl_str b)
{
    return a.n == b.n && vl_bytes_ieq(a.p, b.p, a.n);
}

bool vl_str_starts(struct vl_str s, struct vl_str prefix);
bool vl_str_ends(struct vl_str s, struct vl_str suffix);
bool vl_str_has(struct vl_str s, char c);
/* Looks at every byte whatever they are: for values that must stay secret.
 * Two empty ones are not the same: nothing proves nothing. */
bool vl_str_same_secret(struct vl_str a, struct vl_str b);

/* From byte `from` to the end; empty when `from` is past the end. */
static inline struct vl_str
vl_str_from(struct vl_str s, size_t from)
{
    if (from >= s.n)
        return (struct vl_str){s.p ? s.p + s.n : NULL, 0};
    return (struct vl_str){s.p + from, s.n - from};
}

static inline struct vl_str
vl_str_head(struct vl_str s, size_t n)
{
    return (struct vl_str){s.p, n < s.n ? n : s.n};
}

/* Without leading and trailing spaces and tabs. */
struct vl_str vl_str_trim(struct vl_str s);
/* Index of the first `c`, or s.n. */
size_t vl_str_index(struct vl_str s, char c);
/*
 * Cuts the next item off `rest` at `sep`. False when nothing is left; "a," has
 * "a" and "", an empty text one empty item, {NULL, 0} none.
 */
bool vl_str_split(struct vl_str *rest, char sep, struct vl_str *ret_item);
/* Is `word` one of the space-separated words of `list`? */
bool vl_str_has_word(struct vl_str list, struct vl_str word);

/* Decimal digits only, no sign, no space, at most `max`. */
bool vl_str_u64(struct vl_str s, uint64_t max, uint64_t *ret_value);
/* Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms. */
bool vl_str_is_utf8(struct vl_str s);
/* Bytes of the well-formed character at the start; 0 when there is none. */
size_t vl_str_utf8_size(struct vl_str s);
/* Puts '?' for what could forge a line, steer a terminal or turn the reading
 * direction, and for what is not UTF-8. */
void vl_str_tame(char *text);

#endif
