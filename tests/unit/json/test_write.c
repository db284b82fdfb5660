/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"

#include "core/limits.h"
#include "vl_test.h"
#include "json/read.h"

static void
writes_a_document(void **state)
{
    (void)state;
    vl_auto(vl_buf) buf = vl_buf_of(1000);
    struct vl_json_out out = {&buf, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "s", "x");
    vl_json_add_int(&out, "low", INT64_MIN);
    vl_json_add_int(&out, "high", INT64_MAX);
    vl_json_add_bool(&out, "t", true);
    vl_json_add_bool(&out, "f", false);
    vl_json_add_null(&out, "n");
    vl_json_open_key(&out, "list", '[');
    vl_json_add_int(&out, NULL, -1);
    vl_json_open(&out, '{');
    vl_json_close(&out, '}');
    vl_json_add_z(&out, NULL, "");
    vl_json_close(&out, ']');
    vl_json_add_raw(&out, "raw", VL_STR("[1]"));
    vl_json_add_str_at(&out, VL_STR("a\"b"), VL_STR("c"));
    vl_json_close(&out, '}');
    assert_ok(vl_buf_check(&buf, NULL));
    assert_str(vl_buf_str(&buf),
               "{\"s\":\"x\",\"low\":-9223372036854775808,"
               "\"high\":9223372036854775807,\"t\":true,\"f\":false,"
               "\"n\":null,\"list\":[-1,{},\"\"],\"raw\":[1],"
               "\"a\\\"b\":\"c\"}");
}

static void
writes_string(struct vl_str value, const char *expected)
{
    vl_auto(vl_buf) buf = vl_buf_of(1000);
    struct vl_json_out out = {&buf, false};
    struct vl_str guarded = vl_test_guarded(value);
    vl_json_add_str(&out, NULL, guarded);
    vl_test_unguard(guarded);
    assert_str(vl_buf_str(&buf), expected);
}

static void
escapes_what_must_be_escaped(void **state)
{
    (void)state;
    writes_string(VL_STR(""), "\"\"");
    writes_string(VL_STR("\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    writes_string(VL_STR("\0\x01\x1f\x7f "), "\"\\u0000\\u0001\\u001f\x7f \"");
}

/* @spec S-123 */
static void
keeps_utf8_as_it_is(void **state)
{
    (void)state;
    writes_string(VL_STR("আ\xC3\xA9\xF4\x8F\xBF\xBF\xEE\x80\x80 plain ascii"),
                  "\"আ\xC3\xA9\xF4\x8F\xBF\xBF\xEE\x80\x80 plain ascii\"");
}

static void
replaces_what_is_not_utf8(void **state)
{
    (void)state;
    writes_string(VL_STR("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    writes_string(VL_STR("\xC3"), "\"\xEF\xBF\xBD\"");
    writes_string(VL_STR("\xC3\xA9\xC3"), "\"\xC3\xA9\xEF\xBF\xBD\"");
    writes_string(VL_STR("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    writes_string(VL_STR("\xE0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    writes_string(VL_STR("\xF4\x90\x80\x80"),
                  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

/* Every byte at every place of a word, so that no shortcut passes one over. */
static void
reads_back_every_byte_at_every_place(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 0x80; c++) {
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            vl_auto(vl_buf) buf = vl_buf_of(1000);
            struct vl_json_out out = {&buf, false};
            vl_json_add_str(&out, NULL, vl_str_of(text, sizeof text));
            vl_auto(vl_json) doc = {NULL};
            assert_ok(vl_json_parse(vl_buf_str(&buf), 1, &doc, NULL));
            assert_int_equal(vl_json_str(doc.root).n, sizeof text);
            assert_memory_equal(vl_json_str(doc.root).p, text, sizeof text);
        }
    }
}

static void
writes_a_read_value_as_it_was(void **state)
{
    (void)state;
    static const char text[] =
        "{\"z\":[1,-2,9223372036854775807,0.1,1e300,-2.5,5.0],\"a\":{\"\":"
        "null,\"k\":\"v\\u0001\"},\"t\":[true,false,[],{}],\"আ\":\"\xC3\xA9\"}";
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_str_z(text), 9, &doc, NULL));
    vl_auto(vl_buf) buf = vl_buf_of(1000);
    struct vl_json_out out = {&buf, false};
    vl_json_open(&out, '[');
    vl_json_add_value(&out, NULL, doc.root);
    vl_json_add_value(&out, NULL, NULL);
    vl_json_close(&out, ']');
    vl_auto(vl_buf) expected = vl_buf_of(1000);
    vl_buf_addf(&expected, "[%s,null]", text);
    assert_str(vl_buf_str(&buf), vl_buf_cstr(&expected));
}

static void
marks_a_full_buffer_as_failed(void **state)
{
    (void)state;
    vl_auto(vl_buf) buf = vl_buf_of(10);
    struct vl_json_out out = {&buf, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "key", "much too long for ten bytes");
    vl_json_close(&out, '}');
    assert_int_equal(vl_buf_check(&buf, NULL), VALET_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_document),
        cmocka_unit_test(escapes_what_must_be_escaped),
        cmocka_unit_test(keeps_utf8_as_it_is),
        cmocka_unit_test(replaces_what_is_not_utf8),
        cmocka_unit_test(reads_back_every_byte_at_every_place),
        cmocka_unit_test(writes_a_read_value_as_it_was),
        cmocka_unit_test(marks_a_full_buffer_as_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
