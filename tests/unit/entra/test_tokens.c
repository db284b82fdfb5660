/* SPDX-License-Identifier: Apache-2.0
 *
 * Redeeming codes and refreshing tokens, with real signatures.
 */
#include "http/url.h"
#include "tenant.h"

/* --- redeem --- */

/* The form has exactly these, in any order. */
static void
assert_form(struct bench *b, const char *const wanted[][2], size_t count)
{
    vl_auto(vl_arena) arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    struct vl_params params;
    assert_ok(
        vl_params_parse(vl_buf_str(&b->token->body), &arena, &params, NULL));
    assert_int_equal(params.count, count);
    for (size_t i = 0; i < count; i++)
        assert_str(vl_params_get(&params, wanted[i][0]), wanted[i][1]);
    assert_str(b->token->method, "POST");
    assert_int_equal(vl_buf_size(&b->token->query), 0);
    assert_int_equal(vl_buf_size(&b->token->bearer), 0);
}

static void
redeems_a_code(void **state)
{
    struct bench *b = *state;
    static const char *const form[][2] = {
        {"grant_type", "authorization_code"},
        {"code", "a code+/="},
        {"redirect_uri", REDIRECT},
        {"code_verifier", "our-verifier"},
        {"scope", SCOPES},
        {"client_id", CLIENT},
        {"client_secret", SECRET},
    };
    issue(b, &someone);
    const struct result *r = after_redeem(b);
    assert_int_equal(r->status, VALET_OK);
    assert_string_equal(r->user.tid, TID);
    assert_string_equal(r->user.oid, OID);
    assert_string_equal(r->name, "The User");
    assert_string_equal(r->username, "user@contoso.example");
    assert_string_equal(r->access, "upstream-access");
    assert_string_equal(r->refresh, "upstream-refresh");
    assert_true(r->expires_ms == b->now_ms + 3600 * 1000);
    assert_form(b, form, VL_COUNT(form));
}

/* @spec S-51 S-22 */
static void
refuses_an_id_token_that_is_not_for_this_sign_in(void **state)
{
    struct bench *b = *state;
    static const struct identity wrong[] = {
        {.nonce = "another-nonce"},
        {.nonce = ""},
        {.nonce = "our-nonce", .tid = OTHER},
    };
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        issue(b, &wrong[i]);
        const struct result *r = after_redeem(b);
        assert_int_equal(r->status, VALET_DENIED);
        assert_string_equal(r->err.code, "invalid_id_token");
    }
    issue(b, NULL);
    assert_int_equal(after_redeem(b)->status, VALET_DENIED);
}

static void
refuses_a_signature_of_somebody_else(void **state)
{
    struct bench *b = *state;
    /* The second signer calls itself the first. */
    issue(b, &(struct identity){.signer = 1,
                                .nonce = "our-nonce",
                                .kid = vl_buf_cstr(&signers[0].kid)});
    assert_int_equal(after_redeem(b)->status, VALET_DENIED);
    assert_int_equal(b->document->asked, 1); /* no reason for new keys */
}

/* @spec S-15: the set holds a key of another issuer. */
static void
refuses_a_key_of_another_issuer(void **state)
{
    struct bench *b = *state;
    write_keys(b, 2);
    issue(b, &(struct identity){.signer = 2, .nonce = "our-nonce"});
    const struct result *r = after_redeem(b);
    assert_int_equal(r->status, VALET_DENIED);
    assert_non_null(strstr(r->err.message, "another issuer's key"));
}

/* @spec S-15 */
static void
looks_for_an_unknown_key_at_most_every_five_minutes(void **state)
{
    struct bench *b = *state;
    issue(b, &someone);
    assert_int_equal(after_redeem(b)->status, VALET_OK);
    assert_int_equal(b->document->asked, 1);
    /* The tenant changes its key; we have just looked. */
    write_keys(b, 1);
    issue(b, &(struct identity){.signer = 1, .nonce = "our-nonce"});
    assert_int_equal(after_redeem(b)->status, VALET_DENIED);
    assert_int_equal(b->document->asked, 1);
    b->now_ms += 5 * MINUTE_MS;
    issue(b, &(struct identity){.signer = 1, .nonce = "our-nonce"});
    assert_int_equal(after_redeem(b)->status, VALET_OK);
    assert_int_equal(b->document->asked, 2);
    assert_int_equal(b->keys->asked, 2);
    /* Old tokens of the key that is gone; asked again once in five minutes. */
    b->now_ms += 5 * MINUTE_MS;
    for (int i = 0; i < 4; i++) {
        issue(b, &someone);
        assert_int_equal(after_redeem(b)->status, VALET_DENIED);
        assert_int_equal(b->document->asked, 3);
        b->now_ms += MINUTE_MS;
    }
}

/* Failing does not make it ask more often. */
static void
does_not_hammer_an_authority_that_is_away(void **state)
{
    struct bench *b = *state;
    issue(b, &someone);
    assert_int_equal(after_redeem(b)->status, VALET_OK);
    b->now_ms += 5 * MINUTE_MS;
    peer_reset(b->document);
    peer_say(
        b->document,
        (struct peer_answer){.status = 503, .body = "", .retry_after = "3600"});
    for (int i = 0; i < 4; i++) {
        issue(b, &(struct identity){.signer = 1, .nonce = "our-nonce"});
        assert_int_equal(after_redeem(b)->status, VALET_DENIED);
        assert_int_equal(b->document->asked, 1);
    }
}

static void
shares_the_look_for_an_unknown_key(void **state)
{
    struct bench *b = *state;
    issue(b, &someone);
    assert_int_equal(after_redeem(b)->status, VALET_OK);
    write_keys(b, 1);
    b->now_ms += 5 * MINUTE_MS;
    issue(b, &(struct identity){.signer = 1, .nonce = "our-nonce"});
    /* Another sign-in begins meanwhile and is answered with what there is. */
    redeem(b, &b->results[1], VL_STR("code-1"));
    redeem(b, &b->results[2], VL_STR("code-2"));
    redeem(b, &b->results[3], VL_STR("code-3"));
    begin(b, &b->results[0]);
    run(b);
    for (size_t i = 0; i < RESULTS; i++)
        assert_int_equal(b->results[i].status, VALET_OK);
    assert_int_equal(b->document->asked, 2);
    assert_int_equal(b->keys->asked, 2);
}

static void
sends_a_code_once(void **state)
{
    struct bench *b = *state;
    refuse(b, 503, "", "0");
    assert_int_equal(after_redeem(b)->status, VALET_RETRY);
    assert_int_equal(b->token->asked, 1);
    refuse(b, 400, "{\"error\":\"invalid_grant\",\"error_codes\":[54005]}",
           NULL);
    const struct result *r = after_redeem(b);
    assert_int_equal(r->status, VALET_DENIED);
    assert_string_equal(r->err.code, "AADSTS54005");
    refuse(b, 401, "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}",
           NULL);
    r = after_redeem(b);
    assert_int_equal(r->status, VALET_INTERNAL);
    assert_string_equal(r->err.code, "AADSTS7000215");
}

static void
sends_no_code_that_is_too_long(void **state)
{
    struct bench *b = *state;
    vl_auto(vl_buf) code = vl_buf_of(100000);
    while (vl_buf_size(&code) < 20000)
        vl_buf_addz(&code, "////");
    redeem(b, &b->results[0], vl_buf_str(&code));
    run(b);
    assert_int_equal(b->results[0].status, VALET_DENIED);
    assert_int_equal(b->token->asked, 0);
}

/* --- refresh --- */

static void
refreshes_and_rotates(void **state)
{
    struct bench *b = *state;
    static const char *const form[][2] = {
        {"grant_type", "refresh_token"},
        {"refresh_token", "old-refresh"},
        {"scope", SCOPES},
        {"client_id", CLIENT},
        {"client_secret", SECRET},
    };
    issue(b, NULL);
    const struct result *r = after_refresh(b);
    assert_int_equal(r->status, VALET_OK);
    assert_string_equal(r->access, "upstream-access");
    assert_string_equal(r->refresh, "upstream-refresh");
    assert_true(r->expires_ms == b->now_ms + 3600 * 1000);
    assert_form(b, form, VL_COUNT(form));
    refuse(b, 200,
           "{\"token_type\":\"Bearer\",\"expires_in\":\"60\","
           "\"access_token\":\"next\"}",
           NULL);
    r = after_refresh(b);
    assert_int_equal(r->status, VALET_OK);
    assert_string_equal(r->access, "next");
    assert_string_equal(r->refresh, ""); /* the old one stays */
}

static void
tells_an_ended_session_from_trouble(void **state)
{
    struct bench *b = *state;
    static const struct {
        int http;
        const char *body, *retry_after;
        valet_status status;
        const char *code;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[700082]}", NULL,
         VALET_DENIED, "AADSTS700082"},
        {429, "{\"error\":\"invalid_grant\"}", "3600", VALET_RETRY,
         "invalid_grant"},
        {503, "<html>", "3600", VALET_RETRY, ""},
        {500, "{}", NULL, VALET_RETRY, ""},
        {401, "{\"error\":\"invalid_client\"}", NULL, VALET_INTERNAL,
         "invalid_client"},
        {302, "{\"error\":\"invalid_grant\"}", NULL, VALET_INTERNAL,
         "invalid_grant"},
        {200, "{\"error\":\"invalid_grant\"}", NULL, VALET_INTERNAL, ""},
        {200, "<html>", NULL, VALET_RETRY, ""},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        refuse(b, cases[i].http, cases[i].body, cases[i].retry_after);
        const struct result *r = after_refresh(b);
        assert_int_equal(r->status, cases[i].status);
        assert_string_equal(r->err.code, cases[i].code);
        assert_int_equal(b->token->asked, 1);
    }
}

/* @spec S-100 */
static void
refreshes_again_after_passing_trouble(void **state)
{
    struct bench *b = *state;
    refuse(b, 503, "", "0");
    peer_say(b->token,
             (struct peer_answer){
                 .status = 200,
                 .body = "{\"token_type\":\"Bearer\",\"expires_in\":60,"
                         "\"access_token\":\"next\"}"});
    assert_int_equal(after_refresh(b)->status, VALET_OK);
    assert_int_equal(b->token->asked, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        AT_BENCH(redeems_a_code),
        AT_BENCH(refuses_an_id_token_that_is_not_for_this_sign_in),
        AT_BENCH(refuses_a_signature_of_somebody_else),
        AT_BENCH(refuses_a_key_of_another_issuer),
        AT_BENCH(looks_for_an_unknown_key_at_most_every_five_minutes),
        AT_BENCH(does_not_hammer_an_authority_that_is_away),
        AT_BENCH(shares_the_look_for_an_unknown_key),
        AT_BENCH(sends_a_code_once),
        AT_BENCH(sends_no_code_that_is_too_long),
        AT_BENCH(refreshes_and_rotates),
        AT_BENCH(tells_an_ended_session_from_trouble),
        AT_BENCH(refreshes_again_after_passing_trouble),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
