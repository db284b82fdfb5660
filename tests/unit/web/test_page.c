/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "web/page.h"

#define OUT_MAX 65536

static valet_status
render(const struct vl_page *page, const char *text, struct vl_buf *out)
{
    struct vl_str guarded = vl_test_guarded(vl_str_z(text));
    vl_buf_done(out);
    valet_status status = vl_page_render_text(page, guarded, out, NULL);
    vl_test_unguard(guarded);
    return status;
}

static void
check(const struct vl_page *page, const char *text, const char *wanted)
{
    vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
    assert_ok(render(page, text, &out));
    assert_str(vl_buf_str(&out), wanted);
}

static void
check_refused(const struct vl_page *page, const char *text)
{
    vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
    assert_int_equal(render(page, text, &out), VALET_INVALID);
}

static struct vl_page
sample_page(void)
{
    static const struct vl_page_var rows[] = {
        {"text", {"<one>", 5}},
        {"hint", {"", 0}},
        {"text", {"two", 3}},
        {"hint", {"h", 1}},
    };
    struct vl_page page = {.asset = "sample"};
    vl_page_set(&page, "name", VL_STR("Ada"));
    vl_page_set(&page, "empty", VL_STR(""));
    vl_page_set_list(&page, &(struct vl_page_list){"rows", rows, 2, 2});
    vl_page_set_list(&page, &(struct vl_page_list){"none", rows, 0, 2});
    return page;
}

static void
shows_values_sections_and_lists(void **state)
{
    (void)state;
    struct vl_page page = sample_page();
    check(&page, "", "");
    check(&page, "a}}b{c}", "a}}b{c}");
    check(&page, "Hi {{name}}!", "Hi Ada!");
    check(&page, "{{#name}}yes{{/name}}{{^name}}no{{/name}}", "yes");
    check(&page, "{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", "no");
    check(&page, "{{#nowhere}}yes{{/nowhere}}{{^nowhere}}no{{/nowhere}}", "no");
    check(&page, "{{#rows}}[{{text}}{{#hint}}+{{name}}{{/hint}}]{{/rows}}",
          "[&lt;one&gt;][two+Ada]");
    check(&page, "{{#none}}x{{/none}}{{^none}}nobody{{/none}}", "nobody");
    check(&page, "{{#name}}{{#name}}{{name}}{{/name}}{{/name}}", "Ada");
}

static void
refuses_faulty_templates(void **state)
{
    (void)state;
    struct vl_page page = sample_page();
    static const char *const faults[] = {
        "{{",
        "{{name",
        "{{}}",
        "{{ name }}",
        "{{&name}}",
        "{{{name}}}",
        "{{nowhere}}",
        "{{#name}}",
        "{{/name}}",
        "{{#name}}x{{/empty}}",
        "{{#name}}{{#empty}}{{/name}}{{/empty}}",
        "{{Name}}",
        "{{#}}{{/}}",
        "{{a_name_that_is_longer_than_any_may_be}}",
        "{{text}}",
        "{{#rows}}{{#rows}}x{{/rows}}{{/rows}}",
    };
    for (size_t i = 0; i < VL_COUNT(faults); i++)
        check_refused(&page, faults[i]);
}

static void
bounds_nesting_and_output(void **state)
{
    (void)state;
    struct vl_page page = sample_page();
    vl_auto(vl_buf) text = vl_buf_of(OUT_MAX);
    for (int i = 0; i < 9; i++)
        vl_buf_addz(&text, "{{#name}}");
    for (int i = 0; i < 9; i++)
        vl_buf_addz(&text, "{{/name}}");
    check_refused(&page, vl_buf_cstr(&text));

    vl_auto(vl_buf) small = vl_buf_of(8);
    assert_int_equal(render(&page, "a longer text", &small), VALET_LIMIT);
}

/* @spec W-69 */
static void
refuses_values_that_are_not_utf8(void **state)
{
    (void)state;
    struct vl_page page = {.asset = "x"};
    vl_page_set(&page, "name", VL_STR("\xc0\xaf"));
    check_refused(&page, "{{name}}");
}

static void
never_reads_a_value_as_template(void **state)
{
    (void)state;
    struct vl_page page = {.asset = "x"};
    vl_page_set(&page, "name", VL_STR("{{secret}}{{#name}}"));
    vl_page_set(&page, "secret", VL_STR("s"));
    check(&page, "{{name}}", "{{secret}}{{#name}}");
}

static void
keeps_other_scripts_and_hides_controls(void **state)
{
    (void)state;
    struct vl_page page = {.asset = "x"};
    vl_page_set(&page, "name", VL_STR("অনন্যা রায়"));
    vl_page_set(&page, "bad", vl_str_of("a\0\x1b\x7f\nb", 6));
    check(&page, "{{name}}", "অনন্যা রায়");
    check(&page, "{{bad}}", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\nb");
}

/* The names each page may be given; what a page does not use is ignored. */
static const char *const names[] = {
    "client_name",  "client_id",     "client_host", "redirect_host",
    "redirect_uri", "resource",      "is_loopback", "action",
    "flow",         "csrf",          "provider",    "user",
    "title",        "url",           "advice",      "correlation",
    "sign_in",      "name",          "version",     "program",
    "account",      "is_remembered", "command",
};

static const char *const attacks[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><svg/onload=alert(1)>",
    "&lt;script&gt;",
    "--><script>",
    "{{csrf}}<b>",
};

static size_t
count_of(struct vl_str text, const char *needle)
{
    size_t n = strlen(needle), count = 0;
    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, needle, n) == 0)
            count++;
    return count;
}

static void
render_with(const char *asset, struct vl_str value, struct vl_buf *out)
{
    struct vl_page page = {.asset = asset};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        vl_page_set(&page, names[i], value);
    struct vl_page_var row = {"text", value};
    vl_page_set_list(&page, &(struct vl_page_list){"scopes", &row, 1, 1});
    vl_buf_done(out);
    assert_ok(vl_page_render(&page, out, NULL));
}

/*
 * Whatever the values are, the page has exactly the tags and quotes it has
 * with harmless ones. @spec W-69
 */
static void
lets_no_value_become_markup(void **state)
{
    (void)state;
    static const char *const marks[] = {"<", ">", "\"", "'"};
    for (const struct vl_asset *a = vl_web_assets; a->name; a++) {
        vl_auto(vl_buf) plain = vl_buf_of(OUT_MAX);
        vl_auto(vl_buf) hostile = vl_buf_of(OUT_MAX);
        render_with(a->name, VL_STR("x"), &plain);
        for (size_t i = 0; i < VL_COUNT(attacks); i++) {
            render_with(a->name, vl_str_z(attacks[i]), &hostile);
            for (size_t m = 0; m < VL_COUNT(marks); m++)
                assert_int_equal(count_of(vl_buf_str(&hostile), marks[m]),
                                 count_of(vl_buf_str(&plain), marks[m]));
        }
    }
}

static void
every_page_is_a_whole_document(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "<!doctype html>",
        "<html lang=\"en\">",
        "<meta charset=\"utf-8\">",
        "name=\"viewport\"",
        "</title>",
        "<style>",
        "prefers-color-scheme",
        "</html>",
    };
    for (const struct vl_asset *a = vl_web_assets; a->name; a++) {
        vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
        render_with(a->name, VL_STR("x"), &out);
        for (size_t i = 0; i < VL_COUNT(parts); i++)
            assert_int_equal(count_of(vl_buf_str(&out), parts[i]), 1);
        assert_int_equal(count_of(vl_buf_str(&out), "<script"), 0);
        assert_int_equal(count_of(vl_buf_str(&out), " style="), 0);
        assert_int_equal(count_of(vl_buf_str(&out), "@STYLE@"), 0);
    }
}

static void
asks_for_consent_with_both_decisions(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
    render_with("consent", VL_STR("x"), &out);
    struct vl_str text = vl_buf_str(&out);
    assert_int_equal(count_of(text, "name=\"decision\" value=\"approve\""), 1);
    assert_int_equal(count_of(text, "name=\"decision\" value=\"deny\""), 1);
    assert_int_equal(count_of(text, "Any program on this computer"), 1);
    assert_int_equal(count_of(text, "name=\"csrf\" value=\"x\""), 1);
    assert_int_equal(count_of(text, "name=\"flow\" value=\"x\""), 1);
}

static void
does_not_know_other_pages(void **state)
{
    (void)state;
    struct vl_page page = {.asset = "../consent"};
    vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
    assert_int_equal(vl_page_render(&page, &out, NULL), VALET_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_values_sections_and_lists),
        cmocka_unit_test(refuses_faulty_templates),
        cmocka_unit_test(bounds_nesting_and_output),
        cmocka_unit_test(refuses_values_that_are_not_utf8),
        cmocka_unit_test(never_reads_a_value_as_template),
        cmocka_unit_test(keeps_other_scripts_and_hides_controls),
        cmocka_unit_test(lets_no_value_become_markup),
        cmocka_unit_test(every_page_is_a_whole_document),
        cmocka_unit_test(asks_for_consent_with_both_decisions),
        cmocka_unit_test(does_not_know_other_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
