/* SPDX-License-Identifier: Apache-2.0 */
#include "access/site.h"

#include "town.h"

#define RESOURCE_OF_MCP                                                        \
    "{\"resource\":\"{}/mcp\",\"authorization_servers\":[\"{}/t\"],"           \
    "\"scopes_supported\":[\"a\",\"b\"]}"
#define SERVER_T "{\"issuer\":\"{}/t\"," TOWN_ENDPOINTS "}"

static struct town town;
static struct found {
    int calls;
    valet_status status;
    struct vl_site site;
    char message[256];
} found;

static int
set_up(void **state)
{
    (void)state;
    town_open(&town);
    found = (struct found){.calls = 0};
    vl_site_init(&found.site);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    vl_site_done(&found.site);
    town_close(&town);
    return 0;
}

static void
on_found(valet_status status, struct vl_site *site, const valet_error *err,
         void *ctx)
{
    struct found *to = ctx;
    to->calls++;
    to->status = status;
    vl_site_done(&to->site);
    to->site = vl_site_take(site);
    if (status != VALET_OK)
        assert_null(to->site.issuer);
    if (err) {
        assert_int_equal(err->status, status);
        (void)snprintf(to->message, sizeof to->message, "%s", err->message);
    }
    vl_loop_stop(town.loop);
}

/* `named` may hold "{}"; "" is none. */
static void
discover_at(const char *url, const char *named)
{
    vl_auto(vl_buf) at = vl_buf_of(8192), metadata = vl_buf_of(8192);
    town_fill(&town, url, &at);
    town_fill(&town, named, &metadata);
    (void)vl_discover_start(town.loop, town.fetcher, vl_buf_cstr(&at),
                            vl_buf_cstr(&metadata), on_found, &found);
    assert_int_equal(found.calls, 0);
    vl_loop_run(town.loop);
    assert_int_equal(found.calls, 1);
}

static void
discover(const char *named)
{
    discover_at("{}/mcp", named);
}

static void
assert_url(const char *url, const char *wanted)
{
    vl_auto(vl_buf) text = vl_buf_of(8192);
    town_fill(&town, wanted, &text);
    assert_non_null(url);
    assert_string_equal(url, vl_buf_cstr(&text));
}

static void
assert_log(const char *wanted)
{
    assert_str(vl_buf_str(&town.log), wanted);
}

/* --- the forms that servers have --- */

/* @spec CL-01 CL-02 CL-03 CL-05 */
static void
the_document_that_the_challenge_names_is_the_first(void **state)
{
    (void)state;
    town_put(&town, "/custom.json", 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_OAUTH "/t", 200, SERVER_T);
    discover("{}/custom.json");
    assert_ok(found.status);
    assert_log("GET /custom.json\nGET " TOWN_OAUTH "/t\n");
    assert_url(found.site.resource, "{}/mcp");
    assert_url(found.site.issuer, "{}/t");
    assert_url(found.site.authorization_endpoint, "{}/authorize");
    assert_url(found.site.token_endpoint, "{}/token");
    assert_url(found.site.registration_endpoint, "{}/register");
    assert_string_equal(found.site.resource_scopes, "a b");
    assert_true(found.site.has_documents);
    assert_str(vl_buf_str(&town.accept), "application/json");
    assert_str(vl_buf_str(&town.revision), "2025-11-25");
    assert_str(vl_buf_str(&town.authorization), "");
}

/* @spec CL-02 CL-03 */
static void
without_a_word_the_path_is_asked_before_the_root(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_RESOURCE, 500, "");
    town_put(&town, TOWN_OPENID "/t", 200, SERVER_T);
    discover("");
    assert_ok(found.status);
    assert_log("GET " TOWN_RESOURCE "/mcp\nGET " TOWN_OAUTH
               "/t\nGET " TOWN_OPENID "/t\n");
}

static void
a_root_document_and_an_appended_one_are_found_too(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE, 200,
             "{\"resource\":\"{}\",\"authorization_servers\":[\"{}/t\"]}");
    town_put(&town, "/t" TOWN_OPENID, 200, SERVER_T);
    discover("");
    assert_ok(found.status);
    assert_log("GET " TOWN_RESOURCE "/mcp\nGET " TOWN_RESOURCE
               "\nGET " TOWN_OAUTH "/t\nGET " TOWN_OPENID
               "/t\nGET /t" TOWN_OPENID "\n");
    assert_url(found.site.resource, "{}"); /* as published */
}

static void
what_the_challenge_names_in_vain_is_looked_for_elsewhere(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_OAUTH "/t", 200, SERVER_T);
    discover("{}/gone.json");
    assert_ok(found.status);
    assert_int_equal(town_asked(&town, TOWN_RESOURCE "/mcp"), 1);
}

static void
web_pages_in_place_of_documents_are_passed_over(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, "<!doctype html>");
    town_put(&town, TOWN_RESOURCE, 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_OAUTH "/t", 502, "");
    town_put(&town, TOWN_OPENID "/t", 403, "");
    town_put(&town, "/t" TOWN_OPENID, 200, SERVER_T);
    discover("");
    assert_ok(found.status);
}

static void
a_resource_without_an_authorization_server_is_its_own(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, "{\"resource\":\"{}/mcp\"}");
    town_put(&town, TOWN_OAUTH, 200, "{\"issuer\":\"{}\"," TOWN_ENDPOINTS "}");
    discover("");
    assert_ok(found.status);
    assert_url(found.site.issuer, "{}");
    assert_url(found.site.resource, "{}/mcp");
}

/* @spec CL-05 CL-06 */
static void
a_server_of_2025_03_26_has_one_document_at_its_root(void **state)
{
    (void)state;
    town_put(&town, TOWN_OAUTH, 200,
             "{\"issuer\":\"{}/\",\"authorization_endpoint\":\"{}/o/a\","
             "\"token_endpoint\":\"{}/o/t\"}");
    discover("");
    assert_ok(found.status);
    assert_null(found.site.resource);
    assert_url(found.site.issuer, "{}/");
    assert_url(found.site.authorization_endpoint, "{}/o/a");
    assert_true(found.site.has_documents);
}

/* @spec CL-05 */
static void
a_server_of_2025_03_26_may_have_no_document_at_all(void **state)
{
    (void)state;
    discover("");
    assert_ok(found.status);
    assert_null(found.site.resource);
    assert_url(found.site.issuer, "{}");
    assert_url(found.site.authorization_endpoint, "{}/authorize");
    assert_url(found.site.token_endpoint, "{}/token");
    assert_url(found.site.registration_endpoint, "{}/register");
    assert_false(found.site.has_documents);
}

/* --- redirects --- */

/* @spec CL-20 */
static void
redirects_are_followed_within_the_origin(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 307, "")->location =
        TOWN_RESOURCE "/mcp/";
    town_put(&town, TOWN_RESOURCE "/mcp/", 301, "")->location = "{}/meta";
    town_put(&town, "/meta", 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_OAUTH "/t", 200, SERVER_T);
    discover("");
    assert_ok(found.status);
    assert_url(found.site.resource, "{}/mcp");
}

static void
other_redirects_lead_nowhere(void **state)
{
    (void)state;
    static const char *const places[] = {
        "https://127.0.0.1/meta",  "//127.0.0.1/meta", "file:///meta", "meta",
        "http://localhost:1/meta",
    };
    for (size_t i = 0; i < VL_COUNT(places); i++) {
        town.place_count = 0;
        found.calls = 0;
        vl_buf_clear(&town.log);
        town_put(&town, TOWN_RESOURCE "/mcp", 302, "")->location = places[i];
        discover("");
        assert_ok(found.status); /* as if there were none */
        assert_null(found.site.resource);
        vl_site_done(&found.site);
    }
}

static void
redirects_have_an_end(void **state)
{
    (void)state;
    struct town_place *place = town_put(&town, TOWN_RESOURCE "/mcp", 302, "");
    place->location = TOWN_RESOURCE "/mcp";
    discover("");
    assert_int_equal(place->asked, 3);
}

/* --- refusals --- */

/* @spec CL-07 */
static void
the_metadata_of_another_resource_ends_it(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200,
             "{\"resource\":\"https://evil.example/mcp\","
             "\"authorization_servers\":[\"{}/t\"]}");
    town_put(&town, TOWN_RESOURCE, 200, RESOURCE_OF_MCP);
    discover("");
    assert_int_equal(found.status, VALET_DENIED);
    assert_log("GET " TOWN_RESOURCE "/mcp\n");
    assert_non_null(strstr(found.message, "evil.example"));
    assert_null(found.site.token_endpoint);
}

/* @spec CL-04 */
static void
the_metadata_of_another_issuer_is_not_used(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_OAUTH "/t", 200,
             "{\"issuer\":\"https://evil.example\"," TOWN_ENDPOINTS "}");
    discover("");
    assert_int_equal(found.status, VALET_DENIED);
    assert_non_null(strstr(found.message, "https://evil.example"));
    assert_log("GET " TOWN_RESOURCE "/mcp\nGET " TOWN_OAUTH
               "/t\nGET " TOWN_OPENID "/t\nGET /t" TOWN_OPENID "\n");
}

static void
the_right_one_may_lie_behind_that_of_another_issuer(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, RESOURCE_OF_MCP);
    town_put(&town, TOWN_OAUTH "/t", 200,
             "{\"issuer\":\"{}\",\"token_endpoint\":\"{}/bad\"}");
    town_put(&town, TOWN_OPENID "/t", 200, SERVER_T);
    discover("");
    assert_ok(found.status);
    assert_url(found.site.token_endpoint, "{}/token");
}

static void
an_authorization_server_without_metadata_is_no_way(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 200, RESOURCE_OF_MCP);
    discover("");
    assert_int_equal(found.status, VALET_NOT_FOUND);
    assert_non_null(strstr(found.message, "/t"));
}

/* @spec CL-19 CL-20 */
static void
addresses_that_are_none_end_it_before_anything_is_asked(void **state)
{
    (void)state;
    static const char *const named[] = {
        "http://a.example/m",
        "file:///etc/passwd",
        "javascript:x",
        "x",
    };
    for (size_t i = 0; i < VL_COUNT(named); i++) {
        found.calls = 0;
        discover(named[i]);
        assert_int_equal(found.status, VALET_DENIED);
    }
    found.calls = 0;
    discover_at("https://a.example/mcp", "{}/here");
    assert_int_equal(found.status, VALET_DENIED);
    found.calls = 0;
    discover_at("a.example/mcp", "");
    assert_int_equal(found.status, VALET_INVALID);
    assert_log("");
}

/* --- networks --- */

static int
set_up_private(void **state)
{
    (void)state;
    town_open_private(&town);
    found = (struct found){.calls = 0};
    vl_site_init(&found.site);
    return 0;
}

/* @spec CL-20 */
static void
a_server_of_this_machine_may_name_its_addresses(void **state)
{
    (void)state;
    discover("");
    assert_ok(found.status);
    assert_false(found.site.only_public);
}

/* @spec CL-20 */
static void
a_server_in_a_network_of_its_own_may_name_addresses_there(void **state)
{
    (void)state;
    if (vl_fetch_available(NULL) != VALET_OK)
        skip();
    town_put(&town, TOWN_RESOURCE "/mcp", 200, "{\"resource\":\"{}/mcp\"}");
    town_put(&town, TOWN_OAUTH, 200, "{\"issuer\":\"{}\"," TOWN_ENDPOINTS "}");
    discover("");
    assert_ok(found.status);
    assert_false(found.site.only_public);
    assert_log("GET " TOWN_RESOURCE "/mcp\nGET " TOWN_OAUTH "\n");
}

/* Which it is, is seen by it alone, and before anybody else is asked. */
static void
the_server_is_asked_before_others_that_the_challenge_names(void **state)
{
    (void)state;
    valet_error err;
    if (vl_fetch_available(&err) != VALET_OK)
        skip();
    vl_auto(vl_buf) other = vl_buf_of(200);
    vl_buf_addf(&other, "https://b.localhost%s/m", strrchr(town.origin, ':'));
    discover(vl_buf_cstr(&other));
    assert_log("GET " TOWN_RESOURCE "/mcp\n");
    /* Its certificate is another's: it was connected to, though. */
    assert_int_equal(found.status, VALET_RETRY);
    assert_non_null(strstr(found.message, "b.localhost"));
    /* And not where the server cannot be asked. */
    found.calls = 0;
    vl_buf_clear(&town.log);
    discover_at("https://a.localhost:1/mcp", vl_buf_cstr(&other));
    assert_int_equal(found.status, VALET_RETRY);
    assert_non_null(strstr(found.message, "a.localhost"));
    assert_log("");
}

/* --- trouble --- */

static void
who_cannot_answer_now_is_asked_later(void **state)
{
    (void)state;
    town_put(&town, TOWN_RESOURCE "/mcp", 500, "");
    discover("");
    assert_int_equal(found.status, VALET_RETRY);
    assert_log("GET " TOWN_RESOURCE "/mcp\n");
    found.calls = 0;
    discover_at("http://127.0.0.1:1/mcp", "");
    assert_int_equal(found.status, VALET_RETRY);
}

static void
a_search_that_is_given_up_is_silent(void **state)
{
    (void)state;
    vl_auto(vl_buf) at = vl_buf_of(8192);
    struct vl_discover *discover = NULL;
    vl_discover_abort(&discover);
    town_fill(&town, "{}/mcp", &at);
    discover = vl_discover_start(town.loop, town.fetcher, vl_buf_cstr(&at), "",
                                 on_found, &found);
    while (vl_buf_size(&town.log) == 0)
        vl_loop_step(town.loop);
    vl_discover_abort(&discover);
    assert_null(discover);
    discover = vl_discover_start(town.loop, town.fetcher, "nothing", "",
                                 on_found, &found);
    vl_discover_abort(&discover);
    vl_loop_deliver(town.loop);
    assert_int_equal(found.calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_document_that_the_challenge_names_is_the_first),
        TEST(without_a_word_the_path_is_asked_before_the_root),
        TEST(a_root_document_and_an_appended_one_are_found_too),
        TEST(what_the_challenge_names_in_vain_is_looked_for_elsewhere),
        TEST(web_pages_in_place_of_documents_are_passed_over),
        TEST(a_resource_without_an_authorization_server_is_its_own),
        TEST(a_server_of_2025_03_26_has_one_document_at_its_root),
        TEST(a_server_of_2025_03_26_may_have_no_document_at_all),
        TEST(redirects_are_followed_within_the_origin),
        TEST(other_redirects_lead_nowhere),
        TEST(redirects_have_an_end),
        TEST(the_metadata_of_another_resource_ends_it),
        TEST(the_metadata_of_another_issuer_is_not_used),
        TEST(the_right_one_may_lie_behind_that_of_another_issuer),
        TEST(an_authorization_server_without_metadata_is_no_way),
        TEST(addresses_that_are_none_end_it_before_anything_is_asked),
        TEST(a_server_of_this_machine_may_name_its_addresses),
        cmocka_unit_test_setup_teardown(
            a_server_in_a_network_of_its_own_may_name_addresses_there,
            set_up_private, tear_down),
        cmocka_unit_test_setup_teardown(
            the_server_is_asked_before_others_that_the_challenge_names,
            set_up_private, tear_down),
        TEST(who_cannot_answer_now_is_asked_later),
        TEST(a_search_that_is_given_up_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
