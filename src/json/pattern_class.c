/* SPDX-License-Identifier: Apache-2.0
 *
 * ECMA-262 section 22.2.1, CharacterClass and the escapes. Of what its annex B
 * adds those are taken that can mean one thing only: a '\' before punctuation,
 * and a '-' beside a set.
 */
#include <stdio.h>
#include <string.h>

#include "core/status.h"
#include "json/pattern_inside.h"

typedef struct vl_pattern_reader reader_t;
typedef struct vl_pattern_atom atom_t;

#define LAST_CHARACTER 0x10ffff
/* WhiteSpace and LineTerminator: PCRE2's own \s is ASCII's, its Unicode kind
 * another list. And all the others. */
#define SPACES                                                                 \
    "\\x{9}-\\x{d} \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"      \
    "\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                              \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}"              \
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"                \
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}"                \
    "\\x{ff00}-\\x{10ffff}"
#define SPACES_COUNT 11

static uint32_t
next_is(const reader_t *reader)
{
    return reader->rest.n ? (unsigned char)reader->rest.p[0] : 0;
}

uint32_t
vl_pattern_take(reader_t *reader)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t size = vl_str_utf8_size(reader->rest);
    VL_ASSERT(size > 0 && size <= 4); /* it is UTF-8, and not at its end */
    uint32_t c = (unsigned char)reader->rest.p[0] & masks[size];
    for (size_t i = 1; i < size; i++)
        c = c << 6 | ((unsigned char)reader->rest.p[i] & 0x3f);
    reader->rest = vl_str_from(reader->rest, size);
    return c;
}

bool
vl_pattern_skip(reader_t *reader, const char *text)
{
    bool is_there = vl_str_starts(reader->rest, vl_str_z(text));
    if (is_there)
        reader->rest = vl_str_from(reader->rest, strlen(text));
    return is_there;
}

void
vl_pattern_say(struct vl_buf *out, uint32_t c)
{
    if (c < 0x80 && (vl_is_letter((char)c) || vl_is_digit((char)c)))
        vl_buf_addc(out, (char)c);
    else
        vl_buf_addf(out, "\\x{%x}", (unsigned)c);
}

/* --- escapes --- */

static bool
take_hex(reader_t *reader, size_t digits, uint32_t *ret)
{
    uint32_t value = 0;
    if (reader->rest.n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = vl_to_lower(reader->rest.p[i]);
        if (!vl_is_hex(c))
            return false;
        value =
            value << 4 | (uint32_t)(vl_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    reader->rest = vl_str_from(reader->rest, digits);
    *ret = value;
    return true;
}

static bool
is_half(uint32_t c)
{
    return c >= 0xd800 && c <= 0xdfff;
}

/* After `\u`. */
static bool
take_unicode(reader_t *reader, uint32_t *ret)
{
    uint32_t low;
    if (vl_pattern_skip(reader, "{")) {
        size_t digits = vl_str_index(reader->rest, '}');
        return digits > 0 && digits <= 8 && take_hex(reader, digits, ret) &&
               vl_pattern_skip(reader, "}");
    }
    if (!take_hex(reader, 4, ret))
        return false;
    struct vl_str after = reader->rest;
    if (*ret < 0xd800 || *ret > 0xdbff || !vl_pattern_skip(reader, "\\u"))
        return true;
    if (take_hex(reader, 4, &low) && low >= 0xdc00 && low <= 0xdfff)
        *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
    else
        reader->rest = after;
    return true;
}

static valet_status
take_property(reader_t *reader, char letter, atom_t *ret)
{
    char name[64];
    size_t end = vl_str_index(reader->rest, '}');
    if (!vl_pattern_skip(reader, "{") || end > reader->rest.n ||
        !vl_pattern_property(vl_str_head(reader->rest, end - 1), name,
                             sizeof name))
        return vl_pattern_refuse(reader, "names a property that is not known");
    reader->rest = vl_str_from(reader->rest, end);
    (void)snprintf(ret->set, sizeof ret->set, "\\%c{%s}", letter, name);
    ret->is_set = true;
    return VALET_OK;
}

/* \d and its like: false when it is none. */
static bool
take_set(uint32_t c, atom_t *ret)
{
    ret->is_set = true;
    if (c == 's' || c == 'S') {
        (void)snprintf(ret->set, sizeof ret->set, "%s",
                       c == 's' ? SPACES : NO_SPACES);
        ret->members = SPACES_COUNT;
    } else if (c && c < 0x80 && strchr("dDwW", (int)c)) {
        (void)snprintf(ret->set, sizeof ret->set, "\\%c", (char)c);
    } else {
        ret->is_set = false;
    }
    return ret->is_set;
}

static bool
take_character(reader_t *reader, uint32_t c, uint32_t *ret)
{
    static const char letters[] = "tnvfr", controls[] = "\t\n\v\f\r";
    const char *at = c && c < 0x80 ? strchr(letters, (int)c) : NULL;
    uint32_t next = next_is(reader);
    if (at) {
        *ret = (uint32_t)controls[at - letters];
        return true;
    }
    if (c == 'c' && next < 0x80 && vl_is_letter((char)next)) {
        *ret = vl_pattern_take(reader) & 0x1f;
        return true;
    }
    if (c == '0' && !(next < 0x80 && vl_is_digit((char)next))) {
        *ret = 0;
        return true;
    }
    if (c == 'x')
        return take_hex(reader, 2, ret);
    if (c == 'u')
        return take_unicode(reader, ret);
    *ret = c;
    return c < 0x80 && !vl_is_letter((char)c) && !vl_is_digit((char)c);
}

valet_status
vl_pattern_escape(reader_t *reader, atom_t *ret)
{
    struct vl_str whole = reader->rest;
    ret->is_set = false;
    ret->members = 1;
    if (whole.n == 0)
        return vl_pattern_refuse(reader, "ends in a backslash");
    uint32_t c = vl_pattern_take(reader);
    if (c == 'p' || c == 'P')
        return take_property(reader, (char)c, ret);
    if (take_set(c, ret))
        return VALET_OK;
    if (!take_character(reader, c, &ret->c)) {
        reader->rest = whole;
        return vl_pattern_refuse(reader, "has an escape that ECMA-262 does not "
                                         "know");
    }
    if (is_half(ret->c) || ret->c > LAST_CHARACTER)
        return vl_pattern_refuse(reader, "names what is no character");
    return VALET_OK;
}

/* --- classes --- */

static valet_status
take_member(reader_t *reader, atom_t *ret)
{
    if (reader->rest.n == 0)
        return vl_pattern_refuse(reader, "has a class without an end");
    ret->is_set = false;
    ret->members = 1;
    if (!vl_pattern_skip(reader, "\\")) {
        ret->c = vl_pattern_take(reader);
        return VALET_OK;
    }
    if (vl_pattern_skip(reader, "b")) {
        ret->c = '\b';
        return VALET_OK;
    }
    return vl_pattern_escape(reader, ret);
}

static void
say_member(reader_t *reader, const atom_t *atom)
{
    if (atom->is_set)
        vl_buf_addz(reader->out, atom->set);
    else
        vl_pattern_say(reader->out, atom->c);
}

/* A member, or two with a '-' between them. */
static valet_status
take_members(reader_t *reader, size_t *members)
{
    atom_t first, last;
    VL_TRY(take_member(reader, &first));
    say_member(reader, &first);
    *members += first.members;
    bool is_range = reader->rest.n > 1 && reader->rest.p[0] == '-' &&
                    reader->rest.p[1] != ']';
    if (!is_range)
        return VALET_OK;
    (void)vl_pattern_skip(reader, "-");
    VL_TRY(take_member(reader, &last));
    *members += 1 + last.members;
    if (first.is_set || last.is_set)
        vl_pattern_say(reader->out, '-');
    else if (first.c > last.c)
        return vl_pattern_refuse(reader, "has a range from more to less");
    else
        vl_buf_addc(reader->out, '-');
    say_member(reader, &last);
    return VALET_OK;
}

valet_status
vl_pattern_class(reader_t *reader)
{
    size_t members = 0;
    bool is_not = vl_pattern_skip(reader, "^");
    if (vl_pattern_skip(reader, "]")) { /* nothing, or all there is */
        vl_buf_addz(reader->out,
                    is_not ? "[\\x{0}-\\x{10ffff}]" : "[^\\x{0}-\\x{10ffff}]");
        return VALET_OK;
    }
    vl_buf_addz(reader->out, is_not ? "[^" : "[");
    while (!vl_pattern_skip(reader, "]"))
        VL_TRY(take_members(reader, &members));
    vl_buf_addc(reader->out, ']');
    if (members > reader->most_members)
        reader->most_members = members;
    return VALET_OK;
}
