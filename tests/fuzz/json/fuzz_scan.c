/* SPDX-License-Identifier: Apache-2.0
 *
 * What the scanner reads, the parser reads too, and the same: each member's
 * text is parsed alone and compared with the member of the whole. What lies
 * within nested members is not the scanner's to judge.
 */
#include "core/limits.h"
#include "json/scan.h"
#include "json/write.h"

#define MEMBERS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const struct json_t *a, const struct json_t *b, size_t size)
{
    vl_auto(vl_buf) one = vl_buf_of(32 * (size + 1));
    vl_auto(vl_buf) two = vl_buf_of(32 * (size + 1));
    vl_json_add_value(&(struct vl_json_out){&one, false}, NULL, a);
    vl_json_add_value(&(struct vl_json_out){&two, false}, NULL, b);
    return !one.failed && vl_str_eq(vl_buf_str(&one), vl_buf_str(&two));
}

static bool
is_nested(const struct vl_json_member *member)
{
    return member->kind == VL_JSON_OBJECT || member->kind == VL_JSON_ARRAY;
}

/* Is it JSON on its own? */
static bool
is_whole(const struct vl_json_member *member)
{
    vl_auto(vl_json) doc = {NULL};
    return vl_json_parse(member->text, VL_LIMIT_JSON_DEPTH - 1, &doc, NULL) ==
           VALET_OK;
}

static void
check_member(const struct vl_json_member *member, const struct json_t *value,
             size_t size)
{
    vl_auto(vl_json) doc = {NULL};
    VL_ASSERT(vl_json_kind(value) == member->kind);
    VL_ASSERT(vl_json_parse(member->text, VL_LIMIT_JSON_DEPTH - 1, &doc,
                            NULL) == VALET_OK);
    VL_ASSERT(same(doc.root, value, size));
    VL_ASSERT(vl_str_eq(vl_json_member_str(member), vl_json_str(value)));
    /* Ids are sent back as they stand in the text. */
    vl_auto(vl_buf) text = vl_buf_of(32 * (size + 1));
    vl_json_add_value(&(struct vl_json_out){&text, false}, NULL, value);
    if (!is_nested(member))
        VL_ASSERT(vl_str_eq(vl_buf_str(&text), member->text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size);
    struct vl_json_member members[MEMBERS];
    size_t count = 0;
    if (!vl_json_scan(text, members, MEMBERS, &count))
        return 0;
    VL_ASSERT(count <= MEMBERS);
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        VL_ASSERT(is_nested(&members[i]) || is_whole(&members[i]));
        whole = whole && is_whole(&members[i]);
    }
    vl_auto(vl_json) doc = {NULL};
    valet_status status = vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, NULL);
    VL_ASSERT((status == VALET_OK) == whole);
    if (!whole)
        return 0;
    VL_ASSERT(vl_json_kind(doc.root) == VL_JSON_OBJECT);
    VL_ASSERT(vl_json_size(doc.root) == count);
    for (size_t i = 0; i < count; i++) {
        vl_auto(vl_buf) key = vl_buf_of(size + 1);
        vl_buf_add(&key, members[i].key);
        check_member(&members[i], vl_json_get(doc.root, vl_buf_cstr(&key)),
                     size);
    }
    return 0;
}
