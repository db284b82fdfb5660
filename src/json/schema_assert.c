/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Schema Validation 2020-12, section 6. A keyword of one type says
 * nothing about values of others.
 */
#include "json/schema_inside.h"

typedef struct vl_schema_run run_t;
typedef struct vl_schema_rule rule_t;
typedef struct vl_schema_place place_t;

/* --- any value --- */

static bool same(run_t *run, struct vl_json_view a, struct vl_json_view b);

struct pair {
    run_t *run;
    struct vl_json_view other;
    bool is_same;
};

static bool
visit_member(struct vl_str key, struct vl_json_view value, void *ctx)
{
    struct pair *pair = ctx;
    struct vl_json_view other = vl_json_view_get(pair->other, key);
    pair->is_same =
        !vl_json_view_is_absent(other) && same(pair->run, value, other);
    return pair->is_same;
}

static bool
same_members(run_t *run, struct vl_json_view a, struct vl_json_view b)
{
    if (vl_json_view_size(a) != vl_json_view_size(b))
        return false;
    struct pair pair = {run, b, true};
    vl_json_view_each(a, visit_member, &pair);
    return pair.is_same;
}

static bool
same_list(run_t *run, struct vl_json_view a, struct vl_json_view b)
{
    size_t size = vl_json_view_size(a);
    bool is_same = size == vl_json_view_size(b);
    for (size_t i = 0; is_same && i < size; i++)
        is_same = same(run, vl_json_view_at(a, i), vl_json_view_at(b, i));
    return is_same;
}

/* Core, section 4.2.2. */
static bool
same(run_t *run, struct vl_json_view a, struct vl_json_view b)
{
    if (!vl_schema_spend(run, 1))
        return false;
    struct vl_schema_number x, y;
    if (vl_schema_number(a, &x))
        return vl_schema_number(b, &y) && vl_schema_compare(x, y) == 0;
    enum vl_json_kind kind = vl_json_view_kind(a);
    if (kind != vl_json_view_kind(b))
        return false;
    switch (kind) {
    case VL_JSON_BOOL:
        return vl_json_view_is_true(a) == vl_json_view_is_true(b);
    case VL_JSON_STRING:
        return vl_json_view_str(a).n == vl_json_view_str(b).n &&
               vl_schema_spend(run, vl_json_view_str(a).n / 64) &&
               vl_str_eq(vl_json_view_str(a), vl_json_view_str(b));
    case VL_JSON_ARRAY:
        return same_list(run, a, b);
    case VL_JSON_OBJECT:
        return same_members(run, a, b);
    default:
        return true;
    }
}

static const struct {
    const char *name;
    enum vl_json_kind kind;
} types[] = {
    {"string", VL_JSON_STRING}, {"object", VL_JSON_OBJECT},
    {"array", VL_JSON_ARRAY},   {"boolean", VL_JSON_BOOL},
    {"null", VL_JSON_NULL},     {"integer", VL_JSON_INT},
    {"number", VL_JSON_REAL},
};

bool
vl_schema_is_type(struct vl_str name)
{
    bool known = false;
    for (size_t i = 0; i < VL_COUNT(types); i++)
        known = known || vl_str_eqz(name, types[i].name);
    return known;
}

static unsigned
bit_of(struct vl_str name)
{
    for (size_t i = 0; i < VL_COUNT(types); i++)
        if (vl_str_eqz(name, types[i].name))
            return 1u << types[i].kind;
    return 0;
}

unsigned
vl_schema_types(const struct json_t *value)
{
    unsigned bits = bit_of(vl_json_str(value));
    for (size_t i = 0; i < vl_json_size(value); i++)
        bits |= bit_of(vl_json_str(vl_json_at(value, i)));
    return bits;
}

/* Among the kinds REAL stands for all numbers, INT for those without a
 * fraction. */
static bool
is_of_types(struct vl_json_view value, unsigned bits)
{
    enum vl_json_kind kind = vl_json_view_kind(value);
    if (kind != VL_JSON_INT && kind != VL_JSON_REAL)
        return bits & 1u << kind;
    return bits & 1u << VL_JSON_REAL ||
           (bits & 1u << VL_JSON_INT && vl_schema_is_integer(value));
}

bool
vl_schema_type(run_t *run, const rule_t *rule, const place_t *place)
{
    return is_of_types(place->value, rule->types) ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_enum(run_t *run, const rule_t *rule, const place_t *place)
{
    for (size_t i = 0; i < vl_json_size(rule->value); i++)
        if (same(run, place->value,
                 vl_json_view_of(vl_json_at(rule->value, i))))
            return true;
    return vl_schema_fail(run, rule, place);
}

bool
vl_schema_const(run_t *run, const rule_t *rule, const place_t *place)
{
    return same(run, place->value, vl_json_view_of(rule->value)) ||
           vl_schema_fail(run, rule, place);
}

/* --- strings, in characters --- */

/* jansson has seen to it that they are UTF-8. */
static bool
length_of(run_t *run, const rule_t *rule, const place_t *place, size_t *ret,
          size_t *ret_bound)
{
    struct vl_str text = vl_json_view_str(place->value);
    if (!text.p || !vl_schema_count(rule->value, ret_bound) ||
        !vl_schema_spend(run, text.n / 64))
        return false;
    *ret = 0;
    for (size_t i = 0; i < text.n; i++)
        *ret += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return true;
}

bool
vl_schema_min_length(run_t *run, const rule_t *rule, const place_t *place)
{
    size_t length, bound;
    return !length_of(run, rule, place, &length, &bound) || length >= bound ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_max_length(run_t *run, const rule_t *rule, const place_t *place)
{
    size_t length, bound;
    return !length_of(run, rule, place, &length, &bound) || length <= bound ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_pattern(run_t *run, const rule_t *rule, const place_t *place)
{
    struct vl_str text = vl_json_view_str(place->value);
    return !text.p ||
           vl_schema_has_pattern(run, vl_json_str(rule->value), text) ||
           vl_schema_fail(run, rule, place);
}

/* --- arrays and objects --- */

static bool
has_least(run_t *run, const rule_t *rule, const place_t *place,
          enum vl_json_kind kind)
{
    size_t bound;
    return vl_json_view_kind(place->value) != kind ||
           !vl_schema_count(rule->value, &bound) ||
           vl_json_view_size(place->value) >= bound ||
           vl_schema_fail(run, rule, place);
}

static bool
has_most(run_t *run, const rule_t *rule, const place_t *place,
         enum vl_json_kind kind)
{
    size_t bound;
    return vl_json_view_kind(place->value) != kind ||
           !vl_schema_count(rule->value, &bound) ||
           vl_json_view_size(place->value) <= bound ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_min_items(run_t *run, const rule_t *rule, const place_t *place)
{
    return has_least(run, rule, place, VL_JSON_ARRAY);
}

bool
vl_schema_max_items(run_t *run, const rule_t *rule, const place_t *place)
{
    return has_most(run, rule, place, VL_JSON_ARRAY);
}

bool
vl_schema_min_members(run_t *run, const rule_t *rule, const place_t *place)
{
    return has_least(run, rule, place, VL_JSON_OBJECT);
}

bool
vl_schema_max_members(run_t *run, const rule_t *rule, const place_t *place)
{
    return has_most(run, rule, place, VL_JSON_OBJECT);
}

/* Where it fails is the second of the two that are the same. */
bool
vl_schema_unique(run_t *run, const rule_t *rule, const place_t *place)
{
    if (vl_json_view_kind(place->value) != VL_JSON_ARRAY ||
        !vl_json_is_true(rule->value))
        return true;
    for (size_t i = 1; i < vl_json_view_size(place->value); i++) {
        place_t item = {
            .up = place, .index = i, .value = vl_json_view_at(place->value, i)};
        for (size_t j = 0; j < i && !run->gave_up; j++)
            if (same(run, item.value, vl_json_view_at(place->value, j)))
                return vl_schema_fail(run, rule, &item);
    }
    return true;
}

/* `names` are the schema's; where it fails is the member that is missing. */
static bool
has_all(run_t *run, const rule_t *rule, const struct json_t *names,
        const place_t *place)
{
    for (size_t i = 0; i < vl_json_size(names); i++) {
        struct vl_str name = vl_json_str(vl_json_at(names, i));
        place_t missing = {.up = place, .key = name};
        if (!vl_schema_spend(run, 1))
            return false;
        if (vl_json_view_is_absent(vl_json_view_get(place->value, name)))
            return vl_schema_fail(run, rule, &missing);
    }
    return true;
}

bool
vl_schema_required(run_t *run, const rule_t *rule, const place_t *place)
{
    return vl_json_view_kind(place->value) != VL_JSON_OBJECT ||
           has_all(run, rule, rule->value, place);
}

struct dependents {
    run_t *run;
    const rule_t *rule;
    const place_t *place;
    bool fits;
};

static bool
visit_dependent(struct vl_str key, const struct json_t *names, void *ctx)
{
    struct dependents *d = ctx;
    d->fits = vl_schema_spend(d->run, 1) &&
              (vl_json_view_is_absent(vl_json_view_get(d->place->value, key)) ||
               has_all(d->run, d->rule, names, d->place));
    return d->fits;
}

bool
vl_schema_dependent_required(run_t *run, const rule_t *rule,
                             const place_t *place)
{
    struct dependents d = {run, rule, place, true};
    if (vl_json_view_kind(place->value) == VL_JSON_OBJECT)
        vl_json_each(rule->value, visit_dependent, &d);
    return d.fits;
}
