/* SPDX-License-Identifier: Apache-2.0 */
#include "json/scan.h"

#include "core/buf.h"
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
    bool yes =
        vl_json_scan(guarded, VL_LIMIT_JSON_DEPTH, members, MEMBERS, &count);
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
        VL_LIMIT_JSON_DEPTH, m, MEMBERS, &count));
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

/* Each is a text that is wrong, or odd, in one way. */
static void
refuses(const struct vl_str *cases, size_t count, const char *before,
        const char *after)
{
    for (size_t i = 0; i < count; i++) {
        vl_auto(vl_buf) text = vl_buf_of(1000);
        vl_buf_addz(&text, before);
        vl_buf_add(&text, cases[i]);
        vl_buf_addz(&text, after);
        if (scans(vl_buf_str(&text)))
            fail_msg("read: " VL_STR_FMT, VL_STR_ARG(vl_buf_str(&text)));
    }
}

/* What the parser does not take, or what is too odd to be judged here. */
static void
reads_nested_values_strictly(void **state)
{
    (void)state;
    static const struct vl_str good[] = {
        TEXT("0"),
        TEXT("-0"),
        TEXT("-0.0"),
        TEXT("0.5"),
        TEXT("-12.25e+10"),
        TEXT("1E-99"),
        TEXT("1e5"),
        TEXT("1.00000000000000000000000000000000000000000000000000"
             "000000000000"),
        TEXT("999999999999999999"),
        TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        TEXT("\"\\u0001\\uffff\\uFFFF\\u00e4\""),
        TEXT("\"\\ud83d\\ude00\\uDBFF\\uDFFF\\ud800\\udc00\\ud7ff\\ue000\""),
        TEXT("\"\xf0\x9f\x98\x80 and more than eight bytes\x7f\""),
        TEXT("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}],\"\":\"\"}"),
        TEXT("{\"same start, same end\":1,\"same stirt, same end\":2}"),
        TEXT(" [ ] , { } "),
    };
    static const struct vl_str bad[] = {
        TEXT(""),
        TEXT("1,"),
        TEXT(",1"),
        TEXT("1 2"),
        TEXT("01"),
        TEXT("-"),
        TEXT("-01"),
        TEXT("1."),
        TEXT(".5"),
        TEXT("1.e5"),
        TEXT("1e"),
        TEXT("1e+"),
        TEXT("1e-+1"),
        TEXT("1e100"),
        TEXT("1e999"),
        TEXT("0x1"),
        TEXT("1000000000000000000"),
        TEXT("99999999999999999999"),
        TEXT("1.00000000000000000000000000000000000000000000000000"
             "0000000000000"),
        TEXT("nul"),
        TEXT("nulll"),
        TEXT("NaN"),
        TEXT("Infinity"),
        TEXT("'a'"),
        TEXT("\"\\x\""),
        TEXT("\"\\a\""),
        TEXT("\"\\U0041\""),
        TEXT("\"\\u004\""),
        TEXT("\"\\u004g\""),
        TEXT("\"\\u0000\""),
        TEXT("\"\\ud83d\""),
        TEXT("\"\\ud83dx\""),
        TEXT("\"\\ud83d\\n\""),
        TEXT("\"\\ud83d\\u0041\""),
        TEXT("\"\\ud83d\\ud83d\""),
        TEXT("\"\\ud83d\\udbff\""),
        TEXT("\"\\ud83d\\ue000\""),
        TEXT("\"\\ud800\""),
        TEXT("\"\\udbff\""),
        TEXT("\"\\udc00\""),
        TEXT("\"\\udfff\""),
        TEXT("\"\\ude00\""),
        TEXT("\"\\udc00\\ude00\""),
        TEXT("\"\\ude00\\ud83d\""),
        TEXT("\"\t\""),
        TEXT("\"\0\""),
        TEXT("\"\xc3\""),
        TEXT("\"\xed\xa0\x80\""),
        TEXT("\"\xf4\x90\x80\x80\""),
        TEXT("\"\xff\""),
        TEXT("{\"a\":1,\"a\":1}"),
        TEXT("{\"a\":1,\"b\":{\"a\":1},\"a\":2}"),
        TEXT("{\"same start, same end\":1,\"same start, same end\":2}"),
        TEXT("{\"\":1,\"\":2}"),
        TEXT("{\"\\u0061\":1}"),
        TEXT("{\"a\":1,}"),
        TEXT("{\"a\"}"),
        TEXT("{\"a\":}"),
        TEXT("{1:1}"),
        TEXT("{\"a\":1]"),
        TEXT("[1}"),
        TEXT("[1,]"),
        TEXT("[[]"),
        TEXT("[]]"),
        TEXT("/**/1"),
    };
    for (size_t i = 0; i < VL_COUNT(good); i++) {
        vl_auto(vl_buf) text = vl_buf_of(1000);
        vl_auto(vl_json) doc = {NULL};
        vl_buf_addf(&text, "{\"a\":[" VL_STR_FMT "]}", VL_STR_ARG(good[i]));
        assert_ok(
            vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, &doc, NULL));
        if (!scans(vl_buf_str(&text)))
            fail_msg("not read: " VL_STR_FMT, VL_STR_ARG(good[i]));
    }
    /* The empty one would make an empty array. */
    refuses(bad + 1, VL_COUNT(bad) - 1, "{\"a\":[", "]}");
    refuses(bad, VL_COUNT(bad), "{\"a\":{\"b\":", "}}");
}

/* Wherever in a word it stands, and however far the end is. */
static void
finds_what_ends_a_string_at_every_place(void **state)
{
    (void)state;
    static const struct {
        struct vl_str bytes;
        bool good;
    } cases[] = {
        {TEXT("x"), true},
        {TEXT("\\\""), true},
        {TEXT("\xc3\xa4"), true},
        {TEXT("\x7f"), true},
        {TEXT(" "), true},
        {TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), true},
        {TEXT("\xc3\xa4\xc3"), false},
        {TEXT("!#[]"), true},
        {TEXT("\x1f"), false},
        {TEXT("\0"), false},
        {TEXT("\\"), false},
        {TEXT("\x80"), false},
        {TEXT("\xff"), false},
        {TEXT("\""), false},
        {TEXT("\n"), false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        for (size_t before = 0; before < 20; before++)
            for (size_t after = 0; after < 20; after++) {
                vl_auto(vl_buf) text = vl_buf_of(1000);
                vl_buf_addf(&text, "{\"a\":[\"%.*s", (int)before,
                            "~!~!~!~!~!~!~!~!~!~!");
                vl_buf_add(&text, cases[i].bytes);
                vl_buf_addf(&text, "%.*s\"]}", (int)after,
                            "zyxwvutsrqponmlkjihg");
                assert_int_equal(scans(vl_buf_str(&text)), cases[i].good);
            }
}

static bool
scans_depth(unsigned depth, unsigned max_depth)
{
    vl_auto(vl_buf) text = vl_buf_of(1000);
    struct vl_json_member member;
    size_t count;
    vl_buf_addz(&text, "{\"a\":");
    for (unsigned i = 1; i < depth; i++)
        vl_buf_addc(&text, '[');
    if (depth == 1)
        vl_buf_addc(&text, '1');
    for (unsigned i = 1; i < depth; i++)
        vl_buf_addc(&text, ']');
    vl_buf_addc(&text, '}');
    vl_auto(vl_json) doc = {NULL};
    bool yes = vl_json_scan(vl_buf_str(&text), max_depth, &member, 1, &count);
    if (yes)
        assert_ok(vl_json_parse(vl_buf_str(&text), max_depth, &doc, NULL));
    return yes;
}

/* @spec W-04 */
static void
goes_no_deeper_than_it_is_told(void **state)
{
    (void)state;
    assert_false(scans_depth(1, 0));
    for (unsigned max = 1; max < 5; max++) {
        assert_true(scans_depth(max, max));
        assert_false(scans_depth(max + 1, max));
    }
    assert_true(scans_depth(VL_LIMIT_JSON_DEPTH, 2000));
    assert_false(scans_depth(VL_LIMIT_JSON_DEPTH + 1, 2000));
}

/* `again`: the last one is the first one once more. */
static bool
scans_keys(unsigned keys, bool again)
{
    vl_auto(vl_buf) text = vl_buf_of(100000);
    vl_buf_addz(&text, "{\"a\":[{");
    for (unsigned i = 0; i < keys; i++)
        vl_buf_addf(&text, "%s\"key-%u\":{}", i ? "," : "",
                    again && i == keys - 1 ? 0 : i);
    vl_buf_addz(&text, "},{\"key-0\":1}]}");
    return scans(vl_buf_str(&text));
}

static void
knows_every_key_of_the_objects_that_are_open(void **state)
{
    (void)state;
    /* One is the outermost object's. */
    assert_true(scans_keys(VL_JSON_SCAN_KEYS - 1, false));
    assert_false(scans_keys(VL_JSON_SCAN_KEYS - 1, true));
    assert_false(scans_keys(VL_JSON_SCAN_KEYS, false));
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
        TEXT("{\"a\":{x}}"),
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
    struct vl_str text = VL_STR(
        "{\"a\":\"\xc3\xa4\",\"b\":[{\"c\":\"\\\"\\ud83d\\ude00\"},1.5e10],"
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
        cmocka_unit_test(reads_nested_values_strictly),
        cmocka_unit_test(finds_what_ends_a_string_at_every_place),
        cmocka_unit_test(goes_no_deeper_than_it_is_told),
        cmocka_unit_test(knows_every_key_of_the_objects_that_are_open),
        cmocka_unit_test(leaves_the_rest_to_the_parser),
        cmocka_unit_test(refuses_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
