/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/claims.h"

#include "core/limits.h"
#include "vl_test.h"

#define CP1 "\"xms_cc\":{\"values\":[\"cp1\"]}"

static const char *const cp1[] = {"cp1", NULL};

static void
assert_merged(const char *challenge, const char *const *capabilities,
              const char *wanted)
{
    vl_auto(vl_buf) out = vl_buf_of(8192);
    struct vl_str text = vl_test_guarded(vl_str_z(challenge));
    assert_ok(vl_claims_merge(text, capabilities, &out, NULL));
    assert_string_equal(vl_buf_cstr(&out), wanted);
    vl_test_unguard(text);
}

static void
a_challenge_and_capabilities_become_one(void **state)
{
    (void)state;
    static const char *const two[] = {"cp1", "\"", NULL};
    static const char *const none[] = {NULL};
    static const struct {
        const char *challenge;
        const char *const *capabilities;
        const char *wanted;
    } cases[] = {
        {"", NULL, ""},
        {"", none, ""},
        {"", cp1, "{\"access_token\":{" CP1 "}}"},
        {"", two,
         "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\",\"\\\"\"]}}}"},
        {"{}", NULL, "{}"},
        {"{}", none, "{}"},
        {"{}", cp1, "{\"access_token\":{" CP1 "}}"},
        {"{\"access_token\":null}", cp1, "{\"access_token\":{" CP1 "}}"},
        {"{\"access_token\":null}", NULL, "{\"access_token\":null}"},
        {" { \"access_token\" : {} } ", NULL, "{\"access_token\":{}}"},
        {"{\"id_token\":{\"a\":{\"essential\":true}},\"access_token\":{\"nbf\":"
         "{\"essential\":true,\"value\":\"1\"}},\"z\":[1,null]}",
         cp1,
         "{\"id_token\":{\"a\":{\"essential\":true}},\"access_token\":{\"nbf\":"
         "{\"essential\":true,\"value\":\"1\"}," CP1 "},\"z\":[1,null]}"},
        /* What we can do is ours to say. */
        {"{\"access_token\":{\"xms_cc\":{\"values\":[\"cp9\"]},\"a\":1}}", cp1,
         "{\"access_token\":{\"a\":1," CP1 "}}"},
        {"{\"access_token\":{\"xms_cc\":{\"values\":[\"cp9\"]}}}", NULL,
         "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp9\"]}}}"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_merged(cases[i].challenge, cases[i].capabilities,
                      cases[i].wanted);
}

static void
what_is_no_challenge_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "x",
        "[]",
        "\"a\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1",
        "{} {}",
        "{\"a\":\"\x80\"}",
        "{\"access_token\":1}",
        "null",
        " ",
        "{\"access_token\":[]}",
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_buf) out = vl_buf_of(8192);
        valet_error err = {.status = VALET_OK};
        assert_int_equal(vl_claims_merge(vl_str_z(cases[i]), cp1, &out, &err),
                         VALET_INVALID);
        assert_string_equal(err.code, "invalid_claims");
        assert_int_equal(vl_buf_size(&out), 0);
    }
}

static void
a_challenge_is_bounded(void **state)
{
    (void)state;
    char text[VL_LIMIT_CLAIMS + 2];
    vl_auto(vl_buf) out = vl_buf_of(8192), small = vl_buf_of(8);
    memset(text, ' ', sizeof text);
    text[0] = '{';
    text[VL_LIMIT_CLAIMS - 1] = '}';
    assert_ok(
        vl_claims_merge(vl_str_of(text, VL_LIMIT_CLAIMS), NULL, &out, NULL));
    assert_int_equal(
        vl_claims_merge(vl_str_of(text, VL_LIMIT_CLAIMS + 1), NULL, &out, NULL),
        VALET_LIMIT);
    assert_int_equal(vl_claims_merge(VL_STR(""), cp1, &small, NULL),
                     VALET_LIMIT);
}

static void
becomes_a_parameter_if_there_is_anything(void **state)
{
    (void)state;
    vl_auto(vl_buf) form = vl_buf_of(8192);
    assert_ok(vl_claims_add(VL_STR(""), NULL, &form, NULL));
    assert_int_equal(vl_buf_size(&form), 0);
    vl_buf_addz(&form, "a=b");
    assert_ok(vl_claims_add(VL_STR("{\"b\":2}"), NULL, &form, NULL));
    assert_str(vl_buf_str(&form), "a=b&claims=%7B%22b%22%3A2%7D");
    assert_int_equal(vl_claims_add(VL_STR("2"), NULL, &form, NULL),
                     VALET_INVALID);
}

/* --- the field of an API --- */

#define JSON "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1\"}}}"
#define B64                                                                    \
    "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19" \
    "fQ"
#define ENTRA                                                                  \
    "Bearer realm=\"\", authorization_uri=\"https://login.example/common/"     \
    "oauth2/authorize\", error=\"insufficient_claims\", claims=\""

static void
finds_a_challenge_in_a_field(void **state)
{
    (void)state;
    static const struct {
        const char *field, *wanted;
    } cases[] = {
        {ENTRA B64 "==\"", JSON},
        {ENTRA B64 "=\"", JSON},
        {ENTRA B64 "\"", JSON},
        {"Bearer claims=" B64 ", error=insufficient_claims", JSON},
        {"bearer CLAIMS=\"" B64 "\"", JSON},
        {"Negotiate, Basic realm=\"claims=\\\"x\\\"\", " ENTRA B64 "==\"",
         JSON},
        {"PoP claims=\"e30\", Bearer realm=x, Bearer claims=\"" B64 "\"", JSON},
        {"Bearer claims=\"{\\\"a\\\":1}\"", "{\"a\":1}"},
        {"Bearer claims=\"%7B%22a%22%3A1%7D\"", "{\"a\":1}"},
        /* {"a":"??>"} and {"a":"~~~"} in both alphabets */
        {"Bearer claims=\"eyJhIjoiPz8+In0=\"", "{\"a\":\"?\?>\"}"},
        {"Bearer claims=\"eyJhIjoiPz8-In0\"", "{\"a\":\"?\?>\"}"},
        {"Bearer claims=\"eyJhIjoifn5/In0=\"", "{\"a\":\"~~\x7f\"}"},
        {"Bearer claims=\"eyJhIjoifn5_In0\"", "{\"a\":\"~~\x7f\"}"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char claims[256];
        assert_ok(valet_claims_challenge(cases[i].field, claims, sizeof claims,
                                         NULL));
        assert_string_equal(claims, cases[i].wanted);
    }
}

static void
says_what_is_wrong_with_a_field(void **state)
{
    (void)state;
    static char huge[VL_LIMIT_HEAD + 2];
    memset(huge, 'x', sizeof huge - 1);
    const struct {
        const char *field;
        valet_status status;
    } cases[] = {
        {NULL, VALET_NOT_FOUND},
        {"", VALET_NOT_FOUND},
        {"Bearer", VALET_NOT_FOUND},
        {"Bearer realm=\"claims\"", VALET_NOT_FOUND},
        {"Basic claims=\"" B64 "\"", VALET_NOT_FOUND},
        {"Bearer claims=\"\"", VALET_INVALID},
        {"Bearer claims=\"W10\"", VALET_INVALID},  /* [] */
        {"Bearer claims=\"e30A\"", VALET_INVALID}, /* {} and a NUL */
        {"Bearer claims=\"e3\"", VALET_INVALID},
        {"Bearer claims=\"e31\"", VALET_INVALID}, /* not canonical */
        {"Bearer claims=\"e30===\"", VALET_INVALID},
        {"Bearer claims=\"e 30\"", VALET_INVALID},
        {"Bearer claims=\"{\"", VALET_INVALID},
        {"Bearer claims=\"%7B%7D%00\"", VALET_INVALID},
        {"Bearer claims=\"%7\"", VALET_INVALID},
        {"Bearer claims=e30, claims=e30", VALET_INVALID},
        {"Bearer claims=\"" B64, VALET_INVALID},
        {"Bearer x=y, @", VALET_INVALID},
        {huge, VALET_LIMIT},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char claims[256] = "before";
        valet_error err = {.status = VALET_OK};
        assert_int_equal(
            valet_claims_challenge(cases[i].field, claims, sizeof claims, &err),
            cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_string_equal(claims, "before");
    }
}

static void
tells_when_a_challenge_does_not_fit(void **state)
{
    (void)state;
    char claims[8];
    const char *field = "Bearer claims=\"eyJhIjoxfQ\""; /* {"a":1} */
    assert_int_equal(valet_claims_challenge(field, claims, 7, NULL),
                     VALET_LIMIT);
    assert_int_equal(valet_claims_challenge(field, NULL, 0, NULL), VALET_LIMIT);
    assert_ok(valet_claims_challenge(field, claims, 8, NULL));
    assert_string_equal(claims, "{\"a\":1}");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_challenge_and_capabilities_become_one),
        cmocka_unit_test(what_is_no_challenge_is_refused),
        cmocka_unit_test(a_challenge_is_bounded),
        cmocka_unit_test(becomes_a_parameter_if_there_is_anything),
        cmocka_unit_test(finds_a_challenge_in_a_field),
        cmocka_unit_test(says_what_is_wrong_with_a_field),
        cmocka_unit_test(tells_when_a_challenge_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
