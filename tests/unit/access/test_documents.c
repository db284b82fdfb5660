/* SPDX-License-Identifier: Apache-2.0 */
#include "access/documents.h"

#include "access/token.h"
#include "vl_test.h"

#define SERVER    "https://a.example/mcp"
#define ISSUER    "https://as.example/t"
#define HEAD      "{\"issuer\":\"" ISSUER "\","
#define TOKEN     "\"token_endpoint\":\"https://as.example/token\","
#define AUTHORIZE "\"authorization_endpoint\":\"https://as.example/authorize\","
#define PKCE      "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],"
#define FULL      HEAD TOKEN AUTHORIZE PKCE
#define END       "\"x\":1}"

static valet_status
read_resource(const char *text, struct vl_site *site, const char **issuer,
              valet_error *err)
{
    struct vl_url server;
    struct vl_str guarded = vl_test_guarded(vl_str_z(text));
    assert_ok(vl_url_parse(VL_STR(SERVER), &server, NULL));
    valet_status status =
        vl_document_read_resource(guarded, &server, site, issuer, err);
    vl_test_unguard(guarded);
    return status;
}

static valet_status
read_server(const char *text, const char *issuer, bool is_guessed,
            struct vl_site *site, valet_error *err)
{
    struct vl_url server;
    assert_ok(vl_url_parse(VL_STR(SERVER), &server, NULL));
    struct vl_document_of of = {&server, issuer, is_guessed};
    return vl_document_read_server(vl_str_z(text), &of, site, err);
}

/* --- of a resource --- */

/* @spec CL-01 CL-07 CL-08 */
static void
a_resource_says_its_name_its_scopes_and_who_gives_tokens(void **state)
{
    (void)state;
    vl_auto(vl_site) site;
    const char *issuer;
    vl_site_init(&site);
    assert_ok(read_resource(
        "{\"resource\":\"https://a.example/mcp/\",\"authorization_servers\":["
        "\"" ISSUER "\",\"https://other.example\"],\"scopes_supported\":["
        "\"read\",\"a b\",\"\",7,\"read\",\"files:\\\"x\",\"write\"]}",
        &site, &issuer, NULL));
    assert_string_equal(site.resource, "https://a.example/mcp/");
    assert_string_equal(site.resource_scopes, "read write");
    assert_string_equal(issuer, ISSUER);
}

static void
a_resource_need_not_say_more_than_its_name(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"resource\":\"https://a.example/mcp\"}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":[]}",
        "{\"resource\":\"https://a.example/"
        "mcp\",\"authorization_servers\":null,"
        "\"scopes_supported\":null}",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        vl_auto(vl_site) site;
        const char *issuer = "?";
        vl_site_init(&site);
        assert_ok(read_resource(texts[i], &site, &issuer, NULL));
        assert_null(issuer);
        assert_null(site.resource_scopes);
    }
}

static void
what_is_no_object_is_no_document(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "<!doctype html><p>Hello", "[]", "\"x\"", "{\"resource\":",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        vl_auto(vl_site) site;
        const char *issuer;
        vl_site_init(&site);
        assert_int_equal(read_resource(texts[i], &site, &issuer, NULL),
                         VALET_NOT_FOUND);
        assert_int_equal(read_server(texts[i], ISSUER, false, &site, NULL),
                         VALET_NOT_FOUND);
    }
}

/* @spec CL-07 CL-16 CL-19 CL-20 */
static void
a_resource_that_breaks_a_rule_ends_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"authorization_servers\":[\"" ISSUER "\"]}",
        "{\"resource\":7}",
        "{\"resource\":\"https://evil.example/mcp\"}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":7}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":"
        "[7]}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":"
        "[\"http://as.example\"]}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":"
        "[\"http://127.0.0.1:8080\"]}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":"
        "[\"file:///etc/passwd\"]}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":"
        "[\"https://as.example?x=1\"]}",
        "{\"resource\":\"https://a.example/mcp\",\"authorization_servers\":"
        "[\"https://as.example/\\n\"]}",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        vl_auto(vl_site) site;
        const char *issuer;
        valet_error err;
        vl_site_init(&site);
        if (read_resource(texts[i], &site, &issuer, &err) != VALET_DENIED)
            fail_msg("%s", texts[i]);
        assert_null(strchr(err.message, '\n'));
    }
}

static void
scopes_that_are_too_many_count_as_not_said(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of(65536);
    vl_auto(vl_site) site;
    const char *issuer;
    vl_site_init(&site);
    vl_buf_addz(&text, "{\"resource\":\"" SERVER "\",\"scopes_supported\":[");
    for (int i = 0; i < 500; i++)
        vl_buf_addf(&text, "\"a-scope-%d\",", i);
    vl_buf_addz(&text, "\"z\"]}");
    assert_ok(read_resource(vl_buf_cstr(&text), &site, &issuer, NULL));
    assert_null(site.resource_scopes);
}

/* --- of an authorization server --- */

/* @spec CL-10 CL-11 EX-03 */
static void
a_server_says_its_endpoints_and_what_it_can(void **state)
{
    (void)state;
    vl_auto(vl_site) site;
    vl_site_init(&site);
    assert_ok(read_server(
        FULL "\"registration_endpoint\":\"https://as.example/register\","
             "\"response_types_supported\":[\"code\",\"token\"],"
             "\"token_endpoint_auth_methods_supported\":[\"none\","
             "\"client_secret_post\",\"private_key_jwt\",\"tls_client_auth\"],"
             "\"token_endpoint_auth_signing_alg_values_supported\":[\"RS256\"],"
             "\"scopes_supported\":[\"openid\",\"offline_access\"],"
             "\"client_id_metadata_document_supported\":true,"
             "\"authorization_response_iss_parameter_supported\":true," END,
        ISSUER, false, &site, NULL));
    assert_string_equal(site.issuer, ISSUER);
    assert_string_equal(site.authorization_endpoint,
                        "https://as.example/authorize");
    assert_string_equal(site.token_endpoint, "https://as.example/token");
    assert_string_equal(site.registration_endpoint,
                        "https://as.example/register");
    assert_int_equal(site.proofs,
                     VL_PROOF_NONE | VL_PROOF_POST | VL_PROOF_PRIVATE_KEY_JWT);
    assert_true(site.offers_offline_access && site.takes_metadata_url &&
                site.sends_iss && site.has_documents);
    assert_true(site.signs_rs256 && !site.signs_es256);
    assert_null(site.no_sign_in);
}

static void
what_a_server_does_not_say_it_cannot(void **state)
{
    (void)state;
    vl_auto(vl_site) site;
    vl_site_init(&site);
    assert_ok(read_server(FULL "\"registration_endpoint\":null," END, ISSUER,
                          false, &site, NULL));
    assert_null(site.registration_endpoint);
    assert_int_equal(site.proofs, 0);
    assert_false(site.offers_offline_access || site.takes_metadata_url ||
                 site.sends_iss || site.signs_rs256 || site.signs_es256);
}

/* @spec CL-04 */
static void
the_issuer_is_compared_byte_for_byte(void **state)
{
    (void)state;
    static const struct {
        const char *said, *asked;
        bool is_guessed;
        valet_status status;
    } rows[] = {
        {"https://as.example", "https://as.example", false, VALET_OK},
        {"https://as.example/", "https://as.example/", false, VALET_OK},
        {"https://as.example/", "https://as.example", false, VALET_CONFLICT},
        {"https://as.example", "https://as.example/", false, VALET_CONFLICT},
        {"https://AS.example", "https://as.example", false, VALET_CONFLICT},
        {"https://as.example:443", "https://as.example", false, VALET_CONFLICT},
        {"https://as.example/%74", "https://as.example/t", false,
         VALET_CONFLICT},
        {"https://evil.example", "https://as.example", false, VALET_CONFLICT},
        {"", "https://as.example", false, VALET_CONFLICT},
        /* The origin that nobody named an issuer. */
        {"https://as.example", "https://as.example", true, VALET_OK},
        {"https://as.example/", "https://as.example", true, VALET_OK},
        {"https://as.example//", "https://as.example", true, VALET_CONFLICT},
        {"https://as.example/t", "https://as.example", true, VALET_CONFLICT},
        {"https://as.exampl", "https://as.example", true, VALET_CONFLICT},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_site) site;
        vl_auto(vl_buf) text = vl_buf_of(4096);
        vl_site_init(&site);
        vl_buf_addf(&text, "{\"issuer\":\"%s\"," TOKEN AUTHORIZE PKCE END,
                    rows[i].said);
        if (read_server(vl_buf_cstr(&text), rows[i].asked, rows[i].is_guessed,
                        &site, NULL) != rows[i].status)
            fail_msg("%s for %s", rows[i].said, rows[i].asked);
        if (rows[i].status == VALET_OK)
            assert_string_equal(site.issuer, rows[i].said);
    }
}

/* @spec CL-06: and programs, which need no page, may still ask it. */
static void
without_pkce_a_person_cannot_sign_in(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        bool is_guessed, good;
    } rows[] = {
        {AUTHORIZE PKCE, false, true},
        {AUTHORIZE, false, false},
        {AUTHORIZE, true, true},
        {AUTHORIZE "\"code_challenge_methods_supported\":null,", false, false},
        {AUTHORIZE "\"code_challenge_methods_supported\":[],", true, false},
        {AUTHORIZE "\"code_challenge_methods_supported\":[\"plain\"],", true,
         false},
        {AUTHORIZE "\"code_challenge_methods_supported\":[\"plain\"],", false,
         false},
        {AUTHORIZE PKCE "\"response_types_supported\":[\"code\"],", false,
         true},
        {AUTHORIZE PKCE "\"response_types_supported\":[\"token\"],", false,
         false},
        {PKCE, false, false},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_site) site;
        vl_auto(vl_buf) text = vl_buf_of(4096);
        vl_site_init(&site);
        vl_buf_addf(&text, HEAD TOKEN "%s" END, rows[i].members);
        assert_ok(read_server(vl_buf_cstr(&text), ISSUER, rows[i].is_guessed,
                              &site, NULL));
        if ((site.authorization_endpoint != NULL) != rows[i].good ||
            (site.no_sign_in == NULL) != rows[i].good)
            fail_msg("%s", rows[i].members);
    }
}

/* @spec CL-19 CL-20 */
static void
a_server_that_sends_elsewhere_ends_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD AUTHORIZE PKCE END,
        HEAD AUTHORIZE PKCE "\"token_endpoint\":7}",
        HEAD AUTHORIZE PKCE "\"token_endpoint\":\"http://as.example/token\"}",
        HEAD AUTHORIZE PKCE "\"token_endpoint\":\"http://127.0.0.1:1/\"}",
        HEAD TOKEN PKCE "\"authorization_endpoint\":\"javascript:alert(1)\"}",
        HEAD TOKEN PKCE "\"authorization_endpoint\":\"file:///bin/sh\"}",
        HEAD TOKEN PKCE "\"authorization_endpoint\":\"calc.exe\"}",
        FULL "\"registration_endpoint\":\"data:text/plain,x\"}",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        vl_auto(vl_site) site;
        vl_site_init(&site);
        if (read_server(texts[i], ISSUER, false, &site, NULL) != VALET_DENIED)
            fail_msg("%s", texts[i]);
    }
}

/* @spec CL-05 */
static void
a_server_of_2025_03_26_has_its_endpoints_at_the_root(void **state)
{
    (void)state;
    struct vl_url server;
    vl_auto(vl_site) site;
    vl_site_init(&site);
    assert_ok(
        vl_url_parse(VL_STR("https://a.example:8443/x/mcp"), &server, NULL));
    vl_document_guess_server(&server, &site);
    assert_string_equal(site.issuer, "https://a.example:8443");
    assert_string_equal(site.authorization_endpoint,
                        "https://a.example:8443/authorize");
    assert_string_equal(site.token_endpoint, "https://a.example:8443/token");
    assert_string_equal(site.registration_endpoint,
                        "https://a.example:8443/register");
    assert_null(site.resource);
    assert_false(site.has_documents);
}

/* --- challenges --- */

/* @spec CL-01 CL-08 CL-09 */
static void
the_first_bearer_challenge_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *fields[2];
        bool is_there;
        const char *metadata, *scope, *error;
    } rows[] = {
        {{"Bearer resource_metadata=\"https://a.example/m\", scope=\"a b\""},
         true,
         "https://a.example/m",
         "a b",
         ""},
        {{"Basic realm=\"x\", bearer error=\"insufficient_scope\", scope=a"},
         true,
         "",
         "a",
         "insufficient_scope"},
        {{"Negotiate", "Bearer scope=\"late\""}, true, "", "late", ""},
        {{"Bearer scope=\"one\"", "Bearer scope=\"two\""}, true, "", "one", ""},
        {{"Bearer"}, true, "", "", ""},
        {{"Bearer scope=\"a\", scope=\"b\""}, true, "", "", ""},
        {{"Bearer scope=\"a  b\""}, true, "", "", ""},
        {{"Bearer resource_metadata=\"x y\""}, true, "", "", ""},
        {{"Bearer resource_metadata=\"/m\""}, true, "", "", ""},
        {{"Bearer error=\"<b>\""}, true, "", "", ""},
        {{"Bearer scope=\"a\\\"b\""}, true, "", "", ""},
        {{"DPoP scope=\"a\""}, false, "", "", ""},
        {{"Bearer scope=\"a"}, false, "", "", ""},
        {{"="}, false, "", "", ""},
        {{NULL}, false, "", "", ""},
    };
    struct vl_site_challenge challenge;
    vl_site_challenge_init(&challenge);
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_headers headers = {.count = 0};
        assert_true(vl_headers_add(&headers, VL_STR("Scope"), VL_STR("no")));
        for (size_t j = 0; j < 2; j++)
            if (rows[i].fields[j])
                assert_true(vl_headers_add(&headers, VL_STR("www-authenticate"),
                                           vl_str_z(rows[i].fields[j])));
        vl_site_challenge_read(&headers, &challenge);
        if (challenge.is_there != rows[i].is_there)
            fail_msg("%s", rows[i].fields[0]);
        assert_str(vl_buf_str(&challenge.resource_metadata), rows[i].metadata);
        assert_str(vl_buf_str(&challenge.scope), rows[i].scope);
        assert_str(vl_buf_str(&challenge.error), rows[i].error);
    }
    vl_site_challenge_done(&challenge);
}

/* --- iss --- */

/* @spec CL-14 SB-10 */
static void
an_answer_is_that_of_who_was_asked(void **state)
{
    (void)state;
    static const struct {
        bool sends_iss;
        const char *iss;
        bool good;
    } rows[] = {
        {true, "https://as.example", true},
        {true, "", false},
        {true, "https://evil.example", false},
        {true, "https://as.example/", false},
        {true, "https://AS.example", false},
        {true, NULL, false},
        {false, NULL, true},
        {false, "", false},
        {false, "https://as.example", true},
        {false, "https://evil.example", false},
        {false, "https://as.example/", false},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++)
        for (int documents = 0; documents < 2; documents++) {
            struct vl_site site = {.issuer = "https://as.example",
                                   .sends_iss = rows[i].sends_iss,
                                   .has_documents = documents};
            if (vl_iss_is_right(&site, vl_str_z(rows[i].iss)) != rows[i].good)
                fail_msg("row %zu", i);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_resource_says_its_name_its_scopes_and_who_gives_tokens),
        cmocka_unit_test(a_resource_need_not_say_more_than_its_name),
        cmocka_unit_test(what_is_no_object_is_no_document),
        cmocka_unit_test(a_resource_that_breaks_a_rule_ends_it),
        cmocka_unit_test(scopes_that_are_too_many_count_as_not_said),
        cmocka_unit_test(a_server_says_its_endpoints_and_what_it_can),
        cmocka_unit_test(what_a_server_does_not_say_it_cannot),
        cmocka_unit_test(the_issuer_is_compared_byte_for_byte),
        cmocka_unit_test(without_pkce_a_person_cannot_sign_in),
        cmocka_unit_test(a_server_that_sends_elsewhere_ends_it),
        cmocka_unit_test(a_server_of_2025_03_26_has_its_endpoints_at_the_root),
        cmocka_unit_test(the_first_bearer_challenge_is_read),
        cmocka_unit_test(an_answer_is_that_of_who_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
