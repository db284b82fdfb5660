/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of an object's members against the reader: it takes what the
 * reader takes, refuses what the reader refuses, and each row says the same.
 */
#include "json/table.h"
#include "json/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 8

/* Numbers and nested values by what they say, not by how they are spelled. */
static bool
says_the_same(struct vl_str text, const struct json_t *value)
{
    vl_auto(vl_json) wrapped = {NULL};
    vl_auto(vl_buf) again = vl_buf_of(1 << 20), first = vl_buf_of(1 << 20);
    struct vl_json_out out = {&again, false}, once = {&first, false};
    vl_buf_addf(&first, "[" VL_STR_FMT "]", VL_STR_ARG(text));
    if (vl_json_parse(vl_buf_str(&first), DEPTH + 2, &wrapped, NULL) !=
        VALET_OK)
        return false;
    vl_buf_clear(&first);
    vl_json_add_value(&once, NULL, vl_json_at(wrapped.root, 0));
    vl_json_add_value(&out, NULL, value);
    return vl_str_eq(vl_buf_str(&first), vl_buf_str(&again));
}

static void
compare(const struct vl_json_table *table, const struct json_t *object)
{
    VL_ASSERT(table->count == vl_json_size(object));
    for (size_t i = 0; i < table->count; i++) {
        const struct vl_json_row *row = &table->rows[i];
        vl_auto(vl_buf) key = vl_buf_of(1 << 20);
        vl_buf_add(&key, row->key);
        const struct json_t *value = vl_json_get(object, vl_buf_cstr(&key));
        VL_ASSERT(row->kind == vl_json_kind(value));
        VL_ASSERT(vl_json_table_find(table, row->key) == row);
        if (row->kind == VL_JSON_STRING)
            VL_ASSERT(vl_str_eq(row->value, vl_json_str(value)));
        else
            VL_ASSERT(says_the_same(row->value, value));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vl_json_table table;
    struct vl_str text = vl_str_of(data, size);
    struct vl_arena arena = vl_arena_of(1 << 20);
    vl_auto(vl_json) doc = {NULL};
    valet_status read = vl_json_parse(text, DEPTH, &doc, NULL);
    valet_status tabled = vl_json_table_read(text, DEPTH, &arena, &table, NULL);
    bool good = read == VALET_OK && vl_json_kind(doc.root) == VL_JSON_OBJECT;
    if (tabled == VALET_OK) {
        VL_ASSERT(good);
        compare(&table, doc.root);
    } else {
        VL_ASSERT(!good || vl_json_size(doc.root) > VL_JSON_TABLE_MAX ||
                  size > 10000);
    }
    vl_arena_done(&arena);
    return 0;
}
