/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read and written back is read again and written again: both
 * writings must be the same bytes.
 */
#include "core/limits.h"
#include "json/read.h"
#include "json/write.h"

/* A control character grows to six bytes at most, a real to 25. */
#define GROWTH 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vl_buf
written(const struct json_t *root, size_t size)
{
    struct vl_buf buf = vl_buf_of(GROWTH * (size + 1));
    struct vl_json_out out = {&buf, false};
    vl_json_add_value(&out, NULL, root);
    VL_ASSERT(!buf.failed);
    return buf;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(vl_str_of(data, size), VL_LIMIT_JSON_DEPTH, &doc, NULL) !=
        VALET_OK)
        return 0;
    vl_auto(vl_buf) once = written(doc.root, size);
    vl_auto(vl_json) again = {NULL};
    VL_ASSERT(vl_json_parse(vl_buf_str(&once), VL_LIMIT_JSON_DEPTH, &again,
                            NULL) == VALET_OK);
    VL_ASSERT(vl_json_kind(doc.root) == vl_json_kind(again.root));
    vl_auto(vl_buf) twice = written(again.root, size);
    VL_ASSERT(vl_str_eq(vl_buf_str(&once), vl_buf_str(&twice)));

    /* The bytes as a string must come back too, if they are UTF-8. */
    vl_auto(vl_buf) text = vl_buf_of(GROWTH * (size + 1));
    struct vl_json_out out = {&text, false};
    vl_json_add_str(&out, NULL, vl_str_of(data, size));
    vl_auto(vl_json) string = {NULL};
    VL_ASSERT(vl_json_parse(vl_buf_str(&text), 1, &string, NULL) == VALET_OK);
    VL_ASSERT(vl_str_eq(vl_json_str(string.root), vl_str_of(data, size)));
    return 0;
}
