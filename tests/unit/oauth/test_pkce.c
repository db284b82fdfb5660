/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "oauth/pkce.h"

/* RFC 7636 appendix B. */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static void
verifies_the_example_of_the_rfc(void **state)
{
    (void)state;
    assert_true(vl_pkce_verify(VL_STR(VERIFIER), VL_STR(CHALLENGE)));
}

/* @spec W-58: with `plain` the verifier is its own challenge. */
static void
refuses_a_verifier_that_equals_the_challenge(void **state)
{
    (void)state;
    assert_false(vl_pkce_verify(VL_STR(CHALLENGE), VL_STR(CHALLENGE)));
    assert_false(vl_pkce_verify(VL_STR(VERIFIER), VL_STR(VERIFIER)));
}

static void
knows_the_lengths_and_letters_of_a_verifier(void **state)
{
    (void)state;
    char text[130];
    memset(text, 'a', sizeof text);
    assert_false(vl_pkce_verifier_is_valid(vl_str_of(text, 42)));
    assert_true(vl_pkce_verifier_is_valid(vl_str_of(text, 43)));
    assert_true(vl_pkce_verifier_is_valid(vl_str_of(text, 128)));
    assert_false(vl_pkce_verifier_is_valid(vl_str_of(text, 129)));
    static const char bad[] = {'+', '/', '=', ' ', '%', '\0', '\x7f', '\n'};
    for (size_t i = 0; i < sizeof bad; i++) {
        text[20] = bad[i];
        assert_false(vl_pkce_verifier_is_valid(vl_str_of(text, 64)));
    }
    text[20] = '~';
    assert_true(vl_pkce_verifier_is_valid(vl_str_of(text, 64)));
}

static void
accepts_only_the_canonical_text_of_32_bytes_as_challenge(void **state)
{
    (void)state;
    assert_true(vl_pkce_challenge_is_valid(VL_STR(CHALLENGE)));
    assert_false(vl_pkce_challenge_is_valid(VL_STR("")));
    assert_false(vl_pkce_challenge_is_valid(VL_STR(CHALLENGE "=")));
    assert_false(vl_pkce_challenge_is_valid(
        VL_STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")));
    /* Another text of the same bytes. */
    assert_false(vl_pkce_challenge_is_valid(
        VL_STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")));
    assert_false(vl_pkce_challenge_is_valid(
        VL_STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")));
}

static void
makes_verifiers_that_fit_their_challenge(void **state)
{
    (void)state;
    struct vl_secret a = vl_pkce_new_verifier(), b = vl_pkce_new_verifier();
    char challenge[VL_PKCE_CHALLENGE_SIZE];
    vl_pkce_challenge(&a, challenge);
    assert_true(vl_pkce_verify(vl_secret_reveal(&a), vl_str_z(challenge)));
    assert_false(vl_pkce_verify(vl_secret_reveal(&b), vl_str_z(challenge)));
    vl_secret_done(&a);
    vl_secret_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_the_example_of_the_rfc),
        cmocka_unit_test(refuses_a_verifier_that_equals_the_challenge),
        cmocka_unit_test(knows_the_lengths_and_letters_of_a_verifier),
        cmocka_unit_test(
            accepts_only_the_canonical_text_of_32_bytes_as_challenge),
        cmocka_unit_test(makes_verifiers_that_fit_their_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
