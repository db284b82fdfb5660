/* SPDX-License-Identifier: Apache-2.0
 *
 * A schema is checked against more often than it is read: so the words that
 * assert something are looked up once, for each object that is a schema.
 */
#include <stdlib.h>

#include "json/schema_inside.h"

/* Multiplicative hashing (Knuth, volume 3, 6.4): addresses differ most in the
 * middle, a product has that on top. */
static size_t
slot_of(const struct vl_schema_plans *plans, const struct json_t *schema)
{
    uint64_t product = (uint64_t)(uintptr_t)schema * 0x9e3779b97f4a7c15u;
    return (size_t)(product >> 32) & (plans->width - 1);
}

const struct vl_schema_plan *
vl_schema_plan_find(const struct vl_schema_plans *plans,
                    const struct json_t *schema)
{
    size_t i = slot_of(plans, schema);
    while (plans->slots[i] && plans->slots[i]->schema != schema)
        i = (i + 1) & (plans->width - 1);
    return plans->slots[i];
}

struct planning {
    struct vl_schema *schema;
    struct vl_schema_plan *plan;
};

static bool
add_word(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct planning *planning = ctx;
    struct vl_schema_plan *plan = planning->plan;
    const struct vl_schema_keyword *keyword = vl_schema_keyword_find(key);
    if (!keyword || !keyword->fits)
        return true;
    plan->words[plan->count++] = (struct vl_schema_word){
        .fits = keyword->fits,
        .rule = {.keyword = keyword->name,
                 .value = value,
                 .schema = plan->schema,
                 .types = keyword->fits == vl_schema_type
                              ? vl_schema_types(value)
                              : 0},
    };
    return true;
}

/* draft-07, section 8.3: beside a $ref the rest means nothing. */
static void
add_plan(struct vl_str address, void *value, void *ctx)
{
    struct vl_schema *schema = ctx;
    struct vl_schema_plans *plans = &schema->plans;
    const struct json_t *object = value;
    const struct json_t *ref =
        schema->is_draft7 ? vl_json_get(object, "$ref") : NULL;
    size_t words = ref ? 1 : vl_json_size(object);
    struct vl_schema_plan *plan =
        vl_alloc(sizeof *plan + words * sizeof plan->words[0]);
    struct planning planning = {schema, plan};
    (void)address;
    plan->schema = object;
    if (ref)
        (void)add_word(VL_STR("$ref"), ref, &planning);
    else
        vl_json_each(object, add_word, &planning);
    size_t i = slot_of(plans, object);
    while (plans->slots[i])
        i = (i + 1) & (plans->width - 1);
    plans->slots[i] = plan;
}

void
vl_schema_plan_all(struct vl_schema *schema, const struct vl_map *known)
{
    struct vl_schema_plans *plans = &schema->plans;
    plans->width = 2;
    while (plans->width < 2 * vl_map_size(known))
        plans->width *= 2;
    plans->slots = vl_alloc(plans->width * sizeof *plans->slots);
    vl_map_each(known, add_plan, schema);
}

void
vl_schema_plans_done(struct vl_schema_plans *plans)
{
    for (size_t i = 0; plans->slots && i < plans->width; i++)
        free(plans->slots[i]);
    free(plans->slots);
    plans->slots = NULL;
}
