/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a value to the field of a struct, as its type in the
 * option table says. Errors are the end of a sentence ("must be …; write …")
 * that the caller puts a place and a name before.
 */
#ifndef VL_CONF_VALUE_H
#define VL_CONF_VALUE_H

#include "conf/options.h"
#include "core/arena.h"
#include "core/buf.h"

/* Types whose value may be (or has to be) a list of words. */
bool vl_value_is_words(const struct vl_option *option);
/* Of these, the ones that may be one text of several words: their separator,
 * otherwise '\0'. */
char vl_value_separator(const struct vl_option *option);
/* Must it be written without quotes, like true and 100? */
bool vl_value_is_bare(const struct vl_option *option);

/* Checks a text and puts it into the field of the struct at `base`. */
valet_status vl_value_store(const struct vl_option *option, struct vl_str text,
                            struct vl_arena *arena, void *base,
                            valet_error *err) VALET_CHECK;

struct vl_words {
    struct vl_str *items;
    size_t count;
};
/* The same for several; on failure `ret_bad` is the index of the wrong one,
 * or the count if it is their number. */
valet_status
vl_value_store_words(const struct vl_option *option,
                     const struct vl_words *words, struct vl_arena *arena,
                     void *base, size_t *ret_bad, valet_error *err) VALET_CHECK;

/* "a duration from 1s to 1h": what one may write, for people. */
void vl_value_describe(const struct vl_option *option, struct vl_buf *out);
/* A duration as short as it can be written: 90d, 500ms. */
void vl_value_add_duration(struct vl_buf *out, int64_t ms);
/* The parts of "10m". False if it is none or too large. */
bool vl_value_duration(struct vl_str text, int64_t *ret_ms);

#endif
