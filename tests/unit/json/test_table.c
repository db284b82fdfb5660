/* SPDX-License-Identifier: Apache-2.0
 *
 * What the table says of an object; that it agrees with the reader about
 * everything is fuzz/json/fuzz_table.c's to show.
 */
#include "json/table.h"

#include "core/buf.h"
#include "vl_test.h"

static struct vl_json_table table;

static valet_status
read_table(const char *text)
{
    static struct vl_arena arena;
    vl_arena_done(&arena);
    arena = vl_arena_of(100000);
    struct vl_str guarded = vl_test_guarded(vl_str_z(text));
    valet_status status = vl_json_table_read(guarded, 4, &arena, &table, NULL);
    vl_test_unguard(guarded);
    return status;
}

static void
reads_members_of_every_kind(void **state)
{
    (void)state;
    static const char text[] =
        " { \"s\" : \"x y\", \"i\":-12, \"b\":true, \"n\":null,"
        " \"a\":[ 1 ,2], \"o\":{\"k\":[]} } ";
    static const struct {
        const char *key, *value;
        enum vl_json_kind kind;
    } wanted[] = {
        {"s", "x y", VL_JSON_STRING},    {"i", "-12", VL_JSON_INT},
        {"b", "true", VL_JSON_BOOL},     {"n", "null", VL_JSON_NULL},
        {"a", "[ 1 ,2]", VL_JSON_ARRAY}, {"o", "{\"k\":[]}", VL_JSON_OBJECT},
    };
    struct vl_arena arena = vl_arena_of(0); /* nothing is copied */
    assert_ok(vl_json_table_read(vl_str_z(text), 4, &arena, &table, NULL));
    assert_int_equal(table.count, VL_COUNT(wanted));
    for (size_t i = 0; i < VL_COUNT(wanted); i++) {
        const struct vl_json_row *row =
            vl_json_table_find(&table, vl_str_z(wanted[i].key));
        assert_non_null(row);
        assert_int_equal(row->kind, wanted[i].kind);
        assert_str(row->value, wanted[i].value);
    }
    assert_null(vl_json_table_find(&table, VL_STR("S")));
}

static void
reads_escapes_and_fractions(void **state)
{
    (void)state;
    struct vl_arena arena = vl_arena_of(10000);
    assert_ok(vl_json_table_read(
        VL_STR("{\"\\u0061\":\"\\u00e9\\n\",\"f\":1.5,\"l\":[\"\\u0061\"]}"), 4,
        &arena, &table, NULL));
    assert_str(vl_json_table_find(&table, VL_STR("a"))->value, "\xC3\xA9\n");
    assert_int_equal(vl_json_table_find(&table, VL_STR("f"))->kind,
                     VL_JSON_REAL);
    assert_str(vl_json_table_find(&table, VL_STR("f"))->value, "1.5");
    assert_str(vl_json_table_find(&table, VL_STR("l"))->value, "[\"a\"]");
    vl_arena_done(&arena);
}

static void
refuses_what_the_reader_refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "null",
        "{",
        "{}{}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":[1}",
        "{\"a\":[1,]}",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"a\":\"\xFF\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":01}",
        "{\"a\":[[[[]]]]}",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        if (read_table(texts[i]) != VALET_INVALID)
            fail_msg("not refused: %s", texts[i]);
    assert_ok(read_table("{\"a\":[[[]]]}"));
    assert_ok(read_table("{}"));
}

static void
bounds_the_number_of_members(void **state)
{
    (void)state;
    for (unsigned count = VL_JSON_TABLE_MAX; count < VL_JSON_TABLE_MAX + 2;
         count++) {
        vl_auto(vl_buf) text = vl_buf_of(10000);
        for (unsigned i = 0; i < count; i++)
            vl_buf_addf(&text, "%c\"m%u\":1", i ? ',' : '{', i);
        vl_buf_addc(&text, '}');
        assert_int_equal(read_table(vl_buf_cstr(&text)),
                         count == VL_JSON_TABLE_MAX ? VALET_OK : VALET_LIMIT);
    }
    assert_ok(read_table("{}")); /* frees the arena's last */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members_of_every_kind),
        cmocka_unit_test(reads_escapes_and_fractions),
        cmocka_unit_test(refuses_what_the_reader_refuses),
        cmocka_unit_test(bounds_the_number_of_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
