/* SPDX-License-Identifier: Apache-2.0
 *
 * What the desk says of a token, from memory and from the store.
 */
#include "vl_test.h"

#include "desk_fixture.h"

static valet_status
from_memory(struct desk *desk, const char *token)
{
    const struct vl_principal *principal = NULL;
    const char *reason = "";
    return vl_issuer_verdict(desk->issuer, vl_str_z(token), VL_STR(RESOURCE),
                             &principal, &reason);
}

/* @spec W-55 W-56: no look into the store for what cannot be ours. */
static void
refuses_forged_tokens_without_asking_the_store(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    char forged[TOKEN_SIZE];
    const char *const bad[] = {"",
                               "x",
                               "mvat_",
                               "mvat_AAAA",
                               "ENTRA-CANARY",
                               "eyJhbGciOiJub25lIn0.e30.",
                               tokens.refresh};
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(from_memory(desk, bad[i]), VALET_DENIED);
    for (size_t i = 0; i < strlen(tokens.access); i++) {
        memcpy(forged, tokens.access, sizeof forged);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        assert_int_equal(from_memory(desk, forged), VALET_DENIED);
    }
    struct asked asked = {0};
    vl_issuer_look_up(desk->issuer, vl_str_z(forged), VL_STR(RESOURCE),
                      looked_up, &asked);
    assert_false(asked.done);
    run_until(desk, &asked.done);
    assert_int_equal(asked.status, VALET_DENIED);
    assert_string_equal(asked.reason, "forged");
    desk_free(desk);
}

/* @spec W-55: what a body of full size may be read for, before anybody looks
 * at the token. */
static void
knows_its_own_tokens_by_their_text_alone(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    char forged[TOKEN_SIZE];
    assert_true(vl_issuer_is_ours(desk->issuer, vl_str_z(tokens.access)));
    assert_false(vl_issuer_is_ours(desk->issuer, vl_str_z(tokens.refresh)));
    assert_false(vl_issuer_is_ours(desk->issuer, VL_STR("")));
    assert_false(vl_issuer_is_ours(desk->issuer, (struct vl_str){NULL, 0}));
    for (size_t i = 0; i < strlen(tokens.access); i++) {
        memcpy(forged, tokens.access, sizeof forged);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        assert_false(vl_issuer_is_ours(desk->issuer, vl_str_z(forged)));
    }
    /* Neither memory nor the store was asked: a dead one is ours as well. */
    assert_true(vl_list_is_empty(&desk->issuer->ops));
    desk->now += INT64_C(10) * 86400000;
    assert_true(vl_issuer_is_ours(desk->issuer, vl_str_z(tokens.access)));
    desk_free(desk);
}

static void
remembers_for_two_seconds_and_then_asks_again(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    assert_int_equal(from_memory(desk, tokens.access), VALET_RETRY);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    assert_int_equal(from_memory(desk, tokens.access), VALET_OK);
    desk->now += VL_LIMIT_VERDICT_MS - 1;
    assert_int_equal(from_memory(desk, tokens.access), VALET_OK);
    desk->now += 1;
    assert_int_equal(from_memory(desk, tokens.access), VALET_RETRY);
    desk_free(desk);
}

/* @spec W-31: not a millisecond longer, cached or not. */
static void
refuses_an_expired_token_from_memory_too(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    desk->now += desk->config.access_token_ms - 1;
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    desk->now += 1;
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    assert_int_equal(asked.status, VALET_DENIED);
    assert_string_equal(asked.reason, "expired");
    desk->now += VL_LIMIT_VERDICT_MS;
    asked = ask(desk, tokens.access, RESOURCE);
    assert_int_equal(asked.status, VALET_DENIED);
    assert_string_equal(asked.reason, "unknown");
    /* The no is remembered as well. */
    assert_int_equal(from_memory(desk, tokens.access), VALET_DENIED);
    desk_free(desk);
}

static void
asks_once_for_many_who_wait(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked[5] = {0};
    for (size_t i = 0; i < VL_COUNT(asked); i++)
        vl_issuer_look_up(desk->issuer, vl_str_z(tokens.access),
                          vl_str_z(i == 3 ? RESOURCE2 : RESOURCE), looked_up,
                          &asked[i]);
    size_t under_way = 0;
    VL_LIST_EACH (node, &desk->issuer->ops)
        under_way++;
    assert_int_equal(under_way, 1);
    for (size_t i = 0; i < VL_COUNT(asked); i++) {
        run_until(desk, &asked[i].done);
        assert_int_equal(asked[i].status, i == 3 ? VALET_DENIED : VALET_OK);
    }
    desk_free(desk);
}

/* Two workers of one server: the store is what they share. */
static void
sees_within_two_seconds_what_another_worker_ended(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    struct vl_issuer *first = desk->issuer;
    desk_start_issuer(desk); /* the second takes the requests now */
    char body[256];
    (void)snprintf(body, sizeof body, "client_id=" CLIENT "&token=%s",
                   tokens.refresh);
    struct answer answer = desk_post(desk, NULL, "/revoke", body);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    assert_int_equal(desk->ends, 1);
    vl_issuer_free(desk->issuer);

    desk->issuer = first;
    desk->now += VL_LIMIT_VERDICT_MS;
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_DENIED);
    /* And it says so, that streams may be closed. */
    assert_int_equal(desk->ends, 2);
    desk_free(desk);
}

/* A token that has our check part, and that nobody was given. */
static void
mint(struct desk *desk, char ret[TOKEN_SIZE])
{
    struct vl_token_id id;
    vl_auto(vl_buf) text = vl_buf_of_secret(TOKEN_SIZE);
    vl_token_mint(&desk->issuer->keys, VL_TOKEN_ACCESS, NULL, &text, &id);
    note(ret, TOKEN_SIZE, vl_buf_str(&text));
}

static void
forgets_verdicts_that_say_nothing_any_more(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct vl_verdicts *all = desk->issuer->verdicts;
    struct tokens tokens = get_tokens(desk);
    char token[TOKEN_SIZE];
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    for (int i = 0; i < 10; i++) {
        mint(desk, token);
        assert_int_equal(ask(desk, token, RESOURCE).status, VALET_DENIED);
    }
    assert_int_equal(vl_verdicts_count(all), 11);
    /* The noes are old; the yes tells whose token it was until it is over. */
    desk->now += VL_LIMIT_VERDICT_MS;
    for (int i = 0; i < 3; i++) {
        mint(desk, token);
        assert_int_equal(ask(desk, token, RESOURCE).status, VALET_DENIED);
    }
    assert_int_equal(vl_verdicts_count(all), 4);
    desk->now += desk->config.access_token_ms;
    mint(desk, token);
    assert_int_equal(ask(desk, token, RESOURCE).status, VALET_DENIED);
    assert_int_equal(vl_verdicts_count(all), 1);
    desk_free(desk);
}

static void
keeps_so_many_verdicts_and_drops_noes_first(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    char first[TOKEN_SIZE], token[TOKEN_SIZE];
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    mint(desk, first);
    assert_int_equal(ask(desk, first, RESOURCE).status, VALET_DENIED);
    for (int i = 0; i < VL_LIMIT_VERDICTS; i++) {
        mint(desk, token);
        assert_int_equal(ask(desk, token, RESOURCE).status, VALET_DENIED);
    }
    assert_int_equal(vl_verdicts_count(desk->issuer->verdicts),
                     VL_LIMIT_VERDICTS);
    assert_int_equal(from_memory(desk, first), VALET_RETRY);
    assert_int_equal(from_memory(desk, token), VALET_DENIED);
    assert_int_equal(from_memory(desk, tokens.access), VALET_OK);
    desk_free(desk);
}

static void
lends_a_principal_until_the_end_of_the_turn(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    const struct vl_principal *principal = NULL;
    const char *reason = "";
    assert_ok(vl_issuer_verdict(desk->issuer, vl_str_z(tokens.access),
                                VL_STR(RESOURCE), &principal, &reason));
    vl_verdicts_forget(desk->issuer->verdicts, principal->session);
    assert_string_equal(principal->user.oid, OID);
    assert_int_equal(from_memory(desk, tokens.access), VALET_RETRY);
    desk_free(desk);
}

/* @spec W-31 */
static void
ends_the_oldest_session_of_a_user_past_the_cap_w31(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    desk->config.sessions_per_user = 2;
    struct tokens tokens[3];
    for (size_t i = 0; i < VL_COUNT(tokens); i++) {
        desk->now += 1000;
        tokens[i] = get_tokens(desk);
    }
    for (int i = 0; i < 100 && desk->ends == 0; i++) {
        struct answer answer = desk_get(desk, NULL, "/jwks");
        answer_done(&answer);
    }
    assert_int_equal(desk->ends, 1);
    assert_int_equal(ask(desk, tokens[0].access, RESOURCE).status,
                     VALET_DENIED);
    assert_int_equal(ask(desk, tokens[1].access, RESOURCE).status, VALET_OK);
    assert_int_equal(ask(desk, tokens[2].access, RESOURCE).status, VALET_OK);
    assert_audited(desk, "token.revoke", "too_many_sessions");
    desk_free(desk);
}

/* @spec W-31: also after the cap was lowered, with all of them there. */
static void
ends_as_many_sessions_as_are_too_many_w31(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens[6];
    for (size_t i = 0; i < VL_COUNT(tokens); i++) {
        desk->now += 1000;
        if (i == VL_COUNT(tokens) - 1)
            desk->config.sessions_per_user = 2;
        tokens[i] = get_tokens(desk);
    }
    for (int i = 0; i < 10000 && desk->ends < 4; i++)
        vl_loop_step(desk->loop);
    for (size_t i = 0; i < VL_COUNT(tokens); i++)
        assert_int_equal(ask(desk, tokens[i].access, RESOURCE).status,
                         i < 4 ? VALET_DENIED : VALET_OK);
    desk_free(desk);
}

/* What people need, and no more, is what is allowed when nothing is said. */
static void
has_limits_that_fit_people_by_default(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    int status = 0, good = 0;
    while (status != 429 && good <= 600) {
        struct answer answer = desk_get(desk, NULL, "/jwks");
        status = answer.status;
        good += status == 200;
        answer_done(&answer);
    }
    assert_int_equal(good, 600);
    for (status = good = 0; status != 429 && good <= 300; good++) {
        struct answer answer = desk_get(desk, NULL, AUTHORIZE_DEFAULT);
        status = answer.status;
        answer_done(&answer);
    }
    assert_int_equal(good, 301);
    assert_audited(desk, "authorize.reject", "too_many_flows");
    assert_int_equal(VL_DESK_SESSIONS_PER_USER, 50);
    desk_free(desk);
}

/* @spec W-74: two people never get one token; each gets his own. */
static void
gives_each_person_a_token_of_his_own_w74(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens ada = get_tokens(desk);
    desk->idp.oid[0] = 'c';
    struct tokens bob = get_tokens(desk);
    assert_string_not_equal(ada.access, bob.access);
    assert_string_equal(ask(desk, ada.access, RESOURCE).principal.user.oid,
                        OID);
    assert_int_equal(ask(desk, bob.access, RESOURCE).principal.user.oid[0],
                     'c');
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_forged_tokens_without_asking_the_store),
        cmocka_unit_test(knows_its_own_tokens_by_their_text_alone),
        cmocka_unit_test(remembers_for_two_seconds_and_then_asks_again),
        cmocka_unit_test(refuses_an_expired_token_from_memory_too),
        cmocka_unit_test(asks_once_for_many_who_wait),
        cmocka_unit_test(sees_within_two_seconds_what_another_worker_ended),
        cmocka_unit_test(forgets_verdicts_that_say_nothing_any_more),
        cmocka_unit_test(keeps_so_many_verdicts_and_drops_noes_first),
        cmocka_unit_test(lends_a_principal_until_the_end_of_the_turn),
        cmocka_unit_test(ends_the_oldest_session_of_a_user_past_the_cap_w31),
        cmocka_unit_test(ends_as_many_sessions_as_are_too_many_w31),
        cmocka_unit_test(has_limits_that_fit_people_by_default),
        cmocka_unit_test(gives_each_person_a_token_of_his_own_w74),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
