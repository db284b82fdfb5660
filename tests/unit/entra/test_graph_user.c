/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph_user.h"

#include "core/limits.h"
#include "vl_test.h"

#define WHOLE                                                                  \
    "{\"@odata.context\":\"https://graph.microsoft.com/x\",\"id\":\"1\","      \
    "\"displayName\":\"\xe0\xa6\xa8\",\"mail\":null,\"businessPhones\":"       \
    "[\"1\",\"2\"],\"userPrincipalName\":\"a@b.example\",\"secret\":{\"x\":1}" \
    "}"

static void
write_json(const char *user, const char *select, struct vl_buf *out)
{
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_str_z(user), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    vl_graph_user_write_json(doc.root, vl_str_z(select), out);
    assert_ok(vl_buf_check(out, NULL));
}

/* @spec S-44 W-42 */
static void
gives_what_was_selected_alone(void **state)
{
    (void)state;
    static const struct {
        const char *select, *json;
    } cases[] = {
        {"displayName", "{\"displayName\":\"\xe0\xa6\xa8\"}"},
        {"mail,id", "{\"id\":\"1\",\"mail\":null}"},
        {"businessPhones", "{\"businessPhones\":[\"1\",\"2\"]}"},
        {"jobTitle", "{}"},
        {"DisplayName", "{}"},
        {"display", "{}"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
        write_json(WHOLE, cases[i].select, &out);
        assert_str(vl_buf_str(&out), cases[i].json);
    }
}

static void
gives_all_but_annotations_by_itself(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    write_json(WHOLE, "", &out);
    assert_str(vl_buf_str(&out),
               "{\"id\":\"1\",\"displayName\":\"\xe0\xa6\xa8\",\"mail\":null,"
               "\"businessPhones\":[\"1\",\"2\"],\"userPrincipalName\":"
               "\"a@b.example\",\"secret\":{\"x\":1}}");
}

static void
write_lines(const char *user, struct vl_buf *out)
{
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_str_z(user), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    vl_graph_user_write_lines(doc.root, out);
}

/* @spec S-79 */
static void
has_a_line_for_each_thing_people_look_for(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    write_lines(WHOLE, &out);
    assert_str(vl_buf_str(&out), "User Details\nName: \xe0\xa6\xa8\nEmail: -"
                                 "\nUPN: a@b.example");
    vl_buf_clear(&out);
    write_lines("{\"mail\":\"\",\"displayName\":7}", &out);
    assert_str(vl_buf_str(&out), "User Details\nName: -\nEmail: -\nUPN: -");
}

static void
lets_nobody_forge_a_line(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    write_lines("{\"displayName\":\"A\\nUPN: admin\\u001b[1m\\u202e\"}", &out);
    assert_str(vl_buf_str(&out), "User Details\nName: A?UPN: admin?[1m???"
                                 "\nEmail: -\nUPN: -");
}

static void
write_schema(const char *select, struct vl_buf *out)
{
    vl_auto(vl_json) doc = {NULL};
    vl_graph_user_write_schema(vl_str_z(select), out);
    assert_ok(vl_json_parse(vl_buf_str(out), VL_LIMIT_JSON_DEPTH, &doc, NULL));
}

static void
describes_what_was_selected(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    write_schema("displayName,businessPhones,accountEnabled", &out);
    assert_str(vl_buf_str(&out),
               "{\"type\":\"object\",\"properties\":{\"displayName\":{\"type\":"
               "[\"string\",\"null\"]},\"businessPhones\":{\"type\":\"array\","
               "\"items\":{\"type\":\"string\"}},\"accountEnabled\":{}},"
               "\"additionalProperties\":false}");
}

static void
describes_all_that_graph_gives(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_json) doc = {NULL};
    write_schema("", &out);
    assert_ok(vl_json_parse(vl_buf_str(&out), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    assert_int_equal(vl_json_size(vl_json_get(doc.root, "properties")), 11);
    assert_null(vl_json_get(doc.root, "additionalProperties"));
}

static void
selects_names_alone(void **state)
{
    (void)state;
    vl_auto(vl_buf) many = vl_buf_of(1024);
    static const char *const bad[] = {"",      ",",     "a,",  ",a",
                                      "a,,b",  "a, b",  "a b", "a/b",
                                      "a&b=c", "a.b,c", "a\n", "@odata.type"};
    assert_true(vl_graph_select_is_valid(VL_STR(VL_GRAPH_SELECT_USUAL)));
    assert_true(vl_graph_select_is_valid(VL_STR(VL_GRAPH_SELECT_ALL)));
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_false(vl_graph_select_is_valid(vl_str_z(bad[i])));
    for (int i = 0; i < 32; i++)
        vl_buf_addz(&many, i ? ",a1" : "a1");
    assert_true(vl_graph_select_is_valid(vl_buf_str(&many)));
    vl_buf_addz(&many, ",b");
    assert_false(vl_graph_select_is_valid(vl_buf_str(&many)));
    vl_buf_clear(&many);
    for (int i = 0; i < 64; i++)
        vl_buf_addc(&many, 'a');
    assert_true(vl_graph_select_is_valid(vl_buf_str(&many)));
    vl_buf_addc(&many, 'a');
    assert_false(vl_graph_select_is_valid(vl_buf_str(&many)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_was_selected_alone),
        cmocka_unit_test(gives_all_but_annotations_by_itself),
        cmocka_unit_test(has_a_line_for_each_thing_people_look_for),
        cmocka_unit_test(lets_nobody_forge_a_line),
        cmocka_unit_test(describes_what_was_selected),
        cmocka_unit_test(describes_all_that_graph_gives),
        cmocka_unit_test(selects_names_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
