/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token.h"

#include "town.h"

#include "access/registration.h"
#include "json/read.h"

#define REDIRECT "http://127.0.0.1:4711/callback"

static struct town town;
static struct vl_site site;
static struct got {
    int calls;
    valet_status status;
    struct vl_access_client client;
    valet_error err;
} got;

static int
set_up(void **state)
{
    (void)state;
    town_open(&town);
    vl_auto(vl_buf) endpoint = vl_buf_of(200);
    town_fill(&town, "{}/register", &endpoint);
    vl_site_init(&site);
    site.issuer = "https://as.example/t";
    site.registration_endpoint =
        vl_arena_cstr(&site.arena, vl_buf_str(&endpoint));
    got = (struct got){.calls = 0};
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    vl_access_client_done(&got.client);
    vl_site_done(&site);
    town_close(&town);
    return 0;
}

static void
on_client(valet_status status, struct vl_access_client *client,
          const valet_error *err, void *ctx)
{
    struct got *to = ctx;
    to->calls++;
    to->status = status;
    vl_access_client_done(&to->client);
    to->client = *client;
    *client = (struct vl_access_client){.id = NULL};
    to->err = err ? *err : (valet_error){0};
    assert_int_equal(to->err.status, status);
    vl_loop_stop(town.loop);
}

static void
register_with(const char *scope)
{
    got.calls = 0;
    (void)vl_register_start(town.loop, town.fetcher, &site, REDIRECT, scope,
                            on_client, &got);
    assert_int_equal(got.calls, 0);
    vl_loop_run(town.loop);
    assert_int_equal(got.calls, 1);
}

/* --- what is sent --- */

/* @spec CL-12 CL-18 */
static void
a_client_says_what_it_is(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    town_put(&town, "/register", 201, "{\"client_id\":\"a-client\"}");
    register_with("read write");
    assert_ok(got.status);
    assert_str(vl_buf_str(&town.log), "POST /register\n");
    assert_str(vl_buf_str(&town.type), "application/json");
    assert_str(vl_buf_str(&town.accept), "application/json");
    assert_str(vl_buf_str(&town.body),
               "{\"client_name\":\"mcp-valet\",\"redirect_uris\":[\"" REDIRECT
               "\"],\"grant_types\":[\"authorization_code\","
               "\"refresh_token\"],\"response_types\":[\"code\"],"
               "\"token_endpoint_auth_method\":\"none\","
               "\"application_type\":\"native\",\"scope\":\"read write\"}");
    assert_ok(vl_json_parse(vl_buf_str(&town.body), 8, &doc, NULL));
}

static void
it_asks_for_no_secret_unless_it_has_to_have_one(void **state)
{
    (void)state;
    static const struct {
        unsigned proofs;
        const char *method;
    } rows[] = {
        {0, "none"},
        {VL_PROOF_NONE, "none"},
        {VL_PROOF_NONE | VL_PROOF_BASIC | VL_PROOF_POST, "none"},
        {VL_PROOF_BASIC | VL_PROOF_POST, "client_secret_basic"},
        {VL_PROOF_POST, "client_secret_post"},
        {VL_PROOF_PRIVATE_KEY_JWT, "none"},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_buf) text = vl_buf_of(4096);
        vl_auto(vl_json) doc = {NULL};
        site.proofs = rows[i].proofs;
        vl_registration_write(&site, REDIRECT, "", &text);
        assert_ok(vl_json_parse(vl_buf_str(&text), 8, &doc, NULL));
        assert_str(vl_json_get_str(doc.root, "token_endpoint_auth_method"),
                   rows[i].method);
        assert_null(vl_json_get(doc.root, "scope"));
    }
}

/* --- what is answered --- */

static void
a_registration_is_taken_as_it_was_answered(void **state)
{
    (void)state;
    site.proofs = VL_PROOF_POST;
    town_put(&town, "/register", 200,
             "{\"client_id\":\"an id/with=marks\",\"client_secret\":\"s\","
             "\"client_secret_expires_at\":1900000000,"
             "\"token_endpoint_auth_method\":\"client_secret_post\","
             "\"client_uri\":null}");
    register_with("");
    assert_ok(got.status);
    assert_string_equal(got.client.id, "an id/with=marks");
    assert_str(vl_secret_reveal(&got.client.secret), "s");
    assert_int_equal(got.client.proof, VL_PROOF_POST);
    assert_int_equal(got.client.secret_ends, 1900000000);
    assert_string_equal(got.client.redirect_uri, REDIRECT);
    assert_true(got.client.is_registered);
    assert_null(got.client.key_file);
}

/* The method of the answer, else what both can do. */
static void
the_proof_is_that_of_the_answer_or_the_best_that_both_know(void **state)
{
    (void)state;
#define ID      "{\"client_id\":\"a\""
#define SECRET  ",\"client_secret\":\"s\""
#define METHOD_ ",\"token_endpoint_auth_method\":"
    static const struct {
        unsigned proofs;
        const char *body;
        unsigned proof; /* 0: refused */
    } rows[] = {
        {VL_PROOF_NONE, ID "}", VL_PROOF_NONE},
        {VL_PROOF_NONE, ID SECRET "}", VL_PROOF_NONE},
        {0, ID "}", VL_PROOF_NONE},
        {0, ID SECRET "}", VL_PROOF_BASIC},
        {VL_PROOF_POST, ID SECRET "}", VL_PROOF_POST},
        {VL_PROOF_BASIC | VL_PROOF_NONE, ID SECRET METHOD_ "\"none\"}",
         VL_PROOF_NONE},
        {VL_PROOF_BASIC, ID SECRET METHOD_ "\"client_secret_post\"}",
         VL_PROOF_POST},
        {VL_PROOF_BASIC, ID METHOD_ "\"client_secret_basic\"}", VL_PROOF_NONE},
        {VL_PROOF_NONE, ID METHOD_ "null}", VL_PROOF_NONE},
        {0, ID SECRET METHOD_ "\"private_key_jwt\"}", 0},
        {0, ID METHOD_ "\"tls_client_auth\"}", 0},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_access_client) client = {.id = NULL};
        valet_error err;
        site.proofs = rows[i].proofs;
        valet_status status = vl_registration_read(
            &site, 201, vl_str_z(rows[i].body), REDIRECT, &client, &err);
        if (status != (rows[i].proof ? VALET_OK : VALET_DENIED) ||
            client.proof != rows[i].proof)
            fail_msg("row %zu", i);
    }
}

static void
what_cannot_be_used_is_no_registration(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "<p>Welcome",
        "[]",
        "{}",
        "{\"client_id\":7}",
        "{\"client_id\":\"\"}",
        "{\"client_id\":\"a\\nb\"}",
        "{\"client_id\":\"\\u00e4\"}",
        "{\"client_id\":\"a\",\"client_secret\":\"a\\tb\"}",
    };
    for (size_t i = 0; i < VL_COUNT(bodies); i++) {
        vl_auto(vl_access_client) client = {.id = NULL};
        valet_error err;
        if (vl_registration_read(&site, 201, vl_str_z(bodies[i]), REDIRECT,
                                 &client, &err) != VALET_DENIED)
            fail_msg("%s", bodies[i]);
        assert_non_null(strstr(err.message, "--client-id"));
        assert_null(client.id);
    }
}

static void
a_secret_that_never_ends_is_told_by_0(void **state)
{
    (void)state;
    static const struct {
        const char *end;
        int64_t wanted;
    } rows[] = {
        {"0", 0},        {"1900000000.0", 1900000000},
        {"-1", 0},       {"null", 0},
        {"\"soon\"", 0}, {"1e300", 0},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_access_client) client = {.id = NULL};
        vl_auto(vl_buf) body = vl_buf_of(4096);
        vl_buf_addf(&body, ID SECRET ",\"client_secret_expires_at\":%s}",
                    rows[i].end);
        assert_ok(vl_registration_read(&site, 201, vl_buf_str(&body), REDIRECT,
                                       &client, NULL));
        assert_int_equal(client.secret_ends, rows[i].wanted);
    }
}

/* --- refusals --- */

/* @spec CL-12: handled, and told so that somebody can act. */
static void
a_refusal_says_what_a_person_can_do(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        valet_status wanted;
        const char *code, *says;
    } rows[] = {
        {400,
         "{\"error\":\"invalid_redirect_uri\",\"error_description\":\"x\"}",
         VALET_DENIED, "invalid_redirect_uri", "(invalid_redirect_uri)"},
        {403, "Forbidden", VALET_DENIED, "", "(status 403)"},
        {401, "{\"error\":\"<script>\"}", VALET_DENIED, "", "(status 401)"},
        {302, "", VALET_DENIED, "", "(status 302)"},
        {404, "", VALET_DENIED, "", "no program register itself"},
        {429, "", VALET_RETRY, "", "now"},
        {503, "", VALET_RETRY, "", "now"},
    };
    struct town_place *place = town_put(&town, "/register", 0, "");
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        place->status = rows[i].status;
        place->body = rows[i].body;
        register_with("");
        assert_int_equal(got.status, rows[i].wanted);
        assert_string_equal(got.err.code, rows[i].code);
        if (!strstr(got.err.message, rows[i].says) ||
            !strstr(got.err.message, "as.example"))
            fail_msg("%s", got.err.message);
        assert_int_equal(strstr(got.err.message, "--client-id") != NULL,
                         rows[i].wanted == VALET_DENIED);
        assert_null(got.client.id);
    }
    assert_int_equal(place->asked, VL_COUNT(rows));
}

static void
without_a_place_to_register_at_the_same_is_said(void **state)
{
    (void)state;
    site.registration_endpoint = NULL;
    register_with("");
    assert_int_equal(got.status, VALET_DENIED);
    assert_non_null(strstr(got.err.message, "--client-id"));
    assert_int_equal(vl_buf_size(&town.log), 0);
}

/* @spec CL-20 SB-13 */
static void
what_a_public_server_names_has_to_be_public(void **state)
{
    (void)state;
    site.only_public = true;
    register_with("");
    assert_int_equal(got.status, VALET_DENIED);
    assert_int_equal(vl_buf_size(&town.log), 0);
}

static void
a_server_that_is_not_there_is_asked_later(void **state)
{
    (void)state;
    site.registration_endpoint = "http://127.0.0.1:1/register";
    register_with("");
    assert_int_equal(got.status, VALET_RETRY);
}

static void
a_registration_that_is_given_up_is_silent(void **state)
{
    (void)state;
    struct vl_register *op = NULL;
    vl_register_abort(&op);
    op = vl_register_start(town.loop, town.fetcher, &site, REDIRECT, "",
                           on_client, &got);
    while (vl_buf_size(&town.log) == 0)
        vl_loop_step(town.loop);
    vl_register_abort(&op);
    assert_null(op);
    site.registration_endpoint = NULL;
    op = vl_register_start(town.loop, town.fetcher, &site, REDIRECT, "",
                           on_client, &got);
    vl_register_abort(&op);
    vl_loop_deliver(town.loop);
    assert_int_equal(got.calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_says_what_it_is),
        TEST(it_asks_for_no_secret_unless_it_has_to_have_one),
        TEST(a_registration_is_taken_as_it_was_answered),
        TEST(the_proof_is_that_of_the_answer_or_the_best_that_both_know),
        TEST(what_cannot_be_used_is_no_registration),
        TEST(a_secret_that_never_ends_is_told_by_0),
        TEST(a_refusal_says_what_a_person_can_do),
        TEST(without_a_place_to_register_at_the_same_is_said),
        TEST(what_a_public_server_names_has_to_be_public),
        TEST(a_server_that_is_not_there_is_asked_later),
        TEST(a_registration_that_is_given_up_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
