/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the outermost object of a JSON text without allocating: for message
 * envelopes, of which a few members decide where the message goes, and for the
 * claims of tokens.
 *
 * It says yes only to what vl_json_parse() would read in the same way, nested
 * values included: they may be passed on as they stand. It says no to all it
 * does not care to judge as well as to what is wrong. So "no" means: let
 * vl_json_parse() look at it, and say what is wrong if anything is.
 *
 * What it leaves to the parser: escapes in keys; outermost members that are a
 * fraction, "-0" or a string with escapes; integers of more than 18 digits;
 * numbers of more than VL_JSON_SCAN_NUMBER bytes or two digits of exponent;
 * more than VL_JSON_SCAN_KEYS keys in objects that are open at one place; a
 * depth beyond VL_LIMIT_JSON_DEPTH.
 */
#ifndef VL_JSON_SCAN_H
#define VL_JSON_SCAN_H

#include "json/read.h"

#define VL_JSON_SCAN_NUMBER 64
#define VL_JSON_SCAN_KEYS   128

/* Borrowed from the text. */
struct vl_json_member {
    struct vl_str key;
    enum vl_json_kind kind; /* never ABSENT or REAL */
    struct vl_str text;     /* as it stands there, quotes and brackets too */
};

/* True when the text is one object of at most `max` members, with different
 * keys, and nested no deeper than vl_json_parse() would take it. */
bool vl_json_scan(struct vl_str text, unsigned max_depth,
                  struct vl_json_member *members, size_t max,
                  size_t *ret_count) VALET_CHECK;
/*
 * A value of any depth, where it stands in the text. What it holds follows it
 * at once, then what comes after it: `span` is the number of nodes from the
 * one to the other. Borrowed from the text.
 */
struct vl_json_node {
    struct vl_str key; /* of a member; {NULL,0} of all others */
    struct vl_str text;
    enum vl_json_kind kind;
    /* It would be written just as it stands, or holds what is noted: not a
     * fraction, no escapes, and there was room for its members. */
    bool is_plain;
    unsigned span;
};

/* The same with all that the object holds, as far as there is room; nodes[0]
 * is the object. Fractions, "-0" and escapes in strings are taken. */
bool vl_json_scan_nodes(struct vl_str text, unsigned max_depth,
                        struct vl_json_node *nodes, size_t max) VALET_CHECK;

/* The value of a member that is a string; {NULL,0} for all others. */
struct vl_str vl_json_member_str(const struct vl_json_member *member);

#endif
