/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "core/limits.h"
#include "http/url.h"

/* Parses a copy that ends at an unreadable page. */
static bool
parses(const char *text)
{
    struct vl_str s = vl_test_guarded(vl_str_z(text));
    struct vl_url url;
    valet_error err = {0};
    valet_status status = vl_url_parse(s, &url, &err);
    vl_test_unguard(s);
    assert_true(status == VALET_OK || status == VALET_INVALID);
    assert_true(status == VALET_OK || err.message[0] != '\0');
    return status == VALET_OK;
}

static struct vl_url
url_of(const char *text)
{
    struct vl_url url;
    assert_ok(vl_url_parse(vl_str_z(text), &url, NULL));
    return url;
}

static void
takes_a_url_apart(void **state)
{
    (void)state;
    struct vl_url url = url_of("HTTPS://Example.com:8443/a/b%20c?x=1&y=?/");
    assert_str(url.scheme, "HTTPS");
    assert_str(url.host, "Example.com");
    assert_str(url.origin, "HTTPS://Example.com:8443");
    assert_str(url.path, "/a/b%20c");
    assert_str(url.query, "x=1&y=?/");
    assert_int_equal(url.port, 8443);
    assert_true(url.has_authority && url.has_query && !url.is_ipv6);
    assert_true(vl_url_is_https(&url) && vl_url_is_http(&url));
}

static void
fills_in_ports_and_empty_parts(void **state)
{
    (void)state;
    struct vl_url url = url_of("http://a.example");
    assert_int_equal(url.port, 80);
    assert_str(url.path, "");
    assert_false(url.has_query);
    assert_int_equal(url_of("https://a.example?").port, 443);
    assert_true(url_of("https://a.example?").has_query);
    url = url_of("cursor://anysphere/callback");
    assert_int_equal(url.port, 0);
    assert_str(url.host, "anysphere");
    assert_false(vl_url_is_http(&url));
    url = url_of("com.example.app:/cb?x");
    assert_false(url.has_authority);
    assert_str(url.path, "/cb");
    assert_str(url.query, "x");
    assert_true(parses("myapp:///cb"));
    assert_true(parses("urn:ietf:wg:oauth:2.0:oob"));
    assert_true(parses("https://a_b.example/~u;v=1/(x)'*!$,@:"));
    assert_true(
        parses("https://login.microsoftonline.com/x/oauth2/v2.0/token"));
}

/* @spec S-91 W-17 */
static void
refuses_what_readers_could_read_in_two_ways(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/path",
        "//host/path",
        "host.example/path",
        ":x",
        "1http://a/",
        "ht tp://a/",
        "http:",
        "http:/a.example/",
        "http:a.example",
        "http://",
        "http:///path",
        "https://?x",
        "http://user@a.example/",
        "http://user:pw@a.example/",
        "http://@a.example/",
        "http://a.example@b.example/",
        "http://a.example/#f",
        "http://a.example/#",
        "http://a.example#@b.example/",
        "http://a.example\\@b.example/",
        "http:\\\\a.example\\",
        "http://a.example/a\\b",
        "http://a.example/ ",
        " http://a.example/",
        "http://a.example/\t",
        "http://a.example/\r\nX: y",
        "http://a.example/\x7f",
        "http://a.example/\xc3\xa9",
        "http://\xc3\xa9.example/",
        "http://a.example/%",
        "http://a.example/%4",
        "http://a.example/%4g",
        "http://a.example/?%zz",
        "http://a%2eexample/",
        "http://%61.example/",
        "http://a..example/",
        "http://.example/",
        "http://a.example./",
        "http://a.example:/",
        "http://a.example:0/",
        "http://a.example:080/",
        "http://a.example:+80/",
        "http://a.example:65536/",
        "http://a.example:99999999999999999999/",
        "http://a.example:80:80/",
        "http://a.example:8a/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://127.0.0.01/",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://a.example.0x/",
        "http://a,b/",
        "http://a;b/",
        "http://a*b/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[::1]:/",
        "http://[]/",
        "http://[::g]/",
        "http://[::1%25eth0]/",
        "http://[v1.x]/",
        "http://[127.0.0.1]/",
        "http://[[::1]]/",
        "http://::1/",
        "http://a.example/<x>",
        "http://a.example/\"",
        "http://a.example/{x}",
        "http://a.example/?a|b",
        "http://a.example/[",
        "x://a@b/",
        "x://a b/",
        "x:#",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        if (parses(bad[i]))
            fail_msg("taken: %s", bad[i]);
    }
    struct vl_url url;
    assert_int_equal(
        vl_url_parse(vl_str_of("http://a.example/\0x", 19), &url, NULL),
        VALET_INVALID);
    assert_int_equal(
        vl_url_parse(vl_str_of("http://a\0.example/", 18), &url, NULL),
        VALET_INVALID);
    assert_int_equal(vl_url_parse((struct vl_str){NULL, 0}, &url, NULL),
                     VALET_INVALID);
}

/* RFC 8252 section 7.3: loopback redirects of native apps. */
static void
knows_loopback_by_its_exact_names(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "http://localhost/",         "http://LOCALHOST:3001/cb",
        "http://127.0.0.1:49152/cb", "http://[::1]:49152/cb",
        "https://localhost",
    };
    static const char *const no[] = {
        "http://localhost.evil.example/",
        "http://127.0.0.2/",
        "http://127.0.0.1.evil.example/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://0.0.0.0/",
        "x:/localhost",
        "http://evil-localhost/",
    };
    for (size_t i = 0; i < VL_COUNT(yes); i++) {
        struct vl_url url = url_of(yes[i]);
        assert_true(vl_url_is_loopback(&url));
    }
    for (size_t i = 0; i < VL_COUNT(no); i++) {
        struct vl_url url = url_of(no[i]);
        assert_false(vl_url_is_loopback(&url));
    }
    struct vl_url url = url_of("http://[::1]:1/");
    assert_str(url.host, "::1");
    assert_str(url.origin, "http://[::1]:1");
    assert_int_equal(url.port, 1);
}

static void
compares_origins(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"https://a.example/x", "HTTPS://A.EXAMPLE:443/y?z", true},
        {"http://a.example:80", "http://a.example", true},
        {"http://a.example", "https://a.example", false},
        {"https://a.example", "https://a.example:444", false},
        {"https://a.example", "https://b.example", false},
        {"https://a.example", "https://a.example.b", false},
        {"app:/x", "app:/x", false},
        {"app://h/x", "app://h/y", true},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_url a = url_of(cases[i].a), b = url_of(cases[i].b);
        assert_int_equal(vl_url_same_origin(&a, &b), cases[i].same);
        assert_int_equal(vl_url_same_origin(&b, &a), cases[i].same);
    }
}

static void
decodes_parameters(void **state)
{
    (void)state;
    struct vl_arena arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    struct vl_params params;
    struct vl_str text =
        vl_test_guarded(VL_STR("a=b+c&&d%3D=%26%c3%a9&e&f=&a=2&=x"));
    assert_ok(vl_params_parse(text, &arena, &params, NULL));
    vl_test_unguard(text);
    assert_int_equal(params.count, 6);
    assert_str(vl_params_get(&params, "a"), "b c");
    assert_str(vl_params_get(&params, "d="), "&\xc3\xa9");
    assert_str(vl_params_get(&params, "e"), "");
    assert_non_null(vl_params_get(&params, "e").p);
    assert_non_null(vl_params_get(&params, "f").p);
    assert_null(vl_params_get(&params, "g").p);
    assert_true(vl_params_repeat(&params, NULL));
    assert_true(vl_params_repeat(&params, "resource"));
    assert_false(vl_params_repeat(&params, "a"));
    vl_arena_done(&arena);
}

static void
refuses_bad_parameters(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=%",    "a=%0",  "a=%zz",    "%=a",
                                      "a=\xff", "a=%00", "a=%c0%af", "%ff=1"};
    struct vl_arena arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    struct vl_params params;
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(
            vl_params_parse(vl_str_z(bad[i]), &arena, &params, NULL),
            VALET_INVALID);
    char many[2 * (VL_PARAMS_MAX + 1)];
    for (size_t i = 0; i < sizeof many; i += 2)
        memcpy(many + i, "a&", 2);
    assert_int_equal(
        vl_params_parse(vl_str_of(many, sizeof many), &arena, &params, NULL),
        VALET_INVALID);
    assert_ok(vl_params_parse(vl_str_of(many, sizeof many - 2), &arena, &params,
                              NULL));
    assert_int_equal(params.count, VL_PARAMS_MAX);
    assert_ok(vl_params_parse((struct vl_str){NULL, 0}, &arena, &params, NULL));
    assert_int_equal(params.count, 0);
    struct vl_arena tiny = vl_arena_of(8);
    assert_int_equal(vl_params_parse(VL_STR("a=b"), &tiny, &params, NULL),
                     VALET_LIMIT);
    vl_arena_done(&tiny);
    vl_arena_done(&arena);
}

static void
writes_forms_and_queries(void **state)
{
    (void)state;
    vl_auto(vl_buf) form = vl_buf_of(200);
    vl_form_add(&form, "grant type", VL_STR("a b&c=\xc3\xa9"));
    vl_form_add(&form, "x", VL_STR(""));
    assert_string_equal(vl_buf_cstr(&form),
                        "grant%20type=a%20b%26c%3D%C3%A9&x=");

    static const char *const cases[][2] = {
        {"https://a/cb", "https://a/cb?k=v%23"},
        {"https://a/cb?x=1", "https://a/cb?x=1&k=v%23"},
        {"https://a/cb?", "https://a/cb?k=v%23"},
        {"https://a/cb?x&", "https://a/cb?x&k=v%23"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_buf) url = vl_buf_of(200);
        vl_buf_addz(&url, cases[i][0]);
        vl_url_add_param(&url, "k", VL_STR("v#"));
        assert_string_equal(vl_buf_cstr(&url), cases[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_url_apart),
        cmocka_unit_test(fills_in_ports_and_empty_parts),
        cmocka_unit_test(refuses_what_readers_could_read_in_two_ways),
        cmocka_unit_test(knows_loopback_by_its_exact_names),
        cmocka_unit_test(compares_origins),
        cmocka_unit_test(decodes_parameters),
        cmocka_unit_test(refuses_bad_parameters),
        cmocka_unit_test(writes_forms_and_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
