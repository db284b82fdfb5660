/* SPDX-License-Identifier: Apache-2.0
 *
 * PCRE2 counts what it does from one place to start at to the next, which
 * bounds nothing when there are as many places as a stranger likes. So it is
 * told to call back before each item of the pattern (PCRE2_AUTO_CALLOUT), and
 * we count: the item, the bytes that were passed since the last one, and what
 * the item may pass before it finds that it does not fit.
 */
#include "json/pattern.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/status.h"
#include "json/pattern_inside.h"
#include "json/pattern_library.h"

/* Bytes that a step passes over. */
#define STRIDE 64
/* Members of a class that are looked at in the time of a byte. */
#define FEW 16
/* In kB. A step back that is kept takes some 150 bytes: that is enough for
 * 50000 of them. */
#define HEAP_MAX 8192
/* Of PCRE2's own count, from one place to start at: ours ends it before. */
#define MATCH_MAX 1000000

struct vl_pattern {
    pcre2_code *code;
    size_t repeated;     /* bytes that an item may pass without a call */
    size_t weight;       /* of a byte: classes may be long */
    bool has_references; /* then it may pass all of the text */
};

/* ECMA-262's \d, \w and \b are ASCII's: so no PCRE2_UCP. */
#define OPTIONS                                                                \
    (PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |            \
     PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK |          \
     PCRE2_AUTO_CALLOUT)

static valet_status
compile(struct vl_str said, pcre2_code **ret, valet_error *err)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR why[120] = "";
    *ret = vl_pcre2.compile((PCRE2_SPTR)(said.p ? said.p : ""), said.n, OPTIONS,
                            &code, &at, NULL);
    if (*ret)
        return VALET_OK;
    (void)vl_pcre2.get_error_message(code, why, sizeof why);
    return vl_fail(err, VALET_INVALID, "", "is not taken: %s",
                   (const char *)why);
}

valet_status
vl_pattern_new(struct vl_str text, struct vl_pattern **ret, valet_error *err)
{
    vl_auto(vl_buf) said = vl_buf_of(VL_PATTERN_SAID_MAX);
    struct vl_pattern_reader reader = {.out = &said, .err = err};
    pcre2_code *code = NULL;
    VL_TRY(vl_pattern_read(&reader, text));
    VL_TRY(vl_pattern_available(err));
    VL_TRY(compile(vl_buf_str(&said), &code, err));
    struct vl_pattern *pattern = vl_alloc(sizeof *pattern);
    pattern->code = code;
    pattern->repeated = reader.most_repeated * 4; /* bytes of a character */
    pattern->weight = 1 + reader.most_members / FEW;
    pattern->has_references = reader.has_references;
    *ret = pattern;
    return VALET_OK;
}

void
vl_pattern_free(struct vl_pattern *pattern)
{
    if (!pattern)
        return;
    vl_pcre2.code_free(pattern->code);
    free(pattern);
}

size_t
vl_pattern_size(const struct vl_pattern *pattern)
{
    size_t size = 0;
    (void)vl_pcre2.pattern_info(pattern->code, PCRE2_INFO_SIZE, &size);
    return sizeof *pattern + size;
}

void
vl_pattern_work_done(struct vl_pattern_work *work)
{
    if (work->context)
        vl_pcre2.match_context_free(work->context);
    if (work->data)
        vl_pcre2.match_data_free(work->data);
    *work = (struct vl_pattern_work){NULL, NULL};
}

/* Nobody asks what was caught, so there is room for the whole only. */
static bool
prepare(struct vl_pattern_work *work)
{
    if (!work->context)
        work->context = vl_pcre2.match_context_create(NULL);
    if (!work->data)
        work->data = vl_pcre2.match_data_create(1, NULL);
    if (!work->context || !work->data)
        return false;
    (void)vl_pcre2.set_heap_limit(work->context, HEAP_MAX);
    (void)vl_pcre2.set_match_limit(work->context, MATCH_MAX);
    return true;
}

struct count {
    size_t *steps;
    size_t each; /* besides the item itself */
    size_t weight;
    size_t last; /* where we were */
};

static bool
spend(size_t *steps, size_t n)
{
    bool enough = *steps >= n;
    *steps = enough ? *steps - n : 0;
    return enough;
}

static int
count_item(pcre2_callout_block *block, void *ctx)
{
    struct count *count = ctx;
    size_t at = block->current_position;
    size_t passed = at > count->last ? at - count->last : 0;
    count->last = at;
    return spend(count->steps,
                 1 + count->each + passed * count->weight / STRIDE)
               ? 0
               : PCRE2_ERROR_CALLOUT;
}

enum vl_pattern_answer
vl_pattern_find(const struct vl_pattern *pattern, struct vl_pattern_work *work,
                struct vl_str text, size_t *steps)
{
    size_t blind = pattern->repeated < text.n ? pattern->repeated : text.n;
    if (pattern->has_references)
        blind = text.n;
    struct count count = {steps, blind * pattern->weight / STRIDE,
                          pattern->weight, 0};
    /* Places to start at are looked for in one pass. */
    if (!spend(steps, 1 + text.n * pattern->weight / STRIDE) || !prepare(work))
        return VL_PATTERN_GAVE_UP;
    (void)vl_pcre2.set_callout(work->context, count_item, &count);
    int found = vl_pcre2.match(pattern->code,
                               (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0,
                               PCRE2_NO_UTF_CHECK, work->data, work->context);
    if (found >= 0)
        return VL_PATTERN_YES;
    return found == PCRE2_ERROR_NOMATCH ? VL_PATTERN_NO : VL_PATTERN_GAVE_UP;
}
