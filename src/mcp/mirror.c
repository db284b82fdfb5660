/* SPDX-License-Identifier: Apache-2.0
 *
 * What the specification leaves open is decided for the stricter side: a
 * header without an argument is refused, for whoever routed by it has routed
 * by something that the tool never sees.
 */
#include "mcp/mirror.h"

#include <stdlib.h>

#include "core/enc.h"
#include "core/status.h"
#include "http/parse.h"

#define PREFIX      "Mcp-Param-"
#define MISMATCH    "Header mismatch: "
#define ANNOTATION  "x-mcp-header"
#define SAFE        9007199254740991 /* 2^53 - 1 */
#define SAFE_DIGITS 16
/* Of an annotation; nothing near it is ever sent. */
#define ANNOTATION_MAX 128
/* Each property is two levels of the schema: itself, and the `properties` that
 * it stands in. */
#define DEPTH_MAX (VL_LIMIT_JSON_DEPTH / 2 + 1)

enum fault {
    FINE,
    MISSING,
    TWICE,
    TOO_LONG,
    MALFORMED,
    DIFFERENT,
    UNASKED,
    UNSAFE,
    FAULT_COUNT
};

/* What a header is told to be by each of them. */
static const char *const faults[FAULT_COUNT] = {
    [MISSING] = " is missing",
    [TWICE] = " is there more than once",
    [TOO_LONG] = " is too long",
    [MALFORMED] = " is malformed",
    [DIFFERENT] = " does not say what the body says",
    [UNASKED] = " says something that the body does not say",
    [UNSAFE] = " stands for a number beyond 2^53 - 1",
};

struct field {
    struct vl_str header; /* Mcp-Param-… */
    char *sentences[FAULT_COUNT];
    size_t depth;
    const char *path[DEPTH_MAX]; /* keys, borrowed from the schema */
};

struct vl_mcp_mirror {
    struct vl_json schema;
    size_t count;
    struct field *fields[VL_MCP_MIRROR_MAX];
};

/* --- what a schema says --- */

/* A schema within the schema, and how one gets there. */
struct place {
    const struct place *up;
    const char *key;   /* of a property; else NULL */
    bool is_reachable; /* through `properties` alone */
    const struct json_t *schema;
};

struct walk {
    struct vl_mcp_mirror *mirror;
    const struct place *place;
    valet_error *err;
    valet_status status;
};

static valet_status
refuse(struct walk *walk, const char *name, const char *why)
{
    const char *key = walk->place->key;
    return vl_fail(walk->err, VALET_INVALID, "",
                   ANNOTATION " \"%s\" of \"%s\" %s", name, key ? key : "",
                   why);
}

/* @spec HT-80: one of three types, and told by one word: a list of types is
 * none of them, and clients take such a tool for invalid. */
static bool
has_mirrored_type(const struct json_t *schema)
{
    struct vl_str type = vl_json_get_str(schema, "type");
    return vl_str_eq(type, VL_STR("integer")) ||
           vl_str_eq(type, VL_STR("string")) ||
           vl_str_eq(type, VL_STR("boolean"));
}

static bool
is_taken(const struct vl_mcp_mirror *mirror, struct vl_str name)
{
    for (size_t i = 0; i < mirror->count; i++)
        if (vl_str_ieq(
                vl_str_from(mirror->fields[i]->header, sizeof PREFIX - 1),
                name))
            return true;
    return false;
}

static char *
join(const char *before, const char *name, const char *after)
{
    vl_auto(vl_buf) text = vl_buf_of(4 * ANNOTATION_MAX);
    vl_buf_addz(&text, before);
    vl_buf_addz(&text, name);
    vl_buf_addz(&text, after);
    return vl_strdup(vl_buf_cstr(&text));
}

static void
add_field(struct walk *walk, const char *name)
{
    struct field *field = vl_alloc(sizeof *field);
    field->header = vl_str_z(join(PREFIX, name, ""));
    for (size_t i = FINE + 1; i < FAULT_COUNT; i++)
        field->sentences[i] = join(MISMATCH PREFIX, name, faults[i]);
    for (const struct place *p = walk->place; p->up; p = p->up)
        field->depth++;
    VL_ASSERT(field->depth <= DEPTH_MAX);
    size_t i = field->depth;
    for (const struct place *p = walk->place; p->up; p = p->up)
        field->path[--i] = p->key;
    walk->mirror->fields[walk->mirror->count++] = field;
}

/* @spec HT-79 HT-80 */
static valet_status
read_annotation(struct walk *walk)
{
    const struct place *place = walk->place;
    const struct json_t *value = vl_json_get(place->schema, ANNOTATION);
    struct vl_str name = vl_json_str(value);
    if (!value)
        return VALET_OK;
    const char *text = name.p ? name.p : "";
    if (!place->key || !place->is_reachable)
        return refuse(walk, text, "is not reached through properties alone");
    if (name.n > ANNOTATION_MAX)
        return refuse(walk, "…", "is too long");
    if (!vl_header_is_valid(name, VL_STR("")))
        return refuse(walk, text, "cannot be part of a header's name");
    if (!has_mirrored_type(place->schema))
        return refuse(walk, text,
                      "is on something whose type is not "
                      "integer, string or boolean");
    if (is_taken(walk->mirror, name))
        return refuse(walk, text, "is there twice");
    if (walk->mirror->count == VL_MCP_MIRROR_MAX)
        return refuse(walk, text, "is one too many");
    add_field(walk, text);
    return VALET_OK;
}

static valet_status read_schema(struct vl_mcp_mirror *mirror,
                                const struct place *place, valet_error *err);

static bool
visit_schema(struct walk *walk, const struct json_t *value, const char *key)
{
    struct place place = {walk->place, key, key && walk->place->is_reachable,
                          value};
    walk->status = read_schema(walk->mirror, &place, walk->err);
    return walk->status == VALET_OK;
}

static bool
visit_property(struct vl_str key, const struct json_t *value, void *ctx)
{
    return visit_schema(ctx, value, key.p);
}

static bool
visit_named(struct vl_str key, const struct json_t *value, void *ctx)
{
    (void)key;
    return visit_schema(ctx, value, NULL);
}

/* Words that have schemas within. An annotation in any of them is one that no
 * client would look for. What else stands in a schema is data (`const`,
 * `default`, …) and may hold whatever it likes. */
static bool
visit_keyword(struct vl_str key, const struct json_t *value, void *ctx)
{
    static const char *const maps[] = {"patternProperties", "dependentSchemas",
                                       "dependencies", "$defs", "definitions"};
    static const char *const singles[] = {"items",
                                          "prefixItems",
                                          "contains",
                                          "additionalItems",
                                          "propertyNames",
                                          "additionalProperties",
                                          "contentSchema",
                                          "unevaluatedProperties",
                                          "not",
                                          "unevaluatedItems",
                                          "if",
                                          "allOf",
                                          "then",
                                          "anyOf",
                                          "else",
                                          "oneOf"};
    struct walk *walk = ctx;
    if (vl_str_eq(key, VL_STR("properties")))
        vl_json_each(value, visit_property, walk);
    for (size_t i = 0; i < VL_COUNT(maps); i++)
        if (vl_str_eqz(key, maps[i]))
            vl_json_each(value, visit_named, walk);
    for (size_t i = 0; i < VL_COUNT(singles); i++) {
        if (!vl_str_eqz(key, singles[i]))
            continue;
        if (vl_json_kind(value) == VL_JSON_OBJECT)
            return visit_schema(walk, value, NULL);
        for (size_t j = 0; j < vl_json_size(value); j++)
            if (!visit_schema(walk, vl_json_at(value, j), NULL))
                return false;
    }
    return walk->status == VALET_OK;
}

/* No deeper than the JSON, and that is bounded. */
static valet_status
read_schema(struct vl_mcp_mirror *mirror, const struct place *place,
            valet_error *err)
{
    struct walk walk = {mirror, place, err, VALET_OK};
    if (vl_json_kind(place->schema) != VL_JSON_OBJECT)
        return VALET_OK;
    VL_TRY(read_annotation(&walk));
    vl_json_each(place->schema, visit_keyword, &walk);
    return walk.status;
}

valet_status
vl_mcp_mirror_new(const struct json_t *schema, struct vl_mcp_mirror **ret,
                  valet_error *err)
{
    struct vl_mcp_mirror *mirror = vl_alloc(sizeof *mirror);
    struct place root = {.is_reachable = true, .schema = schema};
    valet_status status = read_schema(mirror, &root, err);
    if (status != VALET_OK || mirror->count == 0) {
        vl_mcp_mirror_free(mirror);
        mirror = NULL;
    } else {
        mirror->schema = vl_json_share(schema);
    }
    if (status == VALET_OK)
        *ret = mirror;
    return status;
}

void
vl_mcp_mirror_free(struct vl_mcp_mirror *mirror)
{
    for (size_t i = 0; mirror && i < mirror->count; i++) {
        struct field *field = mirror->fields[i];
        for (size_t j = 0; j < FAULT_COUNT; j++)
            free(field->sentences[j]);
        free((void *)(uintptr_t)field->header.p);
        free(field);
    }
    if (mirror)
        vl_json_done(&mirror->schema);
    free(mirror);
}

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
static enum fault
find_value(const struct vl_headers *headers, struct vl_str name,
           struct vl_str *ret)
{
    struct vl_str value;
    size_t count = vl_headers_find(headers, name, &value);
    if (count != 1)
        return count ? TWICE : MISSING;
    /* @spec HT-85 */
    value = vl_str_trim(value);
    if (!is_plain(value))
        return MALFORMED;
    *ret = value;
    return FINE;
}

/*
 * @spec HT-83 HT-89: the sentinel is told by its two ends; what has only one
 * of them, or in capitals, is itself. Where the ends overlap ("=?base64?=")
 * readers differ in what it means, so here it means nothing. Values that
 * needed no encoding are taken encoded too. `room` is what was decoded.
 */
static enum fault
decode(struct vl_str value, struct vl_buf *room, struct vl_str *ret)
{
    const struct vl_str begin = VL_STR("=?base64?"), end = VL_STR("?=");
    *ret = value;
    if (!vl_str_starts(value, begin) || !vl_str_ends(value, end))
        return value.n > VL_MCP_MIRROR_VALUE_MAX ? TOO_LONG : FINE;
    if (value.n < begin.n + end.n)
        return MALFORMED;
    value = vl_str_from(vl_str_head(value, value.n - end.n), begin.n);
    if (value.n / 4 * 3 > VL_MCP_MIRROR_VALUE_MAX + 2)
        return TOO_LONG;
    if (!vl_dec_base64(value, room))
        return MALFORMED;
    *ret = vl_buf_str(room);
    return ret->n > VL_MCP_MIRROR_VALUE_MAX ? TOO_LONG : FINE;
}

/* A header's value that may be encoded, against a text of the body. */
static enum fault
compare_text(struct vl_str value, struct vl_str text)
{
    vl_auto(vl_buf) room = vl_buf_of(VL_MCP_MIRROR_VALUE_MAX + 2);
    struct vl_str decoded;
    enum fault fault = decode(value, &room, &decoded);
    if (fault != FINE)
        return fault;
    return vl_str_eq(decoded, text) ? FINE : DIFFERENT;
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
static enum fault
compare_integer(struct vl_str value, int64_t number)
{
    vl_auto(vl_buf) room = vl_buf_of(VL_MCP_MIRROR_VALUE_MAX + 2);
    struct vl_str decoded;
    int64_t said;
    enum fault fault = decode(value, &room, &decoded);
    if (fault != FINE)
        return fault;
    return read_integer(decoded, &said) && said == number ? FINE : DIFFERENT;
}

/* --- both --- */

/* What an argument is when it is repeated, which is told by the value itself:
 * whether the schema wants that kind is the schema's business. */
struct argument {
    enum { NOTHING, TEXT, INTEGER, OUT_OF_RANGE } kind;
    struct vl_str text;
    int64_t number;
};

/* 1.0 and 1e0 are integers as JSON Schema has it, and to clients that know but
 * one sort of numbers. */
static struct argument
read_number(const struct json_t *value)
{
    struct argument ret = {.kind = OUT_OF_RANGE};
    double real = 0;
    if (vl_json_kind(value) == VL_JSON_INT) {
        if (vl_json_int(value, &ret.number) && ret.number >= -SAFE &&
            ret.number <= SAFE)
            ret.kind = INTEGER;
        return ret;
    }
    if (!vl_json_real(value, &real) || real < -(double)SAFE ||
        real > (double)SAFE)
        return ret;
    ret.number = (int64_t)real;
    ret.kind = (double)ret.number == real ? INTEGER : NOTHING;
    return ret;
}

/* @spec HT-82: no header stands for null, for what is not there, and for what
 * is no such value at all (that the schema refuses, and better). */
static struct argument
read_argument(const struct field *field, const struct json_t *value)
{
    for (size_t i = 0; i < field->depth; i++)
        value = vl_json_get(value, field->path[i]);
    switch (vl_json_kind(value)) {
    case VL_JSON_STRING:
        return (struct argument){.kind = TEXT, .text = vl_json_str(value)};
    case VL_JSON_BOOL:
        return (struct argument){
            .kind = TEXT,
            .text = vl_json_is_true(value) ? VL_STR("true") : VL_STR("false")};
    case VL_JSON_INT:
    case VL_JSON_REAL:
        return read_number(value);
    default:
        return (struct argument){.kind = NOTHING};
    }
}

static enum fault
check_field(const struct field *field, const struct vl_headers *headers,
            const struct json_t *arguments)
{
    struct argument argument = read_argument(field, arguments);
    struct vl_str value;
    enum fault fault = find_value(headers, field->header, &value);
    if (argument.kind == OUT_OF_RANGE)
        return UNSAFE;
    /* "Server MUST NOT expect the header" where the body has no value, and the
     * client "MUST omit" it: if it is there, it does not match the body, and
     * that "servers MUST reject". */
    if (argument.kind == NOTHING)
        return fault == MISSING ? FINE : UNASKED;
    if (fault != FINE)
        return fault;
    return argument.kind == INTEGER ? compare_integer(value, argument.number)
                                    : compare_text(value, argument.text);
}

/* @spec HT-84 HT-86 */
const char *
vl_mcp_mirror_check(const struct vl_mcp_mirror *mirror,
                    const struct vl_headers *headers,
                    const struct json_t *arguments)
{
    for (size_t i = 0; mirror && i < mirror->count; i++) {
        const struct field *field = mirror->fields[i];
        enum fault fault = check_field(field, headers, arguments);
        if (fault != FINE)
            return field->sentences[fault];
    }
    return NULL;
}

/* The method is never encoded: it is compared as it stands. */
static enum fault
check_standard(const struct vl_headers *headers, struct vl_str name,
               struct vl_str text, bool is_encoded, bool optional)
{
    struct vl_str value;
    enum fault fault = find_value(headers, name, &value);
    if (fault == MISSING && optional)
        return FINE;
    if (fault != FINE)
        return fault;
    if (is_encoded)
        return compare_text(value, text);
    return vl_str_eq(value, text) ? FINE : DIFFERENT;
}

#define SENTENCES(name)                                                        \
    {                                                                          \
        [MISSING] = MISMATCH name " is missing",                               \
        [TWICE] = MISMATCH name " is there more than once",                    \
        [TOO_LONG] = MISMATCH name " is too long",                             \
        [MALFORMED] = MISMATCH name " is malformed",                           \
        [DIFFERENT] = MISMATCH name " does not say what the body says",        \
    }

/* @spec HT-78 HT-85 */
const char *
vl_mcp_mirror_check_names(const struct vl_headers *headers,
                          struct vl_str method, struct vl_str name,
                          bool optional)
{
    static const char *const of_method[FAULT_COUNT] = SENTENCES("Mcp-Method");
    static const char *const of_name[FAULT_COUNT] = SENTENCES("Mcp-Name");
    enum fault fault =
        check_standard(headers, VL_STR("Mcp-Method"), method, false, optional);
    if (fault != FINE)
        return of_method[fault];
    if (!name.p)
        return NULL;
    return of_name[check_standard(headers, VL_STR("Mcp-Name"), name, true,
                                  optional)];
}
