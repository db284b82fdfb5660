/* SPDX-License-Identifier: Apache-2.0
 *
 * The regular expressions of JSON Schema: those of ECMA-262, of its Unicode
 * kind. pattern_read.c reads them and says the same in PCRE2's words, so that
 * what means something else there, or nothing here, is refused; PCRE2 looks
 * for them. It is loaded when the first one is made (ADR 13).
 *
 *     VL_TRY(vl_pattern_new(VL_STR("^[a-z]+$"), &pattern, err));
 *     vl_auto(vl_pattern_work) work = {NULL, NULL};
 *     enum vl_pattern_answer a = vl_pattern_find(pattern, &work, text, &steps);
 */
#ifndef VL_JSON_PATTERN_H
#define VL_JSON_PATTERN_H

#include "core/str.h"

/* As it is written: letters of this length are what PCRE2 can compile. Those
 * for addresses of the web, the longest one meets, have up to 5500. */
#define VL_PATTERN_MAX 8000
/* Groups within groups. */
#define VL_PATTERN_DEPTH 64

struct vl_pattern;

/*
 * VALET_INVALID for what is none, or one that cannot be kept to the letter:
 * what follows "the pattern …". VALET_INTERNAL when PCRE2 cannot be loaded.
 */
valet_status vl_pattern_new(struct vl_str text, struct vl_pattern **ret,
                            valet_error *err) VALET_CHECK;
/* NULL is fine. */
void vl_pattern_free(struct vl_pattern *pattern);
/* What it takes of memory; at most some 64 kB (PCRE2's own limit). */
size_t vl_pattern_size(const struct vl_pattern *pattern);

/* Memory for looking, kept from one to the next; one thread at a time. */
struct vl_pattern_work {
    void *context, *data; /* PCRE2's */
};
void vl_pattern_work_done(struct vl_pattern_work *work);

enum vl_pattern_answer {
    VL_PATTERN_NO,
    VL_PATTERN_YES,
    VL_PATTERN_GAVE_UP, /* no steps are left, or 8 MB were not enough */
};

/*
 * Is it anywhere in `text`, which is UTF-8? Each item of the pattern that is
 * tried at a place takes one of `steps`, so do 64 bytes that are passed over.
 */
enum vl_pattern_answer
vl_pattern_find(const struct vl_pattern *pattern, struct vl_pattern_work *work,
                struct vl_str text, size_t *steps);

#endif
