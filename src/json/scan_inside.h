/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the scanner share. Each vl_scan_take_ function takes what
 * it reads off the front, and says no where it is something else.
 *
 *     scan.c       what holds values
 *     scan_word.c  what holds none: strings, numbers, words
 */
#ifndef VL_JSON_SCAN_INSIDE_H
#define VL_JSON_SCAN_INSIDE_H

#include "json/scan.h"

/* A key of an object that is still open. */
struct vl_scan_key {
    struct vl_str key;
    uint64_t mark;
};

struct vl_scanner {
    const char *p, *end;
    unsigned depth; /* levels that may still be opened */
    /* Where values are noted; NULL: they are not. */
    struct vl_json_node *nodes;
    size_t node_count, node_max;
    bool is_lost;      /* a value within this one was not */
    struct vl_str key; /* of the value that comes next; or {NULL,0} */
    size_t key_count;
    struct vl_scan_key keys[VL_JSON_SCAN_KEYS];
};

struct vl_scan_value {
    enum vl_json_kind kind;
    bool plain; /* it would be written just as it stands */
};

static inline char
vl_scan_next(const struct vl_scanner *s)
{
    return s->p < s->end ? *s->p : '\0';
}

/* string = quotation-mark *char quotation-mark ; plain without escapes */
bool vl_scan_take_string(struct vl_scanner *s, bool *ret_plain);
/* number = [ minus ] int [ frac ] [ exp ]
 * Part of a number, or of nothing: what follows has to be one of the three
 * that end a value, which those who call see to. */
bool vl_scan_take_number(struct vl_scanner *s, struct vl_scan_value *ret);
bool vl_scan_take_word(struct vl_scanner *s, struct vl_str word);

#endif
