/* SPDX-License-Identifier: Apache-2.0
 *
 * Every refusal of Entra and the verdict on it (entra-wire 1.8, 2.9).
 */
#include "entra/failure.h"

#include "core/limits.h"
#include "vl_test.h"

static void
read_body(int http, int64_t retry_after_ms, const char *text,
          valet_entra_error *ret)
{
    vl_auto(vl_json) doc = {NULL};
    struct vl_fetch_answer answer = {.status = http,
                                     .retry_after_ms = retry_after_ms};
    assert_ok(vl_json_parse(vl_str_z(text), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    vl_failure_read(&answer, doc.root, ret);
}

static const struct {
    int http;
    unsigned aadsts;
    const char *error, *suberror, *claims;
    valet_next next;
    valet_status status;
} matrix[] = {
    {400, 50126, "invalid_grant", "", "", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {400, 50055, "invalid_grant", "user_password_expired", "",
     VALET_NEXT_SIGN_IN, VALET_DENIED},
    {400, 50053, "invalid_grant", "", "", VALET_NEXT_RETRY, VALET_RETRY},
    {400, 50057, "invalid_grant", "", "", VALET_NEXT_ADMIN, VALET_DENIED},
    {400, 50058, "login_required", "", "", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {400, 50076, "invalid_grant", "basic_action", "", VALET_NEXT_SIGN_IN,
     VALET_DENIED},
    {400, 50079, "invalid_grant", "basic_action", "{\"access_token\":{}}",
     VALET_NEXT_SIGN_IN, VALET_DENIED},
    {400, 53003, "access_denied", "message_only", "{\"access_token\":{}}",
     VALET_NEXT_SIGN_IN, VALET_DENIED},
    {400, 65001, "invalid_grant", "consent_required", "", VALET_NEXT_SIGN_IN,
     VALET_DENIED},
    {400, 90094, "invalid_grant", "consent_required", "", VALET_NEXT_ADMIN,
     VALET_DENIED},
    {400, 50105, "invalid_grant", "", "", VALET_NEXT_ADMIN, VALET_DENIED},
    {400, 50020, "invalid_grant", "", "", VALET_NEXT_ADMIN, VALET_DENIED},
    {400, 50173, "invalid_grant", "bad_token", "", VALET_NEXT_SIGN_IN,
     VALET_DENIED},
    {400, 700082, "invalid_grant", "bad_token", "", VALET_NEXT_SIGN_IN,
     VALET_DENIED},
    {400, 70008, "invalid_grant", "token_expired", "", VALET_NEXT_SIGN_IN,
     VALET_DENIED},
    {400, 700016, "unauthorized_client", "", "", VALET_NEXT_ADMIN,
     VALET_INTERNAL},
    {400, 500011, "invalid_resource", "", "", VALET_NEXT_ADMIN, VALET_INTERNAL},
    {401, 7000215, "invalid_client", "", "", VALET_NEXT_ADMIN, VALET_INTERNAL},
    {401, 7000222, "invalid_client", "", "", VALET_NEXT_ADMIN, VALET_INTERNAL},
    {401, 7000218, "invalid_client", "", "", VALET_NEXT_GIVE_UP,
     VALET_INTERNAL},
    {401, 700024, "invalid_client", "", "", VALET_NEXT_RETRY, VALET_RETRY},
    {400, 900144, "invalid_request", "", "", VALET_NEXT_GIVE_UP,
     VALET_INTERNAL},
    {400, 70011, "invalid_scope", "", "", VALET_NEXT_GIVE_UP, VALET_INTERNAL},
    {400, 50196, "invalid_grant", "", "", VALET_NEXT_GIVE_UP, VALET_DENIED},
    {400, 70016, "authorization_pending", "", "", VALET_NEXT_RETRY,
     VALET_RETRY},
    {400, 0, "authorization_declined", "", "", VALET_NEXT_SIGN_IN,
     VALET_DENIED},
    {429, 90055, "temporarily_unavailable", "", "", VALET_NEXT_RETRY,
     VALET_RETRY},
    {503, 90033, "temporarily_unavailable", "", "", VALET_NEXT_RETRY,
     VALET_RETRY},
    {500, 0, "invalid_grant", "", "", VALET_NEXT_RETRY, VALET_RETRY},
    {400, 0, "never_heard_of", "", "", VALET_NEXT_GIVE_UP, VALET_INTERNAL},
    {400, 0, "invalid_grant", "message_only", "", VALET_NEXT_ADMIN,
     VALET_DENIED},
};

static void
says_what_to_do_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(matrix); i++) {
        char body[1024], claims[256] = "";
        valet_entra_error failure;
        if (matrix[i].claims[0])
            (void)snprintf(claims, sizeof claims,
                           ",\"claims\":\"{\\\"access_token\\\":{}}\"");
        (void)snprintf(body, sizeof body,
                       "{\"error\":\"%s\",\"error_description\":\"AADSTS%u: "
                       "Ada Admin is locked.\",\"error_codes\":[%u],"
                       "\"suberror\":\"%s\",\"correlation_id\":"
                       "\"0b8f3c52-7d14-4a69-8e2b-51c6d9f0a7e3\",\"trace_id\":"
                       "\"6e2d91f4-0c87-4b3a-a5d6-c94e17b820f5\"%s}",
                       matrix[i].error, matrix[i].aadsts, matrix[i].aadsts,
                       matrix[i].suberror, claims);
        read_body(matrix[i].http, -1, body, &failure);
        if (failure.next != matrix[i].next ||
            failure.error.status != matrix[i].status)
            fail_msg("%s %u: %s, %s", matrix[i].error, matrix[i].aadsts,
                     valet_next_name(failure.next),
                     valet_status_name(failure.error.status));
        assert_int_equal(failure.aadsts, matrix[i].aadsts);
        assert_string_equal(failure.oauth, matrix[i].error);
        assert_string_equal(failure.suberror, matrix[i].suberror);
        assert_string_equal(failure.claims, matrix[i].claims);
        assert_int_equal(failure.http_status, matrix[i].http);
        assert_string_equal(failure.correlation_id,
                            "0b8f3c52-7d14-4a69-8e2b-51c6d9f0a7e3");
        assert_string_equal(failure.trace_id,
                            "6e2d91f4-0c87-4b3a-a5d6-c94e17b820f5");
        /* Prose may name people. */
        assert_null(strstr(failure.error.message, "Ada"));
    }
}

static void
keeps_what_it_was_told_to_wait(void **state)
{
    (void)state;
    valet_entra_error failure;
    read_body(429, 2000, "{\"error\":\"temporarily_unavailable\"}", &failure);
    assert_int_equal(failure.retry_after_ms, 2000);
    assert_string_equal(failure.error.code, "temporarily_unavailable");
}

static void
finds_the_number_in_the_description(void **state)
{
    (void)state;
    valet_entra_error failure;
    read_body(400, -1,
              "{\"error\":\"invalid_grant\",\"error_description\":"
              "\"AADSTS50173: The grant is over.\"}",
              &failure);
    assert_int_equal(failure.aadsts, 50173);
    assert_string_equal(failure.error.code, "AADSTS50173");
    read_body(400, -1,
              "{\"error\":\"invalid_grant\",\"error_description\":"
              "\"AADSTS99999999999: no.\"}",
              &failure);
    assert_int_equal(failure.aadsts, 0);
    vl_failure_of_redirect(VL_STR("access_denied"),
                           VL_STR("AADSTS65004: User declined."),
                           VL_STR("cancel"), &failure);
    assert_int_equal(failure.aadsts, 65004);
    assert_string_equal(failure.suberror, "cancel");
    assert_int_equal(failure.http_status, 0);
    assert_int_equal(failure.next, VALET_NEXT_SIGN_IN);
}

static void
passes_nothing_on_that_could_be_a_secret(void **state)
{
    (void)state;
    valet_entra_error failure;
    static const char *const bodies[] = {
        "{\"error\":\"eyJhbGciOiJSUzI1NiJ9.e30.x\",\"suberror\":\"0.AXoA\"}",
        "{\"error\":{},\"suberror\":[],\"error_codes\":{},\"claims\":7,"
        "\"correlation_id\":\"x\",\"trace_id\":1}",
        "[]",
        "7",
        "{\"error_codes\":[-1]}",
        "{\"error_codes\":[1e99]}",
        "{\"claims\":\"$(rm -rf)\"}",
        "{\"claims\":\"[1]\"}",
        "{\"claims\":\"{\\\"access_token\\\":5}\"}",
        "{\"claims\":\"{\\\"a\\\":1} x\"}",
        "{\"error\":\"a_word_that_is_much_too_long_to_be_one_of_oauth_or_of_"
        "anybody_else\"}"};
    for (size_t i = 0; i < VL_COUNT(bodies); i++) {
        read_body(400, -1, bodies[i], &failure);
        assert_string_equal(failure.oauth, "");
        assert_string_equal(failure.suberror, "");
        assert_string_equal(failure.claims, "");
        assert_string_equal(failure.correlation_id, "");
        assert_int_equal(failure.aadsts, 0);
        assert_int_equal(failure.next, VALET_NEXT_GIVE_UP);
        assert_non_null(strstr(failure.error.message, "no error code"));
    }
}

static void
tells_a_page_and_a_broken_line_from_a_refusal(void **state)
{
    (void)state;
    valet_entra_error failure;
    struct vl_fetch_answer page = {.status = 200, .retry_after_ms = -1};
    valet_error why = {VALET_RETRY, "", "connection refused"};
    vl_failure_of_text(&page, &failure);
    assert_int_equal(failure.next, VALET_NEXT_RETRY);
    assert_int_equal(failure.error.status, VALET_RETRY);
    vl_failure_of_network(&why, &failure);
    assert_int_equal(failure.next, VALET_NEXT_RETRY);
    assert_non_null(strstr(failure.error.message, "connection refused"));
    for (int i = 0; i < VALET_NEXT_COUNT; i++)
        assert_string_not_equal(valet_next_name((valet_next)i), "?");
    assert_string_equal(valet_next_name(VALET_NEXT_COUNT), "?");
    /* What nobody has filled gives no advice, least of all to ask again. */
    failure = (valet_entra_error){.http_status = 0};
    assert_string_equal(valet_next_name(failure.next), "none");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_to_do_next),
        cmocka_unit_test(keeps_what_it_was_told_to_wait),
        cmocka_unit_test(finds_the_number_in_the_description),
        cmocka_unit_test(passes_nothing_on_that_could_be_a_secret),
        cmocka_unit_test(tells_a_page_and_a_broken_line_from_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
