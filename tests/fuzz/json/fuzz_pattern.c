/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lines: a pattern, and a text that is looked through. Whatever they are,
 * there is an answer within the steps, the same again, the same from within a
 * group, and with fewer steps the same or none.
 */
#include "core/buf.h"
#include "json/pattern.h"

#define STEPS 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum vl_pattern_answer
find(const struct vl_pattern *pattern, struct vl_pattern_work *work,
     struct vl_str text, size_t *steps)
{
    size_t before = *steps;
    enum vl_pattern_answer answer = vl_pattern_find(pattern, work, text, steps);
    VL_ASSERT(*steps <= before);
    VL_ASSERT(answer == VL_PATTERN_NO || answer == VL_PATTERN_YES ||
              answer == VL_PATTERN_GAVE_UP);
    return answer;
}

static void
look_again(const struct vl_pattern *pattern, struct vl_pattern_work *work,
           struct vl_str text, enum vl_pattern_answer first, size_t needed)
{
    size_t enough = needed, less = needed / 2;
    enum vl_pattern_answer again = find(pattern, work, text, &enough);
    VL_ASSERT(again == first);
    again = find(pattern, work, text, &less);
    VL_ASSERT(again == first || again == VL_PATTERN_GAVE_UP);
}

/* One level and a step more. */
static void
look_within(struct vl_str pattern_text, struct vl_str text,
            enum vl_pattern_answer first)
{
    vl_auto(vl_buf) grouped = vl_buf_of(VL_PATTERN_MAX + 10);
    vl_auto(vl_pattern_work) work = {NULL, NULL};
    struct vl_pattern *pattern = NULL;
    size_t steps = 2 * STEPS;
    vl_buf_addz(&grouped, "(?:");
    vl_buf_add(&grouped, pattern_text);
    vl_buf_addz(&grouped, ")");
    if (vl_pattern_new(vl_buf_str(&grouped), &pattern, NULL) != VALET_OK)
        return; /* too long or too deep now */
    enum vl_pattern_answer again = find(pattern, &work, text, &steps);
    VL_ASSERT(again == first || again == VL_PATTERN_GAVE_UP ||
              first == VL_PATTERN_GAVE_UP);
    vl_pattern_free(pattern);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str rest = vl_str_of(data, size), text;
    struct vl_pattern *pattern = NULL;
    valet_error err = {.status = VALET_OK};
    if (!vl_str_split(&rest, '\n', &text))
        return 0;
    valet_status status = vl_pattern_new(text, &pattern, &err);
    VL_ASSERT(status == VALET_OK || status == VALET_INVALID);
    VL_ASSERT(err.status == status && (status == VALET_OK) == !err.message[0]);
    if (status != VALET_OK)
        return 0;
    VL_ASSERT(vl_pattern_size(pattern) < 100000);
    if (vl_str_is_utf8(rest)) {
        vl_auto(vl_pattern_work) work = {NULL, NULL};
        size_t steps = STEPS;
        enum vl_pattern_answer first = find(pattern, &work, rest, &steps);
        look_again(pattern, &work, rest, first, STEPS - steps);
        look_within(text, rest, first);
    }
    vl_pattern_free(pattern);
    return 0;
}
