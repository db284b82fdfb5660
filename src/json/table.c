/* SPDX-License-Identifier: Apache-2.0 */
#include "json/table.h"

#include "core/status.h"
#include "json/scan.h"
#include "json/write.h"

static bool
read_quickly(struct vl_str text, unsigned max_depth, struct vl_json_table *ret)
{
    struct vl_json_member members[VL_JSON_TABLE_MAX];
    size_t count;
    if (!vl_json_scan(text, max_depth, members, VL_JSON_TABLE_MAX, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_string = members[i].kind == VL_JSON_STRING;
        ret->rows[i] = (struct vl_json_row){
            .key = members[i].key,
            .kind = members[i].kind,
            .value =
                is_string ? vl_json_member_str(&members[i]) : members[i].text,
        };
    }
    ret->count = count;
    return true;
}

struct reader {
    struct vl_arena *arena;
    struct vl_json_table *table;
    size_t max; /* bytes of a value, written again */
    bool failed;
};

static bool
add_row(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct reader *reader = ctx;
    vl_auto(vl_buf) text = vl_buf_of(reader->max);
    struct vl_json_row row = {.kind = vl_json_kind(value)};
    struct vl_str content = vl_json_str(value);
    if (row.kind != VL_JSON_STRING) {
        struct vl_json_out out = {&text, false};
        vl_json_add_value(&out, NULL, value);
        content = vl_buf_str(&text);
    }
    row.key = vl_arena_dup(reader->arena, key);
    row.value = vl_arena_dup(reader->arena, content);
    reader->failed = reader->table->count == VL_JSON_TABLE_MAX || !row.key.p ||
                     !row.value.p || vl_buf_check(&text, NULL) != VALET_OK;
    if (!reader->failed)
        reader->table->rows[reader->table->count++] = row;
    return !reader->failed;
}

valet_status
vl_json_table_read(struct vl_str text, unsigned max_depth,
                   struct vl_arena *arena, struct vl_json_table *ret,
                   valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    ret->count = 0;
    if (read_quickly(text, max_depth, ret))
        return VALET_OK;
    VL_TRY(vl_json_parse(text, max_depth, &doc, err));
    if (vl_json_kind(doc.root) != VL_JSON_OBJECT)
        return vl_fail(err, VALET_INVALID, "", "this is no JSON object");
    /* A real number may be written longer than it stood there, an escape
     * never. */
    struct reader reader = {arena, ret, 8 * text.n + 64, false};
    vl_json_each(doc.root, add_row, &reader);
    return reader.failed ? vl_fail(err, VALET_LIMIT, "",
                                   "the JSON object has too many members")
                         : VALET_OK;
}

const struct vl_json_row *
vl_json_table_find(const struct vl_json_table *table, struct vl_str key)
{
    for (size_t i = 0; i < table->count; i++)
        if (vl_str_eq(table->rows[i].key, key))
            return &table->rows[i];
    return NULL;
}
