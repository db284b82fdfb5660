/* SPDX-License-Identifier: Apache-2.0
 *
 * What brokers answer, and what is made of it.
 */
#include "broker/answer.h"

#include "core/buf.h"

#include "vl_test.h"

#define TOKEN(members)                                                         \
    "{\"brokerTokenResponse\":{\"accessToken\":\"at\"," members "}}"
#define EXPIRES "\"expiresOn\":1800000000000"
#define ACCOUNT                                                                \
    "{\"homeAccountId\":\"oid.tid\",\"username\":\"alice@contoso.example\","   \
    "\"name\":\"Alice\",\"realm\":\"tid\"}"

/* --- accounts --- */

static void
expect_alice(const char *text)
{
    struct vl_broker_answer answer = vl_broker_answer_of();
    struct vl_broker_list list;
    valet_entra_error error;
    assert_true(
        vl_broker_read_accounts(vl_str_z(text), &answer, &list, &error));
    assert_int_equal(list.count, 1);
    assert_str(list.accounts[0].home_account_id, "oid.tid");
    assert_str(list.accounts[0].username, "alice@contoso.example");
    assert_str(list.accounts[0].name, "Alice");
    assert_str(list.accounts[0].tenant_id, "tid");
    assert_str(vl_json_get_str(list.told[0], "username"),
               "alice@contoso.example");
    vl_broker_answer_done(&answer);
}

static void
reads_accounts_in_both_shapes(void **state)
{
    (void)state;
    expect_alice("{\"accounts\":[" ACCOUNT "]}");
    expect_alice("{\"accounts\":[" ACCOUNT "],\"error\":null}");
    expect_alice(
        "{\"accounts\":\"[{\\\"homeAccountId\\\":\\\"oid.tid\\\",\\\"name\\\":"
        "\\\"Alice\\\",\\\"realm\\\":\\\"tid\\\",\\\"username\\\":"
        "\\\"alice@contoso.example\\\"}]\"}");
}

static void
leaves_out_accounts_that_nobody_could_name(void **state)
{
    (void)state;
    expect_alice("{\"accounts\":[7,null,[],{},{\"username\":\"x\"},"
                 "{\"homeAccountId\":\"x\",\"username\":7}," ACCOUNT "]}");
}

static void
leaves_out_accounts_that_do_not_fit(void **state)
{
    (void)state;
    struct vl_broker_answer answer = vl_broker_answer_of();
    struct vl_broker_list list;
    valet_entra_error error;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    vl_buf_addz(&text, "{\"accounts\":[" ACCOUNT);
    for (int i = 0; i < VL_LIMIT_BROKER_ACCOUNTS + 3; i++)
        vl_buf_addz(&text, "," ACCOUNT);
    vl_buf_addz(&text, "]}");
    assert_true(
        vl_broker_read_accounts(vl_buf_str(&text), &answer, &list, &error));
    assert_int_equal(list.count, VL_LIMIT_BROKER_ACCOUNTS);
    vl_broker_answer_done(&answer);
}

static void
refuses_accounts_that_make_no_sense(void **state)
{
    static const char *const texts[] = {
        "",
        "no JSON",
        "[]",
        "7",
        "{}",
        "{\"accounts\":{}}",
        "{\"accounts\":\"no JSON\"}",
        "{\"accounts\":\"{}\"}",
        "{\"accounts\":null}",
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        struct vl_broker_answer answer = vl_broker_answer_of();
        struct vl_broker_list list;
        valet_entra_error error;
        assert_false(vl_broker_read_accounts(vl_str_z(texts[i]), &answer, &list,
                                             &error));
        assert_int_equal(error.error.status, VALET_INTERNAL);
        assert_int_equal(error.next, VALET_NEXT_GIVE_UP);
        vl_broker_answer_done(&answer);
    }
}

/* --- tokens --- */

static bool
read_token(const char *text, struct vl_broker_answer *answer,
           struct vl_broker_token *token)
{
    valet_entra_error error = {.next = VALET_NEXT_COUNT};
    *answer = vl_broker_answer_of();
    *token = (struct vl_broker_token){.expires_ms = 0};
    bool good =
        vl_broker_read_token(vl_str_z(text), false, answer, token, &error);
    if (!good)
        assert_int_equal(error.error.status, VALET_INTERNAL);
    return good;
}

static void
expect_token(const char *text, const char *scopes, const char *whose)
{
    struct vl_broker_answer answer;
    struct vl_broker_token token;
    assert_true(read_token(text, &answer, &token));
    assert_str(vl_secret_reveal(&token.access), "at");
    assert_str(token.scopes, scopes);
    assert_str(token.account.home_account_id, whose);
    assert_int_equal(token.expires_ms, 1800000000000);
    vl_secret_done(&token.access);
    vl_broker_answer_done(&answer);
}

static void
reads_tokens_in_both_shapes(void **state)
{
    (void)state;
    expect_token(
        TOKEN("\"accessTokenType\":0,\"grantedScopes\":\"a b\"," EXPIRES
              ",\"idToken\":\"x\",\"clientInfo\":\"y\""),
        "a b", "");
    expect_token(TOKEN("\"grantedScopes\":[\"a\",\"b\",\"\",7]," EXPIRES
                       ",\"account\":" ACCOUNT),
                 "a b", "oid.tid");
    expect_token("{\"brokerTokenResponse\":\"{\\\"accessToken\\\":\\\"at\\\","
                 "\\\"expiresOn\\\":\\\"1800000000000\\\"}\",\"telemetry\":{}}",
                 "", "");
    expect_token(TOKEN("\"error\":null,\"expiresOn\":1800000000"), "", "");
}

static void
refuses_tokens_that_make_no_sense(void **state)
{
    static const char *const texts[] = {
        "{\"brokerTokenResponse\":null}",
        "{\"brokerTokenResponse\":[]}",
        "{\"brokerTokenResponse\":\"\\\"text\\\"\"}",
        "{\"accessToken\":\"at\"," EXPIRES "}",
        "{\"brokerTokenResponse\":{" EXPIRES "}}",
        "{\"brokerTokenResponse\":{\"accessToken\":\"\"," EXPIRES "}}",
        "{\"brokerTokenResponse\":{\"accessToken\":\"a b\"," EXPIRES "}}",
        "{\"brokerTokenResponse\":{\"accessToken\":\"a\\nb\"," EXPIRES "}}",
        "{\"brokerTokenResponse\":{\"accessToken\":[\"at\"]," EXPIRES "}}",
        TOKEN("\"expiresOn\":0"),
        TOKEN("\"expiresOn\":-1"),
        TOKEN("\"expiresOn\":99999999999999"),
        TOKEN("\"expiresOn\":\"soon\""),
        TOKEN("\"expiresOn\":1.5"),
        TOKEN("\"accessTokenType\":1," EXPIRES), /* bound to a key */
        TOKEN("\"accessTokenType\":\"Bearer\"," EXPIRES),
        TOKEN(EXPIRES "," EXPIRES), /* twice */
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        struct vl_broker_answer answer;
        struct vl_broker_token token;
        if (read_token(texts[i], &answer, &token))
            fail_msg("%s was taken", texts[i]);
        assert_true(vl_secret_is_empty(&token.access));
        vl_broker_answer_done(&answer);
    }
}

static void
refuses_answers_that_are_too_long_or_too_deep(void **state)
{
    (void)state;
    struct vl_broker_answer answer;
    struct vl_broker_token token;
    vl_auto(vl_buf) text = vl_buf_of((size_t)2 * VL_LIMIT_BROKER_ANSWER);
    vl_buf_addz(&text, TOKEN(EXPIRES));
    while (vl_buf_size(&text) <= VL_LIMIT_BROKER_ANSWER)
        vl_buf_addc(&text, ' ');
    assert_false(read_token(vl_buf_cstr(&text), &answer, &token));
    vl_broker_answer_done(&answer);
    vl_buf_clear(&text);
    vl_buf_addz(&text, "{\"brokerTokenResponse\":");
    for (int i = 0; i < 100000; i++)
        vl_buf_addc(&text, '[');
    assert_false(read_token(vl_buf_cstr(&text), &answer, &token));
    vl_broker_answer_done(&answer);
}

/* --- refusals --- */

static const struct {
    int status;
    valet_status silently, interactively;
    valet_next next_silently, next_interactively;
} refusals[] = {
#define BOTH(status, next) status, status, next, next
    {0, VALET_DENIED, VALET_INTERNAL, VALET_NEXT_SIGN_IN, VALET_NEXT_GIVE_UP},
    {1, VALET_DENIED, VALET_INTERNAL, VALET_NEXT_SIGN_IN, VALET_NEXT_GIVE_UP},
    {2, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {3, BOTH(VALET_RETRY, VALET_NEXT_RETRY)},
    {4, BOTH(VALET_RETRY, VALET_NEXT_RETRY)},
    {5, BOTH(VALET_RETRY, VALET_NEXT_RETRY)},
    {6, BOTH(VALET_INTERNAL, VALET_NEXT_GIVE_UP)},
    {7, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {8, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {9, BOTH(VALET_INTERNAL, VALET_NEXT_ADMIN)},
    {10, BOTH(VALET_INTERNAL, VALET_NEXT_GIVE_UP)},
    {11, BOTH(VALET_INTERNAL, VALET_NEXT_GIVE_UP)},
    {12, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {13, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {14, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {15, BOTH(VALET_INTERNAL, VALET_NEXT_GIVE_UP)},
    {16, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {17, BOTH(VALET_RETRY, VALET_NEXT_RETRY)},
    {18, BOTH(VALET_DENIED, VALET_NEXT_SIGN_IN)},
    {19, BOTH(VALET_NOT_FOUND, VALET_NEXT_GIVE_UP)},
    {20, BOTH(VALET_NOT_FOUND, VALET_NEXT_GIVE_UP)},
    {21, BOTH(VALET_NOT_FOUND, VALET_NEXT_GIVE_UP)},
    {22, VALET_DENIED, VALET_INTERNAL, VALET_NEXT_SIGN_IN, VALET_NEXT_GIVE_UP},
    {-1, VALET_DENIED, VALET_INTERNAL, VALET_NEXT_SIGN_IN, VALET_NEXT_GIVE_UP},
};

static valet_entra_error
refusal_of(const char *text, bool interactive)
{
    struct vl_broker_answer answer = vl_broker_answer_of();
    struct vl_broker_token token;
    valet_entra_error error;
    assert_false(vl_broker_read_token(vl_str_z(text), interactive, &answer,
                                      &token, &error));
    vl_broker_answer_done(&answer);
    return error;
}

static void
says_what_to_do_about_every_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(refusals); i++) {
        char text[128];
        (void)snprintf(text, sizeof text,
                       "{\"brokerTokenResponse\":{\"error\":{\"status\":%d}}}",
                       refusals[i].status);
        valet_entra_error error = refusal_of(text, false);
        assert_int_equal(error.error.status, refusals[i].silently);
        assert_int_equal(error.next, refusals[i].next_silently);
        assert_true(error.error.message[0] != '\0');
        error = refusal_of(text, true);
        assert_int_equal(error.error.status, refusals[i].interactively);
        assert_int_equal(error.next, refusals[i].next_interactively);
    }
}

/* As a broker 2.0.1 was seen to answer (siemens/linux-entra-sso#114). */
static void
passes_on_what_entra_said_but_not_its_prose(void **state)
{
    (void)state;
    valet_entra_error error = refusal_of(
        "{\"brokerTokenResponse\":{\"accessTokenType\":0,\"error\":{"
        "\"context\":"
        "\"AADSTS50078: alice@contoso.example has to\",\"diagnostics\":{"
        "\"raw_error_code\":\"invalid_grant\",\"oauth2_sub_error_code\":"
        "\"basic_action\"},\"errorCode\":0,\"status\":2,\"subStatus\":0,"
        "\"tag\":0},\"expiresOn\":0}}",
        false);
    assert_string_equal(error.error.code, "AADSTS50078");
    assert_int_equal(error.aadsts, 50078);
    assert_string_equal(error.oauth, "invalid_grant");
    assert_string_equal(error.suberror, "basic_action");
    assert_int_equal(error.retry_after_ms, -1);
    assert_null(strstr(error.error.message, "alice"));
}

static void
takes_errors_of_any_shape_for_refusals(void **state)
{
    static const char *const texts[] = {
        "{\"error\":{\"status\":2}}",
        "{\"error\":\"text\"}",
        "{\"error\":7,\"brokerTokenResponse\":{\"accessToken\":\"at\"," EXPIRES
        "}}",
        TOKEN("\"error\":{}," EXPIRES),
        TOKEN("\"error\":[1]," EXPIRES),
        TOKEN("\"error\":{\"status\":\"2\",\"context\":7,\"diagnostics\":{"
              "\"raw_error_code\":\"eyJ.a.b\",\"oauth2_sub_error_code\":"
              "\"NOT A WORD\"}}," EXPIRES),
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        valet_entra_error error = refusal_of(texts[i], false);
        assert_int_equal(error.error.status, VALET_DENIED);
        assert_string_equal(error.oauth, "");
        assert_string_equal(error.suberror, "");
        assert_int_equal(error.aadsts, 0);
    }
}

static void
reads_the_version(void **state)
{
    (void)state;
    struct vl_broker_answer answer = vl_broker_answer_of();
    struct vl_str version;
    valet_entra_error error;
    assert_true(
        vl_broker_read_version(VL_STR("{\"linuxBrokerVersion\":\"2.0.1\"}"),
                               &answer, &version, &error));
    assert_str(version, "2.0.1");
    vl_broker_answer_done(&answer);
    assert_false(vl_broker_read_version(VL_STR("{\"linuxBrokerVersion\":2}"),
                                        &answer, &version, &error));
    vl_broker_answer_done(&answer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_accounts_in_both_shapes),
        cmocka_unit_test(leaves_out_accounts_that_nobody_could_name),
        cmocka_unit_test(leaves_out_accounts_that_do_not_fit),
        cmocka_unit_test(refuses_accounts_that_make_no_sense),
        cmocka_unit_test(reads_tokens_in_both_shapes),
        cmocka_unit_test(refuses_tokens_that_make_no_sense),
        cmocka_unit_test(refuses_answers_that_are_too_long_or_too_deep),
        cmocka_unit_test(says_what_to_do_about_every_status),
        cmocka_unit_test(passes_on_what_entra_said_but_not_its_prose),
        cmocka_unit_test(takes_errors_of_any_shape_for_refusals),
        cmocka_unit_test(reads_the_version),
    };
    return cmocka_run_group_tests_name("broker/answer", tests, NULL, NULL);
}
