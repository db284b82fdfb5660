/* SPDX-License-Identifier: Apache-2.0
 *
 * A template is a row of pieces: a literal, then a variable, then the next.
 *
 * Taking the first place where a literal fits is as good as trying them all. A
 * later one would make the variable before it longer, by something that the
 * variable behind it can take as well: it holds no '/', or else it could not
 * have been taken before. Only the last literal is tied to the end.
 */
#include "mcp/uri_template.h"

#include <stdlib.h>

#include "core/enc.h"
#include "core/status.h"

/* literal {name} literal {name} … tail */
struct vl_uri_template {
    char *text; /* all slices point into it */
    size_t count;
    struct {
        struct vl_str literal, name;
    } pieces[VL_URI_TEMPLATE_VARIABLES];
    struct vl_str tail;
};

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_INVALID, "", "the URI template %s", why);
}

/* Bytes of the character at the start of what stands in a URI: one, or the
 * three of a percent-encoded byte; 0 for none and for a '%' that is none. */
static size_t
unit_size(struct vl_str s)
{
    if (s.n == 0 || s.p[0] != '%')
        return s.n > 0;
    return s.n > 2 && vl_is_hex(s.p[1]) && vl_is_hex(s.p[2]) ? 3 : 0;
}

/* RFC 6570 2.1, of ASCII: an expansion has the others encoded. */
static bool
is_uri_char(char c)
{
    return c > 0x20 && c < 0x7f && !vl_str_has(VL_STR("\"<>\\^`{|}"), c);
}

static bool
is_literal(struct vl_str s)
{
    while (s.n) {
        size_t n = unit_size(s);
        if (n == 0 || !is_uri_char(s.p[0]))
            return false;
        s = vl_str_from(s, n);
    }
    return true;
}

static unsigned
hex_value(char capital)
{
    return (unsigned)(vl_is_digit(capital) ? capital - '0'
                                           : capital - 'A' + 10);
}

/* Is "%XX" spelled as an expansion spells it: in capitals, and of nothing that
 * needs no encoding (RFC 3986 6.2.2)? A '/' is none that a value has. */
static bool
is_well_encoded(struct vl_str s)
{
    if (s.p[1] >= 'a' || s.p[2] >= 'a')
        return false;
    char c = (char)(hex_value(s.p[1]) << 4 | hex_value(s.p[2]));
    return !vl_is_letter(c) && !vl_is_digit(c) &&
           !vl_str_has(VL_STR("-._~/"), c);
}

/* unit_size() of what stands for a variable; 0 also for another spelling of
 * it: who may not read a resource must not get it from a template that reads
 * it by another name. */
static size_t
value_unit_size(struct vl_str s)
{
    size_t n = unit_size(s);
    bool good = n == 3 ? is_well_encoded(s)
                       : n == 1 && is_uri_char(s.p[0]) && s.p[0] != '/';
    return good ? n : 0;
}

/* RFC 6570 2.3, without percent-encoding: varchar *( ["."] varchar ) */
static bool
is_name(struct vl_str s)
{
    char before = '.';
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '.' ? before == '.'
                     : !vl_is_letter(c) && !vl_is_digit(c) && c != '_')
            return false;
        before = c;
    }
    return before != '.';
}

static valet_status
add_piece(struct vl_uri_template *tmpl, struct vl_str literal,
          struct vl_str name, valet_error *err)
{
    if (!is_name(name))
        return refuse(err, "has an expression that is more than {name}");
    if (vl_uri_template_has(tmpl, name))
        return refuse(err, "has a variable twice");
    if (tmpl->count && literal.n == 0)
        return refuse(err, "has nothing between two variables");
    if (tmpl->count == VL_URI_TEMPLATE_VARIABLES)
        return refuse(err, "has too many variables");
    tmpl->pieces[tmpl->count].literal = literal;
    tmpl->pieces[tmpl->count++].name = name;
    return VALET_OK;
}

static valet_status
read_template(struct vl_uri_template *tmpl, valet_error *err)
{
    struct vl_str rest = vl_str_z(tmpl->text);
    if (rest.n == 0 || rest.n > VL_URI_TEMPLATE_MAX)
        return refuse(err, rest.n ? "is too long" : "is empty");
    for (;;) {
        size_t open = vl_str_index(rest, '{');
        struct vl_str literal = vl_str_head(rest, open);
        if (!is_literal(literal))
            return refuse(err, "has a character that has to be encoded");
        if (open == rest.n) {
            tmpl->tail = rest;
            return VALET_OK;
        }
        rest = vl_str_from(rest, open + 1);
        size_t close = vl_str_index(rest, '}');
        if (close == rest.n)
            return refuse(err, "has a brace that is not closed");
        VL_TRY(add_piece(tmpl, literal, vl_str_head(rest, close), err));
        rest = vl_str_from(rest, close + 1);
    }
}

valet_status
vl_uri_template_new(const char *text, struct vl_uri_template **ret,
                    valet_error *err)
{
    struct vl_uri_template *tmpl = vl_alloc(sizeof *tmpl);
    tmpl->text = vl_strdup(text);
    valet_status status = read_template(tmpl, err);
    if (status == VALET_OK)
        *ret = tmpl;
    else
        vl_uri_template_free(tmpl);
    return status;
}

void
vl_uri_template_free(struct vl_uri_template *tmpl)
{
    if (!tmpl)
        return;
    free(tmpl->text);
    free(tmpl);
}

bool
vl_uri_template_has(const struct vl_uri_template *tmpl, struct vl_str name)
{
    for (size_t i = 0; i < tmpl->count; i++)
        if (vl_str_eq(tmpl->pieces[i].name, name))
            return true;
    return false;
}

/* Takes a variable off `rest`: up to the first place behind it where `next`
 * begins, or (`is_last`) to where it ends together with `rest`. */
static bool
take_variable(struct vl_str *rest, struct vl_str next, bool is_last,
              struct vl_str *ret)
{
    struct vl_str s = *rest;
    while (s.n) {
        size_t n = value_unit_size(s);
        if (n == 0)
            return false;
        s = vl_str_from(s, n);
        if (is_last ? vl_str_eq(s, next) : vl_str_starts(s, next)) {
            *ret = vl_str_head(*rest, rest->n - s.n);
            *rest = s;
            return true;
        }
    }
    return false;
}

static bool
take_values(const struct vl_uri_template *tmpl, struct vl_str uri,
            struct vl_str values[])
{
    for (size_t i = 0; i < tmpl->count; i++) {
        struct vl_str literal = tmpl->pieces[i].literal;
        bool is_last = i + 1 == tmpl->count;
        if (!vl_str_starts(uri, literal))
            return false;
        uri = vl_str_from(uri, literal.n);
        if (!take_variable(&uri,
                           is_last ? tmpl->tail : tmpl->pieces[i + 1].literal,
                           is_last, &values[i]))
            return false;
    }
    return vl_str_eq(uri, tmpl->tail);
}

/* Each value becomes what it stands for; all of them stand in `room`. */
static bool
decode_values(struct vl_str values[], size_t count, struct vl_buf *room)
{
    size_t ends[VL_URI_TEMPLATE_VARIABLES];
    for (size_t i = 0; i < count; i++) {
        if (!vl_dec_percent(values[i], false, room))
            return false;
        ends[i] = vl_buf_size(room);
    }
    for (size_t i = 0, begin = 0; i < count; begin = ends[i++]) {
        values[i] = vl_str_from(vl_str_head(vl_buf_str(room), ends[i]), begin);
        if (!vl_str_is_utf8(values[i]) || vl_str_has(values[i], '\0') ||
            vl_str_eqz(values[i], ".") || vl_str_eqz(values[i], ".."))
            return false;
    }
    return true;
}

bool
vl_uri_template_match(const struct vl_uri_template *tmpl, struct vl_str uri,
                      void (*each)(struct vl_str name, struct vl_str value,
                                   void *ctx),
                      void *ctx)
{
    struct vl_str values[VL_URI_TEMPLATE_VARIABLES];
    vl_auto(vl_buf) room = vl_buf_of(VL_URI_TEMPLATE_URI_MAX);
    if (uri.n > VL_URI_TEMPLATE_URI_MAX || !take_values(tmpl, uri, values) ||
        !decode_values(values, tmpl->count, &room))
        return false;
    for (size_t i = 0; each && i < tmpl->count; i++)
        each(tmpl->pieces[i].name, values[i], ctx);
    return true;
}
