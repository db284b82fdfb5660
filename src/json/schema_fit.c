/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Schema Core 2020-12, section 10: keywords that apply schemas. Each
 * application and each keyword is paid for with a step. Whoever runs out of
 * steps gives up for good, so that a `not` around it does not make it a yes.
 */
#include "json/schema_inside.h"

#include "core/status.h"
#include "json/write.h"

/* Longer demands of the schema are not told. */
#define DEMAND_MAX 80

typedef struct vl_schema_run run_t;
typedef struct vl_schema_rule rule_t;
typedef struct vl_schema_place place_t;

/* --- what is told --- */

bool
vl_schema_fail(run_t *run, const rule_t *rule, const place_t *place)
{
    if (run->quiet || run->has_failed)
        return false;
    run->has_failed = true;
    vl_auto(vl_buf) at = vl_buf_of(VL_SCHEMA_POINTER_MAX);
    vl_auto(vl_buf) demand = vl_buf_of(DEMAND_MAX);
    vl_schema_place_write(&at, place, "the value");
    struct vl_json_out out = {&demand, false};
    vl_json_add_value(&out, rule->keyword, rule->value);
    if (demand.failed) {
        vl_buf_clear(&demand);
        vl_buf_addf(&demand, "\"%s\"", rule->keyword);
    }
    (void)vl_fail(run->err, VALET_INVALID, "", VL_STR_FMT " breaks " VL_STR_FMT,
                  VL_STR_ARG(vl_buf_str(&at)), VL_STR_ARG(vl_buf_str(&demand)));
    return false;
}

static bool
give_up(run_t *run)
{
    run->gave_up = true;
    run->steps = 0;
    return false;
}

bool
vl_schema_spend(run_t *run, size_t steps)
{
    if (run->gave_up || run->steps < steps)
        return give_up(run);
    run->steps -= steps;
    return true;
}

bool
vl_schema_has_pattern(run_t *run, struct vl_str pattern, struct vl_str text)
{
    if (!vl_schema_spend(run, 1))
        return false;
    enum vl_pattern_answer answer =
        vl_pattern_find(vl_map_find(&run->schema->patterns, pattern),
                        &run->work, text, &run->steps);
    return answer == VL_PATTERN_GAVE_UP ? give_up(run)
                                        : answer == VL_PATTERN_YES;
}

/* --- one schema --- */

struct visit {
    run_t *run;
    const rule_t *rule;
    const place_t *place;
    const struct json_t *schema;
    bool fits;
};

/* `rule` is the one that has it applied: what `false` says no to. */
static bool
apply(run_t *run, const rule_t *rule, const struct json_t *schema,
      const place_t *place)
{
    if (!vl_schema_spend(run, 1))
        return false;
    if (vl_json_kind(schema) == VL_JSON_BOOL)
        return vl_json_is_true(schema) || vl_schema_fail(run, rule, place);
    if (run->depth == VL_SCHEMA_DEPTH)
        return give_up(run);
    run->depth++;
    const struct vl_schema_plan *plan =
        vl_schema_plan_find(&run->schema->plans, schema);
    bool fits = plan != NULL; /* it always is */
    for (size_t i = 0; fits && i < plan->count; i++)
        fits = vl_schema_spend(run, 1) &&
               plan->words[i].fits(run, &plan->words[i].rule, place);
    run->depth--;
    return fits;
}

/* Would it fit? */
static bool
tries(run_t *run, const rule_t *rule, const struct json_t *schema,
      const place_t *place)
{
    run->quiet++;
    bool fits = apply(run, rule, schema, place);
    run->quiet--;
    return fits;
}

valet_status
vl_schema_check(const struct vl_schema *schema, const struct json_t *value,
                valet_error *err)
{
    return vl_schema_check_view(schema, vl_json_view_of(value), err);
}

valet_status
vl_schema_check_view(const struct vl_schema *schema, struct vl_json_view value,
                     valet_error *err)
{
    run_t run = {.schema = schema, .steps = VL_SCHEMA_STEPS, .err = err};
    const struct json_t *root = schema->doc.root;
    rule_t top = {.keyword = "schema", .value = root, .schema = root};
    place_t place = {.value = value};
    bool fits = apply(&run, &top, root, &place);
    vl_pattern_work_done(&run.work);
    if (run.gave_up)
        return vl_fail(err, VALET_LIMIT, "",
                       "it takes too much work to check the value");
    return fits ? VALET_OK : VALET_INVALID;
}

/* --- in place --- */

bool
vl_schema_ref(run_t *run, const rule_t *rule, const place_t *place)
{
    return apply(run, rule,
                 vl_map_find(&run->schema->targets, vl_json_str(rule->value)),
                 place);
}

bool
vl_schema_all(run_t *run, const rule_t *rule, const place_t *place)
{
    bool fits = true;
    for (size_t i = 0; fits && i < vl_json_size(rule->value); i++)
        fits = apply(run, rule, vl_json_at(rule->value, i), place);
    return fits;
}

static size_t
count_fitting(run_t *run, const rule_t *rule, const place_t *place, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < vl_json_size(rule->value) && count < most; i++)
        count += tries(run, rule, vl_json_at(rule->value, i), place);
    return count;
}

bool
vl_schema_any(run_t *run, const rule_t *rule, const place_t *place)
{
    return count_fitting(run, rule, place, 1) == 1 ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_one(run_t *run, const rule_t *rule, const place_t *place)
{
    return count_fitting(run, rule, place, 2) == 1 ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_not(run_t *run, const rule_t *rule, const place_t *place)
{
    return !tries(run, rule, rule->value, place) ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_if(run_t *run, const rule_t *rule, const place_t *place)
{
    bool holds = tries(run, rule, rule->value, place);
    const struct json_t *next =
        vl_json_get(rule->schema, holds ? "then" : "else");
    return !next || apply(run, rule, next, place);
}

static bool
visit_dependent(struct vl_str key, const struct json_t *schema, void *ctx)
{
    struct visit *visit = ctx;
    visit->fits =
        vl_schema_spend(visit->run, 1) &&
        (vl_json_view_is_absent(vl_json_view_get(visit->place->value, key)) ||
         apply(visit->run, visit->rule, schema, visit->place));
    return visit->fits;
}

bool
vl_schema_dependent(run_t *run, const rule_t *rule, const place_t *place)
{
    struct visit visit = {run, rule, place, NULL, true};
    if (vl_json_view_kind(place->value) == VL_JSON_OBJECT)
        vl_json_each(rule->value, visit_dependent, &visit);
    return visit.fits;
}

/* --- members --- */

static bool
visit_property(struct vl_str key, const struct json_t *schema, void *ctx)
{
    struct visit *visit = ctx;
    struct vl_json_view value = vl_json_view_get(visit->place->value, key);
    place_t member = {.up = visit->place, .key = key, .value = value};
    visit->fits = vl_schema_spend(visit->run, 1) &&
                  (vl_json_view_is_absent(value) ||
                   apply(visit->run, visit->rule, schema, &member));
    return visit->fits;
}

bool
vl_schema_properties(run_t *run, const rule_t *rule, const place_t *place)
{
    struct visit visit = {run, rule, place, NULL, true};
    if (vl_json_view_kind(place->value) == VL_JSON_OBJECT)
        vl_json_each(rule->value, visit_property, &visit);
    return visit.fits;
}

/* A member and the patterns that its name may have. */
struct naming {
    struct visit *visit;
    const place_t *member;
    bool has_any;
};

static bool
visit_pattern(struct vl_str pattern, const struct json_t *schema, void *ctx)
{
    struct naming *naming = ctx;
    struct visit *visit = naming->visit;
    bool has = vl_schema_has_pattern(visit->run, pattern, naming->member->key);
    visit->fits =
        !visit->run->gave_up &&
        (!has || apply(visit->run, visit->rule, schema, naming->member));
    return visit->fits;
}

static bool
visit_for_patterns(struct vl_str key, struct vl_json_view value, void *ctx)
{
    struct visit *visit = ctx;
    place_t member = {.up = visit->place, .key = key, .value = value};
    struct naming naming = {visit, &member, false};
    vl_json_each(visit->rule->value, visit_pattern, &naming);
    return visit->fits;
}

bool
vl_schema_pattern_properties(run_t *run, const rule_t *rule,
                             const place_t *place)
{
    struct visit visit = {run, rule, place, NULL, true};
    if (vl_json_view_kind(place->value) == VL_JSON_OBJECT)
        vl_json_view_each(place->value, visit_for_patterns, &visit);
    return visit.fits;
}

static bool
visit_name_of(struct vl_str pattern, const struct json_t *schema, void *ctx)
{
    (void)schema;
    struct naming *naming = ctx;
    naming->has_any =
        vl_schema_has_pattern(naming->visit->run, pattern, naming->member->key);
    return !naming->has_any;
}

static bool
has_any_pattern(struct visit *visit, const place_t *member)
{
    struct naming naming = {visit, member, false};
    vl_json_each(vl_json_get(visit->rule->schema, "patternProperties"),
                 visit_name_of, &naming);
    return naming.has_any;
}

/* What neither `properties` nor `patternProperties` speak of. */
static bool
visit_additional(struct vl_str key, struct vl_json_view value, void *ctx)
{
    struct visit *visit = ctx;
    const struct json_t *named = vl_json_get(visit->rule->schema, "properties");
    bool is_named =
        !vl_json_view_is_absent(vl_json_view_get(vl_json_view_of(named), key));
    place_t member = {.up = visit->place, .key = key, .value = value};
    visit->fits = vl_schema_spend(visit->run, 1) &&
                  (is_named || has_any_pattern(visit, &member) ||
                   apply(visit->run, visit->rule, visit->rule->value, &member));
    return visit->fits;
}

bool
vl_schema_additional(run_t *run, const rule_t *rule, const place_t *place)
{
    struct visit visit = {run, rule, place, NULL, true};
    if (vl_json_view_kind(place->value) == VL_JSON_OBJECT)
        vl_json_view_each(place->value, visit_additional, &visit);
    return visit.fits;
}

/* The pointer is that of the member: a name has none of its own. */
static bool
visit_name(struct vl_str key, struct vl_json_view value, void *ctx)
{
    (void)value;
    struct visit *visit = ctx;
    vl_auto(vl_json) name = vl_json_of_str(key);
    place_t member = {
        .up = visit->place, .key = key, .value = vl_json_view_of(name.root)};
    visit->fits = vl_schema_spend(visit->run, 1 + key.n / 64) &&
                  apply(visit->run, visit->rule, visit->rule->value, &member);
    return visit->fits;
}

bool
vl_schema_names(run_t *run, const rule_t *rule, const place_t *place)
{
    struct visit visit = {run, rule, place, NULL, true};
    if (vl_json_view_kind(place->value) == VL_JSON_OBJECT)
        vl_json_view_each(place->value, visit_name, &visit);
    return visit.fits;
}

/* --- items --- */

static place_t
item_of(const place_t *place, size_t index)
{
    return (place_t){.up = place,
                     .index = index,
                     .value = vl_json_view_at(place->value, index)};
}

bool
vl_schema_prefix(run_t *run, const rule_t *rule, const place_t *place)
{
    bool fits = true;
    if (vl_json_view_kind(place->value) != VL_JSON_ARRAY)
        return true;
    for (size_t i = 0; fits && i < vl_json_size(rule->value) &&
                       i < vl_json_view_size(place->value);
         i++) {
        place_t item = item_of(place, i);
        fits = apply(run, rule, vl_json_at(rule->value, i), &item);
    }
    return fits;
}

/* What `prefixItems` does not speak of. */
bool
vl_schema_items(run_t *run, const rule_t *rule, const place_t *place)
{
    bool fits = true;
    if (vl_json_view_kind(place->value) != VL_JSON_ARRAY)
        return true;
    size_t first = vl_json_size(vl_json_get(rule->schema, "prefixItems"));
    for (size_t i = first; fits && i < vl_json_view_size(place->value); i++) {
        place_t item = item_of(place, i);
        fits = apply(run, rule, rule->value, &item);
    }
    return fits;
}

bool
vl_schema_contains(run_t *run, const rule_t *rule, const place_t *place)
{
    size_t least = 1, most = SIZE_MAX, count = 0;
    if (vl_json_view_kind(place->value) != VL_JSON_ARRAY)
        return true;
    (void)vl_schema_count(vl_json_get(rule->schema, "minContains"), &least);
    (void)vl_schema_count(vl_json_get(rule->schema, "maxContains"), &most);
    for (size_t i = 0; i < vl_json_view_size(place->value) && !run->gave_up;
         i++) {
        place_t item = item_of(place, i);
        count += tries(run, rule, rule->value, &item);
    }
    return (count >= least && count <= most) ||
           vl_schema_fail(run, rule, place);
}
