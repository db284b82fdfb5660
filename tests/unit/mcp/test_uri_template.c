/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/uri_template.h"

#include "vl_test.h"

static struct vl_uri_template *
template_of(const char *text)
{
    struct vl_uri_template *tmpl = NULL;
    assert_ok(vl_uri_template_new(text, &tmpl, NULL));
    assert_non_null(tmpl);
    return tmpl;
}

static void
note(struct vl_str name, struct vl_str value, void *ctx)
{
    struct vl_buf *found = ctx;
    vl_buf_add(found, name);
    vl_buf_addc(found, '=');
    vl_buf_add(found, value);
    vl_buf_addc(found, ';');
}

/* "a=1;b=2;", or NULL when it does not fit. */
static const char *
read_uri(const char *text, const char *uri, struct vl_buf *found)
{
    struct vl_uri_template *tmpl = template_of(text);
    struct vl_str guarded = vl_test_guarded(vl_str_z(uri));
    *found = vl_buf_of(1 << 16);
    bool fits = vl_uri_template_match(tmpl, guarded, note, found);
    assert_int_equal(vl_uri_template_match(tmpl, guarded, NULL, NULL), fits);
    vl_test_unguard(guarded);
    vl_uri_template_free(tmpl);
    if (!fits)
        assert_int_equal(vl_buf_size(found), 0);
    return fits ? vl_buf_cstr(found) : NULL;
}

static void
reads_the_values_of_a_uri_that_fits(void **state)
{
    static const struct {
        const char *text, *uri, *found;
    } cases[] = {
        {"test://template/{id}/data", "test://template/123/data", "id=123;"},
        {"note://{id}", "note://a", "id=a;"},
        {"{all}", "urn:x", "all=urn:x;"},
        {"a:{x}-{y}", "a:1-2", "x=1;y=2;"},
        /* The shortest from the left, and the last one is the rest. */
        {"a:{x}-{y}", "a:1-2-3", "x=1;y=2-3;"},
        {"a:{x}.txt", "a:b.txt.txt", "x=b.txt;"},
        {"a:{x}-{y}.c", "a:1-2.c-3.c", "x=1;y=2.c-3;"},
        {"a:{x}--{y}", "a:----", "x=-;y=-;"},
        {"a:{x}aa{y}", "a:aaaa", "x=a;y=a;"},
        {"a:{x}/{y}/z", "a:1/2/z", "x=1;y=2;"},
        {"a:{x}a/a{y}", "a:xa/aa/a", NULL},
        {"a:{x}a/a{y}", "a:xaa/aa", "x=xa;y=a;"},
        /* Decoded, and a '%' belongs to what it encodes. */
        {"a:{x}", "a:%C3%A9%5C%20+", "x=é\\ +;"},
        {"a:{x}2{y}", "a:%202y", "x= ;y=y;"},
        {"a:{x}20{y}", "a:b%20c20d", "x=b c;y=d;"},
        {"a:{x}%20{y}", "a:%2520%20z", "x=%20;y=z;"},
        {"a:{x}", "a:~?b#c", "x=~?b#c;"},
        {"a:{x}", "a:...", "x=...;"},
        {"a:{x}/{y}", "a:.b/..c", "x=.b;y=..c;"},
        {"a:{x}%61", "a:b%61", "x=b;"},
        {"a:{snake_case.v1}", "a:x", "snake_case.v1=x;"},
        {"plain://text", "plain://text", ""},
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_buf found;
        const char *got = read_uri(cases[i].text, cases[i].uri, &found);
        if (!got != !cases[i].found ||
            (got && strcmp(got, cases[i].found) != 0))
            fail_msg("%s of %s: %s", cases[i].text, cases[i].uri,
                     got ? got : "does not fit");
        vl_buf_done(&found);
    }
}

static void
a_uri_that_does_not_fit_calls_nobody(void **state)
{
    static const char *const cases[][2] = {
        {"a:{x}/b", "a:/b"}, /* empty */
        {"a:{x}", "a:"},
        {"a:{x}-{y}", "a:1-"},
        {"a:{x}-{y}", "a:-2"},
        {"a:{x}-{y}", "a:12"},
        {"a:{x}", "a:1/2"}, /* a slash */
        {"a:{x}/b", "a:1/2/b"},
        {"a:{x}-{y}", "a:1/-2"},
        {"a:{x}-{y}", "a:1-2/3"},
        {"a:{x}/b", "a:1/b/"}, /* more behind it */
        {"a:{x}/b", "a:1/bb"},
        {"a:{x}/b", "a:1/"},
        {"a:{x}/b", "A:1/b"}, /* case */
        {"a:{x}/b", "xa:1/b"},
        {"a:{x}/b", ""},
        {"plain:", "plain:x"},
        {"plain:", "plain"},
        {"a:{x}", "a:%"}, /* no bytes */
        {"a:{x}", "a:%4"},
        {"a:{x}", "a:%4g"},
        {"a:{x}-{y}", "a:%-1-2"},
        {"a:{x}", "a:%00"}, /* NUL */
        {"a:{x}", "a:b%00c"},
        {"a:{x}-{y}", "a:b-%ff"}, /* not UTF-8 */
        {"a:{x}", "a:%C3"},
        {"a:{x}%A9", "a:%C3%A9"},
        {"a:{x}-{y}", "a:%C3-%A9"},
        {"a:{x}", "a:%ED%A0%80"},
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_buf found;
        if (read_uri(cases[i][0], cases[i][1], &found))
            fail_msg("%s of %s: %s", cases[i][0], cases[i][1],
                     vl_buf_cstr(&found));
        vl_buf_done(&found);
    }
}

/* Or what one may not read would be had from a template by another name. */
static void
a_value_has_one_spelling(void **state)
{
    static const char *const others[] = {
        "a:%31", "a:b%41", "a:%7A",    "a:%7Eb",   "a:%2D",
        "a:%2E", "a:%5F",  "a:%c3%a9", "a:%C3%a9", "a:é",
        "a:b c", "a:<b>",  "a:b|",     "a:b\x7f",  "a:\t"};
    /* What would be no name of one thing in a folder. */
    static const char *const paths[] = {"a:%2F", "a:b%2Fc", "a:..%2Fb", "a:..",
                                        "a:."};
    struct vl_buf found;
    (void)state;
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        if (read_uri("a:{x}", others[i], &found))
            fail_msg("%s: %s", others[i], vl_buf_cstr(&found));
        vl_buf_done(&found);
    }
    for (size_t i = 0; i < VL_COUNT(paths); i++) {
        if (read_uri("a:{x}", paths[i], &found))
            fail_msg("%s: %s", paths[i], vl_buf_cstr(&found));
        vl_buf_done(&found);
    }
}

static void
other_expressions_are_refused(void **state)
{
    static const char *const cases[] = {
        "",          "a:{}",      "a:{x",       "a:x}",     "a:{x}}",
        "a:{{x}}",   "a:{+x}",    "a:{#x}",     "a:{.x}",   "a:{/x}",
        "a:{;x}",    "a:{?x}",    "a:{&x}",     "a:{x,y}",  "a:{x*}",
        "a:{x:3}",   "a:{ x}",    "a:{x }",     "a:{x.}",   "a:{x..y}",
        "a:{x%20}",  "a:{x-y}",   "a:{é}",      "a:{x}{y}", "a:{x}/{x}",
        "a:b c/{x}", "a:%/{x}",   "a:%2/{x}",   "a:é/{x}",  "a:\x01/{x}",
        "a:<b>/{x}", "a:\"/{x}",  "a:\\/{x}",   "a:^/{x}",  "a:`/{x}",
        "a:|/{x}",   "a:{x}\x7f", "a:{x}/b%zz", "{",        "}"};
    (void)state;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_uri_template *tmpl = NULL;
        valet_error err = {.message = ""};
        if (vl_uri_template_new(cases[i], &tmpl, &err) != VALET_INVALID)
            fail_msg("taken: %s", cases[i]);
        assert_null(tmpl);
        assert_non_null(strstr(err.message, "the URI template "));
    }
    vl_uri_template_free(NULL);
}

static void
knows_its_variables(void **state)
{
    (void)state;
    struct vl_uri_template *tmpl = template_of("a:{one}/{two}");
    assert_true(vl_uri_template_has(tmpl, VL_STR("one")));
    assert_true(vl_uri_template_has(tmpl, VL_STR("two")));
    assert_false(vl_uri_template_has(tmpl, VL_STR("tw")));
    assert_false(vl_uri_template_has(tmpl, VL_STR("One")));
    assert_false(vl_uri_template_has(tmpl, VL_STR("")));
    vl_uri_template_free(tmpl);
}

static void
write_many(struct vl_buf *text, size_t count, bool as_values)
{
    *text = vl_buf_of(4096);
    vl_buf_addz(text, "a:");
    for (size_t i = 0; i < count; i++)
        vl_buf_addf(text, as_values ? "/%zu" : "/{v%zu}", i);
}

static void
variables_and_lengths_are_bounded(void **state)
{
    (void)state;
    struct vl_uri_template *tmpl = NULL;
    struct vl_buf text, uri, found = vl_buf_of(4096);
    write_many(&text, VL_URI_TEMPLATE_VARIABLES + 1, false);
    assert_int_equal(vl_uri_template_new(vl_buf_cstr(&text), &tmpl, NULL),
                     VALET_INVALID);
    vl_buf_done(&text);
    write_many(&text, VL_URI_TEMPLATE_VARIABLES, false);
    write_many(&uri, VL_URI_TEMPLATE_VARIABLES, true);
    assert_ok(vl_uri_template_new(vl_buf_cstr(&text), &tmpl, NULL));
    assert_true(vl_uri_template_match(tmpl, vl_buf_str(&uri), note, &found));
    assert_true(vl_str_ends(vl_buf_str(&found), VL_STR(";v14=14;v15=15;")));
    vl_uri_template_free(tmpl);
    vl_buf_done(&text);
    vl_buf_done(&uri);
    vl_buf_done(&found);

    static char longest[VL_URI_TEMPLATE_URI_MAX + 2];
    memset(longest, 'a', sizeof longest - 1);
    tmpl = template_of("{x}");
    struct vl_str fits = {longest, VL_URI_TEMPLATE_URI_MAX};
    assert_true(vl_uri_template_match(tmpl, fits, NULL, NULL));
    fits.n++;
    assert_false(vl_uri_template_match(tmpl, fits, NULL, NULL));
    /* As it came, not as it is decoded. */
    for (size_t i = 0; i + 3 <= fits.n; i += 3)
        memcpy(longest + i, "%20", 3);
    assert_false(vl_uri_template_match(tmpl, fits, NULL, NULL));
    fits.n -= 3;
    assert_true(vl_uri_template_match(tmpl, fits, NULL, NULL));
    memset(longest, 'a', sizeof longest - 1);
    vl_uri_template_free(tmpl);

    longest[VL_URI_TEMPLATE_MAX] = '\0';
    vl_uri_template_free(template_of(longest));
    longest[VL_URI_TEMPLATE_MAX] = 'a';
    longest[VL_URI_TEMPLATE_MAX + 1] = '\0';
    assert_int_equal(vl_uri_template_new(longest, &tmpl, NULL), VALET_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_values_of_a_uri_that_fits),
        cmocka_unit_test(a_uri_that_does_not_fit_calls_nobody),
        cmocka_unit_test(a_value_has_one_spelling),
        cmocka_unit_test(other_expressions_are_refused),
        cmocka_unit_test(knows_its_variables),
        cmocka_unit_test(variables_and_lengths_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
