/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "http/fetch.h"
#include "http/retry.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define THEN INT64_C(784111777000)
/* Sun, 22 Nov 2026 10:00:00 GMT */
#define NOW INT64_C(1795341600000)

static int64_t
after(const char *text, int64_t now)
{
    struct vl_str s = vl_test_guarded(vl_str_z(text));
    int64_t ms = vl_retry_after(s, now);
    vl_test_unguard(s);
    return ms;
}

/* @spec S-100 */
static void
reads_seconds(void **state)
{
    (void)state;
    assert_int_equal(after("0", NOW), 0);
    assert_int_equal(after("120", NOW), 120000);
    assert_int_equal(after(" 7\t", NOW), 7000);
    assert_int_equal(after("007", NOW), 7000);
}

/* @spec S-100 */
static void
reads_all_three_date_forms(void **state)
{
    (void)state;
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < VL_COUNT(same); i++) {
        assert_int_equal(after(same[i], THEN - 5500), 5500);
        assert_int_equal(after(same[i], THEN), 0);
    }
    assert_int_equal(after("Sun Nov 16 08:49:37 1994", THEN), 864000000);
}

static void
reads_a_date_seen_from_today(void **state)
{
    (void)state;
    assert_int_equal(after("Sun, 22 Nov 2026 10:00:02 GMT", NOW), 2000);
    assert_int_equal(after("Sun, 22 Nov 2026 10:00:02 GMT", NOW + 750), 1250);
    assert_int_equal(after("Sunday, 22-Nov-26 10:00:02 GMT", NOW), 2000);
    /* Leap years: 2028 is one, 2100 is none. */
    assert_int_equal(after("Wed, 01 Mar 2028 00:00:00 GMT", NOW) -
                         after("Mon, 28 Feb 2028 00:00:00 GMT", NOW),
                     2 * 86400000);
    assert_int_equal(after("Tue, 29 Feb 2000 00:00:00 GMT", NOW), 0);
    assert_int_equal(after("Mon, 29 Feb 2100 00:00:00 GMT", NOW), -1);
}

static void
does_not_wait_for_a_past_date(void **state)
{
    (void)state;
    assert_int_equal(after("Thu, 01 Jan 1970 00:00:00 GMT", NOW), 0);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", NOW), 0);
    assert_int_equal(after("Mon, 01 Jan 0001 00:00:00 GMT", NOW), 0);
    /* A two-digit year is at most fifty years ahead. */
    assert_int_equal(after("Friday, 22-Nov-77 10:00:00 GMT", NOW), 0);
    assert_true(after("Sunday, 22-Nov-76 10:00:00 GMT", NOW) > 0);
}

static void
bounds_what_is_enormous(void **state)
{
    (void)state;
    const int64_t most = INT64_C(2147483647000);
    assert_int_equal(after("2147483647", NOW), most);
    assert_int_equal(after("2147483648", NOW), most);
    assert_int_equal(after("99999999999999999999999999999999", NOW), most);
    assert_int_equal(after("Fri, 31 Dec 9999 23:59:59 GMT", NOW), most);
    assert_int_equal(after("Fri, 31 Dec 9999 23:59:59 GMT", INT64_MIN), most);
    assert_int_equal(after("Fri, 31 Dec 9999 23:59:59 GMT", INT64_MAX), 0);
    assert_int_equal(after("Friday, 31-Dec-99 23:59:59 GMT", INT64_MAX), 0);
    assert_true(after("Friday, 31-Dec-99 23:59:59 GMT", INT64_MIN) >= 0);
}

static void
refuses_what_is_neither(void **state)
{
    (void)state;
    static const char *const junk[] = {
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "1 2",
        "soon",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nuv 1994 08:49:37 GMT",
        "Xun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "2026-11-22T10:00:00Z",
    };
    for (size_t i = 0; i < VL_COUNT(junk); i++)
        assert_int_equal(after(junk[i], NOW), -1);
    assert_int_equal(vl_retry_after((struct vl_str){NULL, 0}, NOW), -1);
}

static void
knows_which_answers_pass(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++)
        assert_int_equal(vl_retry_is_temporary(status),
                         status == 429 || (status >= 502 && status <= 504));
}

/* @spec S-100 */
static void
waits_longer_each_time_but_not_for_ever(void **state)
{
    (void)state;
    static const int64_t steps[] = {500,  500,  1000,  2000,
                                    4000, 8000, 10000, 10000};
    int64_t longest[VL_COUNT(steps)] = {0};
    for (int round = 0; round < 200; round++)
        for (unsigned i = 0; i < VL_COUNT(steps); i++) {
            int64_t ms = vl_retry_backoff(i);
            assert_true(ms >= 0 && ms <= steps[i]);
            if (ms > longest[i])
                longest[i] = ms;
        }
    /* Jitter uses the whole step: 2^-200 says otherwise. */
    for (unsigned i = 0; i < VL_COUNT(steps); i++)
        assert_true(longest[i] > steps[i] / 2);
    assert_true(vl_retry_backoff(UINT32_MAX) <= 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_seconds),
        cmocka_unit_test(reads_all_three_date_forms),
        cmocka_unit_test(reads_a_date_seen_from_today),
        cmocka_unit_test(does_not_wait_for_a_past_date),
        cmocka_unit_test(bounds_what_is_enormous),
        cmocka_unit_test(refuses_what_is_neither),
        cmocka_unit_test(knows_which_answers_pass),
        cmocka_unit_test(waits_longer_each_time_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
