/* SPDX-License-Identifier: Apache-2.0 */
#include "json/pattern.h"

#include <time.h>

#include "core/buf.h"
#include "vl_test.h"

#define STEPS 200000u

static struct vl_pattern *
pattern_of(const char *text)
{
    struct vl_pattern *pattern = NULL;
    valet_error err = {.message = ""};
    if (vl_pattern_new(vl_str_z(text), &pattern, &err) != VALET_OK)
        fail_msg("%s %s", text, err.message);
    return pattern;
}

static enum vl_pattern_answer
find(const struct vl_pattern *pattern, struct vl_str text, size_t *steps)
{
    vl_auto(vl_pattern_work) work = {NULL, NULL};
    struct vl_str guarded = vl_test_guarded(text);
    enum vl_pattern_answer answer =
        vl_pattern_find(pattern, &work, guarded, steps);
    vl_test_unguard(guarded);
    return answer;
}

/* Texts in one string each, `~` between them; NULL: none. */
struct row {
    const char *pattern, *good, *bad;
};

static void
all_are(const struct row *row, const struct vl_pattern *pattern,
        const char *texts, enum vl_pattern_answer wanted)
{
    struct vl_str rest = vl_str_z(texts), text;
    while (vl_str_split(&rest, '~', &text)) {
        size_t steps = STEPS;
        if (find(pattern, text, &steps) != wanted)
            fail_msg("%s: not so: " VL_STR_FMT, row->pattern, VL_STR_ARG(text));
        assert_true(steps < STEPS && steps > STEPS - 500);
    }
}

static void
keep(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vl_pattern *pattern = pattern_of(rows[i].pattern);
        all_are(&rows[i], pattern, rows[i].good, VL_PATTERN_YES);
        all_are(&rows[i], pattern, rows[i].bad, VL_PATTERN_NO);
        vl_pattern_free(pattern);
    }
}

#define KEEP(rows) keep(rows, VL_COUNT(rows))

static void
looks_anywhere_unless_told_where(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"b", "b~abc~xxb", "a~B"},       {"^b", "b~bc", "ab~a\nb"},
        {"b$", "b~ab", "ba~b\n~b\nb\n"}, {"^$", "", "a~\n"},
        {"^a|b$", "ax~xb", "xa~bx"},     {"^(a|b)$", "a~b", "ab~ax"},
    };
    KEEP(rows);
    struct vl_pattern *empty = pattern_of("");
    size_t steps = STEPS;
    assert_int_equal(find(empty, VL_STR("x"), &steps), VL_PATTERN_YES);
    assert_int_equal(find(empty, (struct vl_str){NULL, 0}, &steps),
                     VL_PATTERN_YES);
    vl_pattern_free(empty);
}

/* What people write, and generators for them. */
static void
knows_the_usual_ones(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"^[a-z0-9-]{1,63}$", "a~my-name-01", "A~a_b~-é"},
        {"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
         "123e4567-e89b-12d3-a456-426614174000",
         "123e4567-e89b-12d3-a456-42661417400~"
         "123e4567e89b12d3a456426614174000"},
        {"^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$", "a.b+c@example.com",
         "a@b~@b.c~a b@c.d"},
        {"^\\d{4}-(0[1-9]|1[0-2])-([0-2]\\d|3[01])$", "2026-11-29",
         "2026-13-01~26-11-29"},
        {"^https?://[^\\s/$.?#].[^\\s]*$", "http://a.b~https://x/y?z",
         "ftp://a.b~http://~http://ab c"},
        {"^(?=.*[A-Z])(?=.*\\d).{8,}$", "Passw0rdX", "password1~PASSWORD~Aa1"},
        {"^#?([a-fA-F0-9]{6}|[a-fA-F0-9]{3})$", "#fff~a1b2c3", "#ffff~#ggg"},
        {"^v?(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$", "1.2.3~v0.10.0",
         "01.2.3~1.2"},
        {"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
         "aGk=~aGkh", "aGk~a==="},
        {"^\\S+$", "abc",
         "a b~a\xc2\xa0"
         "b"},
    };
    KEEP(rows);
}

/* ECMA-262's classes: ASCII's digits and words, Unicode's spaces. */
static void
knows_classes_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"^\\d$", "0~9", "a~\xd9\xa3"},
        {"^\\w$", "a~Z~0~_", "-~\xc3\xa9"},
        {"^\\W$", "-~\xc3\xa9", "a"},
        {"\\bb",
         "b~\xc3\xa9"
         "b",
         "ab"},
        {"a\\B", "ab", "a~a-"},
        /* no-break space, line separator, byte order mark; not NEL nor the
         * Mongolian vowel separator, which PCRE2 would take */
        {"^\\s$", " ~\t~\v~\xc2\xa0~\xe2\x80\xa8~\xef\xbb\xbf",
         "a~\xc2\x85~\xe1\xa0\x8e"},
        {"^\\S$", "a~\xc2\x85~\xf0\x9f\x98\x80", " ~\xc2\xa0"},
        {"^[\\s,]$", " ~,~\xc2\xa0", "a"},
        {"^[^\\s,]$", "a", " ~,~\xc2\xa0"},
        {"^[\\S ]$", "a~ ", "\t~\xc2\xa0"},
        {"^[^\\S]$", " ~\xc2\xa0", "a"},
        {"^.$", "a~\xc3\xa9~\xf0\x9f\x98\x80~\v~\f~\xc2\x85",
         "\n~\r~\xe2\x80\xa8~\xe2\x80\xa9~ab"},
        {"^[^]$", "a~\n", "ab"},
        {"[]", NULL, "a~\n"},
        {"^[a-c-]$", "a~c~-", "d"},
        {"^[\\w-.]$", "a~-~.", "~,"},
        {"^[[:alpha:]]$", "a]~:]~[]", "b]~a"},
        {"^[\\b]$", "\b", "b"},
        {"^[\\]\\\\^]$", "]~\\~^", "a"},
        {"^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", "e"},
    };
    KEEP(rows);
}

static void
knows_escapes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", "tnvfr"},
        {"^\\x41\\u0042\\u{43}$", "ABC", "x41"},
        {"^\\u{1F600}$", "\xf0\x9f\x98\x80", "u"},
        {"^\\ud83d\\uDE00$", "\xf0\x9f\x98\x80", "u"},
        {"^\\cA\\cz$", "\x01\x1a", "cA"},
        {"^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/$", "^$\\.*+?()[]{}|/",
         NULL},
        {"^\\@\\-\\_\\ \\:$", "@-_ :", NULL},
        {"^a{,2}b{x}c}]$", "a{,2}b{x}c}]", "aabxc"},
        {"^a{2}b{1,}c{0,1}$", "aab~aabbbc", "ab~aabcc"},
        {"^\\p{L}+\\p{Nd}$",
         "\xc3\xa9"
         "a1",
         "11"},
        {"^\\p{Lowercase_Letter}\\P{Lu}[\\p{gc=Sc}]$",
         "aa$~\xc3\xa9"
         "a\xe2\x82\xac",
         "aA$"},
        {"^\\p{Script=Greek}\\p{scx=Cyrillic}$", "\xce\xb1\xd0\xb4", "ad"},
        {"^\\p{Emoji_Presentation}\\p{Alphabetic}$",
         "\xf0\x9f\x98\x80"
         "a",
         "aa"},
    };
    KEEP(rows);
}

static void
knows_groups(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"^(a|b)\\1$", "aa~bb", "ab"},
        {"^(?<q>['\"]).*\\k<q>$", "'a'~\"b\"", "'a\""},
        {"^(?:(a)|b)\\1$", "aa~b", "ba"}, /* nothing caught is empty */
        {"^\\1(a)$", "a", "aa"},
        {"^(?:ab)+?$", "abab", "aba"},
        {"a(?=b)", "ab", "ac"},
        {"a(?!b)", "ac~a", "ab"},
        {"(?<=a)b", "ab", "cb"},
        {"(?<!a)b", "cb~b", "ab"},
        {"^(a?)?$", "~a", "aa"},
    };
    KEEP(rows);
}

static void
refuses_what_is_none_of_ecmascript(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *why;
    } rows[] = {
        {"(", "a group without an end"},
        {"a)", "closes a group"},
        {"[a", "a class without an end"},
        {"[", "a class without an end"},
        {"\\", "ends in a backslash"},
        {"[\\", "ends in a backslash"},
        {"*", "repeats nothing"},
        {"a|+", "repeats nothing"},
        {"a**", "repeats nothing"},
        {"a++", "repeats nothing"},
        {"^*", "repeats nothing"},
        {"\\b+", "repeats nothing"},
        {"(?=a)?", "repeats nothing"},
        {"a{2}{3}", "repeats nothing"},
        {"{1}", "repeats nothing"},
        {"a{2,1}", "from more to less"},
        {"a{65536}", "more than 65535"},
        {"a{70000,}", "more than 65535"},
        {"[b-a]", "from more to less"},
        {"(?i)a", "a group that ECMA-262 does not know"},
        {"(?P<a>b)", "a group that ECMA-262 does not know"},
        {"(?>a)", "a group that ECMA-262 does not know"},
        {"(?#a)", "a group that ECMA-262 does not know"},
        {"(?R)", "a group that ECMA-262 does not know"},
        {"(?<1>a)", "a group that ECMA-262 does not know"},
        {"(?<a", "a group that ECMA-262 does not know"},
        {"(*UTF)a", "repeats nothing"},
        {"\\Aa\\z", "an escape that ECMA-262 does not know"},
        {"\\Qa\\E", "an escape that ECMA-262 does not know"},
        {"\\h", "an escape that ECMA-262 does not know"},
        {"\\K", "an escape that ECMA-262 does not know"},
        {"\\u12", "an escape that ECMA-262 does not know"},
        {"\\xg1", "an escape that ECMA-262 does not know"},
        {"\\00", "an escape that ECMA-262 does not know"},
        {"[\\1]", "an escape that ECMA-262 does not know"},
        {"\\ud83d", "what is no character"},
        {"\\u{110000}", "what is no character"},
        {"\\p{Xan}", "a property that is not known"},
        {"\\p{Greek}", "a property that is not known"},
        {"\\p{lu}", "a property that is not known"},
        {"\\pL", "a property that is not known"},
        {"\\p{", "a property that is not known"},
        {"\\p", "a property that is not known"},
        {"\\p{Script=Nowhere}", "is not taken"},
        {"\\1", "a group that is not there"},
        {"(a)\\2", "a group that is not there"},
        {"\\k<a>(?<b>c)", "a group that is not there"},
        {"(?<a>b)(?<a>c)", "two groups of one name"},
        /* PCRE2 would remember what ECMA-262 forgets. */
        {"(a\\1)", "from within"},
        {"(?:(a)|b)*\\1", "may come more than once"},
        {"(a)*\\1", "may come more than once"},
        {"(?:(a)\\1){2}", "may come more than once"},
        {"(?<=a+)b", "is not taken"},
        {"(?:(?:(?:a{500}b){500}){500}){500}", "is not taken"},
        {"\xff", "is not UTF-8"},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_pattern *pattern = NULL;
        valet_error err = {.status = VALET_OK};
        struct vl_str text = vl_test_guarded(vl_str_z(rows[i].pattern));
        valet_status status = vl_pattern_new(text, &pattern, &err);
        vl_test_unguard(text);
        if (status == VALET_OK)
            vl_pattern_free(pattern);
        if (status != VALET_INVALID || !strstr(err.message, rows[i].why))
            fail_msg("%s: %d %s", rows[i].pattern, status, err.message);
    }
}

static void
refuses_what_is_too_long_or_too_deep(void **state)
{
    (void)state;
    struct vl_pattern *pattern = NULL;
    vl_auto(vl_buf) text = vl_buf_of(2 * VL_PATTERN_MAX);
    for (size_t i = 0; i < VL_PATTERN_DEPTH; i++)
        vl_buf_addc(&text, '(');
    for (size_t i = 0; i < VL_PATTERN_DEPTH; i++)
        vl_buf_addc(&text, ')');
    assert_ok(vl_pattern_new(vl_buf_str(&text), &pattern, NULL));
    vl_pattern_free(pattern);
    vl_auto(vl_buf) deeper = vl_buf_of(2 * VL_PATTERN_MAX);
    vl_buf_addf(&deeper, "(%s)", vl_buf_cstr(&text));
    assert_int_equal(vl_pattern_new(vl_buf_str(&deeper), &pattern, NULL),
                     VALET_INVALID);
    vl_buf_clear(&text);
    while (vl_buf_size(&text) < VL_PATTERN_MAX)
        vl_buf_addc(&text, 'a');
    assert_ok(vl_pattern_new(vl_buf_str(&text), &pattern, NULL));
    assert_true(vl_pattern_size(pattern) > VL_PATTERN_MAX);
    vl_pattern_free(pattern);
    vl_buf_addc(&text, 'a');
    assert_int_equal(vl_pattern_new(vl_buf_str(&text), &pattern, NULL),
                     VALET_INVALID);
    /* Each is one letter, and a hundred ranges of PCRE2's. */
    vl_buf_clear(&text);
    while (vl_buf_size(&text) < VL_PATTERN_MAX - 1)
        vl_buf_addz(&text, "\\S");
    assert_int_equal(vl_pattern_new(vl_buf_str(&text), &pattern, NULL),
                     VALET_INVALID);
}

static double
ms_of_thread(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The ones that never end elsewhere, and those that are slow by the places
 * there are to start at. The bound in time is a hundred times what it takes. */
static void
ends_in_a_bounded_number_of_steps(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "(a+)+$",         "(a|a)*$",     "(a|aa)+$",
        "(a*)*$",         "^(a?){60}$b", "(.*)(.*)(.*)(.*)(.*)(.*)[xyz]z",
        "a*[bc]d",        "a{30000}[b]", "(a*)b?\\1c",
        "(?=a*[bc])d",    "(x+x+)+y",    "a?a+[bc]$",
        "(?:a*a*)*[yz]$",
    };
    static char text[256000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    for (size_t i = 0; i < VL_COUNT(patterns); i++) {
        struct vl_pattern *pattern = pattern_of(patterns[i]);
        for (size_t n = 40; n < sizeof text; n *= 6) {
            size_t steps = STEPS;
            double begin = ms_of_thread();
            struct vl_str end = vl_str_of(text + sizeof text - n, n);
            enum vl_pattern_answer answer = find(pattern, end, &steps);
            assert_true(ms_of_thread() - begin < 1500);
            assert_true(steps <= STEPS);
            assert_int_not_equal(answer, VL_PATTERN_YES);
        }
        vl_pattern_free(pattern);
    }
    struct vl_pattern *pattern = pattern_of("(a+)+$");
    size_t steps = STEPS;
    assert_int_equal(
        find(pattern, vl_str_of(text + sizeof text - 45, 45), &steps),
        VL_PATTERN_GAVE_UP);
    assert_int_equal(steps, 0);
    assert_int_equal(find(pattern, VL_STR("a"), &steps), VL_PATTERN_GAVE_UP);
    vl_pattern_free(pattern);
}

/* However many are left: enough, or it gives up. It never says something else.
 */
static void
takes_as_many_steps_as_it_says(void **state)
{
    (void)state;
    struct vl_pattern *pattern = pattern_of("^(a|b)*c[de]$");
    size_t left = STEPS;
    assert_int_equal(find(pattern, VL_STR("abababce"), &left), VL_PATTERN_YES);
    size_t needed = STEPS - left;
    assert_in_range(needed, 10, 60);
    for (size_t n = 0; n < needed + 5; n++) {
        size_t steps = n;
        assert_int_equal(find(pattern, VL_STR("abababce"), &steps),
                         n < needed ? VL_PATTERN_GAVE_UP : VL_PATTERN_YES);
        assert_int_equal(steps, n < needed ? 0 : n - needed);
    }
    vl_pattern_free(pattern);
}

/* What an item passes before it does not fit, nobody calls back for. */
static void
counts_what_is_passed_in_vain(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        size_t least, most;
    } rows[] = {
        {"^b", 140, 200},            /* looked at once, 64 bytes a step */
        {"^a{8999}[bc]", 500, 1400}, /* as far as it may get */
        {"^(a{9})[^b]+?b\\1?\\1c$", 800, STEPS},
        {"^[^b]*[bc]q", 9000, 9500}, /* and back, one by one */
        {"^[a-c0-246-8e-gx-zA-CE-GK-MR-TX-Z!-#%-'*-,.-/:-<]*[qr]q", 700, 1200},
    };
    static char text[9000];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_pattern *pattern = pattern_of(rows[i].pattern);
        size_t steps = STEPS;
        assert_int_equal(find(pattern, vl_str_of(text, sizeof text), &steps),
                         VL_PATTERN_NO);
        if (STEPS - steps < rows[i].least || STEPS - steps > rows[i].most)
            fail_msg("%s: %zu steps", rows[i].pattern, STEPS - steps);
        vl_pattern_free(pattern);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_anywhere_unless_told_where),
        cmocka_unit_test(knows_the_usual_ones),
        cmocka_unit_test(knows_classes_as_ecmascript_does),
        cmocka_unit_test(knows_escapes),
        cmocka_unit_test(knows_groups),
        cmocka_unit_test(refuses_what_is_none_of_ecmascript),
        cmocka_unit_test(refuses_what_is_too_long_or_too_deep),
        cmocka_unit_test(ends_in_a_bounded_number_of_steps),
        cmocka_unit_test(takes_as_many_steps_as_it_says),
        cmocka_unit_test(counts_what_is_passed_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
