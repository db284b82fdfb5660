/* SPDX-License-Identifier: Apache-2.0
 *
 * Lending Entra's tokens: from the store, renewed in time, once for many.
 */
#include "vl_test.h"

#include "desk_fixture.h"

static void
get_session(struct desk *desk, char ret[VL_SESSION_ID_SIZE])
{
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    assert_int_equal(asked.status, VALET_OK);
    memcpy(ret, asked.principal.session, VL_SESSION_ID_SIZE);
}

/* @spec S-31 */
static void
lends_what_is_stored_and_renews_before_it_ends(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char session[VL_SESSION_ID_SIZE];
    get_session(desk, session);
    struct lent lent = lease(desk, session, false);
    assert_int_equal(lent.status, VALET_OK);
    assert_string_equal(lent.token, "ENTRA-CANARY-access-1");
    desk->now += 3600000 - VL_DESK_RENEW_MS;
    lent = lease(desk, session, false);
    assert_string_equal(lent.token, "ENTRA-CANARY-access-1");
    desk->now += 1;
    lent = lease(desk, session, false);
    assert_int_equal(lent.status, VALET_OK);
    assert_string_equal(lent.token, "ENTRA-CANARY-renewed-2");
    lent = lease(desk, session, false);
    assert_string_equal(lent.token, "ENTRA-CANARY-renewed-2");
    assert_int_equal(desk->idp.refreshed, 1);
    assert_audited(desk, "credential.renew", NULL);
    desk_restart_issuer(desk);
    lent = lease(desk, session, false);
    assert_string_equal(lent.token, "ENTRA-CANARY-renewed-2");
    desk_free(desk);
}

/* @spec S-83 */
static void
renews_once_for_many_at_once(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char session[VL_SESSION_ID_SIZE];
    struct lent lent[10] = {0};
    get_session(desk, session);
    for (size_t i = 0; i < VL_COUNT(lent); i++)
        vl_issuer_lease(desk->issuer, session, true, was_lent, &lent[i]);
    for (size_t i = 0; i < VL_COUNT(lent); i++) {
        run_until(desk, &lent[i].done);
        assert_string_equal(lent[i].token, "ENTRA-CANARY-renewed-2");
    }
    /* Who heard the refusal of the old token late gets the new one. */
    struct lent late = lease(desk, session, true);
    assert_string_equal(late.token, "ENTRA-CANARY-renewed-2");
    assert_int_equal(desk->idp.refreshed, 1);
    desk->now += VL_DESK_RENEW_AGAIN_MS;
    late = lease(desk, session, true);
    assert_string_equal(late.token, "ENTRA-CANARY-renewed-3");
    desk_free(desk);
}

/* @spec S-08: Entra says the sign-in has ended. */
static void
ends_the_session_when_the_provider_says_so(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    desk->idp.refresh_status = VALET_DENIED;
    struct lent lent = lease(desk, asked.principal.session, true);
    assert_int_equal(lent.status, VALET_DENIED);
    assert_string_equal(lent.token, "");
    assert_string_equal(desk->ended, asked.principal.session);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_DENIED);
    struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    assert_audited(desk, "credential.fail", "sign_in_ended");
    desk_free(desk);
}

/* Is the family at its end: no verdict, no refresh, no lease? */
static void
expect_ended(struct desk *desk, const struct tokens *tokens,
             const char *session)
{
    assert_int_equal(ask(desk, tokens->access, RESOURCE).status, VALET_DENIED);
    assert_int_equal(lease(desk, session, false).status, VALET_DENIED);
    struct answer answer = refresh_as(desk, CLIENT, tokens->refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
}

/* @spec S-08: Graph refuses whatever Entra gives us for this person. */
static void
ends_a_session_when_a_tool_says_so(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk), other = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    char reason[] = "graph_denied";
    /* Many calls of the person are refused at the same time. */
    vl_issuer_end(desk->issuer, asked.principal.session, reason);
    vl_issuer_end(desk->issuer, asked.principal.session, reason);
    memset(reason, 'x', sizeof reason - 1); /* not borrowed */
    assert_int_equal(desk->ends, 0);
    for (int i = 0; i < 10000 && desk->ends < 2; i++)
        vl_loop_step(desk->loop);
    assert_string_equal(desk->ended, asked.principal.session);
    expect_ended(desk, &tokens, asked.principal.session);
    assert_audited(desk, "credential.fail", "graph_denied");
    vl_auto(vl_buf) text = vl_buf_of(1 << 20);
    assert_ok(vl_file_read(desk->audit_path, false, &text, NULL));
    struct vl_str rest = vl_buf_str(&text), line;
    int lines = 0;
    while (vl_str_split(&rest, '\n', &line))
        if (has_text(line, "graph_denied")) {
            lines++;
            assert_true(has_text(line, OID) && has_text(line, CLIENT));
        }
    assert_int_equal(lines, 1);
    assert_int_equal(ask(desk, other.access, RESOURCE).status, VALET_OK);
    desk_free(desk);
}

/* What was said to end ends, also when the process does right then. */
static void
ends_a_session_even_if_the_issuer_goes(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    vl_issuer_end(desk->issuer, asked.principal.session, "graph_denied");
    desk_restart_issuer(desk);
    expect_ended(desk, &tokens, asked.principal.session);
    assert_int_equal(desk->ends, 0);
    assert_audited(desk, "credential.fail", "graph_denied");
    desk_free(desk);
}

static void
put_raw_done(struct vl_store_batch *batch)
{
    *(bool *)batch->ctx = true;
    assert_int_equal(batch->status, VALET_OK);
    vl_store_batch_free(batch);
}

/* A record that is none is no reason to let its family live. */
static void
ends_a_session_whose_record_is_none(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    bool done = false;
    struct vl_store_batch *batch = vl_store_batch_new(put_raw_done, &done);
    struct vl_store_op *op = vl_store_add(batch, VL_STORE_PUT, VL_STORE_SESSION,
                                          vl_str_z(asked.principal.session));
    op->value = VL_STR("session 0");
    op->expires_ms = desk->now + 1000000;
    vl_store_submit(desk->store, desk->loop, batch);
    run_until(desk, &done);
    vl_issuer_end(desk->issuer, asked.principal.session, "graph_denied");
    for (int i = 0; i < 10000 && !desk->ends; i++)
        vl_loop_step(desk->loop);
    expect_ended(desk, &tokens, asked.principal.session);
    assert_audited(desk, "credential.fail", "graph_denied");
    desk_free(desk);
}

static void
ends_the_session_when_there_is_nothing_to_renew_with(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char session[VL_SESSION_ID_SIZE];
    desk->idp.no_refresh_token = true;
    get_session(desk, session);
    desk->now += 3600000 - 1000;
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    desk->now += 1000;
    assert_int_equal(lease(desk, session, false).status, VALET_DENIED);
    assert_int_equal(desk->ends, 1);
    desk_free(desk);
}

static void
goes_on_with_the_old_token_while_entra_is_away(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char session[VL_SESSION_ID_SIZE];
    get_session(desk, session);
    desk->idp.refresh_status = VALET_RETRY;
    desk->now += 3600000 - 1000;
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    assert_int_equal(lease(desk, session, true).status, VALET_RETRY);
    desk->now += 1000;
    assert_int_equal(lease(desk, session, false).status, VALET_RETRY);
    assert_int_equal(desk->ends, 0);
    desk->idp.refresh_status = VALET_OK;
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    desk_free(desk);
}

/* @spec S-17: not every call of the last minutes waits for Entra in vain. */
static void
asks_a_provider_that_is_away_once_in_a_while(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char session[VL_SESSION_ID_SIZE], other[VL_SESSION_ID_SIZE];
    get_session(desk, session);
    get_session(desk, other);
    desk->idp.refresh_status = VALET_RETRY;
    desk->now += 3600000 - 100000;
    for (int i = 0; i < 5; i++)
        assert_int_equal(lease(desk, session, false).status, VALET_OK);
    assert_int_equal(desk->idp.refreshed, 1);
    assert_int_equal(lease(desk, other, false).status, VALET_OK);
    assert_int_equal(desk->idp.refreshed, 2);
    desk->now += VL_DESK_RENEW_PAUSE_MS;
    for (int i = 0; i < 5; i++)
        assert_int_equal(lease(desk, session, false).status, VALET_OK);
    assert_int_equal(desk->idp.refreshed, 3);

    /* Nothing good is left: then it is asked, whatever has failed before. */
    desk->now += 69999;
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    desk->now += 1;
    assert_int_equal(lease(desk, session, false).status, VALET_RETRY);
    assert_int_equal(lease(desk, session, true).status, VALET_RETRY);
    assert_int_equal(desk->idp.refreshed, 6);
    desk->idp.refresh_status = VALET_OK;
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    assert_int_equal(desk->idp.refreshed, 7);
    /* A success ends the pause, and renewing is early again. */
    desk->now += 3600000 - 1000;
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    assert_int_equal(desk->idp.refreshed, 8);
    desk_free(desk);
}

/* The client refreshes, i.e. writes the session, while Entra is asked. */
static void
keeps_the_new_token_when_the_record_changed_meanwhile(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    struct lent lent = {0};
    desk->idp.hold = true;
    vl_issuer_lease(desk->issuer, asked.principal.session, true, was_lent,
                    &lent);
    for (int i = 0; i < 10000 && !desk->idp.held; i++)
        vl_loop_step(desk->loop);
    assert_non_null(desk->idp.held);
    struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    tokens = take_tokens(&answer);
    vl_loop_post(desk->loop, &desk->idp.held->task);
    desk->idp.hold = false;
    run_until(desk, &lent.done);
    assert_int_equal(lent.status, VALET_OK);
    assert_string_equal(lent.token, "ENTRA-CANARY-renewed-2");
    lent = lease(desk, asked.principal.session, false);
    assert_string_equal(lent.token, "ENTRA-CANARY-renewed-2");
    answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    desk_free(desk);
}

/* The session is revoked while Entra is asked: nothing is lent. */
static void
lends_nothing_when_the_session_ended_meanwhile(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    struct lent lent = {0};
    char body[256];
    desk->idp.hold = true;
    vl_issuer_lease(desk->issuer, asked.principal.session, true, was_lent,
                    &lent);
    for (int i = 0; i < 10000 && !desk->idp.held; i++)
        vl_loop_step(desk->loop);
    assert_non_null(desk->idp.held);
    (void)snprintf(body, sizeof body, "client_id=" CLIENT "&token=%s",
                   tokens.access);
    struct answer answer = desk_post(desk, NULL, "/revoke", body);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    vl_loop_post(desk->loop, &desk->idp.held->task);
    run_until(desk, &lent.done);
    assert_int_equal(lent.status, VALET_DENIED);
    desk_free(desk);
}

/* Entra's tokens are kept for a session that somebody uses, no longer. */
static void
drops_entras_tokens_when_the_code_is_never_redeemed(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    char code[TOKEN_SIZE];
    struct vl_token_id id;
    sign_in(desk, AUTHORIZE_DEFAULT, code, sizeof code);
    assert_true(vl_token_read(&desk->issuer->keys, VL_TOKEN_CODE,
                              vl_str_z(code), &id, NULL));
    desk->now += VL_LIMIT_CODE_MS;
    struct answer answer = redeem(desk, code);
    assert_oauth_error(answer, 400, "invalid_grant");
    answer_done(&answer);
    assert_int_equal(lease(desk, "000", false).status, VALET_DENIED);
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lends_what_is_stored_and_renews_before_it_ends),
        cmocka_unit_test(renews_once_for_many_at_once),
        cmocka_unit_test(ends_the_session_when_the_provider_says_so),
        cmocka_unit_test(ends_a_session_when_a_tool_says_so),
        cmocka_unit_test(ends_a_session_even_if_the_issuer_goes),
        cmocka_unit_test(ends_a_session_whose_record_is_none),
        cmocka_unit_test(ends_the_session_when_there_is_nothing_to_renew_with),
        cmocka_unit_test(goes_on_with_the_old_token_while_entra_is_away),
        cmocka_unit_test(asks_a_provider_that_is_away_once_in_a_while),
        cmocka_unit_test(keeps_the_new_token_when_the_record_changed_meanwhile),
        cmocka_unit_test(lends_nothing_when_the_session_ended_meanwhile),
        cmocka_unit_test(drops_entras_tokens_when_the_code_is_never_redeemed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
