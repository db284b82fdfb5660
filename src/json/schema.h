/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Schema 2020-12 (json-schema.org/draft/2020-12), as far as a value can
 * be checked here for certain. Keywords that assert something we cannot check
 * are refused when the schema is read, never passed over:
 *
 *     unevaluatedProperties, unevaluatedItems
 *     $dynamicRef, $recursiveRef, a $ref to another document, an $id within
 *     additionalItems, dependencies, items with a list   (older drafts')
 *
 * `pattern` and `patternProperties` take the expressions of ECMA-262, and
 * refuse what is none of them (json/pattern.h).
 *
 * Annotations (`format` is one) and unknown words mean nothing, as the
 * specification has it. Schemas that say they are draft-07 are taken too, with
 * the words above that are spelled alike, and what stands beside a $ref is
 * nothing there; the newer words mean the same in both.
 *
 *     VL_TRY(vl_schema_new(doc.root, &schema, err));
 *     VL_TRY(vl_schema_check(schema, arguments, err));
 *
 * A schema does not change once it is made: threads may share it.
 */
#ifndef VL_JSON_SCHEMA_H
#define VL_JSON_SCHEMA_H

#include "json/view.h"

/* Schemas within schemas that are at work at a time: an instance of the depth
 * of VL_LIMIT_JSON_DEPTH with eight of them ($ref, allOf, …) at each level. */
#define VL_SCHEMA_DEPTH 512
/*
 * Steps of one check: a keyword that is looked at is one, so is a member that
 * is looked for, a pair that is compared, 64 bytes of a string that is read,
 * an item of a pattern that is tried. All of them take about 15 ms. It is
 * enough for 100000 numbers in a list, and to see that 600 members are
 * different (`uniqueItems`).
 */
#define VL_SCHEMA_STEPS 200000
/* Bytes of a schema's patterns, compiled: a thousand usual ones. */
#define VL_SCHEMA_PATTERNS_MAX 262144

struct vl_schema;

/*
 * Takes a share of `root`, which was read with VL_LIMIT_JSON_DEPTH at most.
 * VALET_INVALID for what is no schema or says what cannot be checked; the
 * sentence begins with a JSON Pointer into the schema. VALET_INTERNAL when it
 * has patterns, and PCRE2 cannot be loaded.
 */
valet_status vl_schema_new(const struct json_t *root, struct vl_schema **ret,
                           valet_error *err) VALET_CHECK;
/* NULL is fine. */
void vl_schema_free(struct vl_schema *schema);
/*
 * VALET_INVALID when `value` does not fit: a sentence with a JSON Pointer into
 * the value and the keyword that it breaks, as the schema has it. It tells
 * names of members, no values. VALET_LIMIT when that takes too many steps.
 */
valet_status
vl_schema_check(const struct vl_schema *schema, const struct json_t *value,
                valet_error *err) VALET_CHECK;
/* The same; nodes have to be plain. */
valet_status
vl_schema_check_view(const struct vl_schema *schema, struct vl_json_view value,
                     valet_error *err) VALET_CHECK;

#endif
