/* SPDX-License-Identifier: Apache-2.0
 *
 * Attacks on the way to the code: consent, browser, callback. The numbers are
 * those of the weaknesses that known samples have; each must end in a refusal
 * that the audit trail shows.
 */
#include "vl_test.h"

#include "desk_fixture.h"

static void
expect_no_callback(struct desk *desk, struct browser *browser,
                   const char *reason)
{
    struct answer answer = come_back(desk, browser);
    assert_int_equal(answer.status, 400);
    assert_null(header_of(&answer, "Location", 0).p);
    assert_int_equal(desk->idp.redeemed, 0);
    assert_audited(desk, "callback.fail", reason);
    answer_done(&answer);
}

/* @spec W-05 SB-01: no way to the provider but through the consent post. */
static void
asks_for_consent_before_anything_goes_upstream_w05(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    /* Signed in before: asked again all the same. */
    char code[TOKEN_SIZE];
    sign_in(desk, AUTHORIZE_DEFAULT, code, sizeof code);
    desk->idp.begun = 0;
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    assert_int_equal(desk->idp.begun, 0);
    desk_free(desk);
}

/* @spec W-05: the redirect URI of somebody who is not that client. */
static void
refuses_a_foreign_redirect_with_a_page_w05(void **state)
{
    (void)state;
    static const char *const targets[] = {
        AUTHORIZE(CLIENT, "https://evil.example/cb", ""),
        AUTHORIZE(CLIENT, "http://localhost:7777/cb", ""),
        AUTHORIZE(CLIENT, "http://127.0.0.1:7777/cb/..", ""),
        AUTHORIZE(CLIENT, "javascript:alert(1)", ""),
        AUTHORIZE(CLIENT, "", ""),
    };
    struct desk *desk = desk_new();
    for (size_t i = 0; i < VL_COUNT(targets); i++) {
        struct answer answer = desk_get(desk, NULL, targets[i]);
        assert_int_equal(answer.status, 400);
        assert_null(header_of(&answer, "Location", 0).p);
        answer_done(&answer);
    }
    assert_audited(desk, "authorize.reject", "redirect_mismatch");
    desk_free(desk);
}

/* @spec W-06 W-78 SB-08: the victim has no cookie at all. */
static void
refuses_a_callback_without_the_cookie_w06_w78(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser attacker = {0}, victim = {0};
    open_consent(desk, &attacker, AUTHORIZE_DEFAULT);
    approve(desk, &attacker);
    expect_no_callback(desk, &victim, "browser_mismatch");
    /* The flow is destroyed: the attacker's own browser is too late. */
    expect_no_callback(desk, &attacker, "unknown_state");
    desk_free(desk);
}

/* @spec W-06: the victim has a cookie, of his own sign-in. */
static void
refuses_a_callback_with_the_cookie_of_another_flow_w06(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser attacker = {0}, victim = {0};
    open_consent(desk, &victim, AUTHORIZE_DEFAULT);
    approve(desk, &victim);
    open_consent(desk, &attacker, AUTHORIZE_DEFAULT);
    approve(desk, &attacker);
    expect_no_callback(desk, &victim, "browser_mismatch");
    desk_free(desk);
}

/* The name of the attacker's cookie with the value of the victim's. */
static void
refuses_a_cookie_with_a_foreign_value_w06(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser attacker = {0}, forger = {0};
    open_consent(desk, &attacker, AUTHORIZE_DEFAULT);
    approve(desk, &attacker);
    for (size_t i = 0; i < BROWSER_COOKIES; i++) {
        memcpy(forger.cookies[i], attacker.cookies[i],
               sizeof forger.cookies[i]);
        size_t n = strlen(forger.cookies[i]);
        if (n > 30)
            forger.cookies[i][n - 20] ^= 1;
    }
    expect_no_callback(desk, &forger, "browser_mismatch");
    desk_free(desk);
}

/* @spec W-48: page shown, not approved. */
static void
does_not_take_showing_the_page_for_approval_w48(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser attacker = {0}, victim = {0};
    open_consent(desk, &attacker, AUTHORIZE_DEFAULT);
    approve(desk, &attacker);
    /* The victim is made to see a consent page, then opens the attacker's
     * address at the provider. */
    open_consent(desk, &victim, AUTHORIZE_DEFAULT);
    expect_no_callback(desk, &victim, "browser_mismatch");
    desk_free(desk);
}

/* The handle in the page is no upstream state. */
static void
does_not_take_the_pages_handle_for_a_state_w48(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    memcpy(desk->idp.state, browser.flow, sizeof browser.flow);
    expect_no_callback(desk, &browser, "unknown_state");
    desk_free(desk);
}

/* @spec W-49: the client's state is data, never a key. */
static void
never_uses_the_clients_state_as_its_own_w49(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser a = {0}, b = {0};
    open_consent(desk, &a, AUTHORIZE_DEFAULT);
    approve(desk, &a);
    char first[64];
    memcpy(first, desk->idp.state, sizeof first);
    open_consent(desk, &b, AUTHORIZE_DEFAULT); /* the same client state */
    approve(desk, &b);
    assert_string_not_equal(first, desk->idp.state);
    struct answer answer = come_back(desk, &b);
    assert_int_equal(answer.status, 302);
    answer_done(&answer);
    memcpy(desk->idp.state, first, sizeof first);
    answer = come_back(desk, &a);
    assert_int_equal(answer.status, 302);
    answer_done(&answer);
    (void)snprintf(desk->idp.state, sizeof desk->idp.state, "client-state");
    answer = come_back(desk, &a);
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-52: what is gone is gone, also half way. */
static void
looks_at_the_registration_each_time_w52(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0}, second = {0};
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    open_consent(desk, &second, AUTHORIZE_DEFAULT);
    approve(desk, &second);
    desk->config.client_count = 0;
    struct answer answer = decide(desk, &browser, "approve");
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    answer = come_back(desk, &second);
    assert_int_equal(answer.status, 400);
    assert_audited(desk, "callback.fail", "unknown_client");
    answer_done(&answer);
    answer = desk_get(desk, &browser, AUTHORIZE_DEFAULT);
    assert_int_equal(answer.status, 400);
    assert_audited(desk, "authorize.reject", "unknown_client");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-54 W-20: told to the client, and not remembered. */
static void
tells_the_client_of_a_denial_and_forgets_it_w54(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    struct answer answer = decide(desk, &browser, "deny");
    assert_int_equal(answer.status, 200);
    assert_true(has_text(answer.body, "error=access_denied"));
    assert_true(has_text(answer.body, "state=client-state"));
    assert_true(has_text(answer.body, "iss=http%3A%2F%2Flocalhost%3A3001"));
    assert_int_equal(desk->idp.begun, 0);
    assert_audited(desk, "consent.deny", NULL);
    answer_done(&answer);
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    approve(desk, &browser);
    desk_free(desk);
}

/* @spec W-53 */
static void
lets_the_same_browser_sign_in_again_w53(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser browser = {0};
    for (int turn = 0; turn < 3; turn++) {
        open_consent(desk, &browser, AUTHORIZE_DEFAULT);
        approve(desk, &browser);
        struct answer answer = come_back(desk, &browser);
        assert_int_equal(answer.status, 302);
        answer_done(&answer);
    }
    /* The proofs were taken back. */
    assert_true(
        vl_str_starts(vl_str_z(browser.cookies[0]), VL_STR("valet_browser=")));
    for (size_t i = 1; i < BROWSER_COOKIES; i++)
        assert_string_equal(browser.cookies[i], "");
    desk_free(desk);
}

/* @spec W-79: nothing in the request switches consent off. */
static void
asks_whatever_the_request_says_w79(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser attacker = {0}, victim = {0};
    open_consent(desk, &attacker,
                 AUTHORIZE(CLIENT, CALLBACK,
                           "&consent_shown=1&approved=true&prompt=login"));
    assert_int_equal(desk->idp.begun, 0);
    approve(desk, &attacker);
    char target[512];
    (void)snprintf(target, sizeof target,
                   "/auth/callback?code=c&state=%s&consent_shown=1&approved=1",
                   desk->idp.state);
    struct answer answer = desk_get(desk, &victim, target);
    assert_int_equal(answer.status, 400);
    assert_audited(desk, "callback.fail", "browser_mismatch");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-70: posts from elsewhere, other browsers, other flows, twice. */
static void
takes_consent_only_from_its_own_page_w70(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {FORM "Origin: https://evil.example\r\n", 403},
        {FORM "Origin: null\r\n", 403},
        {FORM "Origin: http://localhost:3002\r\n", 403},
        {FORM "Sec-Fetch-Site: cross-site\r\n", 403},
        {FORM "Sec-Fetch-Site: same-site\r\n", 403},
        {FORM "Sec-Fetch-Site: none\r\n", 403},
        {"Content-Type: text/plain\r\n", 400},
    };
    struct desk *desk = desk_new();
    struct browser browser = {0}, other = {0};
    char body[512];
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    open_consent(desk, &other, AUTHORIZE_DEFAULT);
    (void)snprintf(body, sizeof body, "flow=%s&csrf=%s&decision=approve",
                   browser.flow, browser.csrf);
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct answer answer =
            desk_request(desk, &browser, "POST", "/authorize/consent",
                         cases[i].headers, body);
        assert_int_equal(answer.status, cases[i].status);
        answer_done(&answer);
    }
    assert_audited(desk, "authorize.reject", "cross_site_post");
    /* In another browser; without a cookie; with another flow's token. */
    struct answer answer = desk_post(desk, &other, "/authorize/consent", body);
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    answer = desk_post(desk, NULL, "/authorize/consent", body);
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    memcpy(other.flow, browser.flow, sizeof other.flow);
    answer = decide(desk, &other, "approve");
    assert_int_equal(answer.status, 400);
    assert_audited(desk, "authorize.reject", "csrf");
    answer_done(&answer);
    assert_int_equal(desk->idp.begun, 0);
    /* Browsers under our Referrer-Policy: Origin null, same-origin. */
    answer = desk_request(
        desk, &browser, "POST", "/authorize/consent",
        FORM "Origin: null\r\nSec-Fetch-Site: same-origin\r\n", body);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    answer = decide(desk, &browser, "approve");
    assert_int_equal(answer.status, 400);
    assert_audited(desk, "authorize.reject", "unknown_flow");
    answer_done(&answer);
    assert_int_equal(desk->idp.begun, 1);
    desk_free(desk);
}

/* @spec W-08: sign-ins under way end, and are counted. */
static void
forgets_sign_ins_and_bounds_their_number_w08(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct browser a = {0}, b = {0};
    open_consent(desk, &a, AUTHORIZE_DEFAULT);
    open_consent(desk, &b, AUTHORIZE_DEFAULT);
    approve(desk, &b);
    desk->now += VL_LIMIT_FLOW_MS;
    struct answer answer = decide(desk, &a, "approve");
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    expect_no_callback(desk, &b, "unknown_state");

    desk->config.flows_per_address_max = 3;
    desk_restart_issuer(desk);
    for (int i = 0; i < 3; i++)
        open_consent(desk, &a, AUTHORIZE_DEFAULT);
    answer = desk_get(desk, &a, AUTHORIZE_DEFAULT);
    assert_int_equal(answer.status, 429);
    assert_audited(desk, "authorize.reject", "too_many_flows");
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-20 */
static void
tells_the_client_of_the_providers_error_w20(void **state)
{
    (void)state;
    static const struct {
        const char *theirs, *ours;
    } cases[] = {{"access_denied", "error=access_denied&"},
                 {"consent_required", "error=access_denied&"},
                 {"temporarily_unavailable", "error=temporarily_unavailable&"},
                 {"invalid_client", "error=server_error&"}};
    struct desk *desk = desk_new();
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct browser browser = {0};
        char target[512];
        open_consent(desk, &browser, AUTHORIZE_DEFAULT);
        approve(desk, &browser);
        (void)snprintf(target, sizeof target,
                       "/auth/callback?error=%s&error_description=SECRETS"
                       "&state=%s",
                       cases[i].theirs, desk->idp.state);
        struct answer answer = desk_get(desk, &browser, target);
        struct vl_str location = header_of(&answer, "Location", 0);
        assert_int_equal(answer.status, 302);
        assert_true(has_text(location, cases[i].ours));
        assert_true(has_text(location, "state=client-state&iss="));
        assert_false(has_text(location, "SECRETS"));
        answer_done(&answer);
    }
    desk_free(desk);
}

static void
wants_exactly_one_code_or_error_at_the_callback(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "state=%s",
        "code=a&error=b&state=%s",
        "code=a&code=b&state=%s",
        "code=a&state=%s&state=x",
        "code=a",
        "code=a&state=short",
        "code=%%ff&state=%s",
    };
    struct desk *desk = desk_new();
    struct browser browser = {0};
    open_consent(desk, &browser, AUTHORIZE_DEFAULT);
    approve(desk, &browser);
    for (size_t i = 0; i < VL_COUNT(queries); i++) {
        char query[256], target[300];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(query, sizeof query, queries[i], desk->idp.state);
#pragma GCC diagnostic pop
        (void)snprintf(target, sizeof target, "/auth/callback?%s", query);
        struct answer answer = desk_get(desk, &browser, target);
        assert_int_equal(answer.status, 400);
        answer_done(&answer);
    }
    /* None of that used the flow up. */
    struct answer answer = come_back(desk, &browser);
    assert_int_equal(answer.status, 302);
    answer_done(&answer);
    /* @spec SB-08: once. */
    answer = come_back(desk, &browser);
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_consent_before_anything_goes_upstream_w05),
        cmocka_unit_test(refuses_a_foreign_redirect_with_a_page_w05),
        cmocka_unit_test(refuses_a_callback_without_the_cookie_w06_w78),
        cmocka_unit_test(
            refuses_a_callback_with_the_cookie_of_another_flow_w06),
        cmocka_unit_test(refuses_a_cookie_with_a_foreign_value_w06),
        cmocka_unit_test(does_not_take_showing_the_page_for_approval_w48),
        cmocka_unit_test(does_not_take_the_pages_handle_for_a_state_w48),
        cmocka_unit_test(never_uses_the_clients_state_as_its_own_w49),
        cmocka_unit_test(looks_at_the_registration_each_time_w52),
        cmocka_unit_test(tells_the_client_of_a_denial_and_forgets_it_w54),
        cmocka_unit_test(lets_the_same_browser_sign_in_again_w53),
        cmocka_unit_test(asks_whatever_the_request_says_w79),
        cmocka_unit_test(takes_consent_only_from_its_own_page_w70),
        cmocka_unit_test(forgets_sign_ins_and_bounds_their_number_w08),
        cmocka_unit_test(tells_the_client_of_the_providers_error_w20),
        cmocka_unit_test(wants_exactly_one_code_or_error_at_the_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
