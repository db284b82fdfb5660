/* SPDX-License-Identifier: Apache-2.0
 *
 * A schema is walked twice: first to know what is a schema and how it is
 * called, then to see that each $ref leads to one of these.
 */
#include "json/schema.h"

#include <stdlib.h>

#include "core/status.h"
#include "json/schema_inside.h"

struct survey {
    struct vl_schema *schema;
    struct vl_map known;   /* schemas that are objects, by their address */
    struct vl_map anchors; /* schemas by name */
    bool is_second;
    valet_error *err;
};

typedef struct vl_schema_rule rule_t;
typedef struct vl_schema_place place_t;

static void *
as_value(const struct json_t *value)
{
    return (void *)(uintptr_t)value;
}

static struct vl_str
address_of(const struct json_t *const *value)
{
    return vl_str_of(value, sizeof *value);
}

valet_status
vl_schema_refuse(const void *survey, const place_t *place, const char *why)
{
    const struct survey *s = survey;
    vl_auto(vl_buf) at = vl_buf_of(VL_SCHEMA_POINTER_MAX);
    vl_schema_place_write(&at, place, "the schema");
    return vl_fail(s->err, VALET_INVALID, "", VL_STR_FMT " %s",
                   VL_STR_ARG(vl_buf_str(&at)), why);
}

/* --- schemas within --- */

struct visit {
    struct survey *survey;
    const struct json_t *value;
    const place_t *place;
    valet_status status;
};

static bool
visit_keyword(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct visit *visit = ctx;
    const struct vl_schema_keyword *keyword = vl_schema_keyword_find(key);
    if (!keyword)
        return true;
    place_t place = {
        .up = visit->place, .key = key, .value = vl_json_view_of(value)};
    rule_t rule = {
        .keyword = keyword->name, .value = value, .schema = visit->value};
    visit->status = keyword->survey(visit->survey, &rule, &place);
    return visit->status == VALET_OK;
}

static valet_status
survey_schema(struct survey *survey, const place_t *place)
{
    const struct json_t *schema = place->value.value;
    enum vl_json_kind kind = vl_json_kind(schema);
    if (kind == VL_JSON_BOOL)
        return VALET_OK;
    if (kind != VL_JSON_OBJECT)
        return vl_schema_refuse(survey, place, "is no schema");
    if (!survey->is_second)
        (void)vl_map_put(&survey->known, address_of(&schema), as_value(schema));
    struct visit visit = {survey, schema, place, VALET_OK};
    vl_json_each(schema, visit_keyword, &visit);
    return visit.status;
}

static valet_status
takes_schema(void *survey, const rule_t *rule, const place_t *place)
{
    (void)rule;
    return survey_schema(survey, place);
}

static valet_status
takes_schemas(void *survey, const rule_t *rule, const place_t *place)
{
    if (vl_json_kind(rule->value) != VL_JSON_ARRAY ||
        vl_json_size(rule->value) == 0)
        return vl_schema_refuse(survey, place, "is no list of schemas");
    for (size_t i = 0; i < vl_json_size(rule->value); i++) {
        place_t member = {.up = place,
                          .index = i,
                          .value = vl_json_view_of(vl_json_at(rule->value, i))};
        VL_TRY(survey_schema(survey, &member));
    }
    return VALET_OK;
}

static bool
visit_named(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct visit *visit = ctx;
    place_t place = {
        .up = visit->place, .key = key, .value = vl_json_view_of(value)};
    visit->status = survey_schema(visit->survey, &place);
    return visit->status == VALET_OK;
}

static valet_status
takes_named_schemas(void *survey, const rule_t *rule, const place_t *place)
{
    if (vl_json_kind(rule->value) != VL_JSON_OBJECT)
        return vl_schema_refuse(survey, place, "is no object of schemas");
    struct visit visit = {survey, rule->value, place, VALET_OK};
    vl_json_each(rule->value, visit_named, &visit);
    return visit.status;
}

/* --- patterns, and what may be anything --- */

static valet_status
takes_anything(void *survey, const rule_t *rule, const place_t *place)
{
    (void)survey;
    (void)rule;
    (void)place;
    return VALET_OK;
}

/* Each text once, however often it is said. */
static valet_status
add_pattern(struct survey *survey, struct vl_str text, const place_t *place)
{
    struct vl_schema *schema = survey->schema;
    struct vl_pattern *pattern = NULL;
    valet_error why = {.status = VALET_OK};
    if (vl_map_find(&schema->patterns, text))
        return VALET_OK;
    valet_status status = vl_pattern_new(text, &pattern, &why);
    if (status == VALET_INTERNAL)
        return vl_fail(survey->err, status, why.code, "%s", why.message);
    if (status != VALET_OK)
        return vl_schema_refuse(survey, place, why.message);
    schema->pattern_size += vl_pattern_size(pattern);
    (void)vl_map_put(&schema->patterns, text, pattern);
    if (schema->pattern_size > VL_SCHEMA_PATTERNS_MAX)
        return vl_schema_refuse(survey, place, "is one pattern too many");
    return VALET_OK;
}

static valet_status
takes_pattern(void *survey, const rule_t *rule, const place_t *place)
{
    if (vl_json_kind(rule->value) != VL_JSON_STRING)
        return vl_schema_refuse(survey, place, "is no string");
    return add_pattern(survey, vl_json_str(rule->value), place);
}

static bool
visit_pattern(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct visit *visit = ctx;
    place_t place = {
        .up = visit->place, .key = key, .value = vl_json_view_of(value)};
    visit->status = add_pattern(visit->survey, key, &place);
    return visit->status == VALET_OK;
}

static valet_status
takes_patterns(void *survey, const rule_t *rule, const place_t *place)
{
    VL_TRY(takes_named_schemas(survey, rule, place));
    struct visit visit = {survey, rule->value, place, VALET_OK};
    vl_json_each(rule->value, visit_pattern, &visit);
    return visit.status;
}

/* A check that cannot be made is a no. */
static valet_status
cannot_be_checked(void *survey, const rule_t *rule, const place_t *place)
{
    (void)rule;
    return vl_schema_refuse(survey, place, "cannot be checked by this server");
}

/* --- identity --- */

static bool
is_at_top(const place_t *place)
{
    return !place->up->up;
}

static valet_status
takes_dialect(void *survey, const rule_t *rule, const place_t *place)
{
    struct survey *s = survey;
    struct vl_str name = vl_json_str(rule->value);
    if (vl_str_ends(name, VL_STR("#")))
        name = vl_str_head(name, name.n - 1);
    bool is_draft7 =
        vl_str_eq(name, VL_STR("http://json-schema.org/draft-07/schema"));
    if (!is_at_top(place) ||
        !(is_draft7 ||
          vl_str_eq(name,
                    VL_STR("https://json-schema.org/draft/2020-12/schema"))))
        return vl_schema_refuse(s, place, "is neither 2020-12 nor draft-07");
    s->schema->is_draft7 = is_draft7;
    return VALET_OK;
}

/* Below the top it would change what each $ref in it means. */
static valet_status
takes_id(void *survey, const rule_t *rule, const place_t *place)
{
    if (!is_at_top(place) || vl_json_kind(rule->value) != VL_JSON_STRING)
        return cannot_be_checked(survey, rule, place);
    return VALET_OK;
}

static valet_status
takes_anchor(void *survey, const rule_t *rule, const place_t *place)
{
    struct survey *s = survey;
    struct vl_str name = vl_json_str(rule->value);
    if (s->is_second)
        return VALET_OK;
    if (name.n == 0 || vl_map_find(&s->anchors, name))
        return vl_schema_refuse(s, place, "is no name, or one that is taken");
    (void)vl_map_put(&s->anchors, name, as_value(rule->schema));
    return VALET_OK;
}

/* What lies in this document, `ref` being what follows the '#'. */
static const struct json_t *
find_target(const struct survey *survey, struct vl_str ref)
{
    if (ref.n && ref.p[0] != '/')
        return vl_map_find(&survey->anchors, ref);
    return vl_schema_pointer_find(survey->schema->doc.root, ref);
}

/* Only to what was walked through: elsewhere nobody has looked at the words. */
static valet_status
takes_ref(void *survey, const rule_t *rule, const place_t *place)
{
    struct survey *s = survey;
    struct vl_str ref = vl_json_str(rule->value);
    if (!vl_str_starts(ref, VL_STR("#")))
        return vl_schema_refuse(s, place, "leads out of the schema");
    if (!s->is_second)
        return VALET_OK;
    const struct json_t *target = find_target(s, vl_str_from(ref, 1));
    if (vl_json_kind(target) != VL_JSON_BOOL &&
        !vl_map_find(&s->known, address_of(&target)))
        return vl_schema_refuse(s, place, "leads to no schema");
    (void)vl_map_put(&s->schema->targets, ref, as_value(target));
    return VALET_OK;
}

/* Sorted. */
static const struct vl_schema_keyword keywords[] = {
    {"$anchor", takes_anchor, NULL},
    {"$defs", takes_named_schemas, NULL},
    {"$dynamicAnchor", takes_anchor, NULL},
    {"$dynamicRef", cannot_be_checked, NULL},
    {"$id", takes_id, NULL},
    {"$recursiveRef", cannot_be_checked, NULL},
    {"$ref", takes_ref, vl_schema_ref},
    {"$schema", takes_dialect, NULL},
    {"additionalItems", cannot_be_checked, NULL},
    {"additionalProperties", takes_schema, vl_schema_additional},
    {"allOf", takes_schemas, vl_schema_all},
    {"anyOf", takes_schemas, vl_schema_any},
    {"const", takes_anything, vl_schema_const},
    {"contains", takes_schema, vl_schema_contains},
    {"definitions", takes_named_schemas, NULL},
    {"dependencies", cannot_be_checked, NULL},
    {"dependentRequired", vl_schema_takes_named_strings,
     vl_schema_dependent_required},
    {"dependentSchemas", takes_named_schemas, vl_schema_dependent},
    {"else", takes_schema, NULL},
    {"enum", vl_schema_takes_list, vl_schema_enum},
    {"exclusiveMaximum", vl_schema_takes_number, vl_schema_below},
    {"exclusiveMinimum", vl_schema_takes_number, vl_schema_above},
    {"if", takes_schema, vl_schema_if},
    {"items", takes_schema, vl_schema_items},
    {"maxContains", vl_schema_takes_count, NULL},
    {"maxItems", vl_schema_takes_count, vl_schema_max_items},
    {"maxLength", vl_schema_takes_count, vl_schema_max_length},
    {"maxProperties", vl_schema_takes_count, vl_schema_max_members},
    {"maximum", vl_schema_takes_number, vl_schema_maximum},
    {"minContains", vl_schema_takes_count, NULL},
    {"minItems", vl_schema_takes_count, vl_schema_min_items},
    {"minLength", vl_schema_takes_count, vl_schema_min_length},
    {"minProperties", vl_schema_takes_count, vl_schema_min_members},
    {"minimum", vl_schema_takes_number, vl_schema_minimum},
    {"multipleOf", vl_schema_takes_divisor, vl_schema_multiple},
    {"not", takes_schema, vl_schema_not},
    {"oneOf", takes_schemas, vl_schema_one},
    {"pattern", takes_pattern, vl_schema_pattern},
    {"patternProperties", takes_patterns, vl_schema_pattern_properties},
    {"prefixItems", takes_schemas, vl_schema_prefix},
    {"properties", takes_named_schemas, vl_schema_properties},
    {"propertyNames", takes_schema, vl_schema_names},
    {"required", vl_schema_takes_strings, vl_schema_required},
    {"then", takes_schema, NULL},
    {"type", vl_schema_takes_type, vl_schema_type},
    {"unevaluatedItems", cannot_be_checked, NULL},
    {"unevaluatedProperties", cannot_be_checked, NULL},
    {"uniqueItems", vl_schema_takes_bool, vl_schema_unique},
};

static int
compare_name(const void *name, const void *keyword)
{
    return strcmp(name, ((const struct vl_schema_keyword *)keyword)->name);
}

const struct vl_schema_keyword *
vl_schema_keyword_find(struct vl_str name)
{
    return bsearch(name.p, keywords, VL_COUNT(keywords), sizeof keywords[0],
                   compare_name);
}

valet_status
vl_schema_new(const struct json_t *root, struct vl_schema **ret,
              valet_error *err)
{
    struct vl_schema *schema = vl_alloc(sizeof *schema);
    struct survey survey = {.schema = schema, .err = err};
    schema->doc = vl_json_share(root);
    vl_map_init(&schema->targets);
    vl_map_init(&schema->patterns);
    vl_map_init(&survey.known);
    vl_map_init(&survey.anchors);
    place_t top = {.value = vl_json_view_of(root)};
    valet_status status = survey_schema(&survey, &top);
    survey.is_second = true;
    if (status == VALET_OK)
        status = survey_schema(&survey, &top);
    if (status == VALET_OK)
        vl_schema_plan_all(schema, &survey.known);
    vl_map_done(&survey.known);
    vl_map_done(&survey.anchors);
    if (status == VALET_OK)
        *ret = schema;
    else
        vl_schema_free(schema);
    return status;
}

static void
free_pattern(struct vl_str key, void *value, void *ctx)
{
    (void)key;
    (void)ctx;
    vl_pattern_free(value);
}

void
vl_schema_free(struct vl_schema *schema)
{
    if (!schema)
        return;
    vl_map_each(&schema->patterns, free_pattern, NULL);
    vl_map_done(&schema->patterns);
    vl_map_done(&schema->targets);
    vl_schema_plans_done(&schema->plans);
    vl_json_done(&schema->doc);
    free(schema);
}
