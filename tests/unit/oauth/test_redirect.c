/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "core/limits.h"
#include "oauth/redirect.h"

static valet_status
check(const char *uri)
{
    struct vl_str guarded = vl_test_guarded(vl_str_z(uri));
    valet_status status = vl_redirect_check(guarded, NULL);
    vl_test_unguard(guarded);
    return status;
}

static void
allows_what_real_clients_register(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://vscode.dev/redirect",
        "https://claude.ai/api/mcp/auth_callback",
        "https://host.example:8443/cb?tenant=1",
        "http://localhost:6274/oauth/callback",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
        "http://[::1]:1234/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "vscode://ms-vscode.ext/cb",
        "com.example.app:/oauth2redirect",
        "com.example.app://cb",
    };
    for (size_t i = 0; i < VL_COUNT(good); i++)
        assert_ok(check(good[i]));
}

/* @spec W-17 W-63 */
static void
refuses_dangerous_addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/callback",
        "callback",
        "javascript:alert(1)",
        "JavaScript://x/%0aalert(1)",
        "data:text/html,x",
        "data://x/y",
        "file:///etc/passwd",
        "blob:https://x/1",
        "vbscript:x",
        "about:blank",
        "view-source:https://x",
        "ms-msdt:/id",
        "ms-word://x",
        "search-ms:query=x",
        "http://evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://0x7f000001/cb",
        "http://user@localhost/cb",
        "https://user:pw@host.example/cb",
        "https://host.example/cb#fragment",
        "https://host.example/cb#",
        "https://host.example\\@evil.example/",
        "https://host.example/a b",
        "https://host.example/\n",
        "https:///cb",
        "myapp:cb",
        "myapp:/cb",
        "mailto:a@b",
        "urn:ietf:wg:oauth:2.0:oob",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        if (check(bad[i]) != VALET_INVALID)
            fail_msg("allowed: %s", bad[i]);
    }
}

static void
refuses_an_address_that_is_too_long(void **state)
{
    (void)state;
    char uri[VL_LIMIT_REDIRECT_URI + 2];
    memset(uri, 'a', sizeof uri);
    memcpy(uri, "https://a/", 10);
    assert_ok(vl_redirect_check(vl_str_of(uri, VL_LIMIT_REDIRECT_URI), NULL));
    assert_int_equal(
        vl_redirect_check(vl_str_of(uri, VL_LIMIT_REDIRECT_URI + 1), NULL),
        VALET_INVALID);
}

/* @spec AS-18 SB-05 W-52 */
static void
matches_exactly_but_for_the_loopback_port(void **state)
{
    (void)state;
    static const struct {
        const char *registered, *requested;
        bool same;
    } cases[] = {
        {"https://a.example/cb", "https://a.example/cb", true},
        {"https://a.example/cb", "https://a.example/cb/", false},
        {"https://a.example/cb", "https://A.example/cb", false},
        {"https://a.example/cb", "https://a.example:443/cb", false},
        {"https://a.example/cb", "https://a.example/cb?x=1", false},
        {"https://a.example/cb", "https://a.example/cb/../evil", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:5555/cb", true},
        {"http://127.0.0.1:1/cb", "http://127.0.0.1:5555/cb", true},
        {"http://localhost:1/cb", "http://localhost/cb", true},
        {"http://[::1]/cb", "http://[::1]:5555/cb", true},
        {"http://localhost/cb", "http://127.0.0.1/cb", false},
        {"http://127.0.0.1/cb", "http://[::1]/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:5/cb/", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:5/cb?x", false},
        {"http://127.0.0.1/cb", "https://127.0.0.1:5/cb", false},
        {"https://localhost/cb", "https://localhost:5/cb", false},
        {"http://127.0.0.1/", "http://127.0.0.1", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:5@evil.example/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:5#@evil.example/cb", false},
        {"cursor://a/cb", "cursor://a:1/cb", false},
        {"", "", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        if (vl_redirect_matches(vl_str_z(cases[i].registered),
                                vl_str_z(cases[i].requested)) != cases[i].same)
            fail_msg("%s and %s", cases[i].registered, cases[i].requested);
}

/* @spec W-71 AS-25 */
static void
adds_the_answer_to_what_the_query_already_has(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(4096);
    vl_redirect_write(
        &out, VL_STR("https://a.example/cb?x=1"),
        &(struct vl_redirect_answer){.code = VL_STR("c"),
                                     .state = VL_STR("s&error=x #\n"),
                                     .iss = VL_STR("https://valet.example")});
    assert_str(vl_buf_str(&out),
               "https://a.example/cb?x=1&code=c&state=s%26error%3Dx%20%23%0A"
               "&iss=https%3A%2F%2Fvalet.example");
}

/* Found by fuzzing. */
static void
does_not_take_a_path_for_a_query(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(4096);
    vl_redirect_write(
        &out, VL_STR("https://a.example/cb&"),
        &(struct vl_redirect_answer){.code = VL_STR("c"), .iss = VL_STR("i")});
    assert_str(vl_buf_str(&out), "https://a.example/cb&?code=c&iss=i");
}

static void
writes_no_state_when_there_was_none(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(4096);
    vl_redirect_write(
        &out, VL_STR("https://a.example/cb"),
        &(struct vl_redirect_answer){.error = "access_denied",
                                     .iss = VL_STR("https://valet.example")});
    assert_str(vl_buf_str(&out), "https://a.example/cb?error=access_denied&iss="
                                 "https%3A%2F%2Fvalet.example");
}

static void
tells_people_the_host_and_warns_of_local_ones(void **state)
{
    (void)state;
    assert_str(vl_redirect_host(VL_STR("https://a.example:8/cb")), "a.example");
    assert_str(vl_redirect_host(VL_STR("cursor://a/cb")), "cursor:");
    assert_false(vl_redirect_is_local(VL_STR("https://a.example/cb")));
    assert_true(vl_redirect_is_local(VL_STR("http://[::1]:5/cb")));
    assert_true(vl_redirect_is_local(VL_STR("cursor://a/cb")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_what_real_clients_register),
        cmocka_unit_test(refuses_dangerous_addresses),
        cmocka_unit_test(refuses_an_address_that_is_too_long),
        cmocka_unit_test(matches_exactly_but_for_the_loopback_port),
        cmocka_unit_test(adds_the_answer_to_what_the_query_already_has),
        cmocka_unit_test(does_not_take_a_path_for_a_query),
        cmocka_unit_test(writes_no_state_when_there_was_none),
        cmocka_unit_test(tells_people_the_host_and_warns_of_local_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
