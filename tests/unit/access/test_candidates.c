/* SPDX-License-Identifier: Apache-2.0 */
#include "access/candidates.h"

#include "access/address.h"
#include "vl_test.h"

#define R "/.well-known/oauth-protected-resource"
#define A "/.well-known/oauth-authorization-server"
#define O "/.well-known/openid-configuration"

static void
assert_list(const struct vl_candidates *list, const char *const wanted[3])
{
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(i < list->count, wanted[i] != NULL);
        if (wanted[i])
            assert_string_equal(list->urls[i], wanted[i]);
    }
}

/* @spec CL-02 */
static void
a_resource_is_looked_for_where_the_challenge_says_then_by_path_then_at_the_root(
    void **state)
{
    (void)state;
    static const struct {
        const char *server, *named, *wanted[3];
    } rows[] = {
        {"https://a.example/mcp",
         "",
         {"https://a.example" R "/mcp", "https://a.example" R}},
        {"https://a.example/x/mcp",
         "https://b.example/m.json",
         {"https://b.example/m.json", "https://a.example" R "/x/mcp",
          "https://a.example" R}},
        {"https://a.example/mcp",
         "https://a.example" R "/mcp",
         {"https://a.example" R "/mcp", "https://a.example" R}},
        {"https://a.example:8443/mcp/",
         "",
         {"https://a.example:8443" R "/mcp", "https://a.example:8443" R}},
        {"https://a.example/mcp?t=1",
         "",
         {"https://a.example" R "/mcp?t=1", "https://a.example" R}},
        {"https://a.example/", "", {"https://a.example" R}},
        {"https://a.example", "", {"https://a.example" R}},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_arena arena = vl_arena_of(16384);
        struct vl_candidates list;
        struct vl_url url;
        assert_ok(vl_url_parse(vl_str_z(rows[i].server), &url, NULL));
        vl_candidates_of_resource(&url, rows[i].named, &arena, &list);
        assert_list(&list, rows[i].wanted);
        vl_arena_done(&arena);
    }
}

/* @spec CL-03 */
static void
an_authorization_server_is_looked_for_in_the_three_forms_in_their_order(
    void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *wanted[3];
    } rows[] = {
        {"https://a.example/t/1",
         {"https://a.example" A "/t/1", "https://a.example" O "/t/1",
          "https://a.example/t/1" O}},
        {"https://a.example/t/",
         {"https://a.example" A "/t", "https://a.example" O "/t",
          "https://a.example/t" O}},
        {"https://a.example", {"https://a.example" A, "https://a.example" O}},
        {"https://a.example/", {"https://a.example" A, "https://a.example" O}},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_arena arena = vl_arena_of(16384);
        struct vl_candidates list;
        struct vl_url url;
        assert_ok(vl_url_parse(vl_str_z(rows[i].issuer), &url, NULL));
        vl_candidates_of_issuer(&url, &arena, &list);
        assert_list(&list, rows[i].wanted);
        vl_arena_done(&arena);
    }
}

/* @spec CL-19 CL-20 */
static void
only_https_is_gone_to_or_this_machine_from_this_machine(void **state)
{
    (void)state;
    static const struct {
        const char *address, *server;
        bool good;
    } rows[] = {
        {"https://b.example/x", "https://a.example", true},
        {"https://10.0.0.1/x", "https://a.example", true}, /* asked later */
        {"https://b.example/x", "http://localhost:1", true},
        {"http://127.0.0.1:5/x", "http://localhost:1", true},
        {"http://[::1]:5/x", "http://127.0.0.1:1", true},
        {"http://b.example/x", "https://a.example", false},
        {"http://b.example/x", "http://localhost:1", false},
        {"http://localhost/x", "https://a.example", false},
        {"https://127.0.0.1/x", "https://a.example", false},
        {"https://localhost/x", "https://a.example", false},
        {"javascript:alert(1)", "http://localhost:1", false},
        {"data:text/html,x", "http://localhost:1", false},
        {"file:///etc/passwd", "http://localhost:1", false},
        {"ftp://b.example/", "https://a.example", false},
        {"https://user@b.example/", "https://a.example", false},
        {"https://b.example/#x", "https://a.example", false},
        {"https://b.example/\n", "https://a.example", false},
        {"https://0x7f.1/", "https://a.example", false},
        {"/token", "https://a.example", false},
        {"", "https://a.example", false},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_url server;
        valet_error err;
        assert_ok(vl_url_parse(vl_str_z(rows[i].server), &server, NULL));
        valet_status status =
            vl_address_check(vl_str_z(rows[i].address), "it", &server, &err);
        if (status != (rows[i].good ? VALET_OK : VALET_DENIED))
            fail_msg("%s of %s", rows[i].address, rows[i].server);
    }
}

static void
an_address_has_a_longest(void **state)
{
    (void)state;
    char text[VL_ADDRESS_MAX + 2];
    struct vl_url server;
    assert_ok(vl_url_parse(VL_STR("https://a.example"), &server, NULL));
    memset(text, 'a', sizeof text);
    memcpy(text, "https://b.example/", 18);
    assert_ok(
        vl_address_check(vl_str_of(text, VL_ADDRESS_MAX), "it", &server, NULL));
    assert_int_equal(vl_address_check(vl_str_of(text, VL_ADDRESS_MAX + 1), "it",
                                      &server, NULL),
                     VALET_DENIED);
}

/* @spec CL-07 CL-16 */
static void
a_resource_covers_what_is_of_its_origin_and_below_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *resource, *server;
        bool good;
    } rows[] = {
        {"https://a.example/mcp", "https://a.example/mcp", true},
        {"https://a.example/mcp/", "https://a.example/mcp", true},
        {"https://a.example/mcp", "https://a.example/mcp/", true},
        {"https://a.example/mcp", "https://a.example/mcp/v1", true},
        {"https://A.EXAMPLE:443/mcp", "https://a.example/mcp", true},
        {"https://a.example", "https://a.example/mcp", true},
        {"https://a.example/", "https://a.example", true},
        {"https://a.example/mcp?t=1", "https://a.example/mcp?t=1", true},
        {"https://a.example/mcp", "https://a.example/mcp?t=1", true},
        {"https://a.example/mcp?t=2", "https://a.example/mcp?t=1", false},
        {"https://a.example/mc", "https://a.example/mcp", false},
        {"https://a.example/mcp/v1", "https://a.example/mcp", false},
        {"https://a.example/other", "https://a.example/mcp", false},
        {"https://evil.example/mcp", "https://a.example/mcp", false},
        {"https://a.example.evil.example/", "https://a.example/mcp", false},
        {"http://a.example/mcp", "https://a.example/mcp", false},
        {"https://a.example:8443/mcp", "https://a.example/mcp", false},
        {"https://a.example/mcp#f", "https://a.example/mcp", false},
        {"api://a", "https://a.example/mcp", false},
        {"", "https://a.example/mcp", false},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_url server;
        assert_ok(vl_url_parse(vl_str_z(rows[i].server), &server, NULL));
        if (vl_resource_covers(vl_str_z(rows[i].resource), &server) !=
            rows[i].good)
            fail_msg("%s of %s", rows[i].resource, rows[i].server);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_resource_is_looked_for_where_the_challenge_says_then_by_path_then_at_the_root),
        cmocka_unit_test(
            an_authorization_server_is_looked_for_in_the_three_forms_in_their_order),
        cmocka_unit_test(
            only_https_is_gone_to_or_this_machine_from_this_machine),
        cmocka_unit_test(an_address_has_a_longest),
        cmocka_unit_test(
            a_resource_covers_what_is_of_its_origin_and_below_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
