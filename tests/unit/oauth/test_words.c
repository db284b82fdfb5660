/* SPDX-License-Identifier: Apache-2.0
 *
 * Words, numbers and tokens in answers: what is not one of them is nothing.
 */
#include "core/limits.h"
#include "oauth/words.h"
#include "vl_test.h"

static void
a_token_is_visible_ascii_of_a_bounded_length(void **state)
{
    (void)state;
    static char longest[VL_LIMIT_UPSTREAM_TOKEN + 1];
    memset(longest, 'a', sizeof longest);
    assert_true(vl_oauth_is_token(VL_STR("eyJ.a-b_c~/+=!")));
    assert_true(vl_oauth_is_token((struct vl_str){NULL, 0}));
    assert_true(vl_oauth_is_token(vl_str_of(longest, sizeof longest - 1)));
    assert_false(vl_oauth_is_token(vl_str_of(longest, sizeof longest)));
    assert_false(vl_oauth_is_token(VL_STR("a b")));
    assert_false(vl_oauth_is_token(VL_STR("a\n")));
    assert_false(vl_oauth_is_token(VL_STR("a\x7f")));
    assert_false(vl_oauth_is_token(VL_STR("a\xc3\xa9")));
}

static void
what_is_no_word_is_empty(void **state)
{
    (void)state;
    char word[8] = "old";
    vl_oauth_copy_word(word, sizeof word, VL_STR("a_b"));
    assert_string_equal(word, "a_b");
    const struct vl_str none[] = {
        {NULL, 0},         VL_STR(""),    VL_STR("seven_xx"), VL_STR("Upper"),
        VL_STR("eyJ.abc"), VL_STR("a b"), VL_STR("a1"),       VL_STR("a\n"),
    };
    for (size_t i = 0; i < VL_COUNT(none); i++) {
        (void)snprintf(word, sizeof word, "old");
        vl_oauth_copy_word(word, sizeof word, none[i]);
        assert_string_equal(word, "");
    }
}

static void
a_number_is_at_the_beginning_of_a_description(void **state)
{
    (void)state;
    assert_int_equal(vl_oauth_aadsts(VL_STR("AADSTS50173: it says")), 50173);
    assert_int_equal(vl_oauth_aadsts(VL_STR("AADSTS7000215")), 7000215);
    const struct vl_str none[] = {
        {NULL, 0},
        VL_STR("AADSTS"),
        VL_STR("AADSTS: x"),
        VL_STR("aadsts50173: x"),
        VL_STR(" AADSTS50173: x"),
        VL_STR("AADSTS50173 x"),
        VL_STR("AADSTS-1: x"),
        VL_STR("AADSTS100000000: x"),
    };
    for (size_t i = 0; i < VL_COUNT(none); i++)
        assert_int_equal(vl_oauth_aadsts(none[i]), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_visible_ascii_of_a_bounded_length),
        cmocka_unit_test(what_is_no_word_is_empty),
        cmocka_unit_test(a_number_is_at_the_beginning_of_a_description),
    };
    return cmocka_run_group_tests_name("oauth/words", tests, NULL, NULL);
}
