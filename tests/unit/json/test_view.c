/* SPDX-License-Identifier: Apache-2.0 */
#include "json/view.h"

#include "core/buf.h"
#include "core/limits.h"
#include "vl_test.h"
#include "json/write.h"

#define NODES 8

static struct vl_json_view
view_of(const struct vl_json_node *node)
{
    return (struct vl_json_view){NULL, node};
}

static void
scan(const char *text, struct vl_json_node nodes[NODES])
{
    assert_true(
        vl_json_scan_nodes(vl_str_z(text), VL_LIMIT_JSON_DEPTH, nodes, NODES));
}

static void
finds_what_is_held_without_a_document(void **state)
{
    (void)state;
    struct vl_json_node nodes[NODES];
    scan(" {\"a\":{\"x\":[1,\"u\"]}, \"b\":\"\xc3\xa4\",\"x\":true} ", nodes);
    struct vl_json_view top = view_of(nodes);
    assert_int_equal(nodes[0].span, 7);
    assert_str(vl_json_view_str(vl_json_view_get(top, VL_STR("b"))),
               "\xc3\xa4");
    struct vl_json_view a = vl_json_view_get(top, VL_STR("a"));
    assert_int_equal(vl_json_view_kind(a), VL_JSON_OBJECT);
    assert_int_equal(vl_json_view_kind(vl_json_view_get(a, VL_STR("x"))),
                     VL_JSON_ARRAY);
    assert_int_equal(vl_json_view_kind(vl_json_view_get(top, VL_STR("x"))),
                     VL_JSON_BOOL);
    assert_int_equal(vl_json_view_kind(vl_json_view_get(a, VL_STR("b"))),
                     VL_JSON_ABSENT);
    assert_null(vl_json_view_str(a).p);
}

static void
looks_at_documents_in_the_same_way(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_int_equal(
        vl_json_parse(VL_STR("{\"a\":{\"b\":\"c\\n\"}}"), 9, &doc, NULL),
        VALET_OK);
    struct vl_json_view a =
        vl_json_view_get((struct vl_json_view){doc.root, NULL}, VL_STR("a"));
    assert_str(vl_json_view_str(vl_json_view_get(a, VL_STR("b"))), "c\n");
    assert_int_equal(vl_json_view_kind(vl_json_view_get(a, VL_STR("c"))),
                     VL_JSON_ABSENT);
}

static void
takes_objects_alone_and_nothing_after_them(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",          "1", "[]", "{} {}", "{", "{\"a\"}", "{\"a\":1,\"a\":2}",
        "{\"a\":01}"};
    struct vl_json_node nodes[NODES];
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_false(vl_json_scan_nodes(vl_str_z(cases[i]), VL_LIMIT_JSON_DEPTH,
                                        nodes, NODES));
}

static void
tells_what_is_not_plain(void **state)
{
    (void)state;
    static const char *const cases[] = {"{\"a\":[\"\\n\"]}", "{\"a\":[1.0]}",
                                        "{\"a\":[-0]}",
                                        /* more than there is room for */
                                        "{\"a\":[1,2,3,4,5,6,7,8]}"};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_json_node nodes[NODES];
        scan(cases[i], nodes);
        assert_true(nodes[0].is_plain);
        assert_false(vl_json_node_is_plain(nodes, NULL));
        assert_true(vl_json_node_is_plain(
            nodes, vl_json_view_get(view_of(nodes), VL_STR("a")).node));
    }
}

static void
notes_what_comes_after_a_crowd(void **state)
{
    (void)state;
    struct vl_json_node nodes[NODES];
    scan("{\"a\":[0,[1,[2,3]],4,5,6,7,8,9],\"b\":{\"c\":\"d\"}}", nodes);
    struct vl_json_view b = vl_json_view_get(view_of(nodes), VL_STR("b"));
    assert_int_equal(nodes[0].span, 4);
    assert_str(nodes[1].text, "[0,[1,[2,3]],4,5,6,7,8,9]");
    assert_false(nodes[1].is_plain);
    assert_str(vl_json_view_str(vl_json_view_get(b, VL_STR("c"))), "d");
}

static void
builds_what_the_parser_builds(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{}",
        "{\"a\":[],\"b\":{}}",
        "{\"a\":[true,false,null,\"\",\"\xe2\x82\xac\"]}",
        "{\"a\":999999999999999999,\"b\":-999999999999999999,\"c\":0}",
        "{\"a\":[\"\\u20ac\\n\",1.5,-0],\"\":{\"x\":{\"y\":[1]}}}",
        "{\"z\":1,\"a\":[0,1,2,3,4,5,6,[7],8,9],\"b\":2}",
        "{\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8}",
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_json_node nodes[NODES];
        vl_auto(vl_json) built = {NULL};
        vl_auto(vl_json) parsed = {NULL};
        vl_auto(vl_buf) one = vl_buf_of(1000);
        vl_auto(vl_buf) two = vl_buf_of(1000);
        scan(cases[i], nodes);
        assert_int_equal(vl_json_node_build(nodes, &built), VALET_OK);
        assert_int_equal(vl_json_parse(vl_str_z(cases[i]), VL_LIMIT_JSON_DEPTH,
                                       &parsed, NULL),
                         VALET_OK);
        vl_json_add_value(&(struct vl_json_out){&one, false}, NULL, built.root);
        vl_json_add_value(&(struct vl_json_out){&two, false}, NULL,
                          parsed.root);
        assert_string_equal(vl_buf_cstr(&one), vl_buf_cstr(&two));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_held_without_a_document),
        cmocka_unit_test(looks_at_documents_in_the_same_way),
        cmocka_unit_test(takes_objects_alone_and_nothing_after_them),
        cmocka_unit_test(tells_what_is_not_plain),
        cmocka_unit_test(notes_what_comes_after_a_crowd),
        cmocka_unit_test(builds_what_the_parser_builds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
