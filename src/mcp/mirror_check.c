/* SPDX-License-Identifier: Apache-2.0
 *
 * What the specification leaves open is decided for the stricter side: a
 * header without an argument is refused, for whoever routed by it has routed
 * by something that the tool never sees.
 */
#include "core/enc.h"
#include "mcp/mirror_inside.h"

#define SAFE        9007199254740991 /* 2^53 - 1 */
#define SAFE_DIGITS 16

/* --- what a header says --- */

/* Visible ASCII, and what may stand between: the parser lets bytes above pass
 * (obs-text), which mean different characters to different readers. */
static bool
is_plain(struct vl_str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((value.p[i] < 0x20 && value.p[i] != '\t') || value.p[i] > 0x7e)
            return false;
    return true;
}

/* The one header of this name, without what stands around it. */
static enum vl_mcp_mirror_fault
find_value(const struct vl_headers *headers, struct vl_str name,
           struct vl_str *ret)
{
    struct vl_str value;
    size_t count = vl_headers_find(headers, name, &value);
    if (count != 1)
        return count ? VL_MCP_MIRROR_TWICE : VL_MCP_MIRROR_MISSING;
    /* @spec HT-85 */
    value = vl_str_trim(value);
    if (!is_plain(value))
        return VL_MCP_MIRROR_MALFORMED;
    *ret = value;
    return VL_MCP_MIRROR_FINE;
}

/*
 * @spec HT-83 HT-89: the sentinel is told by its two ends; what has only one
 * of them, or in capitals, is itself. Where the ends overlap ("=?base64?=")
 * readers differ in what it means, so here it means nothing. Values that
 * needed no encoding are taken encoded too. `room` is what was decoded.
 */
static enum vl_mcp_mirror_fault
decode(struct vl_str value, struct vl_buf *room, struct vl_str *ret)
{
    const struct vl_str begin = VL_STR("=?base64?"), end = VL_STR("?=");
    *ret = value;
    if (!vl_str_starts(value, begin) || !vl_str_ends(value, end))
        return value.n > VL_MCP_MIRROR_VALUE_MAX ? VL_MCP_MIRROR_TOO_LONG
                                                 : VL_MCP_MIRROR_FINE;
    if (value.n < begin.n + end.n)
        return VL_MCP_MIRROR_MALFORMED;
    value = vl_str_from(vl_str_head(value, value.n - end.n), begin.n);
    if (value.n / 4 * 3 > VL_MCP_MIRROR_VALUE_MAX + 2)
        return VL_MCP_MIRROR_TOO_LONG;
    if (!vl_dec_base64(value, room))
        return VL_MCP_MIRROR_MALFORMED;
    *ret = vl_buf_str(room);
    return ret->n > VL_MCP_MIRROR_VALUE_MAX ? VL_MCP_MIRROR_TOO_LONG
                                            : VL_MCP_MIRROR_FINE;
}

/* A header's value that may be encoded, against a text of the body. */
static enum vl_mcp_mirror_fault
compare_text(struct vl_str value, struct vl_str text)
{
    vl_auto(vl_buf) room = vl_buf_of(VL_MCP_MIRROR_VALUE_MAX + 2);
    struct vl_str decoded;
    enum vl_mcp_mirror_fault fault = decode(value, &room, &decoded);
    if (fault != VL_MCP_MIRROR_FINE)
        return fault;
    return vl_str_eq(decoded, text) ? VL_MCP_MIRROR_FINE
                                    : VL_MCP_MIRROR_DIFFERENT;
}

/*
 * Decimal, as its digits: no plus, no exponent, no zero in front of others.
 * Zeros behind a point say nothing (42.0 is 42); other digits there do.
 */
static bool
read_integer(struct vl_str text, int64_t *ret)
{
    bool is_negative = vl_str_starts(text, VL_STR("-"));
    text = vl_str_from(text, is_negative);
    size_t point = vl_str_index(text, '.');
    struct vl_str digits = vl_str_head(text, point);
    struct vl_str zeros = vl_str_from(text, point + 1);
    uint64_t whole;
    if (point < text.n && zeros.n == 0)
        return false;
    for (size_t i = 0; i < zeros.n; i++)
        if (zeros.p[i] != '0')
            return false;
    if (digits.n == 0 || digits.n > SAFE_DIGITS ||
        (digits.n > 1 && digits.p[0] == '0') ||
        !vl_str_u64(digits, SAFE, &whole))
        return false;
    *ret = is_negative ? -(int64_t)whole : (int64_t)whole;
    return true;
}

/* @spec HT-84 */
static enum vl_mcp_mirror_fault
compare_integer(struct vl_str value, int64_t number)
{
    vl_auto(vl_buf) room = vl_buf_of(VL_MCP_MIRROR_VALUE_MAX + 2);
    struct vl_str decoded;
    int64_t said;
    enum vl_mcp_mirror_fault fault = decode(value, &room, &decoded);
    if (fault != VL_MCP_MIRROR_FINE)
        return fault;
    return read_integer(decoded, &said) && said == number
               ? VL_MCP_MIRROR_FINE
               : VL_MCP_MIRROR_DIFFERENT;
}

/* --- both --- */

/* 1.0 and 1e0 are integers as JSON Schema has it, and to clients that know but
 * one sort of numbers. */
static struct vl_mcp_mirror_argument
read_number(const struct json_t *value)
{
    struct vl_mcp_mirror_argument ret = {.kind = VL_MCP_MIRROR_OUT_OF_RANGE};
    double real = 0;
    if (vl_json_kind(value) == VL_JSON_INT) {
        if (vl_json_int(value, &ret.number) && ret.number >= -SAFE &&
            ret.number <= SAFE)
            ret.kind = VL_MCP_MIRROR_INTEGER;
        return ret;
    }
    if (!vl_json_real(value, &real) || real < -(double)SAFE ||
        real > (double)SAFE)
        return ret;
    ret.number = (int64_t)real;
    ret.kind = (double)ret.number == real ? VL_MCP_MIRROR_INTEGER
                                          : VL_MCP_MIRROR_NOTHING;
    return ret;
}

/* @spec HT-82: no header stands for null, for what is not there, and for what
 * is no such value at all (that the schema refuses, and better). */
struct vl_mcp_mirror_argument
vl_mcp_mirror_argument(const struct vl_mcp_mirror_field *field,
                       const struct json_t *value)
{
    for (size_t i = 0; i < field->depth; i++)
        value = vl_json_get(value, field->path[i]);
    switch (vl_json_kind(value)) {
    case VL_JSON_STRING:
        return (struct vl_mcp_mirror_argument){.kind = VL_MCP_MIRROR_TEXT,
                                               .text = vl_json_str(value)};
    case VL_JSON_BOOL:
        return (struct vl_mcp_mirror_argument){
            .kind = VL_MCP_MIRROR_TEXT,
            .text = vl_json_is_true(value) ? VL_STR("true") : VL_STR("false")};
    case VL_JSON_INT:
    case VL_JSON_REAL:
        return read_number(value);
    default:
        return (struct vl_mcp_mirror_argument){.kind = VL_MCP_MIRROR_NOTHING};
    }
}

static enum vl_mcp_mirror_fault
check_field(const struct vl_mcp_mirror_field *field,
            const struct vl_headers *headers, const struct json_t *arguments)
{
    struct vl_mcp_mirror_argument argument =
        vl_mcp_mirror_argument(field, arguments);
    struct vl_str value;
    enum vl_mcp_mirror_fault fault = find_value(headers, field->header, &value);
    if (argument.kind == VL_MCP_MIRROR_OUT_OF_RANGE)
        return VL_MCP_MIRROR_UNSAFE;
    /* "Server MUST NOT expect the header" where the body has no value, and the
     * client "MUST omit" it: if it is there, it does not match the body, and
     * that "servers MUST reject". */
    if (argument.kind == VL_MCP_MIRROR_NOTHING)
        return fault == VL_MCP_MIRROR_MISSING ? VL_MCP_MIRROR_FINE
                                              : VL_MCP_MIRROR_UNASKED;
    if (fault != VL_MCP_MIRROR_FINE)
        return fault;
    return argument.kind == VL_MCP_MIRROR_INTEGER
               ? compare_integer(value, argument.number)
               : compare_text(value, argument.text);
}

/* @spec HT-84 HT-86 */
const char *
vl_mcp_mirror_check(const struct vl_mcp_mirror *mirror,
                    const struct vl_headers *headers,
                    const struct json_t *arguments)
{
    for (size_t i = 0; mirror && i < mirror->count; i++) {
        const struct vl_mcp_mirror_field *field = mirror->fields[i];
        enum vl_mcp_mirror_fault fault = check_field(field, headers, arguments);
        if (fault != VL_MCP_MIRROR_FINE)
            return field->sentences[fault];
    }
    return NULL;
}

/* The method is never encoded: it is compared as it stands. */
static enum vl_mcp_mirror_fault
check_standard(const struct vl_headers *headers, struct vl_str name,
               struct vl_str text, bool is_encoded, bool optional)
{
    struct vl_str value;
    enum vl_mcp_mirror_fault fault = find_value(headers, name, &value);
    if (fault == VL_MCP_MIRROR_MISSING && optional)
        return VL_MCP_MIRROR_FINE;
    if (fault != VL_MCP_MIRROR_FINE)
        return fault;
    if (is_encoded)
        return compare_text(value, text);
    return vl_str_eq(value, text) ? VL_MCP_MIRROR_FINE
                                  : VL_MCP_MIRROR_DIFFERENT;
}

#define SENTENCES(name)                                                        \
    {                                                                          \
        [VL_MCP_MIRROR_MISSING] = VL_MCP_MIRROR_MISMATCH name " is missing",   \
        [VL_MCP_MIRROR_TWICE] =                                                \
            VL_MCP_MIRROR_MISMATCH name " is there more than once",            \
        [VL_MCP_MIRROR_TOO_LONG] = VL_MCP_MIRROR_MISMATCH name " is too long", \
        [VL_MCP_MIRROR_MALFORMED] =                                            \
            VL_MCP_MIRROR_MISMATCH name " is malformed",                       \
        [VL_MCP_MIRROR_DIFFERENT] =                                            \
            VL_MCP_MIRROR_MISMATCH name " does not say what the body says",    \
    }

/* @spec HT-78 HT-85 */
const char *
vl_mcp_mirror_check_names(const struct vl_headers *headers,
                          struct vl_str method, struct vl_str name,
                          bool optional)
{
    static const char *const of_method[VL_MCP_MIRROR_FAULTS] =
        SENTENCES("Mcp-Method");
    static const char *const of_name[VL_MCP_MIRROR_FAULTS] =
        SENTENCES("Mcp-Name");
    enum vl_mcp_mirror_fault fault =
        check_standard(headers, VL_STR("Mcp-Method"), method, false, optional);
    if (fault != VL_MCP_MIRROR_FINE)
        return of_method[fault];
    if (!name.p)
        return NULL;
    return of_name[check_standard(headers, VL_STR("Mcp-Name"), name, true,
                                  optional)];
}
