/* SPDX-License-Identifier: Apache-2.0
 *
 * A template, then lines: a URI, and values. What the template makes of values
 * (RFC 6570 3.2.2) it reads again, to the shortest of what there is to read;
 * and a URI fits whenever there is a way to read it at all.
 */
#include "mcp/uri_template.h"

#include "core/enc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The template once more, taken apart in the simplest way. */
struct parts {
    struct vl_str literals[VL_URI_TEMPLATE_VARIABLES + 1];
    struct vl_str names[VL_URI_TEMPLATE_VARIABLES];
    size_t count;
};

static void
take_apart(struct vl_str text, struct parts *ret)
{
    struct vl_str piece, literal;
    ret->count = 0;
    VL_ASSERT(vl_str_split(&text, '{', &ret->literals[0]));
    while (vl_str_split(&text, '{', &piece)) {
        size_t i = ret->count++;
        VL_ASSERT(i < VL_URI_TEMPLATE_VARIABLES);
        VL_ASSERT(vl_str_split(&piece, '}', &ret->names[i]));
        VL_ASSERT(vl_str_split(&piece, '}', &literal));
        ret->literals[i + 1] = literal;
    }
}

/* Is the character at the start, of `n` bytes, spelled as an expansion would
 * spell it, or reserved? */
static bool
is_spelled(struct vl_str s, size_t n)
{
    vl_auto(vl_buf) plain = vl_buf_of(4);
    vl_auto(vl_buf) again = vl_buf_of(4);
    if (!vl_dec_percent(vl_str_head(s, n), false, &plain))
        return false;
    vl_enc_percent(&again, vl_buf_str(&plain));
    return vl_str_eq(vl_buf_str(&again), vl_str_head(s, n)) ||
           vl_str_has(VL_STR(":?#[]@!$&'()*+,;="), s.p[0]);
}

/* Does `uri` from here on fit, with the variables from `i` on? Every way is
 * tried, the shortest first; the first that fits is left in `values`. */
static bool
search(const struct parts *parts, size_t i, struct vl_str uri,
       struct vl_str *values, unsigned *steps)
{
    if (!vl_str_starts(uri, parts->literals[i]))
        return false;
    uri = vl_str_from(uri, parts->literals[i].n);
    if (i == parts->count)
        return uri.n == 0;
    for (size_t n = 0; n < uri.n && *steps;) {
        size_t size = uri.p[n] == '%' ? 3 : 1;
        --*steps;
        if (!is_spelled(vl_str_from(uri, n), size) ||
            vl_str_starts(vl_str_from(uri, n), VL_STR("%2F")))
            return false;
        n += size;
        values[i] = vl_str_head(uri, n);
        if (search(parts, i + 1, vl_str_from(uri, n), values, steps))
            return true;
    }
    return false;
}

struct found {
    const struct parts *parts;
    const struct vl_str *values; /* encoded */
    size_t count;
};

static void
check_value(struct vl_str name, struct vl_str value, void *ctx)
{
    struct found *found = ctx;
    vl_auto(vl_buf) plain = vl_buf_of(1 << 16);
    VL_ASSERT(found->count < found->parts->count);
    VL_ASSERT(vl_str_eq(name, found->parts->names[found->count]));
    VL_ASSERT(vl_dec_percent(found->values[found->count], false, &plain));
    VL_ASSERT(vl_str_eq(value, vl_buf_str(&plain)));
    VL_ASSERT(value.n && vl_str_is_utf8(value) && !vl_str_has(value, '\0'));
    found->count++;
}

static bool
is_dots(struct vl_str value)
{
    return vl_str_eqz(value, ".") || vl_str_eqz(value, "..");
}

static bool
are_text(const struct vl_str *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vl_auto(vl_buf) plain = vl_buf_of(1 << 16);
        if (!vl_dec_percent(values[i], false, &plain) ||
            !vl_str_is_utf8(vl_buf_str(&plain)) ||
            vl_str_has(vl_buf_str(&plain), '\0') || is_dots(vl_buf_str(&plain)))
            return false;
    }
    return true;
}

/* Against the search, unless that takes too long. Does it fit? */
static bool
check_uri(const struct vl_uri_template *tmpl, const struct parts *parts,
          struct vl_str uri)
{
    struct vl_str values[VL_URI_TEMPLATE_VARIABLES];
    struct found found = {parts, values, 0};
    unsigned steps = 100000;
    bool fits = uri.n <= VL_URI_TEMPLATE_URI_MAX &&
                search(parts, 0, uri, values, &steps) &&
                are_text(values, parts->count);
    if (steps == 0)
        return vl_uri_template_match(tmpl, uri, NULL, NULL);
    VL_ASSERT(vl_uri_template_match(tmpl, uri, check_value, &found) == fits);
    VL_ASSERT(found.count == (fits ? parts->count : 0));
    return fits;
}

/* Values without what the literals are made of come back as they were. */
static void
check_expansion(const struct vl_uri_template *tmpl, const struct parts *parts,
                struct vl_str lines)
{
    vl_auto(vl_buf) uri = vl_buf_of(1 << 20);
    struct vl_str values[VL_URI_TEMPLATE_VARIABLES];
    vl_buf_add(&uri, parts->literals[0]);
    for (size_t i = 0; i < parts->count; i++) {
        if (!vl_str_split(&lines, '\n', &values[i]) || values[i].n == 0 ||
            !vl_str_is_utf8(values[i]) || vl_str_has(values[i], '\0') ||
            vl_str_has(values[i], '/') || is_dots(values[i]))
            return;
        vl_enc_percent(&uri, values[i]);
        vl_buf_add(&uri, parts->literals[i + 1]);
    }
    bool fits = check_uri(tmpl, parts, vl_buf_str(&uri));
    VL_ASSERT(fits || vl_buf_size(&uri) > VL_URI_TEMPLATE_URI_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str rest = vl_str_of(data, size), line;
    vl_auto(vl_buf) text = vl_buf_of(1 << 16);
    struct vl_uri_template *tmpl = NULL;
    struct parts parts;
    valet_error err = {.message = ""};
    if (!vl_str_split(&rest, '\n', &line) || vl_str_has(line, '\0'))
        return 0;
    vl_buf_add(&text, line);
    valet_status status = vl_uri_template_new(vl_buf_cstr(&text), &tmpl, &err);
    VL_ASSERT(status == VALET_OK || status == VALET_INVALID);
    VL_ASSERT((status == VALET_OK) == (tmpl && !err.message[0]));
    if (!tmpl)
        return 0;
    take_apart(line, &parts);
    for (size_t i = 0; i < parts.count; i++)
        VL_ASSERT(vl_uri_template_has(tmpl, parts.names[i]));
    if (vl_str_split(&rest, '\n', &line))
        (void)check_uri(tmpl, &parts, line);
    check_expansion(tmpl, &parts, rest);
    vl_uri_template_free(tmpl);
    return 0;
}
