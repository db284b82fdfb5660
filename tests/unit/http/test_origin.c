/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may ask, by which name. That browsers are told so is tested where a
 * server is: gateway/test_gateway.c and the end-to-end tests.
 */
#include "vl_test.h"

#include "http/origin.h"

static struct vl_origin_rules
rules_of(const char *url)
{
    struct vl_origin_rules rules;
    vl_origin_rules_init(&rules, url, 3001);
    return rules;
}

/* @spec SB-14 W-22 HT-01 */
static void
knows_the_names_of_a_loopback_with_its_port(void **state)
{
    (void)state;
    static const char *const ours[] = {"localhost:3001", "LocalHost:3001",
                                       "127.0.0.1:3001", "[::1]:3001"};
    static const char *const foreign[] = {
        "",          "localhost",      "localhost:80",      "localhost:30010",
        "127.0.0.1", "127.0.0.2:3001", "evil.example:3001", "0.0.0.0:3001",
        "[::]:3001", "::1:3001",       "localhost.:3001",   "localhost:3001.",
        "[::1]",     "localhost:",     "xlocalhost:3001",   "localhost:3001 "};
    static const char *const urls[] = {
        "http://localhost:3001", "http://127.0.0.1:3001", "http://[::1]:3001"};
    for (size_t u = 0; u < VL_COUNT(urls); u++) {
        struct vl_origin_rules rules = rules_of(urls[u]);
        assert_true(rules.is_loopback);
        for (size_t i = 0; i < VL_COUNT(ours); i++)
            assert_true(vl_origin_is_our_host(&rules, vl_str_z(ours[i])));
        for (size_t i = 0; i < VL_COUNT(foreign); i++)
            if (vl_origin_is_our_host(&rules, vl_str_z(foreign[i])))
                fail_msg("%s: %s", urls[u], foreign[i]);
    }
}

static void
a_public_server_is_not_called_localhost(void **state)
{
    (void)state;
    struct vl_origin_rules rules = rules_of("https://mcp.example.com");
    assert_true(rules.is_https);
    assert_false(rules.is_loopback);
    assert_true(vl_origin_is_our_host(&rules, VL_STR("mcp.example.com")));
    assert_true(vl_origin_is_our_host(&rules, VL_STR("mcp.example.com:443")));
    assert_false(vl_origin_is_our_host(&rules, VL_STR("mcp.example.com:3001")));
    assert_false(vl_origin_is_our_host(&rules, VL_STR("localhost:3001")));
}

static enum vl_origin
judge(const struct vl_origin_rules *rules, const char *first,
      const char *second)
{
    struct vl_headers headers = {.count = 0};
    struct vl_str origin;
    if (first)
        assert_true(
            vl_headers_add(&headers, VL_STR("Origin"), vl_str_z(first)));
    if (second)
        assert_true(
            vl_headers_add(&headers, VL_STR("origin"), vl_str_z(second)));
    enum vl_origin verdict = vl_origin_judge(rules, &headers, &origin);
    if (first)
        assert_str(origin, first);
    else
        assert_null(origin.p);
    return verdict;
}

/* @spec HT-01 HT-02 */
static void
lets_pages_beside_us_and_those_that_were_named_call(void **state)
{
    (void)state;
    static const char *const named[] = {"https://inspector.example"};
    static const struct {
        const char *origin;
        enum vl_origin at_home, in_public;
    } cases[] = {
        {"http://localhost:6274", VL_ORIGIN_ALLOWED, VL_ORIGIN_FOREIGN},
        {"http://127.0.0.1", VL_ORIGIN_ALLOWED, VL_ORIGIN_FOREIGN},
        {"http://[::1]:9", VL_ORIGIN_ALLOWED, VL_ORIGIN_FOREIGN},
        {"https://INSPECTOR.example:443", VL_ORIGIN_ALLOWED, VL_ORIGIN_ALLOWED},
        {"https://mcp.example.com", VL_ORIGIN_FOREIGN, VL_ORIGIN_ALLOWED},
        {"http://mcp.example.com", VL_ORIGIN_FOREIGN, VL_ORIGIN_FOREIGN},
        {"https://inspector.example/x", VL_ORIGIN_FOREIGN, VL_ORIGIN_FOREIGN},
        {"http://localhost.evil.example", VL_ORIGIN_FOREIGN, VL_ORIGIN_FOREIGN},
        {"null", VL_ORIGIN_FOREIGN, VL_ORIGIN_FOREIGN},
        {"", VL_ORIGIN_FOREIGN, VL_ORIGIN_FOREIGN},
    };
    struct vl_origin_rules home = rules_of("http://localhost:3001");
    struct vl_origin_rules in_public = rules_of("https://mcp.example.com");
    home.allowed = in_public.allowed = named;
    home.allowed_count = in_public.allowed_count = VL_COUNT(named);
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        if (judge(&home, cases[i].origin, NULL) != cases[i].at_home ||
            judge(&in_public, cases[i].origin, NULL) != cases[i].in_public)
            fail_msg("%s", cases[i].origin);
    assert_int_equal(judge(&home, NULL, NULL), VL_ORIGIN_NONE);
    assert_int_equal(
        judge(&home, "http://localhost:3001", "http://localhost:3001"),
        VL_ORIGIN_FOREIGN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_names_of_a_loopback_with_its_port),
        cmocka_unit_test(a_public_server_is_not_called_localhost),
        cmocka_unit_test(lets_pages_beside_us_and_those_that_were_named_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
