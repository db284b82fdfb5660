/* SPDX-License-Identifier: Apache-2.0
 *
 * References at a base: the examples of RFC 3986 section 5.4, but for those
 * that are no URLs of ours, and what a server may say of itself.
 */
#include "vl_test.h"

#include "core/limits.h"
#include "http/url.h"

static valet_status
resolve(const char *at, const char *reference, struct vl_buf *out)
{
    struct vl_url base;
    assert_ok(vl_url_parse(vl_str_z(at), &base, NULL));
    return vl_url_resolve(&base, vl_str_z(reference), out, NULL);
}

static void
check(const char *at, const char *reference, const char *expected)
{
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_TARGET);
    assert_ok(resolve(at, reference, &out));
    assert_str(vl_buf_str(&out), expected);
}

static void
a_reference_is_resolved_as_the_standard_says(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y:z", "http://a/b/c/g?y:z"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        check("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
}

static void
a_base_may_have_no_path(void **state)
{
    (void)state;
    check("https://a.example:8443", "b", "https://a.example:8443/b");
    check("https://a.example:8443", "/b?c", "https://a.example:8443/b?c");
    check("https://a.example", "?c", "https://a.example/?c");
    check("https://a.example?d", "", "https://a.example/?d");
    check("https://a.example/b", "https://c.example/d", "https://c.example/d");
}

static void
what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"g#s",   "a b", "\\\\x",   "//u@b",
                                      "//b:x", "%",   "\xc3\xa4"};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_TARGET);
        assert_int_equal(resolve("http://a/b", bad[i], &out), VALET_INVALID);
    }
    vl_auto(vl_buf) small = vl_buf_of(9);
    assert_int_equal(resolve("http://a/b", "cd", &small), VALET_LIMIT);
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_TARGET);
    assert_int_equal(resolve("urn:a", "b", &out), VALET_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_is_resolved_as_the_standard_says),
        cmocka_unit_test(a_base_may_have_no_path),
        cmocka_unit_test(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
