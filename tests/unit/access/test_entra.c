/* SPDX-License-Identifier: Apache-2.0
 *
 * What is different where Entra ID is the authorization server.
 */
#include "vl_test.h"

#include "access/documents.h"
#include "access/entra.h"
#include "access/sign_in.h"
#include "core/secret.h"
#include "oauth/pkce.h"

#define TENANT                                                                 \
    "https://login.microsoftonline.com/5c1e7a0d-3b52-4f6e-9d41-7a8c20b4e913/"  \
    "v2.0"

static struct vl_site site;

static int
set_up(void **state)
{
    (void)state;
    vl_site_init(&site);
    site.resource = "https://mcp.example/mcp";
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    vl_site_done(&site);
    return 0;
}

static void
it_is_known_by_its_host(void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *metadata;
        bool is_entra;
    } cases[] = {
        {TENANT, "{}", true},
        {"https://LOGIN.microsoftonline.us/x/v2.0", "{}", true},
        {"https://login.partner.microsoftonline.cn/x/v2.0", "{}", true},
        {"https://contoso.ciamlogin.com/x/v2.0", "{}", true},
        {"http://login.microsoftonline.com/x/v2.0", "{}", false},
        {"https://login.microsoftonline.com.evil.example/x", "{}", false},
        {"https://evil.example/login.microsoftonline.com",
         "{\"cloud_instance_name\":\"microsoftonline.com\","
         "\"tenant_region_scope\":\"EU\"}",
         false},
        {"https://ciamlogin.com/x", "{}", false},
        {"http://127.0.0.1:3002/x/v2.0", "{}", false},
        {"http://127.0.0.1:3002/x/v2.0",
         "{\"cloud_instance_name\":\"127.0.0.1\","
         "\"tenant_region_scope\":\"EU\"}",
         true},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(vl_str_z(cases[i].metadata), 8, &doc, NULL));
        if (vl_entra_is_issuer(cases[i].issuer, doc.root) != cases[i].is_entra)
            fail_msg("%s", cases[i].issuer);
    }
}

/* @spec CL-06: what Entra ID does is documented, if not in its metadata. */
static void
its_metadata_may_say_nothing_of_pkce(void **state)
{
    (void)state;
    static const char text[] =
        "{\"issuer\":\"" TENANT "\",\"authorization_endpoint\":\"https://"
        "login.microsoftonline.com/a\",\"token_endpoint\":\"https://"
        "login.microsoftonline.com/"
        "t\",\"response_types_supported\":[\"code\"]}";
    struct vl_url server;
    assert_ok(vl_url_parse(VL_STR("https://mcp.example/mcp"), &server, NULL));
    const struct vl_document_of of = {&server, TENANT, false};
    assert_ok(vl_document_read_server(vl_str_z(text), &of, &site, NULL));
    assert_true(site.is_entra);
    assert_null(site.no_sign_in);
    assert_non_null(site.authorization_endpoint);
}

/* @spec CL-16: the scopes alone say which API a token is for. */
static void
no_scope_of_another_api_is_asked_for_because_a_server_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *scopes, *wanted; /* NULL: refused */
    } cases[] = {
        {"https://mcp.example/mcp/tools.read",
         "https://mcp.example/mcp/tools.read"},
        {"openid https://mcp.example/mcp/a https://mcp.example/mcp/b",
         "openid https://mcp.example/mcp/a https://mcp.example/mcp/b"},
        {"", "https://mcp.example/mcp/.default"},
        {"openid", "openid https://mcp.example/mcp/.default"},
        {"User.Read", NULL},
        {"https://graph.microsoft.com/Mail.Read", NULL},
        {"https://mcp.example/mcp/a https://graph.microsoft.com/.default",
         NULL},
        {"api://0d1c/tools.read", NULL},
        {"https://mcp.example/mcp.evil/a", NULL},
        {"https://mcp.example/mcp/", NULL},
        {"https://mcp.example/mcp/../other/a", NULL},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_buf) scopes = vl_buf_of(1024);
        valet_error err;
        valet_status status = vl_entra_check_scopes(
            &site, vl_str_z(cases[i].scopes), &scopes, &err);
        assert_int_equal(status, cases[i].wanted ? VALET_OK : VALET_DENIED);
        if (cases[i].wanted)
            assert_str(vl_buf_str(&scopes), cases[i].wanted);
        else
            assert_non_null(strstr(err.message, "--scope"));
    }
    vl_auto(vl_buf) scopes = vl_buf_of(1024);
    site.resource = "https://mcp.example/";
    assert_ok(vl_entra_check_scopes(&site, VL_STR(""), &scopes, NULL));
    assert_str(vl_buf_str(&scopes), "https://mcp.example/.default");
    site.resource = NULL;
    assert_int_equal(vl_entra_check_scopes(&site, VL_STR(""), &scopes, NULL),
                     VALET_DENIED);
}

static void
it_is_sent_neither_resource_nor_prompt(void **state)
{
    (void)state;
    vl_auto(vl_buf) url = vl_buf_of_secret(4096);
    vl_auto(vl_secret) verifier = vl_pkce_new_verifier();
    site.issuer = TENANT;
    site.authorization_endpoint = "https://login.microsoftonline.com/a";
    const struct vl_access_visit visit = {
        &site, "id", "https://mcp.example/mcp/a offline_access",
        "http://localhost:1"};
    for (int is_entra = 0; is_entra < 2; is_entra++) {
        site.is_entra = is_entra;
        vl_buf_clear(&url);
        vl_access_sign_in_url(&url, &visit, VL_STR("s"), &verifier);
        const char *text = vl_buf_cstr(&url);
        assert_non_null(strstr(text, "&code_challenge_method=S256"));
        assert_int_equal(strstr(text, "&resource=") != NULL, !is_entra);
        assert_int_equal(strstr(text, "&prompt=consent") != NULL, !is_entra);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_known_by_its_host),
        CASE(its_metadata_may_say_nothing_of_pkce),
        CASE(no_scope_of_another_api_is_asked_for_because_a_server_says_so),
        CASE(it_is_sent_neither_resource_nor_prompt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
