/* SPDX-License-Identifier: Apache-2.0 */
#include "json/read.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/limits.h"
#include "vl_test.h"

static valet_status
parse(struct vl_str text, struct vl_json *doc, valet_error *err)
{
    struct vl_str guarded = vl_test_guarded(text);
    valet_status status = vl_json_parse(guarded, VL_LIMIT_JSON_DEPTH, doc, err);
    vl_test_unguard(guarded);
    return status;
}

static void
refuses(struct vl_str text, const char *sentence)
{
    struct vl_json doc = {NULL};
    valet_error err = {.status = VALET_OK};
    assert_int_equal(parse(text, &doc, &err), VALET_INVALID);
    assert_int_equal(err.status, VALET_INVALID);
    assert_null(doc.root);
    assert_non_null(strstr(err.message, sentence));
}

/* What is at an address, even if it is nobody's memory any more. */
static bool
lies_at(int memory, uintptr_t address, struct vl_str wanted)
{
    char found[256];
    assert_true(wanted.n <= sizeof found);
    assert_int_equal(pread(memory, found, wanted.n, (off_t)address), wanted.n);
    return memcmp(found, wanted.p, wanted.n) == 0;
}

/* @spec S-76: Entra's tokens come as JSON. */
static void
leaves_nothing_in_freed_memory(void **state)
{
    (void)state;
    struct vl_json doc = {NULL};
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    assert_ok(parse(VL_STR("{\"access_token\":\"eyJ0eXAiOiJKV1QiLCJhbGciOiJ"
                           "SUzI1NiJ9.eyJhdWQiOiJhIn0.c2lnbmF0dXJl\"}"),
                    &doc, NULL));
    struct vl_str token = vl_json_get_str(doc.root, "access_token");
    /* The allocator writes its own into the first bytes. */
    char copy[32];
    uintptr_t address = (uintptr_t)token.p + 24;
    memcpy(copy, token.p + 24, sizeof copy);
    struct vl_str tail = vl_str_of(copy, sizeof copy);
    assert_true(lies_at(memory, address, tail));
    vl_json_done(&doc);
    assert_false(lies_at(memory, address, tail));
    assert_int_equal(close(memory), 0);
}

static void
reads_an_object(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(parse(VL_STR(" {\"a\":\"x\",\"b\":[1,\"two\",null,true,2.5],"
                           "\"c\":{\"d\":-9223372036854775808},\"e\":\"\"} "),
                    &doc, NULL));
    const struct json_t *root = doc.root, *list = vl_json_get(root, "b");
    int64_t number = 0;
    assert_int_equal(vl_json_kind(root), VL_JSON_OBJECT);
    assert_int_equal(vl_json_size(root), 4);
    assert_str(vl_json_get_str(root, "a"), "x");
    assert_int_equal(vl_json_size(list), 5);
    assert_int_equal(vl_json_kind(vl_json_at(list, 0)), VL_JSON_INT);
    assert_int_equal(vl_json_kind(vl_json_at(list, 1)), VL_JSON_STRING);
    assert_int_equal(vl_json_kind(vl_json_at(list, 2)), VL_JSON_NULL);
    assert_int_equal(vl_json_kind(vl_json_at(list, 3)), VL_JSON_BOOL);
    assert_int_equal(vl_json_kind(vl_json_at(list, 4)), VL_JSON_REAL);
    assert_true(vl_json_is_true(vl_json_at(list, 3)));
    assert_true(vl_json_get_int(vl_json_get(root, "c"), "d", &number));
    assert_true(number == INT64_MIN);
    assert_non_null(vl_json_get_str(root, "e").p);
    assert_int_equal(vl_json_get_str(root, "e").n, 0);
}

static void
answers_absent_with_nothing(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(parse(VL_STR("{\"n\":1.0,\"s\":\"1\",\"l\":[]}"), &doc, NULL));
    int64_t number = 7;
    assert_int_equal(vl_json_kind(NULL), VL_JSON_ABSENT);
    assert_null(vl_json_get(doc.root, "missing"));
    assert_null(vl_json_get(NULL, "missing"));
    assert_null(vl_json_get(vl_json_get(doc.root, "l"), "x"));
    assert_null(vl_json_at(vl_json_get(doc.root, "l"), 0));
    assert_null(vl_json_at(doc.root, 0));
    assert_null(vl_json_get_str(doc.root, "n").p);
    assert_false(vl_json_get_int(doc.root, "n", &number));
    assert_false(vl_json_get_int(doc.root, "s", &number));
    assert_int_equal(number, 7);
    assert_int_equal(vl_json_size(NULL), 0);
    assert_int_equal(vl_json_size(vl_json_get(doc.root, "s")), 0);
    assert_false(vl_json_is_true(NULL));
    assert_false(vl_json_is_true(vl_json_get(doc.root, "n")));
}

static void
reads_any_value_as_a_document(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum vl_json_kind kind;
    } values[] = {
        {"null", VL_JSON_NULL}, {"true", VL_JSON_BOOL},   {" 0 ", VL_JSON_INT},
        {"1e2", VL_JSON_REAL},  {"\"\"", VL_JSON_STRING}, {"[]", VL_JSON_ARRAY},
        {"{}", VL_JSON_OBJECT},
    };
    for (size_t i = 0; i < VL_COUNT(values); i++) {
        vl_auto(vl_json) doc = {NULL};
        assert_ok(parse(vl_str_z(values[i].text), &doc, NULL));
        assert_int_equal(vl_json_kind(doc.root), values[i].kind);
    }
}

static void
refuses_what_is_not_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          " ",         "{",          "[1,]",  "{\"a\":1,}",
        "{a:1}",     "'a'",       "[01]",       "[+1]",  "[1.]",
        "[.5]",      "[NaN]",     "[Infinity]", "nul",   "True",
        "[\"\t\"]",  "[\"\\x\"]", "[\"a",       "[\"\\", "[1 2]",
        "//x\n[]",   "/**/[]",    "\"\\u12\"",  "]",     "[}",
        "{\"a\" 1}", "{1:2}",     "[--1]",      "[0x1]", "[\"\\ud800\"]",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        refuses(vl_str_z(texts[i]), "line 1");
}

static void
refuses_what_parsers_disagree_about(void **state)
{
    (void)state;
    refuses(VL_STR("{\"a\":1,\"b\":2,\"a\":3}"), "same key twice");
    refuses(VL_STR("{\"a\":1,\"\\u0061\":3}"), "same key twice");
    refuses(VL_STR("{} {}"), "something follows");
    refuses(VL_STR("{}x"), "something follows");
    refuses(VL_STR("{}\0"), "line 1");
    refuses(VL_STR("[\"a\\u0000b\"]"), "NUL");
    refuses(VL_STR("{\"a\\u0000b\":1}"), "NUL");
    refuses(VL_STR("[\"a\0b\"]"), "a NUL at line 1, column 4");
    refuses(VL_STR("7\0"), "a NUL at line 1, column 2");
    refuses(VL_STR("[7\0,8]"), "a NUL");
    refuses(VL_STR("[1\0002]"), "a NUL");
    refuses(VL_STR("{\"a\":1.5\0}"), "a NUL");
    refuses(VL_STR("[\"\xC0\xAF\"]"), "UTF-8");
    refuses(VL_STR("[\"\xED\xA0\x80\"]"), "UTF-8");
    refuses(VL_STR("[\"\xF5\x80\x80\x80\"]"), "UTF-8");
    refuses(VL_STR("\xEF\xBB\xBF{}"), "line 1");
    refuses(VL_STR("[9223372036854775808]"), "out of range");
    refuses(VL_STR("[1e999]"), "out of range");
}

static void
names_line_and_column_but_no_content(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    valet_error err = {.status = VALET_OK};
    assert_int_equal(parse(VL_STR("{\n  \"token\": s3cret\n}"), &doc, &err),
                     VALET_INVALID);
    assert_non_null(strstr(err.message, "line 2"));
    assert_null(strstr(err.message, "s3cret"));
}

static void
bounds_the_depth(void **state)
{
    (void)state;
    char text[2 * (VL_LIMIT_JSON_DEPTH + 1)];
    size_t half = VL_LIMIT_JSON_DEPTH;
    memset(text, '[', half);
    memset(text + half, ']', half);
    vl_auto(vl_json) doc = {NULL};
    assert_ok(parse(vl_str_of(text, 2 * half), &doc, NULL));
    half++;
    memset(text, '[', half);
    memset(text + half, ']', half);
    refuses(vl_str_of(text, 2 * half), "too deep");
}

static void
bounds_a_flood_of_brackets(void **state)
{
    (void)state;
    char text[100000];
    memset(text, '[', sizeof text);
    refuses(vl_str_of(text, sizeof text), "line 1, column 65");
    struct vl_json doc = {NULL};
    assert_int_equal(
        vl_json_parse(vl_str_of(text, sizeof text), ~0u, &doc, NULL),
        VALET_INVALID);
}

static void
counts_no_brackets_inside_strings(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(VL_STR("[\"[[[{{{\\\"[[[\\\\\"]"), 1, &doc, NULL));
    struct vl_json none = {NULL};
    assert_int_equal(vl_json_parse(VL_STR("[\"\\\\\",[1]]"), 1, &none, NULL),
                     VALET_INVALID);
}

static void
finds_a_string_in_a_list(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(parse(VL_STR("{\"one\":\"a\",\"many\":[1,\"a\",\"\"],\"o\":{}}"),
                    &doc, NULL));
    const struct json_t *many = vl_json_get(doc.root, "many");
    assert_true(vl_json_has_str(vl_json_get(doc.root, "one"), VL_STR("a")));
    assert_false(vl_json_has_str(vl_json_get(doc.root, "one"), VL_STR("")));
    assert_true(vl_json_has_str(many, VL_STR("a")));
    assert_true(vl_json_has_str(many, VL_STR("")));
    assert_false(vl_json_has_str(many, VL_STR("1")));
    assert_false(vl_json_has_str(vl_json_get(doc.root, "o"), VL_STR("")));
    assert_false(vl_json_has_str(NULL, VL_STR("")));
}

static bool
note_two(struct vl_str key, const struct json_t *value, void *ctx)
{
    char *keys = ctx;
    size_t n = strlen(keys);
    assert_int_equal(vl_json_kind(value), VL_JSON_INT);
    keys[n] = key.p[0];
    return n == 0;
}

static void
visits_members_in_order_until_told_to_stop(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(parse(VL_STR("{\"z\":1,\"a\":2,\"m\":3}"), &doc, NULL));
    char keys[8] = "";
    vl_json_each(doc.root, note_two, keys);
    assert_string_equal(keys, "za");
    vl_json_each(NULL, note_two, keys);
    assert_string_equal(keys, "za");
}

static void
shares_a_value_that_outlives_its_document(void **state)
{
    (void)state;
    struct vl_json doc = {NULL};
    assert_ok(parse(VL_STR("{\"a\":{\"b\":\"text\"}}"), &doc, NULL));
    struct vl_json part = vl_json_share(vl_json_get(doc.root, "a"));
    vl_json_done(&doc);
    assert_str(vl_json_get_str(part.root, "b"), "text");
    vl_json_done(&part);
    part = vl_json_share(NULL);
    assert_null(part.root);
    vl_json_done(&part);
}

static void
tells_numbers_with_a_fraction(void **state)
{
    (void)state;
    double number = 0;
    struct vl_json doc = {NULL};
    assert_ok(parse(VL_STR("[1.5,1,\"1.5\"]"), &doc, NULL));
    assert_true(vl_json_real(vl_json_at(doc.root, 0), &number));
    assert_true(number == 1.5);
    assert_false(vl_json_real(vl_json_at(doc.root, 1), &number));
    assert_false(vl_json_real(vl_json_at(doc.root, 2), &number));
    assert_false(vl_json_real(NULL, &number));
    vl_json_done(&doc);
}

static void
a_whole_number_is_one_however_it_is_written(void **state)
{
    (void)state;
    struct vl_json doc = {NULL};
    assert_ok(parse(VL_STR("[5,5.0,-5e0,9223372036854775807,"
                           "-9223372036854775808.0,"
                           "5.5,9223372036854775808.0,1e300,\"5\",true]"),
                    &doc, NULL));
    const int64_t wanted[] = {5, 5, -5, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < vl_json_size(doc.root); i++) {
        int64_t whole = 77;
        double number = 77;
        const struct json_t *value = vl_json_at(doc.root, i);
        bool is_whole = i < VL_COUNT(wanted);
        assert_int_equal(vl_json_whole(value, &whole), is_whole);
        assert_true(whole == (is_whole ? wanted[i] : 77));
        assert_int_equal(vl_json_number(value, &number), i < 8);
        assert_true(i < 8 ? number != 77 : number == 77);
    }
    vl_json_done(&doc);
}

static void
makes_a_string_of_its_own(void **state)
{
    (void)state;
    char text[] = "\xc3\xa4/\"";
    struct vl_json string = vl_json_of_str(vl_str_z(text));
    text[0] = 'x';
    assert_str(vl_json_str(string.root), "\xc3\xa4/\"");
    vl_json_done(&string);
    string = vl_json_of_str((struct vl_str){NULL, 0});
    assert_str(vl_json_str(string.root), "");
    vl_json_done(&string);
    string = vl_json_of_str(VL_STR("\xc3"));
    assert_null(string.root);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_nothing_in_freed_memory),
        cmocka_unit_test(reads_an_object),
        cmocka_unit_test(answers_absent_with_nothing),
        cmocka_unit_test(reads_any_value_as_a_document),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(refuses_what_parsers_disagree_about),
        cmocka_unit_test(names_line_and_column_but_no_content),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(bounds_a_flood_of_brackets),
        cmocka_unit_test(counts_no_brackets_inside_strings),
        cmocka_unit_test(finds_a_string_in_a_list),
        cmocka_unit_test(tells_numbers_with_a_fraction),
        cmocka_unit_test(a_whole_number_is_one_however_it_is_written),
        cmocka_unit_test(makes_a_string_of_its_own),
        cmocka_unit_test(shares_a_value_that_outlives_its_document),
        cmocka_unit_test(visits_members_in_order_until_told_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
