/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "core/limits.h"
#include "oauth/idp.h"
#include "oauth/metadata.h"
#include "oauth/resource.h"
#include "oauth/scope.h"
#include "json/read.h"

/* @spec RS-21 AS-23 */
static void
compares_resources_as_clients_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"http://localhost:3001/mcp", "http://localhost:3001/mcp", true},
        {"http://localhost:3001/mcp", "http://localhost:3001/mcp/", true},
        {"http://localhost:3001/mcp", "HTTP://LOCALHOST:3001/mcp", true},
        {"https://a.example", "https://a.example/", true},
        {"https://a.example/mcp", "https://a.example:443/mcp", true},
        {"https://a.example/mcp", "https://a.example/mcp//", false},
        {"https://a.example/mcp", "https://a.example/MCP", false},
        {"https://a.example/mcp", "http://a.example/mcp", false},
        {"https://a.example/mcp", "https://a.example/mcp?x", false},
        {"https://a.example/mcp", "https://a.example/mcp#x", false},
        {"https://a.example/mcp", "https://b.example/mcp", false},
        {"https://a.example/mcp", "https://a.example/mcp/../x", false},
        {"urn:x", "urn:x", false},
        {"", "", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        if (vl_resource_same(vl_str_z(cases[i].a), vl_str_z(cases[i].b)) !=
            cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static bool
is_known(struct vl_str scope, const void *ctx)
{
    assert_string_equal(ctx, "the context");
    return vl_str_eqz(scope, "a") || vl_str_eqz(scope, "b");
}

static void
filters_scopes_and_counts_each_once(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(100);
    vl_scope_filter(&out, VL_STR("b x a  b"), is_known, "the context");
    assert_str(vl_buf_str(&out), "b a");
    assert_true(vl_scope_is_valid(VL_STR("a:b User.Read")));
    assert_false(vl_scope_is_valid(VL_STR("")));
    assert_false(vl_scope_is_valid(VL_STR("a  b")));
    assert_false(vl_scope_is_valid(VL_STR("a\"b")));
    assert_false(vl_scope_is_valid(VL_STR("a\\b")));
    assert_false(vl_scope_is_valid(VL_STR("a\nb")));
}

static bool
is_not_null(struct vl_str key, const struct json_t *value, void *ctx)
{
    (void)key, (void)ctx;
    assert_int_not_equal(vl_json_kind(value), VL_JSON_NULL);
    return true;
}

static void
write_and_parse(bool can_register, bool oidc, struct vl_json *ret)
{
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_metadata_write_server(&out, &(struct vl_server_metadata){
                                       .issuer = VL_STR("https://v.example"),
                                       .scopes = "a b",
                                       .can_register = can_register,
                                       .oidc_shaped = oidc});
    assert_ok(vl_buf_check(&out, NULL));
    assert_ok(vl_json_parse(vl_buf_str(&out), 8, ret, NULL));
    vl_json_each(ret->root, is_not_null, NULL);
}

/* @spec AS-31 AS-32 AS-06 AS-26 */
static void
describes_the_server_as_parsers_demand(void **state)
{
    (void)state;
    static const char *const demanded[] = {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "subject_types_supported",
        "registration_endpoint",
        "id_token_signing_alg_values_supported",
        "revocation_endpoint"};
    vl_auto(vl_json) doc = {NULL};
    write_and_parse(true, true, &doc);
    for (size_t i = 0; i < VL_COUNT(demanded); i++)
        assert_non_null(vl_json_get(doc.root, demanded[i]));
    assert_str(vl_json_get_str(doc.root, "issuer"), "https://v.example");
    assert_str(vl_json_get_str(doc.root, "token_endpoint"),
               "https://v.example/token");
    const struct json_t *methods =
        vl_json_get(doc.root, "code_challenge_methods_supported");
    assert_int_equal(vl_json_size(methods), 1);
    assert_true(vl_json_has_str(methods, VL_STR("S256")));
    assert_true(vl_json_is_true(vl_json_get(
        doc.root, "authorization_response_iss_parameter_supported")));
}

/* @spec W-28 W-59: what is not there is not advertised. */
static void
does_not_advertise_registration_when_it_is_off(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    write_and_parse(false, false, &doc);
    assert_null(vl_json_get(doc.root, "registration_endpoint"));
    assert_null(vl_json_get(doc.root, "introspection_endpoint"));
    assert_null(vl_json_get(doc.root, "jwks_uri"));
}

/* @spec RS-06 RS-15 */
static void
describes_a_resource(void **state)
{
    (void)state;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_metadata_write_resource(&out, &(struct vl_resource_metadata){
                                         .resource = VL_STR("https://v/mcp"),
                                         .issuer = VL_STR("https://v"),
                                         .scopes = "a"});
    assert_str(vl_buf_str(&out),
               "{\"resource\":\"https://v/mcp\",\"authorization_servers\":["
               "\"https://v\"],\"scopes_supported\":[\"a\"],"
               "\"bearer_methods_supported\":[\"header\"]}");
}

static void
forgets_tokens_of_a_provider(void **state)
{
    (void)state;
    struct vl_idp_tokens tokens = {.access.secret = vl_secret_of(VL_STR("a")),
                                   .refresh.secret = vl_secret_of(VL_STR("r")),
                                   .expires_ms = 5};
    vl_idp_tokens_done(&tokens);
    assert_true(vl_secret_is_empty(&tokens.access.secret));
    assert_true(vl_secret_is_empty(&tokens.refresh.secret));
    assert_int_equal(tokens.expires_ms, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_resources_as_clients_write_them),
        cmocka_unit_test(filters_scopes_and_counts_each_once),
        cmocka_unit_test(describes_the_server_as_parsers_demand),
        cmocka_unit_test(does_not_advertise_registration_when_it_is_off),
        cmocka_unit_test(describes_a_resource),
        cmocka_unit_test(forgets_tokens_of_a_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
