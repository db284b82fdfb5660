/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a schema share:
 *
 *     schema.c          reads a schema: the keywords, and schemas within
 *     schema_value.c    what keywords have to be that hold none
 *     schema_plan.c     what of it asserts something, to be at hand
 *     schema_fit.c      a value against it: keywords that apply other schemas
 *     schema_assert.c   keywords that look at one value
 *     schema_number.c   those of them that take numbers
 *     schema_pointer.c  where something is
 */
#ifndef VL_JSON_SCHEMA_INSIDE_H
#define VL_JSON_SCHEMA_INSIDE_H

#include "core/buf.h"
#include "core/map.h"
#include "json/pattern.h"
#include "json/schema.h"

struct vl_schema_plan;

/* By the address of a schema that is an object; never full. */
struct vl_schema_plans {
    struct vl_schema_plan **slots;
    size_t width; /* a power of two */
};

struct vl_schema {
    struct vl_json doc;
    struct vl_schema_plans plans;
    bool is_draft7;
    struct vl_map targets;  /* of each $ref, by its text: struct json_t */
    struct vl_map patterns; /* by their text: struct vl_pattern */
    size_t pattern_size;    /* of all of them */
};

/* Where something is, in a value or a schema: a link of a JSON Pointer. */
struct vl_schema_place {
    const struct vl_schema_place *up; /* NULL: the top */
    struct vl_str key;                /* {NULL,0}: it has an index */
    size_t index;
    struct vl_json_view value;
};

/* One check at work. */
struct vl_schema_run {
    const struct vl_schema *schema;
    size_t steps; /* that are left */
    unsigned depth;
    unsigned quiet;  /* not 0: what breaks here decides nothing yet */
    bool has_failed; /* `err` is filled */
    bool gave_up;    /* whatever was found: it is a no */
    struct vl_pattern_work work;
    valet_error *err;
};

/* A keyword as it stands in a schema. */
struct vl_schema_rule {
    const char *keyword;
    const struct json_t *value;
    const struct json_t *schema; /* with its siblings */
    unsigned types;              /* of `type`: what it allows */
};

/* Does the value at `place` keep the rule? If not, vl_schema_fail() was told
 * where. */
typedef bool
vl_schema_fits_fn(struct vl_schema_run *run, const struct vl_schema_rule *rule,
                  const struct vl_schema_place *place);

/* Is the keyword, at `place` of a schema that is read, what it has to be? */
typedef valet_status
vl_schema_survey_fn(void *survey, const struct vl_schema_rule *rule,
                    const struct vl_schema_place *place);

/* Its check, or NULL for words that assert nothing on their own. */
struct vl_schema_keyword {
    const char *name;
    vl_schema_survey_fn *survey;
    vl_schema_fits_fn *fits;
};

/* NULL: it means nothing. */
const struct vl_schema_keyword *vl_schema_keyword_find(struct vl_str name);

/* The words of one schema that assert something. */
struct vl_schema_plan {
    const struct json_t *schema;
    size_t count;
    struct vl_schema_word {
        vl_schema_fits_fn *fits;
        struct vl_schema_rule rule;
    } words[];
};
/* Of all objects that are `known` to be schemas, by their address. */
void vl_schema_plan_all(struct vl_schema *schema, const struct vl_map *known);
void vl_schema_plans_done(struct vl_schema_plans *plans);
const struct vl_schema_plan *
vl_schema_plan_find(const struct vl_schema_plans *plans,
                    const struct json_t *schema);

/* A longer one is cut off. */
#define VL_SCHEMA_POINTER_MAX 120
/* As a JSON Pointer (RFC 6901); `top` for the top itself. One that is too long
 * for the buffer ends early. */
void
vl_schema_place_write(struct vl_buf *buf, const struct vl_schema_place *place,
                      const char *top);

/* Follows one that is the fragment of a URI (section 6); NULL when it leads
 * nowhere. */
const struct json_t *
vl_schema_pointer_find(const struct json_t *root, struct vl_str fragment);

/* False when none are left: then the whole check has failed. */
bool vl_schema_spend(struct vl_schema_run *run, size_t steps) VALET_CHECK;
/* Does the text have this pattern of the schema? */
bool vl_schema_has_pattern(struct vl_schema_run *run, struct vl_str pattern,
                           struct vl_str text);
/* Always false. */
bool
vl_schema_fail(struct vl_schema_run *run, const struct vl_schema_rule *rule,
               const struct vl_schema_place *place);

struct vl_schema_number {
    bool is_whole;
    int64_t whole;
    double real; /* unless it is whole */
};
/* False for what is no number. 1.0 is whole. */
bool vl_schema_number(struct vl_json_view value, struct vl_schema_number *ret);
/* As strcmp() does. */
int vl_schema_compare(struct vl_schema_number a, struct vl_schema_number b);
/* Numbers of JSON without a fraction, however large (Validation 6.1.1). */
bool vl_schema_is_integer(struct vl_json_view value);
/* Is it a whole number that is not negative? */
bool vl_schema_count(const struct json_t *value, size_t *ret);
/* Does `type` know this name of a type? */
bool vl_schema_is_type(struct vl_str name);
/* What a `type` allows: a bit for each kind. */
unsigned vl_schema_types(const struct json_t *value);

/* The survey ends: the schema is refused, and `err` tells where. */
valet_status
vl_schema_refuse(const void *survey, const struct vl_schema_place *place,
                 const char *why);

/* schema_value.c */
vl_schema_survey_fn vl_schema_takes_list, vl_schema_takes_bool,
    vl_schema_takes_count, vl_schema_takes_number, vl_schema_takes_divisor,
    vl_schema_takes_strings, vl_schema_takes_named_strings,
    vl_schema_takes_type;

/* schema_fit.c */
vl_schema_fits_fn vl_schema_ref, vl_schema_properties,
    vl_schema_pattern_properties, vl_schema_additional, vl_schema_names,
    vl_schema_items, vl_schema_prefix, vl_schema_contains, vl_schema_all,
    vl_schema_any, vl_schema_one, vl_schema_not, vl_schema_if,
    vl_schema_dependent;

/* schema_number.c */
vl_schema_fits_fn vl_schema_minimum, vl_schema_maximum, vl_schema_above,
    vl_schema_below, vl_schema_multiple;

/* schema_assert.c */
vl_schema_fits_fn vl_schema_type, vl_schema_enum, vl_schema_const,
    vl_schema_min_length, vl_schema_max_length, vl_schema_pattern,
    vl_schema_min_items, vl_schema_max_items, vl_schema_min_members,
    vl_schema_max_members, vl_schema_unique, vl_schema_required,
    vl_schema_dependent_required;

#endif
