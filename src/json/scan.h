/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the outermost object of a JSON text without allocating: for message
 * envelopes, of which a few members decide where the message goes.
 *
 * It says yes only to what vl_json_parse() would read in the same way, and no
 * to all it does not care to judge (escapes, fractions, large numbers, many
 * members) as well as to what is wrong. So "no" means: let vl_json_parse()
 * look at it, and say what is wrong if anything is.
 *
 * What lies within a member that is an object or an array is not looked at,
 * but for where it ends: hand its text to vl_json_parse() before you believe
 * that the whole is JSON.
 */
#ifndef VL_JSON_SCAN_H
#define VL_JSON_SCAN_H

#include "json/read.h"

/* Borrowed from the text. */
struct vl_json_member {
    struct vl_str key;
    enum vl_json_kind kind; /* never ABSENT or REAL */
    struct vl_str text;     /* as it stands there, quotes and brackets too */
};

/* True when the text is one object of at most `max` members, with different
 * keys. */
bool vl_json_scan(struct vl_str text, struct vl_json_member *members,
                  size_t max, size_t *ret_count) VALET_CHECK;
/* The value of a member that is a string; {NULL,0} for all others. */
struct vl_str vl_json_member_str(const struct vl_json_member *member);

#endif
