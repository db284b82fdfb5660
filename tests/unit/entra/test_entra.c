/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider from its birth to its end: where it sends browsers, how it
 * gets and keeps the tenant's facts, and who may free it when.
 */
#include "tenant.h"

/* --- begin --- */

/* @spec S-80 SB-06: the golden URL. All of it is ours or configured. */
static void
sends_the_browser_to_the_tenant(void **state)
{
    struct bench *b = *state;
    char wanted[1024];
    (void)snprintf(
        wanted, sizeof wanted,
        "%s/" TID "/oauth2/v2.0/authorize?client_id=" CLIENT
        "&response_type=code&response_mode=query"
        "&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A3001%%2Fauth%%2Fcallback"
        "&scope=openid%%20profile%%20offline_access%%20User.Read"
        "&state=our-state&nonce=our-nonce&code_challenge=our-challenge"
        "&code_challenge_method=S256",
        b->peer.origin);
    const struct result *r = after_begin(b);
    assert_int_equal(r->status, VALET_OK);
    assert_string_equal(r->url, wanted);
    assert_null(strstr(r->url, "secret")); /* @spec S-56 */
}

/* @spec S-25 */
static void
asks_nothing_before_the_first_sign_in(void **state)
{
    struct bench *b = *state;
    make_provider(b);
    assert_int_equal(b->document->asked + b->peer.strays, 0);
    (void)after_begin(b);
    assert_int_equal(b->document->asked, 1);
    assert_int_equal(b->keys->asked, 1);
    (void)after_begin(b);
    assert_int_equal(b->document->asked, 1);
}

static void
asks_once_for_many_who_wait(void **state)
{
    struct bench *b = *state;
    begin(b, &b->results[0]);
    begin(b, &b->results[1]);
    refresh(b, &b->results[2]);
    issue(b, NULL);
    run(b);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(b->results[i].calls, 1);
        assert_int_equal(b->results[i].status, VALET_OK);
    }
    assert_int_equal(b->document->asked, 1);
    assert_int_equal(b->keys->asked, 1);
}

static void
refuses_a_url_that_would_be_cut(void **state)
{
    struct bench *b = *state;
    vl_auto(vl_buf) scopes = vl_buf_of(10000);
    while (vl_buf_size(&scopes) < 9000)
        vl_buf_addz(&scopes, "scope ");
    b->config.scopes = vl_buf_cstr(&scopes);
    assert_int_equal(after_begin(b)->status, VALET_LIMIT);
}

/* --- the tenant's facts --- */

static void
says_which_host_is_away(void **state)
{
    struct bench *b = *state;
    unsigned port = 0;
    char away[64];
    /* A port that was free a moment ago. */
    struct vl_http_server *server =
        vl_http_server_new(b->loop, &b->peer.site, &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(vl_http_server_listen(server, "127.0.0.1", 0, &port, NULL));
    vl_http_server_free(server);
    vl_loop_step(b->loop);
    (void)snprintf(away, sizeof away, "http://127.0.0.1:%u", port);
    b->config.authority_host = away;
    make_provider(b);
    const struct result *r = after_begin(b);
    assert_int_equal(r->status, VALET_RETRY);
    assert_non_null(strstr(r->err.message, away));
    assert_int_equal(after_refresh(b)->status, VALET_RETRY);
    assert_int_equal(after_redeem(b)->status, VALET_RETRY);
}

static void
judges_what_the_authority_answers(void **state)
{
    struct bench *b = *state;
    static const struct {
        struct peer_answer answer;
        valet_status status;
    } cases[] = {
        {{.status = 200, .body = "<html>proxy</html>"}, VALET_RETRY},
        {{.status = 200, .body = "{}"}, VALET_DENIED},
        {{.status = 400, .body = "{\"error\":\"invalid_tenant\"}"},
         VALET_INTERNAL},
        {{.status = 404, .body = ""}, VALET_INTERNAL},
        {{.status = 302, .body = "", .location = "/"}, VALET_RETRY},
        {{.status = 429, .body = "", .retry_after = "3600"}, VALET_RETRY},
        {{.status = 503, .body = "", .retry_after = "0"}, VALET_RETRY},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        peer_reset(b->document);
        peer_say(b->document, cases[i].answer);
        const struct result *r = after_begin(b);
        assert_int_equal(r->status, cases[i].status);
        assert_non_null(strstr(r->err.message, b->peer.origin));
    }
    write_document(b, TID);
    peer_reset(b->keys);
    peer_say(b->keys,
             (struct peer_answer){.status = 200, .body = "{\"keys\":[]}"});
    assert_int_equal(after_begin(b)->status, VALET_RETRY);
    write_keys(b, 0); /* and what failed is asked again */
    assert_int_equal(after_begin(b)->status, VALET_OK);
}

/* @spec S-26: a foreign document is refused; but it is no word of Entra's
 * about a person's session, which lives on. */
static void
refuses_a_foreign_document_and_keeps_sessions(void **state)
{
    struct bench *b = *state;
    write_document(b, OTHER);
    assert_int_equal(after_begin(b)->status, VALET_DENIED);
    assert_int_equal(after_redeem(b)->status, VALET_DENIED);
    assert_int_equal(after_refresh(b)->status, VALET_RETRY);
    assert_int_equal(b->token->asked, 0);
    assert_int_equal(b->keys->asked, 0);
}

static void
renews_its_facts_each_day(void **state)
{
    struct bench *b = *state;
    (void)after_begin(b);
    b->now_ms += (int64_t)24 * 60 * MINUTE_MS - 1;
    (void)after_begin(b);
    assert_int_equal(b->document->asked, 1);
    b->now_ms += 1;
    (void)after_begin(b);
    assert_int_equal(b->document->asked, 2);
    assert_int_equal(b->keys->asked, 2);
    b->now_ms -= MINUTE_MS; /* a clock set back makes everything old */
    (void)after_begin(b);
    assert_int_equal(b->document->asked, 3);
}

static void
lives_on_old_facts_while_the_authority_is_away(void **state)
{
    struct bench *b = *state;
    (void)after_begin(b);
    b->now_ms += (int64_t)48 * 60 * MINUTE_MS;
    peer_reset(b->document);
    peer_say(
        b->document,
        (struct peer_answer){.status = 503, .body = "", .retry_after = "3600"});
    assert_int_equal(after_begin(b)->status, VALET_OK);
    assert_int_equal(b->document->asked, 1);
    /* Not every sign-in waits for it anew. */
    assert_int_equal(after_begin(b)->status, VALET_OK);
    assert_int_equal(b->document->asked, 1);
    b->now_ms += 5 * MINUTE_MS;
    assert_int_equal(after_begin(b)->status, VALET_OK);
    assert_int_equal(b->document->asked, 2);
}

/* --- lives and ends --- */

/* Frees the provider with operations at each stage; nobody is called. */
static void
is_silent_once_it_was_freed(void **state)
{
    struct bench *b = *state;
    for (int stage = 0; stage < 4; stage++) {
        write_document(b, TID);
        b->keys->asked = 0;
        peer_reset(b->token);
        peer_say(b->token, (struct peer_answer){.status = 0});
        make_provider(b);
        begin(b, &b->results[0]);
        redeem(b, &b->results[1], VL_STR("code"));
        refresh(b, &b->results[2]);
        while ((stage == 1 && b->document->asked == 0) ||
               (stage == 2 && b->keys->asked == 0) ||
               (stage == 3 && b->token->asked < 2))
            vl_loop_step(b->loop);
        int calls = b->results[0].calls;
        vl_entra_free(b->entra);
        b->entra = NULL;
        /* Whatever is still on its way finds nobody. */
        vl_timer_start(b->patience, PATIENCE_MS);
        make_provider(b);
        b->left = 0;
        begin(b, &b->results[3]);
        run(b);
        assert_int_equal(b->results[0].calls, calls);
        assert_int_equal(b->results[1].calls, 0);
        assert_int_equal(b->results[2].calls, 0);
        vl_entra_free(b->entra);
        b->entra = NULL;
    }
}

static void
may_be_freed_by_a_callback(void **state)
{
    struct bench *b = *state;
    /* While others wait with it, and one more joins in the callback. */
    b->results[0].begin_again = &b->results[3];
    b->results[0].free_provider = true;
    begin(b, &b->results[0]);
    begin(b, &b->results[1]);
    refresh(b, &b->results[2]);
    b->left = 0; /* but for the one that joins */
    vl_loop_run(b->loop);
    assert_int_equal(b->results[0].calls, 1);
    for (size_t i = 1; i < RESULTS; i++)
        assert_int_equal(b->results[i].calls, 0);
}

static void
may_be_freed_by_any_callback(void **state)
{
    struct bench *b = *state;
    b->results[0].free_provider = true;
    issue(b, &someone);
    assert_int_equal(after_redeem(b)->status, VALET_OK);
    make_provider(b);
    assert_int_equal(after_refresh(b)->status, VALET_OK);
    make_provider(b);
    refuse(b, 400, "{\"error\":\"invalid_grant\"}", NULL);
    assert_int_equal(after_redeem(b)->status, VALET_DENIED);
    make_provider(b);
    assert_int_equal(after_refresh(b)->status, VALET_DENIED);
    make_provider(b);
    write_document(b, OTHER);
    assert_int_equal(after_begin(b)->status, VALET_DENIED);
    assert_null(b->entra);
}

static void
may_be_asked_again_by_a_callback(void **state)
{
    struct bench *b = *state;
    b->results[0].begin_again = &b->results[1];
    b->results[1].begin_again = &b->results[2];
    begin(b, &b->results[0]);
    run(b);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(b->results[i].status, VALET_OK);
    assert_int_equal(b->results[2].calls, 1);
    assert_int_equal(b->document->asked, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        AT_BENCH(sends_the_browser_to_the_tenant),
        AT_BENCH(asks_nothing_before_the_first_sign_in),
        AT_BENCH(asks_once_for_many_who_wait),
        AT_BENCH(refuses_a_url_that_would_be_cut),
        AT_BENCH(says_which_host_is_away),
        AT_BENCH(judges_what_the_authority_answers),
        AT_BENCH(refuses_a_foreign_document_and_keeps_sessions),
        AT_BENCH(renews_its_facts_each_day),
        AT_BENCH(lives_on_old_facts_while_the_authority_is_away),
        AT_BENCH(is_silent_once_it_was_freed),
        AT_BENCH(may_be_freed_by_a_callback),
        AT_BENCH(may_be_freed_by_any_callback),
        AT_BENCH(may_be_asked_again_by_a_callback),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
