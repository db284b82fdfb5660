/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole way of a client that behaves: discovery, sign-in, tokens, refresh,
 * revocation; and that all of it outlives a restart.
 */
#include "vl_test.h"

#include "desk_fixture.h"

static void
serves_metadata_wherever_clients_look(void **state)
{
    (void)state;
    static const struct {
        const char *path, *has;
    } pages[] = {
        {"/.well-known/oauth-authorization-server", "\"issuer\":\"" ISSUER},
        {"/.well-known/oauth-authorization-server/mcp", "\"issuer\":\""},
        {"/.well-known/openid-configuration", "\"jwks_uri\""},
        {"/.well-known/openid-configuration/mcp", "\"jwks_uri\""},
        {"/mcp/.well-known/openid-configuration", "\"jwks_uri\""},
        {"/.well-known/oauth-protected-resource", "\"" RESOURCE "\""},
        {"/.well-known/oauth-protected-resource/mcp", "\"" RESOURCE "\""},
        {"/.well-known/oauth-protected-resource/other/mcp",
         "\"" RESOURCE2 "\""},
        /* @spec rule 4.4.13 */
        {"/.well-known/oauth-authorization-server/", "\"issuer\":\"" ISSUER},
        {"/.well-known/oauth-protected-resource/", "\"" RESOURCE "\""},
        {"/.well-known/oauth-protected-resource/mcp/", "\"" RESOURCE "\""},
        {"/mcp/.well-known/openid-configuration/", "\"jwks_uri\""},
        {"/jwks", "{\"keys\":[]}"},
    };
    struct desk *desk = desk_new();
    for (size_t i = 0; i < VL_COUNT(pages); i++) {
        struct answer answer = desk_get(desk, NULL, pages[i].path);
        assert_int_equal(answer.status, 200);
        assert_true(has_text(answer.body, pages[i].has));
        assert_false(has_text(answer.body, "null"));
        assert_str(header_of(&answer, "Content-Type", 0), "application/json");
        /* RFC 9110 section 9.3.2: the same, without the body. */
        struct answer head =
            desk_request(desk, NULL, "HEAD", pages[i].path, "", NULL);
        assert_int_equal(head.status, 200);
        assert_int_equal(head.body.n, 0);
        static const char *const same[] = {"Content-Length", "Content-Type",
                                           "Cache-Control"};
        for (size_t j = 0; j < VL_COUNT(same); j++)
            assert_true(vl_str_eq(header_of(&head, same[j], 0),
                                  header_of(&answer, same[j], 0)));
        answer_done(&head);
        answer_done(&answer);
    }
    desk_free(desk);
}

static void
says_404_for_what_is_not_there_and_405_for_other_methods(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        int status;
    } cases[] = {
        {"GET", "/.well-known/oauth-protected-resource/nothing", 404},
        {"GET", "/.well-known/oauth-protected-resource/mcp//", 404},
        {"GET", "/.well-known/jwks.json", 404},
        {"HEAD", "/.well-known/jwks.json", 404},
        {"POST", "/.well-known/openid-configuration", 405},
        {"GET", "/token", 405},
        {"PUT", "/authorize", 405},
        {"OPTIONS", "/token", 405},
        {"HEAD", "/authorize", 405},
        {"POST", "/auth/callback", 405},
    };
    struct desk *desk = desk_new();
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct answer answer =
            desk_request(desk, NULL, cases[i].method, cases[i].path, "", NULL);
        assert_int_equal(answer.status, cases[i].status);
        if (answer.status == 405)
            assert_non_null(header_of(&answer, "Allow", 0).p);
        answer_done(&answer);
    }
    size_t max = 1;
    assert_true(vl_issuer_owns(desk->issuer, VL_STR("/token"), &max));
    assert_int_equal(max, VL_LIMIT_FORM_BODY);
    assert_false(vl_issuer_owns(desk->issuer, VL_STR("/mcp"), &max));
    assert_false(vl_issuer_owns(desk->issuer, VL_STR("/token/"), &max));
    desk_free(desk);
}

/* @spec SB-03 W-05 */
static void
shows_who_asks_and_where_the_answer_goes(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    struct answer answer = desk_get(desk, &browser, AUTHORIZE_DEFAULT);
    assert_int_equal(answer.status, 200);
    assert_true(has_text(answer.body, "Test &lt;Client&gt;"));
    assert_true(has_text(answer.body, "127.0.0.1"));
    assert_true(has_text(answer.body, "Any program on this computer"));
    assert_true(has_text(answer.body, "Test Sign-In"));
    assert_true(has_text(answer.body, RESOURCE));
    assert_false(has_text(answer.body, "<script"));
    assert_true(has_text(header_of(&answer, "Content-Security-Policy", 0),
                         "frame-ancestors 'none'"));
    assert_int_equal(desk->idp.begun, 0);
    answer_done(&answer);
    desk_free(desk);
}

/* @spec S-23 AS-25 AS-31 W-53: all of it, twice. */
static void
signs_a_person_in_and_gives_tokens(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    for (int turn = 0; turn < 2; turn++) {
        struct browser browser = {0};
        open_consent(desk, &browser, AUTHORIZE_DEFAULT);
        approve(desk, &browser);
        /* @spec SB-06 W-32: our own state, nonce and PKCE. */
        assert_string_not_equal(desk->idp.state, "client-state");
        assert_int_equal(strlen(desk->idp.challenge), 43);

        struct answer answer = come_back(desk, &browser);
        char text[256];
        struct vl_str location = header_of(&answer, "Location", 0);
        assert_int_equal(answer.status, 302);
        assert_true(vl_str_starts(location, VL_STR(CALLBACK "?code=mvac_")));
        assert_true(url_param(location, "state", text, sizeof text));
        assert_string_equal(text, "client-state");
        assert_true(url_param(location, "iss", text, sizeof text));
        assert_string_equal(text, ISSUER);
        assert_string_equal(desk->idp.redeem_nonce, desk->idp.nonce);
        assert_true(vl_pkce_verify(vl_str_z(desk->idp.verifier),
                                   vl_str_z(desk->idp.challenge)));
        assert_true(url_param(location, "code", text, sizeof text));
        answer_done(&answer);

        answer = redeem(desk, text);
        assert_int_equal(answer.status, 200);
        assert_true(has_text(answer.body, "\"token_type\":\"Bearer\""));
        assert_true(has_text(answer.body, "\"expires_in\":600"));
        assert_true(has_text(answer.body, "\"scope\":\"mcp.tools.read\""));
        assert_false(has_text(answer.body, "CANARY"));
        assert_str(header_of(&answer, "Cache-Control", 0), "no-store");
        answer_done(&answer);
    }
    assert_audited(desk, "consent.approve", NULL);
    assert_audited(desk, "callback.ok", NULL);
    assert_audited(desk, "token.issue", NULL);
    desk_free(desk);
}

static void
accepts_the_token_it_gave(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    for (int turn = 0; turn < 2; turn++) { /* from the store, from memory */
        struct asked asked = ask(desk, tokens.access, RESOURCE "/");
        assert_int_equal(asked.status, VALET_OK);
        assert_string_equal(asked.principal.client.text, CLIENT);
        assert_string_equal(asked.principal.user.tid, TID);
        assert_string_equal(asked.principal.user.oid, OID);
        assert_string_equal(asked.principal.scopes, "mcp.tools.read");
    }
    desk_free(desk);
}

/* @spec AS-22 W-10 */
static void
rotates_refresh_tokens(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    for (int turn = 0; turn < 3; turn++) {
        struct answer answer =
            refresh_as(desk, CLIENT, tokens.refresh,
                       "&resource=http%3A%2F%2Flocalhost%3A3001%2Fmcp%2F");
        struct tokens next = take_tokens(&answer);
        assert_string_not_equal(next.refresh, tokens.refresh);
        assert_string_not_equal(next.access, tokens.access);
        assert_int_equal(ask(desk, next.access, RESOURCE).status, VALET_OK);
        tokens = next;
        desk->now += 3600000;
    }
    assert_audited(desk, "token.refresh", NULL);
    desk_free(desk);
}

/* @spec AS-30 */
static void
narrows_scopes_but_never_widens_them(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char code[TOKEN_SIZE];
    sign_in(desk,
            AUTHORIZE(CLIENT, CALLBACK,
                      "&scope=mcp.tools.read%20User.Read%20offline_access"),
            code, sizeof code);
    struct answer answer = redeem(desk, code);
    assert_true(has_text(answer.body, "\"mcp.tools.read User.Read\""));
    struct tokens tokens = take_tokens(&answer);
    answer = refresh_as(desk, CLIENT, tokens.refresh, "&scope=User.Read");
    assert_true(has_text(answer.body, "\"scope\":\"User.Read\""));
    tokens = take_tokens(&answer);
    /* The refresh token still holds both. */
    answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_true(has_text(answer.body, "\"mcp.tools.read User.Read\""));
    answer_done(&answer);

    /* Two names of one right; and words that cannot be scopes. */
    tokens = get_tokens(desk);
    answer = refresh_as(desk, CLIENT, tokens.refresh, "&scope=User.Read");
    tokens = take_tokens(&answer);
    answer = refresh_as(desk, CLIENT, tokens.refresh, "&scope=%22");
    assert_oauth_error(answer, 400, "invalid_scope");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-07 W-71 */
static void
answers_at_the_address_that_was_asked_for_w07(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    open_consent(
        desk, &browser,
        AUTHORIZE(CLIENT, "https%3A%2F%2Fclient.example%2Fsecond%3Fx%3D1", ""));
    approve(desk, &browser);
    struct answer answer = come_back(desk, &browser);
    assert_true(vl_str_starts(header_of(&answer, "Location", 0),
                              VL_STR(CALLBACK2 "&code=mvac_")));
    answer_done(&answer);
    desk_free(desk);
}

/* The issue: registrations, grants, sessions and tokens survive. */
static void
survives_a_restart(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    struct tokens tokens = get_tokens(desk);
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    desk_restart_issuer(desk);
    approve(desk, &browser);
    desk_restart_issuer(desk);
    struct answer answer = come_back(desk, &browser);
    char code[TOKEN_SIZE];
    assert_true(url_param(header_of(&answer, "Location", 0), "code", code,
                          sizeof code));
    answer_done(&answer);
    desk_restart_issuer(desk);
    answer = redeem(desk, code);
    struct tokens second = take_tokens(&answer);
    desk_restart_issuer(desk);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    answer = refresh_as(desk, CLIENT, second.refresh, "");
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    desk_free(desk);
}

static char sqlite_path[] = "/tmp/vl_desk_XXXXXX/store";

static struct vl_store *
open_sqlite(const struct vl_keyring *ring, const struct vl_clock *clock)
{
    struct vl_store *store = NULL;
    assert_ok(vl_store_open_sqlite(sqlite_path, ring, clock, &store, NULL));
    return store;
}

/* The same with the database that a server has, closed and opened again. */
static void
survives_on_disk(void **state)
{
    (void)state;
    char *slash = strrchr(sqlite_path, '/');
    *slash = '\0';
    assert_non_null(mkdtemp(sqlite_path));
    *slash = '/';
    struct desk *desk = desk_new_with(open_sqlite);
    struct tokens tokens = get_tokens(desk);
    vl_issuer_free(desk->issuer);
    vl_store_close(desk->store);
    desk->store = open_sqlite(desk->ring, &desk->clock);
    desk_start_issuer(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    assert_int_equal(asked.status, VALET_OK);
    struct lent lent = lease(desk, asked.principal.session, false);
    assert_string_equal(lent.token, "ENTRA-CANARY-access-1");
    struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    struct tokens next = take_tokens(&answer);
    answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    assert_int_equal(ask(desk, next.access, RESOURCE).status, VALET_DENIED);
    desk_free(desk);

    static const char *const files[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < VL_COUNT(files); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s%s", sqlite_path, files[i]);
        (void)unlink(path);
    }
    *slash = '\0';
    assert_int_equal(rmdir(sqlite_path), 0);
}

/* @spec SB-04 */
static void
marks_its_cookies_as_the_hosts_own_over_https(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    desk->config.issuer = "https://valet.example";
    desk_restart_issuer(desk);
    struct answer answer = desk_get(desk, &browser, AUTHORIZE_DEFAULT);
    struct vl_str cookie = header_of(&answer, "Set-Cookie", 0);
    assert_true(vl_str_starts(cookie, VL_STR("__Host-valet_browser=")));
    assert_true(has_text(cookie, "; Path=/; HttpOnly; SameSite=Lax"));
    assert_true(has_text(cookie, "; Secure"));
    assert_false(has_text(cookie, "Domain"));
    answer_done(&answer);
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    answer = desk_request(desk, &browser, "POST", "/authorize/consent",
                          FORM "Origin: https://valet.example\r\n", "");
    assert_int_equal(answer.status, 400); /* the origin is right */
    answer_done(&answer);
    answer = decide(desk, &browser, "approve");
    assert_int_equal(answer.status, 403);
    answer_done(&answer);
    desk_free(desk);
}

static void
registers_a_client_and_signs_in_with_it(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct answer answer = desk_request(
        desk, NULL, "POST", "/register", "Content-Type: application/json\r\n",
        "{\"client_name\":\"My Client\",\"redirect_uris\":"
        "[\"http://localhost:1/cb\",\"cursor://a.b/cb\"],"
        "\"token_endpoint_auth_method\":\"client_secret_basic\","
        "\"application_type\":\"native\",\"grant_types\":"
        "[\"authorization_code\"]}");
    char id[64], target[1024], code[TOKEN_SIZE];
    assert_int_equal(answer.status, 201);
    /* @spec W-28: what we say is what we do. */
    assert_true(
        has_text(answer.body, "\"token_endpoint_auth_method\":\"none\""));
    assert_false(has_text(answer.body, "secret"));
    assert_false(has_text(answer.body, "null"));
    json_text(&answer, "client_id", id, sizeof id);
    answer_done(&answer);

    (void)snprintf(target, sizeof target,
                   "/authorize?response_type=code&client_id=%s&redirect_uri="
                   "http://localhost:4242/cb&code_challenge=" CHALLENGE
                   "&code_challenge_method=S256",
                   id);
    sign_in(desk, target, code, sizeof code);
    answer = redeem_as(desk, id, "http://localhost:4242/cb", code, VERIFIER);
    struct tokens tokens = take_tokens(&answer);
    /* It is in use now, and does not expire as an unused one would. */
    desk->now += 3 * 3600000;
    answer = refresh_as(desk, id, tokens.refresh, "");
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_metadata_wherever_clients_look),
        cmocka_unit_test(
            says_404_for_what_is_not_there_and_405_for_other_methods),
        cmocka_unit_test(shows_who_asks_and_where_the_answer_goes),
        cmocka_unit_test(signs_a_person_in_and_gives_tokens),
        cmocka_unit_test(accepts_the_token_it_gave),
        cmocka_unit_test(rotates_refresh_tokens),
        cmocka_unit_test(narrows_scopes_but_never_widens_them),
        cmocka_unit_test(answers_at_the_address_that_was_asked_for_w07),
        cmocka_unit_test(survives_a_restart),
        cmocka_unit_test(survives_on_disk),
        cmocka_unit_test(marks_its_cookies_as_the_hosts_own_over_https),
        cmocka_unit_test(registers_a_client_and_signs_in_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
