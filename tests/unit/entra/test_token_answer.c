/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/token_answer.h"

#include "core/buf.h"
#include "vl_test.h"

enum { NOW_MS = 1000000 };

struct outcome {
    struct vl_json document;
    struct vl_idp_tokens tokens;
    struct vl_str id_token;
    valet_error err;
};

static void
outcome_done(struct outcome *o)
{
    vl_json_done(&o->document);
    vl_idp_tokens_done(&o->tokens);
}

static valet_status
read_text(struct vl_str body, int http, struct outcome *o)
{
    *o = (struct outcome){.document = {NULL}};
    struct vl_headers headers = {.count = 0};
    struct vl_str text = vl_test_guarded(body);
    struct vl_fetch_answer answer = {
        .status = http, .headers = &headers, .body = text, .attempts = 1};
    struct vl_token_answer all = {.extended_ms = 0};
    valet_entra_error error = {.next = VALET_NEXT_RETRY};
    valet_status status =
        vl_token_answer_read(&answer, NOW_MS, &o->document, &all, &error)
            ? VALET_OK
            : error.error.status;
    o->err = error.error;
    o->tokens = all.tokens;
    o->id_token = all.id_token;
    vl_test_unguard(text);
    if (status != VALET_OK) {
        /* Outputs on success only; a reason always. */
        assert_null(o->document.root);
        assert_true(vl_secret_is_empty(&o->tokens.access.secret));
        assert_true(vl_secret_is_empty(&o->tokens.refresh.secret));
        assert_null(o->id_token.p);
        assert_int_equal(o->err.status, status);
        assert_true(o->err.message[0] != '\0');
    }
    return status;
}

static void
reads_tokens(void **state)
{
    (void)state;
    struct outcome o;
    assert_ok(
        read_text(VL_STR("{\"token_type\":\"Bearer\",\"scope\":\"User.Read\","
                         "\"expires_in\":3600,\"ext_expires_in\":3600,"
                         "\"access_token\":\"the.access.token\","
                         "\"refresh_token\":\"0.the-refresh_token\","
                         "\"id_token\":\"a.b.c\"}"),
                  200, &o));
    assert_str(vl_secret_reveal(&o.tokens.access.secret), "the.access.token");
    assert_str(vl_secret_reveal(&o.tokens.refresh.secret),
               "0.the-refresh_token");
    assert_str(o.id_token, "a.b.c");
    assert_int_equal(o.tokens.expires_ms, NOW_MS + 3600 * 1000);
    outcome_done(&o);
}

/* What may be absent: the refresh token, the id token. */
static void
reads_an_access_token_alone(void **state)
{
    (void)state;
    struct outcome o;
    assert_ok(read_text(VL_STR("{\"token_type\":\"bearer\",\"expires_in\":1,"
                               "\"access_token\":\"t\"}"),
                        200, &o));
    assert_true(vl_secret_is_empty(&o.tokens.refresh.secret));
    assert_null(o.id_token.p);
    outcome_done(&o);
}

static void
reads_lifetimes(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t seconds; /* 0: refused */
    } cases[] = {
        {"3599", 3599},
        {"\"3599\"", 3599}, /* as text, as Entra sometimes does */
        {"1", 1},
        {"10000000", 10000000},
        {"\"10000000\"", 10000000},
        {"10000001", 0},
        {"\"10000001\"", 0},
        {"0", 0},
        {"\"0\"", 0},
        {"-1", 0},
        {"\"-1\"", 0},
        {"9223372036854775807", 0},
        {"-9223372036854775808", 0},
        {"\"18446744073709551616\"", 0},
        {"3600.5", 0},
        {"\"3600 \"", 0},
        {"\"\"", 0},
        {"null", 0},
        {"[3600]", 0},
        {"true", 0},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct outcome o;
        vl_auto(vl_buf) json = vl_buf_of(200);
        vl_buf_addf(&json,
                    "{\"token_type\":\"Bearer\",\"access_token\":\"t\","
                    "\"expires_in\":%s}",
                    cases[i].json);
        valet_status status = read_text(vl_buf_str(&json), 200, &o);
        assert_int_equal(status, cases[i].seconds ? VALET_OK : VALET_INTERNAL);
        if (cases[i].seconds)
            assert_true(o.tokens.expires_ms ==
                        NOW_MS + cases[i].seconds * 1000);
        outcome_done(&o);
    }
}

static void
refuses_answers_without_a_usable_token(void **state)
{
    (void)state;
#define REST "\"token_type\":\"Bearer\",\"expires_in\":3600"
    static const char *const cases[] = {
        "{}", "[]", "null", "\"token\"", "{" REST "}",
        "{" REST ",\"access_token\":\"\"}", "{" REST ",\"access_token\":7}",
        "{" REST ",\"access_token\":null}",
        "{" REST ",\"access_token\":[\"t\"]}",
        "{\"token_type\":\"Bearer\",\"access_token\":\"t\"}",
        "{\"expires_in\":3600,\"access_token\":\"t\"}",
        "{\"token_type\":\"mac\",\"expires_in\":3600,\"access_token\":\"t\"}",
        "{\"token_type\":[\"Bearer\"],\"expires_in\":3600,"
        "\"access_token\":\"t\"}",
        /* What would break the header it is sent in. */
        "{" REST ",\"access_token\":\"a\\r\\nX: y\"}",
        "{" REST ",\"access_token\":\"a b\"}",
        "{" REST ",\"access_token\":\"\\u00e9\"}",
        "{" REST ",\"access_token\":\"a\\u007f\"}",
        "{" REST ",\"access_token\":\"a\",\"refresh_token\":\"b\\n\"}",
        "{\"error\":\"invalid_grant\"}", /* with 200: no refusal either */
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct outcome o;
        assert_int_equal(read_text(vl_str_z(cases[i]), 200, &o),
                         VALET_INTERNAL);
    }
}

static void
keeps_to_the_size_of_tokens(void **state)
{
    (void)state;
    static const size_t sizes[] = {VL_LIMIT_UPSTREAM_TOKEN,
                                   VL_LIMIT_UPSTREAM_TOKEN + 1};
    static const char *const names[] = {"access_token", "refresh_token"};
    for (size_t i = 0; i < VL_COUNT(sizes); i++)
        for (size_t j = 0; j < VL_COUNT(names); j++) {
            struct outcome o;
            vl_auto(vl_buf) json = vl_buf_of(VL_LIMIT_FETCH_BODY);
            vl_buf_addf(&json, "{" REST ",\"%s\":\"t\",\"%s\":\"", names[1 - j],
                        names[j]);
            for (size_t n = 0; n < sizes[i]; n++)
                vl_buf_addc(&json, 'x');
            vl_buf_addz(&json, "\"}");
            assert_int_equal(read_text(vl_buf_str(&json), 200, &o),
                             i ? VALET_INTERNAL : VALET_OK);
            outcome_done(&o);
        }
}

/* entra-wire 2.8 and 2.9 */
static void
knows_what_errors_mean(void **state)
{
    (void)state;
    static const struct {
        int http;
        const char *json;
        valet_status status;
        const char *code;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[700082]}",
         VALET_DENIED, "AADSTS700082"},
        {400, "{\"error\":\"invalid_grant\"}", VALET_DENIED, "invalid_grant"},
        {400, "{\"error\":\"interaction_required\",\"error_codes\":[50076]}",
         VALET_DENIED, "AADSTS50076"},
        {400, "{\"error\":\"consent_required\"}", VALET_DENIED,
         "consent_required"},
        {400, "{\"error\":\"login_required\"}", VALET_DENIED, "login_required"},
        {400, "{\"error\":\"access_denied\",\"error_codes\":[53003]}",
         VALET_DENIED, "AADSTS53003"},
        {401, "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}",
         VALET_INTERNAL, "AADSTS7000215"},
        {400, "{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}",
         VALET_INTERNAL, "AADSTS700016"},
        {400, "{\"error\":\"invalid_request\"}", VALET_INTERNAL,
         "invalid_request"},
        {400, "{\"error\":\"invalid_scope\"}", VALET_INTERNAL, "invalid_scope"},
        {400, "{\"error\":\"temporarily_unavailable\"}", VALET_RETRY,
         "temporarily_unavailable"},
        {400, "{\"error\":\"server_error\"}", VALET_RETRY, "server_error"},
        /* Whatever it says, it says it in trouble. */
        {429, "{\"error\":\"invalid_grant\"}", VALET_RETRY, "invalid_grant"},
        {429, "{}", VALET_RETRY, ""},
        {500, "{\"error\":\"invalid_grant\"}", VALET_RETRY, "invalid_grant"},
        {503, "{\"error\":\"invalid_client\"}", VALET_RETRY, "invalid_client"},
        /* The number may be missing, wrong or one of many. */
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[70002,50012]}",
         VALET_DENIED, "AADSTS70002"},
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[]}", VALET_DENIED,
         "invalid_grant"},
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[\"7\"]}",
         VALET_DENIED, "invalid_grant"},
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[-7]}",
         VALET_DENIED, "invalid_grant"},
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":7}", VALET_DENIED,
         "invalid_grant"},
        {400,
         "{\"error\":\"invalid_grant\",\"error_codes\":[9223372036854775807]}",
         VALET_DENIED, "invalid_grant"},
        /* An answer that makes no sense ends nobody's session. */
        {400, "{}", VALET_INTERNAL, ""},
        {400, "[]", VALET_INTERNAL, ""},
        {400, "{\"error\":7}", VALET_INTERNAL, ""},
        {400, "{\"error\":[\"invalid_grant\"]}", VALET_INTERNAL, ""},
        {400, "{\"error\":\"Invalid_Grant\"}", VALET_INTERNAL, ""},
        {400, "{\"error\":\"a\\nb\"}", VALET_INTERNAL, ""},
        {400, "{\"error\":\"<script>\"}", VALET_INTERNAL, ""},
        {302, "{\"error\":\"invalid_grant\"}", VALET_INTERNAL, "invalid_grant"},
        {204, "{}", VALET_INTERNAL, ""},
        {201, "{\"token_type\":\"Bearer\",\"access_token\":\"t\"}",
         VALET_INTERNAL, ""},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct outcome o;
        assert_int_equal(read_text(vl_str_z(cases[i].json), cases[i].http, &o),
                         cases[i].status);
        assert_string_equal(o.err.code, cases[i].code);
    }
}

static void
passes_on_the_correlation_id_and_no_prose(void **state)
{
    (void)state;
    struct outcome o;
    assert_int_equal(
        read_text(VL_STR("{\"error\":\"invalid_grant\",\"error_codes\":[50173],"
                         "\"error_description\":\"AADSTS50173: secret prose\","
                         "\"correlation_id\":"
                         "\"dddddddd-0000-4000-8000-000000000004\"}"),
                  400, &o),
        VALET_DENIED);
    assert_non_null(
        strstr(o.err.message, "dddddddd-0000-4000-8000-000000000004"));
    assert_non_null(strstr(o.err.message, "AADSTS50173"));
    assert_null(strstr(o.err.message, "prose"));
    assert_int_equal(read_text(VL_STR("{\"error\":\"invalid_grant\","
                                      "\"correlation_id\":\"x\\ny\"}"),
                               400, &o),
                     VALET_DENIED);
    assert_null(strchr(o.err.message, '\n'));
    assert_non_null(strstr(o.err.message, "correlation id none"));
}

static void
takes_pages_for_passing_trouble(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "<html><body>Service unavailable</body></html>",
        "{\"error\":",
        "\xff",
        "{\"a\":1,\"a\":2}",
        "{} {}",
    };
    static const int statuses[] = {200, 400, 403, 429, 500, 502, 503};
    for (size_t i = 0; i < VL_COUNT(bodies); i++)
        for (size_t j = 0; j < VL_COUNT(statuses); j++) {
            struct outcome o;
            assert_int_equal(read_text(vl_str_z(bodies[i]), statuses[j], &o),
                             VALET_RETRY);
            assert_null(strstr(o.err.message, "html"));
        }
}

static void
refuses_deep_answers(void **state)
{
    (void)state;
    struct outcome o;
    vl_auto(vl_buf) json = vl_buf_of(VL_LIMIT_FETCH_BODY);
    vl_buf_addz(&json, "{\"x\":");
    for (int i = 0; i < 100000; i++)
        vl_buf_addc(&json, '[');
    assert_int_equal(read_text(vl_buf_str(&json), 200, &o), VALET_RETRY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tokens),
        cmocka_unit_test(reads_an_access_token_alone),
        cmocka_unit_test(reads_lifetimes),
        cmocka_unit_test(refuses_answers_without_a_usable_token),
        cmocka_unit_test(keeps_to_the_size_of_tokens),
        cmocka_unit_test(knows_what_errors_mean),
        cmocka_unit_test(passes_on_the_correlation_id_and_no_prose),
        cmocka_unit_test(takes_pages_for_passing_trouble),
        cmocka_unit_test(refuses_deep_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
