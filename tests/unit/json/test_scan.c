/* SPDX-License-Identifier: Apache-2.0 */
#include "json/scan.h"

#include "core/limits.h"
#include "vl_test.h"

#define MEMBERS 4
/* VL_STR() is no constant in a static initialiser for clang. */
#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

/* In memory that ends where the text ends. */
static bool
scans(struct vl_str text)
{
    struct vl_json_member members[MEMBERS];
    size_t count = 0;
    struct vl_str guarded = vl_test_guarded(text);
    bool yes = vl_json_scan(guarded, members, MEMBERS, &count);
    vl_test_unguard(guarded);
    return yes;
}

static void
finds_members_where_they_stand(void **state)
{
    (void)state;
    struct vl_json_member m[MEMBERS];
    size_t count = 0;
    assert_true(vl_json_scan(
        VL_STR("\r\n{ \"id\" : -12 ,\t\"m\":\"\xc3\xa4/b\",\"\":null,"
               "\"p\":{\"a\":[\"}\\\"]\",{}]} }\n"),
        m, MEMBERS, &count));
    assert_int_equal(count, 4);
    assert_str(m[0].key, "id");
    assert_int_equal(m[0].kind, VL_JSON_INT);
    assert_str(m[0].text, "-12");
    assert_null(vl_json_member_str(&m[0]).p);
    assert_str(m[1].key, "m");
    assert_int_equal(m[1].kind, VL_JSON_STRING);
    assert_str(m[1].text, "\"\xc3\xa4/b\"");
    assert_str(vl_json_member_str(&m[1]), "\xc3\xa4/b");
    assert_int_equal(m[2].key.n, 0);
    assert_int_equal(m[2].kind, VL_JSON_NULL);
    assert_int_equal(m[3].kind, VL_JSON_OBJECT);
    assert_str(m[3].text, "{\"a\":[\"}\\\"]\",{}]}");
}

static void
takes_plain_values(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{}",
        " { } ",
        "{\"a\":0}",
        "{\"a\":999999999999999999}",
        "{\"a\":-999999999999999999}",
        "{\"a\":true,\"b\":false,\"c\":null,\"d\":\"\"}",
        "{\"a\":[]}",
        "{\"a\":[1,2],\"b\":{}}",
        "{\"a\":\"\xf0\x9f\x98\x80\x7f\"}",
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_json) doc = {NULL};
        assert_true(scans(vl_str_z(cases[i])));
        assert_ok(
            vl_json_parse(vl_str_z(cases[i]), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    }
}

/* Some of it is fine, and the parser's to say so. */
static void
leaves_the_rest_to_the_parser(void **state)
{
    (void)state;
    static const struct vl_str cases[] = {
        TEXT(""),
        TEXT(" "),
        TEXT("1"),
        TEXT("[]"),
        TEXT("{"),
        TEXT("{}}"),
        TEXT("{} x"),
        TEXT("{}\0"),
        TEXT("\xef\xbb\xbf{}"),
        TEXT("{,}"),
        TEXT("{\"a\"}"),
        TEXT("{\"a\":}"),
        TEXT("{\"a\" 1}"),
        TEXT("{\"a\":1,}"),
        TEXT("{\"a\":1 \"b\":2}"),
        TEXT("{\"a\":1;\"b\":2}"),
        TEXT("{a:1}"),
        TEXT("{'a':1}"),
        TEXT("{1:1}"),
        TEXT("{\"a\":1,\"a\":1}"),
        TEXT("{\"a\":1,\"b\":2,\"a\":{}}"),
        TEXT("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}"),
        TEXT("{\"\\u0061\":1}"),
        TEXT("{\"a\":\"\\n\"}"),
        TEXT("{\"a\":\"\n\"}"),
        TEXT("{\"a\":\"\0\"}"),
        TEXT("{\"a\":\"\xc3\"}"),
        TEXT("{\"a\":\"\xed\xa0\x80\"}"),
        TEXT("{\"a\":\"\xc0\x80\"}"),
        TEXT("{\"\xff\":1}"),
        TEXT("{\"a\":\"x}"),
        TEXT("{\"a\":\"x\xc3"),
        TEXT("{\"a\":01}"),
        TEXT("{\"a\":-0}"),
        TEXT("{\"a\":-}"),
        TEXT("{\"a\":+1}"),
        TEXT("{\"a\":1.5}"),
        TEXT("{\"a\":1e3}"),
        TEXT("{\"a\":1000000000000000000}"),
        TEXT("{\"a\":1x}"),
        TEXT("{\"a\":truex}"),
        TEXT("{\"a\":True}"),
        TEXT("{\"a\":tru}"),
        TEXT("{\"a\":NaN}"),
        TEXT("{\"a\":[}"),
        TEXT("{\"a\":{\"]}"),
        TEXT("{\"a\":{\"\\"),
        TEXT("{\"a\":/**/1}"),
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_false(scans(cases[i]));
}

static void
refuses_every_cut(void **state)
{
    (void)state;
    struct vl_str text = VL_STR("{\"a\":\"\xc3\xa4\",\"b\":[{\"c\":\"\\\"\"}],"
                                "\"d\":-10,\"e\":true}");
    assert_true(scans(text));
    for (size_t n = 0; n < text.n; n++)
        assert_false(scans(vl_str_head(text, n)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_members_where_they_stand),
        cmocka_unit_test(takes_plain_values),
        cmocka_unit_test(leaves_the_rest_to_the_parser),
        cmocka_unit_test(refuses_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
