/* SPDX-License-Identifier: Apache-2.0
 *
 * What keywords of a schema have to be that hold no schemas.
 */
#include "json/schema_inside.h"

typedef struct vl_schema_rule rule_t;
typedef struct vl_schema_place place_t;

valet_status
vl_schema_takes_list(void *survey, const rule_t *rule, const place_t *place)
{
    if (vl_json_kind(rule->value) != VL_JSON_ARRAY)
        return vl_schema_refuse(survey, place, "is no list");
    return VALET_OK;
}

valet_status
vl_schema_takes_bool(void *survey, const rule_t *rule, const place_t *place)
{
    if (vl_json_kind(rule->value) != VL_JSON_BOOL)
        return vl_schema_refuse(survey, place, "is neither true nor false");
    return VALET_OK;
}

valet_status
vl_schema_takes_count(void *survey, const rule_t *rule, const place_t *place)
{
    size_t count;
    if (!vl_schema_count(rule->value, &count))
        return vl_schema_refuse(survey, place, "is no whole number from 0 on");
    return VALET_OK;
}

valet_status
vl_schema_takes_number(void *survey, const rule_t *rule, const place_t *place)
{
    struct vl_schema_number number;
    if (!vl_schema_number(vl_json_view_of(rule->value), &number))
        return vl_schema_refuse(survey, place, "is no number");
    return VALET_OK;
}

valet_status
vl_schema_takes_divisor(void *survey, const rule_t *rule, const place_t *place)
{
    struct vl_schema_number number;
    if (!vl_schema_number(vl_json_view_of(rule->value), &number) ||
        !(number.is_whole ? number.whole > 0 : number.real > 0))
        return vl_schema_refuse(survey, place, "is no number above 0");
    return VALET_OK;
}

static bool
is_list_of_strings(const struct json_t *value)
{
    bool good = vl_json_kind(value) == VL_JSON_ARRAY;
    for (size_t i = 0; good && i < vl_json_size(value); i++)
        good = vl_json_kind(vl_json_at(value, i)) == VL_JSON_STRING;
    return good;
}

valet_status
vl_schema_takes_strings(void *survey, const rule_t *rule, const place_t *place)
{
    if (!is_list_of_strings(rule->value))
        return vl_schema_refuse(survey, place, "is no list of strings");
    return VALET_OK;
}

/* Members of an object, each a list of strings. */
struct visit {
    void *survey;
    const place_t *place;
    valet_status status;
};

static bool
visit_strings(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct visit *visit = ctx;
    place_t place = {
        .up = visit->place, .key = key, .value = vl_json_view_of(value)};
    if (!is_list_of_strings(value))
        visit->status =
            vl_schema_refuse(visit->survey, &place, "is no list of strings");
    return visit->status == VALET_OK;
}

valet_status
vl_schema_takes_named_strings(void *survey, const rule_t *rule,
                              const place_t *place)
{
    if (vl_json_kind(rule->value) != VL_JSON_OBJECT)
        return vl_schema_refuse(survey, place,
                                "is no object of lists of strings");
    struct visit visit = {survey, place, VALET_OK};
    vl_json_each(rule->value, visit_strings, &visit);
    return visit.status;
}

valet_status
vl_schema_takes_type(void *survey, const rule_t *rule, const place_t *place)
{
    bool good = is_list_of_strings(rule->value)
                    ? vl_json_size(rule->value) > 0
                    : vl_schema_is_type(vl_json_str(rule->value));
    for (size_t i = 0; good && i < vl_json_size(rule->value); i++)
        good = vl_schema_is_type(vl_json_str(vl_json_at(rule->value, i)));
    if (!good)
        return vl_schema_refuse(survey, place, "names no type of JSON");
    return VALET_OK;
}
