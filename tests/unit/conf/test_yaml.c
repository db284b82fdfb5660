/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml.h"
#include "core/buf.h"
#include "core/limits.h"
#include "vl_test.h"

struct fixture {
    struct vl_arena arena;
    const struct vl_yaml *root;
    valet_error err;
};

static valet_status
parse(struct fixture *f, const char *text)
{
    f->arena = vl_arena_of((size_t)16 * VL_LIMIT_CONFIG);
    f->root = NULL;
    struct vl_str guarded = vl_test_guarded(vl_str_z(text));
    valet_status status =
        vl_yaml_parse("t.yaml", guarded, &f->arena, &f->root, &f->err);
    vl_test_unguard(guarded);
    return status;
}

static void
knows_kinds_texts_and_places(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(parse(&f, "a: one\n"
                        "b:\n"
                        "  - \"two\"\n"
                        "  - {c: 3}\n"
                        "d:\n"));
    assert_int_equal(vl_yaml_kind(f.root), VL_YAML_MAP);
    assert_int_equal(vl_yaml_size(f.root), 3);
    assert_str(vl_yaml_text(vl_yaml_find(f.root, "a")), "one");
    assert_true(vl_yaml_is_plain(vl_yaml_find(f.root, "a")));
    const struct vl_yaml *b = vl_yaml_find(f.root, "b");
    assert_int_equal(vl_yaml_kind(b), VL_YAML_LIST);
    assert_str(vl_yaml_text(vl_yaml_at(b, 0)), "two");
    assert_false(vl_yaml_is_plain(vl_yaml_at(b, 0)));
    const struct vl_yaml *c = vl_yaml_find(vl_yaml_at(b, 1), "c");
    assert_str(vl_yaml_text(c), "3");
    assert_str(vl_yaml_key(c), "c");
    assert_int_equal(vl_yaml_mark(c).line, 4);
    assert_int_equal(vl_yaml_mark(c).column, 9);
    assert_int_equal(vl_yaml_key_mark(c).column, 6);
    assert_true(vl_yaml_is_null(vl_yaml_find(f.root, "d")));
    assert_null(vl_yaml_find(f.root, "e"));
    assert_null(vl_yaml_at(b, 2));
    vl_arena_done(&f.arena);
}

static void
takes_absent_nodes(void **state)
{
    (void)state;
    assert_int_equal(vl_yaml_kind(NULL), VL_YAML_ABSENT);
    assert_int_equal(vl_yaml_size(NULL), 0);
    assert_null(vl_yaml_at(NULL, 0));
    assert_null(vl_yaml_find(NULL, "a"));
    assert_null(vl_yaml_text(NULL).p);
    assert_true(vl_yaml_is_null(NULL));
    assert_int_equal(vl_yaml_mark(NULL).line, 1);
    for (unsigned i = 0; i < VL_YAML_KIND_COUNT; i++)
        assert_non_null(vl_yaml_kind_name((enum vl_yaml_kind)i));
}

static void
an_empty_text_is_an_empty_map(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "# only this\n", "---\n", "~\n"};
    for (size_t i = 0; i < VL_COUNT(empty); i++) {
        struct fixture f;
        assert_ok(parse(&f, empty[i]));
        assert_int_equal(vl_yaml_kind(f.root), VL_YAML_MAP);
        assert_int_equal(vl_yaml_size(f.root), 0);
        vl_arena_done(&f.arena);
    }
}

static void
refuses_what_hides_meaning(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: &x 1\n", "t.yaml:1:4: anchors"},
        {"a: 1\nb: *x\n", "t.yaml:2:4: anchors"},
        {"a: !!str 1\n", "t.yaml:1:4: tags"},
        {"a: !x [1]\n", "t.yaml:1:4: tags"},
        {"a: !x {b: 1}\n", "t.yaml:1:4: tags"},
        {"a: &x [1]\n", "t.yaml:1:4: anchors"},
        {"%YAML 1.1\n---\na: 1\n", "t.yaml:1:1: directives"},
        {"a: 1\n---\nb: 1\n", "t.yaml:2:1: a second document"},
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: this key stands in line 1 already"},
        {"x: {k: 1, k: 2}\n", "t.yaml:1:11: this key stands in line 1"},
        {"[a]: 1\n", "t.yaml:1:1: a key must be plain text"},
        {"a: \"\\0\"\n", "t.yaml:1:4: a zero byte"},
        {"a: [1\n", "t.yaml:2:1: this is not YAML"},
        {"a: 1\n b: 2\n", "t.yaml:2:3: this is not YAML"},
        {"\ta: 1\n", "t.yaml:1:1: this is not YAML"},
        {"a: \xff\n", "t.yaml:1:1: the text is not UTF-8"},
        {"a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", "t.yaml:1:19: lists and"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct fixture f;
        f.err.message[0] = '\0';
        assert_int_equal(parse(&f, cases[i].text), VALET_INVALID);
        if (strncmp(f.err.message, cases[i].message,
                    strlen(cases[i].message)) != 0)
            fail_msg("%s\n  gave: %s", cases[i].text, f.err.message);
        assert_null(f.root);
        vl_arena_done(&f.arena);
    }
}

static void
is_bounded_in_size_nodes_and_memory(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of((size_t)2 * VL_LIMIT_CONFIG);
    vl_buf_addz(&text, "[");
    for (size_t i = 0; i < VL_YAML_NODES; i++)
        vl_buf_addz(&text, "1,");
    vl_buf_addz(&text, "]");
    struct fixture f;
    assert_int_equal(parse(&f, vl_buf_cstr(&text)), VALET_INVALID);
    assert_non_null(strstr(f.err.message, "too many values"));
    vl_arena_done(&f.arena);

    struct vl_arena small = vl_arena_of(100);
    assert_int_equal(vl_yaml_parse("t", VL_STR("a: [1, 2, 3, 4, 5, 6]"), &small,
                                   &f.root, &f.err),
                     VALET_LIMIT);
    vl_arena_done(&small);

    vl_buf_clear(&text);
    while (vl_buf_size(&text) <= VL_LIMIT_CONFIG)
        vl_buf_addz(&text, "# filler\n");
    small = vl_arena_of(100);
    assert_int_equal(
        vl_yaml_parse("t", vl_buf_str(&text), &small, &f.root, &f.err),
        VALET_LIMIT);
    vl_arena_done(&small);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_kinds_texts_and_places),
        cmocka_unit_test(takes_absent_nodes),
        cmocka_unit_test(an_empty_text_is_an_empty_map),
        cmocka_unit_test(refuses_what_hides_meaning),
        cmocka_unit_test(is_bounded_in_size_nodes_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
