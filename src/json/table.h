/* SPDX-License-Identifier: Apache-2.0
 *
 * The outermost members of one JSON object as rows, all of them strictly read:
 * what vl_json_parse() refuses is refused, and what it reads is read the same.
 * But for strings with escapes and other rarities nothing is copied and no
 * tree is built, which for the claims of a token is five times as fast.
 */
#ifndef VL_JSON_TABLE_H
#define VL_JSON_TABLE_H

#include "core/arena.h"
#include "json/read.h"

#define VL_JSON_TABLE_MAX 128

struct vl_json_row {
    struct vl_str key;
    enum vl_json_kind kind; /* never ABSENT */
    struct vl_str value;    /* of a string what it says; else its JSON text */
};

struct vl_json_table {
    size_t count;
    struct vl_json_row rows[VL_JSON_TABLE_MAX];
};

/*
 * Rows point into `text`, or into the arena. VALET_INVALID unless it is one
 * object, VALET_LIMIT when it has more members than fit.
 */
valet_status
vl_json_table_read(struct vl_str text, unsigned max_depth,
                   struct vl_arena *arena, struct vl_json_table *ret,
                   valet_error *err) VALET_CHECK;
/* NULL when there is none of that name. */
const struct vl_json_row *
vl_json_table_find(const struct vl_json_table *table, struct vl_str key);

#endif
