/* SPDX-License-Identifier: Apache-2.0
 *
 * Which headers repeat arguments, as a tool's schema says.
 */
#include <stdlib.h>

#include "core/status.h"
#include "http/parse.h"
#include "mcp/mirror_inside.h"

#define PREFIX     "Mcp-Param-"
#define ANNOTATION "x-mcp-header"
/* Of an annotation; nothing near it is ever sent. */
#define ANNOTATION_MAX 128

/* What a header is told to be by each of them. */
static const char *const faults[VL_MCP_MIRROR_FAULTS] = {
    [VL_MCP_MIRROR_MISSING] = " is missing",
    [VL_MCP_MIRROR_TWICE] = " is there more than once",
    [VL_MCP_MIRROR_TOO_LONG] = " is too long",
    [VL_MCP_MIRROR_MALFORMED] = " is malformed",
    [VL_MCP_MIRROR_DIFFERENT] = " does not say what the body says",
    [VL_MCP_MIRROR_UNASKED] = " says something that the body does not say",
    [VL_MCP_MIRROR_UNSAFE] = " stands for a number beyond 2^53 - 1",
};

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
    struct vl_mcp_mirror_field *field = vl_alloc(sizeof *field);
    field->header = vl_str_z(join(PREFIX, name, ""));
    for (size_t i = VL_MCP_MIRROR_FINE + 1; i < VL_MCP_MIRROR_FAULTS; i++)
        field->sentences[i] =
            join(VL_MCP_MIRROR_MISMATCH PREFIX, name, faults[i]);
    for (const struct place *p = walk->place; p->up; p = p->up)
        field->depth++;
    VL_ASSERT(field->depth <= VL_MCP_MIRROR_DEPTH);
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
        struct vl_mcp_mirror_field *field = mirror->fields[i];
        for (size_t j = 0; j < VL_MCP_MIRROR_FAULTS; j++)
            free(field->sentences[j]);
        free((void *)(uintptr_t)field->header.p);
        free(field);
    }
    if (mirror)
        vl_json_done(&mirror->schema);
    free(mirror);
}
