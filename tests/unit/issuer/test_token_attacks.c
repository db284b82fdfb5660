/* SPDX-License-Identifier: Apache-2.0
 *
 * Attacks on codes and tokens, by the numbers of the known weaknesses.
 */
#include "vl_test.h"

#include "desk_fixture.h"

static void
new_code(struct desk *desk, char code[TOKEN_SIZE])
{
    sign_in(desk, AUTHORIZE_DEFAULT, code, TOKEN_SIZE);
}

/* @spec W-10 AS-22 */
static void
ends_the_family_when_a_refresh_token_comes_again_w10(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens first = get_tokens(desk), bystander = get_tokens(desk);
    struct answer answer = refresh_as(desk, CLIENT, first.refresh, "");
    struct tokens second = take_tokens(&answer);
    answer = refresh_as(desk, CLIENT, second.refresh, "");
    struct tokens third = take_tokens(&answer);
    assert_int_equal(ask(desk, third.access, RESOURCE).status, VALET_OK);

    answer = refresh_as(desk, CLIENT, first.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    assert_audited(desk, "token.reuse", "refresh_reuse");
    assert_int_equal(desk->ends, 1);
    /* At once, not when the verdict grows old. */
    assert_int_equal(ask(desk, third.access, RESOURCE).status, VALET_DENIED);
    answer = refresh_as(desk, CLIENT, third.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    assert_int_equal(ask(desk, bystander.access, RESOURCE).status, VALET_OK);
    desk_free(desk);
}

/* @spec W-10: what is not a refresh token of this client's. */
static void
refuses_refresh_tokens_that_are_none_w10(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    char forged[TOKEN_SIZE];
    memcpy(forged, tokens.refresh, sizeof forged);
    forged[40] = forged[40] == 'A' ? 'B' : 'A';
    const char *const bad[] = {"unused", forged, tokens.access, "mvrt_"};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        struct answer answer = refresh_as(desk, CLIENT, bad[i], "");
        assert_oauth_error(answer, 400, "invalid_grant");
        answer_done(&answer);
    }
    struct answer answer = refresh_as(desk, "other-client", tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    assert_audited(desk, "token.reject", "client_mismatch");
    answer_done(&answer);
    desk->now += desk->config.refresh_token_ms;
    answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-11 */
static void
revokes_a_family_by_either_token_w11(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    for (int by_access = 0; by_access < 2; by_access++) {
        char body[512];
        struct tokens tokens = get_tokens(desk);
        assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
        (void)snprintf(body, sizeof body,
                       "client_id=" CLIENT "&token=%s&token_type_hint=x",
                       by_access ? tokens.access : tokens.refresh);
        desk->ends = 0;
        for (int turn = 0; turn < 2; turn++) {
            struct answer answer = desk_post(desk, NULL, "/revoke", body);
            assert_int_equal(answer.status, 200);
            answer_done(&answer);
        }
        assert_int_equal(desk->ends, 1);
        assert_int_equal(ask(desk, tokens.access, RESOURCE).status,
                         VALET_DENIED);
        struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
        assert_oauth_error(answer, 400, "invalid_grant");
        answer_done(&answer);
        assert_int_equal(lease(desk, desk->ended, false).status, VALET_DENIED);
    }
    assert_audited(desk, "token.revoke", NULL);
    desk_free(desk);
}

static void
revokes_nothing_for_others_w11(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char body[512];
    struct tokens tokens = get_tokens(desk);
    (void)snprintf(body, sizeof body, "client_id=other-client&token=%s",
                   tokens.access);
    struct answer answer = desk_post(desk, NULL, "/revoke", body);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    assert_audited(desk, "token.revoke", "client_mismatch");
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    answer = desk_post(desk, NULL, "/revoke", "client_id=nobody&token=x");
    assert_oauth_error(answer, 401, "invalid_client");
    answer_done(&answer);
    answer = desk_post(desk, NULL, "/revoke", "client_id=" CLIENT);
    assert_oauth_error(answer, 400, "invalid_request");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-13 */
static void
answers_a_bad_code_with_invalid_grant_w13(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    static const char *const bad[] = {
        "x", "mvac_", "mvac_AAAA", "ClientInfo-1", "../../x", "%00"};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        struct answer answer = redeem(desk, bad[i]);
        assert_oauth_error(answer, 400, "invalid_grant");
        answer_done(&answer);
    }
    assert_audited(desk, "code.reject", "unknown_code");
    desk_free(desk);
}

/* @spec W-15 RS-17 AS-23 */
static void
keeps_tokens_to_their_resource_w15(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE2);
    assert_int_equal(asked.status, VALET_DENIED);
    assert_string_equal(asked.reason, "wrong_resource");
    struct answer answer =
        refresh_as(desk, CLIENT, tokens.refresh,
                   "&resource=http://localhost:3001/other/mcp");
    assert_oauth_error(answer, 400, "invalid_target");
    answer_done(&answer);

    answer = desk_get(
        desk, NULL,
        AUTHORIZE(CLIENT, CALLBACK, "&resource=https://evil.example/mcp"));
    assert_true(
        has_text(header_of(&answer, "Location", 0), "error=invalid_target"));
    answer_done(&answer);
    answer = desk_get(desk, NULL,
                      AUTHORIZE(CLIENT, CALLBACK,
                                "&resource=" RESOURCE "&resource=" RESOURCE2));
    assert_true(
        has_text(header_of(&answer, "Location", 0), "error=invalid_target"));
    answer_done(&answer);
    char code[TOKEN_SIZE];
    sign_in(desk, AUTHORIZE(CLIENT, CALLBACK, "&resource=" RESOURCE2 "/"), code,
            sizeof code);
    answer = redeem(desk, code);
    tokens = take_tokens(&answer);
    assert_int_equal(ask(desk, tokens.access, RESOURCE2).status, VALET_OK);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_DENIED);
    desk_free(desk);
}

/* @spec W-19: every binding by itself. */
static void
binds_the_code_to_client_redirect_and_verifier_w19(void **state)
{
    (void)state;
    static const struct {
        const char *client, *redirect, *verifier, *reason;
    } cases[] = {
        {"other-client", CALLBACK, VERIFIER, "client_mismatch"},
        {CLIENT, "http://127.0.0.1:7778/cb", VERIFIER, "redirect_mismatch"},
        {CLIENT, CALLBACK2, VERIFIER, "redirect_mismatch"},
        {CLIENT, CALLBACK, CHALLENGE, "verifier_mismatch"},
        {CLIENT, CALLBACK, "short", "verifier_mismatch"},
    };
    struct desk *desk = desk_new();
    char code[TOKEN_SIZE];
    new_code(desk, code);
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct answer answer = redeem_as(
            desk, cases[i].client, cases[i].redirect, code, cases[i].verifier);
        assert_oauth_error(answer, 400, "invalid_grant");
        assert_audited(desk, "code.reject", cases[i].reason);
        answer_done(&answer);
    }
    struct answer answer = redeem_as(desk, "nobody", CALLBACK, code, VERIFIER);
    assert_oauth_error(answer, 401, "invalid_client");
    answer_done(&answer);
    answer = redeem_as(desk, CLIENT, CALLBACK, code, "");
    assert_oauth_error(answer, 400, "invalid_request");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-57 */
static void
ends_the_family_when_a_code_comes_again_w57(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char code[TOKEN_SIZE];
    new_code(desk, code);
    struct answer answer = redeem(desk, code);
    struct tokens tokens = take_tokens(&answer);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    answer = redeem(desk, code);
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    assert_audited(desk, "code.replay", "code_replay");
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_DENIED);
    answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-57: sixty seconds. */
static void
lets_a_code_live_a_minute_w57(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char code[TOKEN_SIZE];
    new_code(desk, code);
    desk->now += VL_LIMIT_CODE_MS;
    struct answer answer = redeem(desk, code);
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-58 AS-07 */
static void
insists_on_s256_w58(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "",
        "&code_challenge=" CHALLENGE,
        "&code_challenge=" CHALLENGE "&code_challenge_method=plain",
        "&code_challenge=" CHALLENGE "&code_challenge_method=s256",
        "&code_challenge=abc&code_challenge_method=S256",
        "&code_challenge_method=S256",
    };
    struct desk *desk = desk_new();
    for (size_t i = 0; i < VL_COUNT(queries); i++) {
        char target[512];
        (void)snprintf(target, sizeof target,
                       "/authorize?response_type=code&client_id=" CLIENT
                       "&redirect_uri=" CALLBACK "&state=s%s",
                       queries[i]);
        struct answer answer = desk_get(desk, NULL, target);
        struct vl_str location = header_of(&answer, "Location", 0);
        assert_int_equal(answer.status, 302);
        assert_true(has_text(location, "error=invalid_request"));
        assert_true(has_text(location, "&state=s&iss="));
        answer_done(&answer);
    }
    assert_audited(desk, "authorize.reject", "not_s256");
    desk_free(desk);
}

/* @spec W-59 W-28: strict grants; nothing that is not advertised. */
static void
knows_its_grants_and_no_others_w59(void **state)
{
    (void)state;
    static const struct {
        const char *body, *error;
        int status;
    } cases[] = {
        {"", "invalid_request", 400},
        {"grant_type=password&client_id=" CLIENT, "unsupported_grant_type",
         400},
        {"grant_type=client_credentials&client_id=" CLIENT,
         "unsupported_grant_type", 400},
        {"grant_type=refresh_token", "invalid_request", 400},
        {"grant_type=authorization_code&client_id=" CLIENT, "invalid_request",
         400},
        {"grant_type=refresh_token&grant_type=refresh_token", "invalid_request",
         400},
        {"grant_type=refresh_token&refresh_token=x&client_id=" CLIENT
         "&client_secret=s",
         "invalid_client", 401},
        {"grant_type=refresh_token&refresh_token=x&client_id=%22",
         "invalid_client", 401},
        {"grant_type=%ff", "invalid_request", 400},
    };
    struct desk *desk = desk_new();
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct answer answer = desk_post(desk, NULL, "/token", cases[i].body);
        assert_oauth_error(answer, cases[i].status, cases[i].error);
        answer_done(&answer);
    }
    struct answer answer = desk_request(
        desk, NULL, "POST", "/token", FORM "Authorization: Basic eDp5\r\n",
        "grant_type=refresh_token&refresh_token=x");
    assert_oauth_error(answer, 401, "invalid_client");
    assert_non_null(header_of(&answer, "WWW-Authenticate", 0).p);
    answer_done(&answer);
    answer = desk_request(desk, NULL, "POST", "/token",
                          "Content-Type: application/json\r\n", "{}");
    assert_oauth_error(answer, 400, "invalid_request");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-60: before the person has signed in there is no code to redeem. */
static void
makes_no_code_before_the_sign_in_w60(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    approve(desk, &browser);
    struct answer answer = redeem(desk, desk->idp.state);
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    desk->idp.redeem_status = VALET_DENIED;
    answer = come_back(desk, &browser);
    assert_int_equal(answer.status, 302);
    assert_false(has_text(header_of(&answer, "Location", 0), "code="));
    assert_true(
        has_text(header_of(&answer, "Location", 0), "error=access_denied"));
    assert_audited(desk, "callback.fail", "provider_refused");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-77 */
static void
lets_no_cache_keep_tokens_w77(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char code[TOKEN_SIZE];
    new_code(desk, code);
    struct answer answer = redeem(desk, code);
    assert_str(header_of(&answer, "Cache-Control", 0), "no-store");
    assert_null(header_of(&answer, "Access-Control-Allow-Origin", 0).p);
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-31: idle and absolute limits. */
static void
ends_sessions_that_idle_or_grow_old_w31(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    for (int day = 0; day < 7; day++) {
        desk->now += desk->config.refresh_token_ms - 1000;
        struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
        tokens = take_tokens(&answer);
    }
    /* It came in time each day; but after a week it is over. */
    desk->now += 7 * 1000 + 1;
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_DENIED);
    struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_the_family_when_a_refresh_token_comes_again_w10),
        cmocka_unit_test(refuses_refresh_tokens_that_are_none_w10),
        cmocka_unit_test(revokes_a_family_by_either_token_w11),
        cmocka_unit_test(revokes_nothing_for_others_w11),
        cmocka_unit_test(answers_a_bad_code_with_invalid_grant_w13),
        cmocka_unit_test(keeps_tokens_to_their_resource_w15),
        cmocka_unit_test(binds_the_code_to_client_redirect_and_verifier_w19),
        cmocka_unit_test(ends_the_family_when_a_code_comes_again_w57),
        cmocka_unit_test(lets_a_code_live_a_minute_w57),
        cmocka_unit_test(insists_on_s256_w58),
        cmocka_unit_test(knows_its_grants_and_no_others_w59),
        cmocka_unit_test(makes_no_code_before_the_sign_in_w60),
        cmocka_unit_test(lets_no_cache_keep_tokens_w77),
        cmocka_unit_test(ends_sessions_that_idle_or_grow_old_w31),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
