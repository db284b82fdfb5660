/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Schema Validation 2020-12, section 6.2. Numbers are compared as what
 * they are, so 1.0 is 1, and no integer loses digits on its way through a
 * double.
 */
#include <float.h>

#include "json/schema_inside.h"

#define TWO_63 9223372036854775808.0
#define TWO_52 4503599627370496.0

typedef struct vl_schema_run run_t;
typedef struct vl_schema_rule rule_t;
typedef struct vl_schema_place place_t;

bool
vl_schema_number(struct vl_json_view value, struct vl_schema_number *ret)
{
    *ret = (struct vl_schema_number){0};
    if (vl_json_view_int(value, &ret->whole)) {
        ret->is_whole = true;
        return true;
    }
    if (!vl_json_view_real(value, &ret->real))
        return false;
    if (ret->real >= -TWO_63 && ret->real < TWO_63) {
        ret->whole = (int64_t)ret->real;
        ret->is_whole = (double)ret->whole == ret->real;
    }
    return true;
}

bool
vl_schema_count(const struct json_t *value, size_t *ret)
{
    struct vl_schema_number number;
    if (!vl_schema_number(vl_json_view_of(value), &number) ||
        !number.is_whole || number.whole < 0)
        return false;
    *ret = (size_t)number.whole;
    return true;
}

/* One with a fraction, or beyond all int64_t: never equal. */
static int
compare_with_real(int64_t whole, double real)
{
    if (real >= TWO_63)
        return -1;
    if (real < -TWO_63)
        return 1;
    int64_t cut = (int64_t)real;
    if (whole != cut)
        return whole < cut ? -1 : 1;
    return real > (double)cut ? -1 : 1;
}

int
vl_schema_compare(struct vl_schema_number a, struct vl_schema_number b)
{
    if (a.is_whole && b.is_whole)
        return (a.whole > b.whole) - (a.whole < b.whole);
    if (a.is_whole)
        return compare_with_real(a.whole, b.real);
    if (b.is_whole)
        return -compare_with_real(b.whole, a.real);
    return (a.real > b.real) - (a.real < b.real);
}

bool
vl_schema_is_integer(struct vl_json_view value)
{
    struct vl_schema_number number;
    return vl_schema_number(value, &number) &&
           (number.is_whole || number.real >= TWO_63 || number.real < -TWO_63);
}

/* Compares the value with the rule's number; false when it is no number. */
static bool
order_of(const rule_t *rule, const place_t *place, int *ret)
{
    struct vl_schema_number value, bound;
    if (!vl_schema_number(place->value, &value) ||
        !vl_schema_number(vl_json_view_of(rule->value), &bound))
        return false;
    *ret = vl_schema_compare(value, bound);
    return true;
}

bool
vl_schema_minimum(run_t *run, const rule_t *rule, const place_t *place)
{
    int order;
    return !order_of(rule, place, &order) || order >= 0 ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_maximum(run_t *run, const rule_t *rule, const place_t *place)
{
    int order;
    return !order_of(rule, place, &order) || order <= 0 ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_above(run_t *run, const rule_t *rule, const place_t *place)
{
    int order;
    return !order_of(rule, place, &order) || order > 0 ||
           vl_schema_fail(run, rule, place);
}

bool
vl_schema_below(run_t *run, const rule_t *rule, const place_t *place)
{
    int order;
    return !order_of(rule, place, &order) || order < 0 ||
           vl_schema_fail(run, rule, place);
}

/* What fmod() says of two that are not negative; it would need libm. Each step
 * is exact: what is taken away is more than half of what it is taken from. */
static double
rest_of(double value, double divisor)
{
    double part = divisor;
    while (part <= value / 2)
        part *= 2;
    for (; part >= divisor; part /= 2)
        if (value >= part)
            value -= part;
    return value;
}

/* 0.0075 is 75 times 0.0001 for all who write decimals, though not for the
 * doubles next to them: one unit in the last place is forgiven. */
static bool
is_multiple(double value, double divisor)
{
    value = value < 0 ? -value : value;
    double times = value / divisor;
    if (!(times < TWO_52))
        return rest_of(value, divisor) == 0;
    double off = value - (double)(int64_t)(times + 0.5) * divisor;
    return (off < 0 ? -off : off) <= DBL_EPSILON * value;
}

bool
vl_schema_multiple(run_t *run, const rule_t *rule, const place_t *place)
{
    struct vl_schema_number value, divisor;
    if (!vl_schema_number(place->value, &value) ||
        !vl_schema_number(vl_json_view_of(rule->value), &divisor))
        return true;
    bool good;
    if (value.is_whole && divisor.is_whole)
        good = value.whole % divisor.whole == 0;
    else
        /* At its longest it takes what 128 other steps do. */
        good = vl_schema_spend(run, 128) &&
               is_multiple(value.is_whole ? (double)value.whole : value.real,
                           divisor.is_whole ? (double)divisor.whole
                                            : divisor.real);
    return good || vl_schema_fail(run, rule, place);
}
