/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a pattern share:
 *
 *     pattern.c           compiles and looks
 *     pattern_read.c      ECMA-262's grammar: terms, groups, repetition
 *     pattern_class.c     its escapes, and classes of characters
 *     pattern_property.c  the names in \p{…}
 *     pattern_library.c   PCRE2, loaded
 */
#ifndef VL_JSON_PATTERN_INSIDE_H
#define VL_JSON_PATTERN_INSIDE_H

#include "core/buf.h"
#include "json/pattern.h"

/* In PCRE2's words; a longer one would not be compiled either. */
#define VL_PATTERN_SAID_MAX 65536
/* Only of patterns that refer to one: else nothing needs to be kept. */
#define VL_PATTERN_GROUPS 64

struct vl_pattern_group {
    struct vl_str name; /* {NULL,0}: it has none */
    bool is_open;
    bool is_repeated; /* it, or one around it, may come more than once */
    bool is_wanted;   /* a reference leads here */
};

/* One that is read. */
struct vl_pattern_reader {
    struct vl_str rest;
    struct vl_buf *out;
    valet_error *err;
    struct vl_pattern_group groups[VL_PATTERN_GROUPS];
    size_t group_count; /* of all of it */
    size_t group_next;  /* of those that were met so far */
    bool has_names;
    bool has_references;
    unsigned depth;
    /* What one item may cost beyond its step: */
    size_t most_repeated; /* the largest n of x{n,m} */
    size_t most_members;  /* of a class */
};

/* Says it in PCRE2's words. */
valet_status
vl_pattern_read(struct vl_pattern_reader *reader, struct vl_str text);
valet_status
vl_pattern_refuse(const struct vl_pattern_reader *reader, const char *why);

/* What a '\' begins or a character stands for, in a class or out of it. */
struct vl_pattern_atom {
    bool is_set;   /* it was written to `set`; else it is `c` */
    uint32_t c;    /* a character */
    char set[400]; /* as it stands between the brackets of a class */
    size_t members;
};
/* The text begins after the '\'. */
valet_status vl_pattern_escape(struct vl_pattern_reader *reader,
                               struct vl_pattern_atom *ret);
/* The text begins after the '['. */
valet_status vl_pattern_class(struct vl_pattern_reader *reader);
/* A character that means itself. */
void vl_pattern_say(struct vl_buf *out, uint32_t c);
/* Takes one that is not escaped. */
uint32_t vl_pattern_take(struct vl_pattern_reader *reader);
bool vl_pattern_skip(struct vl_pattern_reader *reader, const char *text);

/* What stands between the braces of \p{…}, as PCRE2 has it. */
bool vl_pattern_property(struct vl_str name, char *ret, size_t size);

#endif
