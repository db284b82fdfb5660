/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens when others fail: the store, the provider, a record, the
 * process itself. A question that cannot be answered is a no.
 */
#include "vl_test.h"

#include "desk_fixture.h"

static struct vl_store *
open_failing(const struct vl_keyring *ring, const struct vl_clock *clock)
{
    (void)ring, (void)clock;
    return vl_store_open_failing();
}

/* Puts the failing store in the place of the good one. */
static void
break_store(struct desk *desk, struct vl_store **ret_good)
{
    *ret_good = desk->store;
    desk->store = vl_store_open_failing();
    desk_restart_issuer(desk);
}

static void
mend_store(struct desk *desk, struct vl_store *good)
{
    vl_store_close(desk->store);
    desk->store = good;
    desk_restart_issuer(desk);
}

static void
expect_unavailable(struct answer answer)
{
    assert_int_equal(answer.status, 503);
    assert_null(header_of(&answer, "Location", 0).p);
    assert_null(header_of(&answer, "Set-Cookie", 0).p);
    answer_done(&answer);
}

/* @spec S-70 */
static void
allows_nothing_when_the_store_fails(void **state)
{
    (void)state;
    struct desk *desk = desk_new_with(open_failing);
    expect_unavailable(desk_get(desk, NULL, AUTHORIZE_DEFAULT));
    expect_unavailable(
        desk_get(desk, NULL, AUTHORIZE("mvc_dynamic", CALLBACK, "")));
    expect_unavailable(redeem(desk, "mvac_x"));
    expect_unavailable(refresh_as(desk, CLIENT, "mvrt_x", ""));
    expect_unavailable(
        desk_post(desk, NULL, "/revoke", "client_id=" CLIENT "&token=x"));
    expect_unavailable(desk_request(
        desk, NULL, "POST", "/register", "Content-Type: application/json\r\n",
        "{\"redirect_uris\":[\"https://a.example/cb\"]}"));
    assert_int_equal(desk->idp.begun, 0);
    desk_free(desk);
}

static void
allows_nothing_when_the_store_fails_half_way(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct vl_store *good;
    struct browser browser = {0}, approved = {0};
    struct tokens tokens = get_tokens(desk);
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    open_consent(desk, &approved, AUTHORIZE_DEFAULT);
    approve(desk, &approved);
    char session[VL_SESSION_ID_SIZE];
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    memcpy(session, asked.principal.session, sizeof session);

    break_store(desk, &good);
    expect_unavailable(decide(desk, &browser, "approve"));
    expect_unavailable(come_back(desk, &approved));
    asked = ask(desk, tokens.access, RESOURCE);
    assert_int_equal(asked.status, VALET_RETRY);
    assert_string_equal(asked.reason, "store_unavailable");
    assert_int_equal(lease(desk, session, false).status, VALET_RETRY);
    mend_store(desk, good);

    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    assert_int_equal(lease(desk, session, false).status, VALET_OK);
    struct answer answer = come_back(desk, &approved);
    assert_int_equal(answer.status, 302);
    answer_done(&answer);
    desk_free(desk);
}

/* @spec S-94: a page with the number of the audit line, and no loop. */
static void
shows_a_page_with_a_number_when_the_provider_is_down(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    desk->idp.begin_status = VALET_RETRY;
    struct answer answer = decide(desk, &browser, "approve");
    char number[64];
    assert_int_equal(answer.status, 503);
    cut_text(answer.body, "<code>", '<', number, sizeof number);
    assert_int_equal(strlen(number), 36);
    assert_false(has_text(answer.body, "refresh"));
    answer_done(&answer);

    desk->idp.begin_status = VALET_OK;
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    approve(desk, &browser);
    desk->idp.redeem_status = VALET_RETRY;
    answer = come_back(desk, &browser);
    assert_int_equal(answer.status, 503);
    cut_text(answer.body, "<code>", '<', number, sizeof number);
    assert_int_equal(strlen(number), 36);
    assert_null(header_of(&answer, "Location", 0).p);
    assert_audited(desk, "callback.fail", "provider_unavailable");
    answer_done(&answer);
    desk_free(desk);
}

/* A stranger who can write the store's file swaps a record for another. */
struct swap {
    bool done;
};

static void
swapped(struct vl_store_batch *batch)
{
    struct swap *swap = batch->ctx;
    assert_int_equal(batch->status, VALET_OK);
    swap->done = true;
    vl_store_batch_free(batch);
}

static void
put_raw(struct desk *desk, enum vl_section section, const char *key,
        struct vl_str value)
{
    struct swap swap = {false};
    struct vl_store_batch *batch = vl_store_batch_new(swapped, &swap);
    struct vl_store_op *op =
        vl_store_add(batch, VL_STORE_PUT, section, vl_str_z(key));
    op->value = value;
    op->expires_ms = desk->now + 1000000;
    vl_store_submit(desk->store, desk->loop, batch);
    run_until(desk, &swap.done);
}

/* The issue: corrupt records fail closed. */
static void
refuses_records_that_are_none(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct vl_token_id id, family_id;
    struct vl_token_family family;
    assert_true(vl_token_read(&desk->issuer->keys, VL_TOKEN_ACCESS,
                              vl_str_z(tokens.access), &id, NULL));
    put_raw(desk, VL_STORE_ACCESS, id.text, VL_STR("access 1\n"));
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    assert_int_equal(asked.status, VALET_DENIED);
    assert_string_equal(asked.reason, "corrupt_record");

    assert_true(vl_token_read(&desk->issuer->keys, VL_TOKEN_REFRESH,
                              vl_str_z(tokens.refresh), &id, &family));
    family_id = vl_token_family_id(&desk->issuer->keys, &family);
    put_raw(desk, VL_STORE_REFRESH, family_id.text, VL_STR("{}"));
    struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    assert_oauth_error(answer, 400, "invalid_grant");
    assert_audited(desk, "token.reject", "corrupt_record");
    answer_done(&answer);

    put_raw(desk, VL_STORE_CLIENT, "mvc_x", VL_STR("client 2\n"));
    answer = desk_get(desk, NULL, AUTHORIZE("mvc_x", CALLBACK, ""));
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    desk_free(desk);
}

/* --- the issuer goes while something is under way --- */

/* A request of a browser; runs until the provider is being asked. */
static void
ask_provider(struct desk *desk, const struct browser *browser, const char *what,
             const char *body, struct answer *answer)
{
    vl_auto(vl_buf) request = vl_buf_of(4096);
    vl_buf_addf(&request, "%s HTTP/1.1\r\nHost: localhost:3001\r\n", what);
    vl_buf_addf(&request, "Connection: close\r\nCookie: %s; %s\r\n",
                browser->cookies[0], browser->cookies[1]);
    if (body)
        vl_buf_addf(&request,
                    FORM "Origin: http://localhost:3001\r\n"
                         "Content-Length: %zu\r\n",
                    strlen(body));
    vl_buf_addf(&request, "\r\n%s", body ? body : "");
    answer->raw = vl_buf_of(1 << 20);
    struct pending pending = {vl_buf_str(&request), answer};
    assert_ok(vl_stream_connect(desk->loop, "127.0.0.1", desk->port, connected,
                                &pending, NULL, NULL));
    desk->idp.hold = true;
    for (int i = 0; i < 10000 && !desk->idp.held; i++)
        vl_loop_step(desk->loop);
    assert_non_null(desk->idp.held);
}

/* The provider was freed and never answers: what waited for it is freed with
 * the issuer (the leak checker sees what is not), with code and verifier. */
static void
answers_503_when_it_goes_while_the_provider_is_asked(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    struct answer answer = {0};
    char text[512];
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    (void)snprintf(text, sizeof text, "flow=%s&csrf=%s&decision=approve",
                   browser.flow, browser.csrf);
    ask_provider(desk, &browser, "POST /authorize/consent", text, &answer);
    desk_restart_issuer(desk);
    run_until(desk, &answer.ended);
    parse_answer(&answer);
    assert_int_equal(answer.status, 503);
    answer_done(&answer);

    desk->idp.hold = false;
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    approve(desk, &browser);
    (void)snprintf(text, sizeof text, "GET /auth/callback?code=c%%21&state=%s",
                   desk->idp.state);
    answer = (struct answer){0};
    ask_provider(desk, &browser, text, NULL, &answer);
    desk_restart_issuer(desk);
    run_until(desk, &answer.ended);
    parse_answer(&answer);
    assert_int_equal(answer.status, 503);
    answer_done(&answer);
    desk_free(desk);
}

static void
goes_in_silence_while_a_token_is_renewed(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = ask(desk, tokens.access, RESOURCE);
    struct lent lent[2] = {0};
    desk->idp.hold = true;
    for (size_t i = 0; i < VL_COUNT(lent); i++)
        vl_issuer_lease(desk->issuer, asked.principal.session, true, was_lent,
                        &lent[i]);
    for (int i = 0; i < 10000 && !desk->idp.held; i++)
        vl_loop_step(desk->loop);
    assert_non_null(desk->idp.held);
    desk_restart_issuer(desk);
    desk->idp.hold = false;
    assert_int_equal(lease(desk, asked.principal.session, false).status,
                     VALET_OK);
    assert_false(lent[0].done || lent[1].done);
    desk_free(desk);
}

static void
is_silent_to_who_asked_when_it_goes(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct asked asked = {0}, forged = {0};
    struct lent lent = {0};
    vl_issuer_look_up(desk->issuer, vl_str_z(tokens.access), VL_STR(RESOURCE),
                      looked_up, &asked);
    vl_issuer_look_up(desk->issuer, VL_STR("x"), VL_STR(RESOURCE), looked_up,
                      &forged);
    vl_issuer_lease(desk->issuer, "nothing", false, was_lent, &lent);
    desk_restart_issuer(desk);
    assert_int_equal(ask(desk, tokens.access, RESOURCE).status, VALET_OK);
    assert_false(asked.done || forged.done || lent.done);
    desk_free(desk);
}

/* @spec W-29 */
static void
counts_requests_by_address_and_door_w29(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    desk->config.requests_per_minute = 3;
    desk_restart_issuer(desk);
    for (int i = 0; i < 3; i++) {
        struct answer answer = redeem(desk, "x");
        assert_int_equal(answer.status, 400);
        answer_done(&answer);
    }
    struct answer answer = redeem(desk, "x");
    assert_oauth_error(answer, 429, "temporarily_unavailable");
    assert_non_null(header_of(&answer, "Retry-After", 0).p);
    answer_done(&answer);
    answer = desk_get(desk, NULL, AUTHORIZE_DEFAULT);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    desk_free(desk);
}

static int
register_from(struct desk *desk, const char *peer)
{
    desk->peer = peer;
    struct answer answer = desk_request(
        desk, NULL, "POST", "/register", "Content-Type: application/json\r\n",
        "{\"redirect_uris\":[\"https://a.example/cb\"]}");
    answer_done(&answer);
    return answer.status;
}

static int
authorize_from(struct desk *desk, const char *peer)
{
    desk->peer = peer;
    struct answer answer = desk_get(desk, NULL, AUTHORIZE_DEFAULT);
    answer_done(&answer);
    return answer.status;
}

/* @spec W-29: who has one address of a network has all of them. */
static void
counts_an_ipv6_network_as_one_address_w29(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    desk->config.requests_per_minute = 4;
    desk->config.flows_per_address_max = 2;
    desk->config.registration_per_address_per_hour = 2;
    desk_restart_issuer(desk);
    assert_int_equal(register_from(desk, "2001:db8::1"), 201);
    assert_int_equal(register_from(desk, "2001:db8::2"), 201);
    assert_int_equal(register_from(desk, "2001:db8::3"), 429);
    assert_int_equal(register_from(desk, "2001:db8:0:1::3"), 201);
    assert_int_equal(authorize_from(desk, "2001:db8::1"), 200);
    assert_int_equal(authorize_from(desk, "2001:db8:0:0:9::"), 200);
    assert_int_equal(authorize_from(desk, "2001:db8::2"), 429);
    assert_audited(desk, "authorize.reject", "too_many_flows");
    assert_int_equal(authorize_from(desk, "2001:db8::ffff"), 429);
    assert_int_equal(authorize_from(desk, "2001:db8::8"), 429);
    assert_audited(desk, "request.reject", "too_many_requests");
    assert_int_equal(authorize_from(desk, "2001:db8:0:1::8"), 200);
    assert_int_equal(authorize_from(desk, "192.0.2.1"), 200);
    desk_free(desk);
}

/* @spec S-98 W-61: neither our tokens nor Entra's are in the audit. */
static void
keeps_secrets_out_of_the_audit_w61(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct tokens tokens = get_tokens(desk);
    struct answer answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    answer_done(&answer);
    answer = refresh_as(desk, CLIENT, tokens.refresh, "");
    answer_done(&answer);
    vl_auto(vl_buf) text = vl_buf_of(1 << 20);
    vl_audit_flush(desk->audit);
    assert_ok(vl_file_read(desk->audit_path, false, &text, NULL));
    static const char *const canaries[] = {
        "mvat_",        "mvrt_",         "mvac_",  "CANARY",
        "client-state", "UPSTREAM-CODE", VERIFIER, CHALLENGE};
    for (size_t i = 0; i < VL_COUNT(canaries); i++)
        assert_false(has_text(vl_buf_str(&text), canaries[i]));
    assert_false(has_text(vl_buf_str(&text), desk->idp.state));
    assert_false(has_text(vl_buf_str(&text), desk->idp.verifier));
    assert_true(has_text(vl_buf_str(&text), OID));
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_nothing_when_the_store_fails),
        cmocka_unit_test(allows_nothing_when_the_store_fails_half_way),
        cmocka_unit_test(shows_a_page_with_a_number_when_the_provider_is_down),
        cmocka_unit_test(refuses_records_that_are_none),
        cmocka_unit_test(answers_503_when_it_goes_while_the_provider_is_asked),
        cmocka_unit_test(goes_in_silence_while_a_token_is_renewed),
        cmocka_unit_test(is_silent_to_who_asked_when_it_goes),
        cmocka_unit_test(counts_requests_by_address_and_door_w29),
        cmocka_unit_test(counts_an_ipv6_network_as_one_address_w29),
        cmocka_unit_test(keeps_secrets_out_of_the_audit_w61),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
