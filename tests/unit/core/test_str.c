/* SPDX-License-Identifier: Apache-2.0 */
#include "core/str.h"

#include "vl_test.h"

static const struct vl_str absent = {NULL, 0};

static void
compares(void **state)
{
    (void)state;
    struct vl_str empty = VL_STR("");
    assert_true(vl_str_eq(absent, empty));
    assert_true(vl_str_eqz(absent, ""));
    assert_true(vl_str_eqz(absent, NULL));
    assert_true(vl_str_eqz(VL_STR("abc"), "abc"));
    assert_false(vl_str_eqz(VL_STR("abc"), "abcd"));
    assert_false(vl_str_eq(VL_STR("a\0b"), VL_STR("a\0c")));
    assert_true(vl_str_ieq(VL_STR("BeaReR"), VL_STR("bEArER")));
    /* Only letters have a case: '@' and '`' lie 32 apart, too. */
    assert_false(vl_str_ieq(VL_STR("@"), VL_STR("`")));
    assert_false(vl_str_ieq(VL_STR("["), VL_STR("{")));
    assert_false(vl_str_ieq(VL_STR("\xc4"), VL_STR("\xe4")));
    assert_false(vl_str_ieq(VL_STR("a"), VL_STR("ab")));
}

static void
finds_starts_ends_and_bytes(void **state)
{
    (void)state;
    struct vl_str s = VL_STR("token");
    assert_true(vl_str_starts(s, VL_STR("to")));
    assert_true(vl_str_starts(s, absent));
    assert_true(vl_str_starts(absent, absent));
    assert_false(vl_str_starts(VL_STR("to"), s));
    assert_true(vl_str_ends(s, VL_STR("ken")));
    assert_true(vl_str_ends(s, absent));
    assert_false(vl_str_ends(VL_STR("ken"), s));
    assert_true(vl_str_has(s, 'k'));
    assert_false(vl_str_has(s, '\0'));
    assert_false(vl_str_has(absent, 'k'));
    assert_int_equal(vl_str_index(s, 'x'), 5);
    assert_int_equal(vl_str_index(s, 'n'), 4);
}

static void
cuts_within_bounds(void **state)
{
    (void)state;
    struct vl_str s = VL_STR("abc");
    assert_str(vl_str_from(s, 1), "bc");
    assert_str(vl_str_from(s, 3), "");
    assert_str(vl_str_from(s, SIZE_MAX), "");
    assert_null(vl_str_from(absent, 7).p);
    assert_str(vl_str_head(s, 2), "ab");
    assert_str(vl_str_head(s, SIZE_MAX), "abc");
    assert_str(vl_str_trim(VL_STR(" \t a b\t ")), "a b");
    assert_str(vl_str_trim(VL_STR(" \t ")), "");
    assert_str(vl_str_trim(VL_STR("\r\na")), "\r\na");
    assert_str(vl_str_trim(absent), "");
}

/* Joined by '|', each item in brackets. */
static void
splits_into(struct vl_str text, const char *wanted)
{
    char got[64] = "";
    struct vl_str item;
    while (vl_str_split(&text, ',', &item)) {
        size_t n = strlen(got);
        (void)snprintf(got + n, sizeof got - n, "[" VL_STR_FMT "]",
                       VL_STR_ARG(item));
    }
    assert_string_equal(got, wanted);
}

static void
splits(void **state)
{
    (void)state;
    splits_into(VL_STR("a,b"), "[a][b]");
    splits_into(VL_STR("a,"), "[a][]");
    splits_into(VL_STR(",,"), "[][][]");
    splits_into(VL_STR(""), "[]");
    splits_into(absent, "");
}

static void
knows_words_of_a_list(void **state)
{
    (void)state;
    struct vl_str list = VL_STR("openid  profile User.Read");
    assert_true(vl_str_has_word(list, VL_STR("openid")));
    assert_true(vl_str_has_word(list, VL_STR("User.Read")));
    assert_false(vl_str_has_word(list, VL_STR("User")));
    assert_false(vl_str_has_word(list, VL_STR("User.Read.All")));
    assert_false(vl_str_has_word(list, VL_STR("user.read")));
    assert_false(vl_str_has_word(list, VL_STR("openid ")));
    /* The gap between two spaces is no word. */
    assert_false(vl_str_has_word(list, absent));
    assert_false(vl_str_has_word(absent, absent));
}

static void
compares_secrets(void **state)
{
    (void)state;
    assert_true(vl_str_same_secret(VL_STR("secret"), VL_STR("secret")));
    assert_false(vl_str_same_secret(VL_STR("secret"), VL_STR("secreT")));
    assert_false(vl_str_same_secret(VL_STR("secret"), VL_STR("Secret")));
    assert_false(vl_str_same_secret(VL_STR("secret"), VL_STR("secrets")));
    assert_false(vl_str_same_secret(VL_STR("a"), absent));
    /* An expected value that was never set admits nobody. */
    assert_false(vl_str_same_secret(absent, absent));
    assert_false(vl_str_same_secret(VL_STR(""), VL_STR("")));
}

static void
reads_numbers(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(vl_str_u64(VL_STR("0"), 0, &value));
    assert_int_equal(value, 0);
    assert_true(vl_str_u64(VL_STR("65535"), 65535, &value));
    assert_int_equal(value, 65535);
    assert_true(vl_str_u64(VL_STR("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_true(vl_str_u64(VL_STR("007"), 7, &value));
    assert_int_equal(value, 7);
}

static void
refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "1.0",
        "1e3",
        "101",
        "999",
        "1_",
        "\xd9\xa1",
        "18446744073709551616", /* 2^64 */
        "18446744073709551700",
        "99999999999999999999999999",
    };
    uint64_t value = 7;
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_false(vl_str_u64(vl_str_z(cases[i]), 100, &value));
    assert_false(
        vl_str_u64(VL_STR("18446744073709551616"), UINT64_MAX, &value));
    assert_false(
        vl_str_u64(VL_STR("99999999999999999999"), UINT64_MAX, &value));
    assert_false(vl_str_u64(absent, 100, &value));
    assert_false(vl_str_u64(VL_STR("1\0"), 100, &value));
    assert_int_equal(value, 7); /* untouched by failures */
}

/* RFC 3629 section 4, first and last of each row, and their neighbours. */
static void
knows_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},
        {"ascii \x7f", true},
        {"\xc2\x80 \xdf\xbf", true},
        {"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true},
        {"\xe0\xa6\xac\xe0\xa6\xbe\xe0\xa6\x82", true}, /* Bengali */
        {"\x80", false},                                /* continues nothing */
        {"\xc0\x80", false},                            /* overlong NUL */
        {"\xc1\xbf", false},                            /* overlong DEL */
        {"\xe0\x9f\xbf", false},                        /* overlong */
        {"\xf0\x8f\xbf\xbf", false},                    /* overlong */
        {"\xed\xa0\x80", false},                        /* first surrogate */
        {"\xed\xbf\xbf", false},                        /* last surrogate */
        {"\xf4\x90\x80\x80", false},                    /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc2", false}, /* cut */
        {"\xe2\x82", false},
        {"\xf0\x9f\x98", false},
        {"\xc2 a", false},
        {"\xe2\x82 a", false},
        {"\xf0\x9f\x98 a", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(cases[i].text));
        assert_true(vl_str_is_utf8(text) == cases[i].good);
        vl_test_unguard(text);
    }
    assert_true(vl_str_is_utf8(absent));
    assert_int_equal(vl_str_utf8_size(absent), 0);
    assert_int_equal(vl_str_utf8_size(VL_STR("\xe2\x82\xacx")), 3);
}

static void
tames_texts(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain \xc3\xa9 \xe0\xa6\xac", "plain \xc3\xa9 \xe0\xa6\xac"},
        {"two\r\nlines", "two??lines"},
        {"\x1b[31mred\x7f", "?[31mred?"},
        {"next\xc2\x85line", "next??line"},
        {"csi\xc2\x9b"
         "31m",
         "csi??31m"},
        {"no break\xc2\xa0space", "no break\xc2\xa0space"},
        {"line\xe2\x80\xa8paragraph\xe2\x80\xa9", "line???paragraph???"},
        {"turn\xe2\x80\xae"
         "ed",
         "turn???ed"},
        {"isolate\xe2\x81\xa6"
         "d",
         "isolate???d"},
        {"dash \xe2\x80\x93", "dash \xe2\x80\x93"},
        {"cut \xe2\x80", "cut ??"},
        {"\xff\xfe", "??"},
        {"", ""},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", cases[i][0]);
        vl_str_tame(text);
        assert_string_equal(text, cases[i][1]);
    }
}

/* Long texts are compared by words, short ones by bytes: all pairs of bytes,
 * in a word and after one. */
static void
ignores_case_alike_in_long_and_short_texts(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            unsigned low = a < b ? a : b, high = a < b ? b : a;
            bool same =
                a == b || (low >= 'A' && low <= 'Z' && high == low - 'A' + 'a');
            char x[9] = "ABcdEFgh", y[9] = "abCDefGH";
            x[a % 8] = (char)a;
            y[a % 8] = (char)b;
            x[8] = (char)a;
            y[8] = (char)b;
            for (size_t n = 8; n <= 9; n++)
                assert_int_equal(vl_str_ieq(vl_str_of(x, n), vl_str_of(y, n)),
                                 same);
            assert_int_equal(
                vl_str_ieq(vl_str_of(x + 8, 1), vl_str_of(y + 8, 1)), same);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ignores_case_alike_in_long_and_short_texts),
        cmocka_unit_test(compares),
        cmocka_unit_test(finds_starts_ends_and_bytes),
        cmocka_unit_test(cuts_within_bounds),
        cmocka_unit_test(splits),
        cmocka_unit_test(knows_words_of_a_list),
        cmocka_unit_test(compares_secrets),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(tames_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
