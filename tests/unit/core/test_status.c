/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

#include "core/str.h"
#include "vl_test.h"

static void
fills_an_error(void **state)
{
    (void)state;
    valet_error err = {.status = VALET_OK};
    assert_int_equal(vl_fail(&err, VALET_DENIED, "invalid_token", "no %d", 7),
                     VALET_DENIED);
    assert_int_equal(err.status, VALET_DENIED);
    assert_string_equal(err.code, "invalid_token");
    assert_string_equal(err.message, "no 7");
    assert_int_equal(vl_fail(NULL, VALET_LIMIT, NULL, "no"), VALET_LIMIT);
    assert_int_equal(vl_fail(&err, VALET_LIMIT, NULL, "x"), VALET_LIMIT);
    assert_string_equal(err.code, "");
}

static void
cuts_long_texts_between_lines_and_characters(void **state)
{
    (void)state;
    valet_error err;
    char text[400];
    memset(text, 'x', sizeof text);
    memcpy(text + 46, "\xc3\xa9", 2);  /* across the end of the code */
    memcpy(text + 254, "\xc3\xa9", 2); /* and of the message */
    text[sizeof text - 1] = '\0';
    (void)vl_fail(&err, VALET_RETRY, text, "%s", text);
    assert_int_equal(strlen(err.code), 47);
    assert_int_equal(strlen(err.message), 255);
    assert_true(vl_str_is_utf8(vl_str_z(err.code)));
    assert_true(vl_str_is_utf8(vl_str_z(err.message)));
}

/* @spec S-98: what strangers say may end up in a log. */
static void
keeps_an_error_on_one_line(void **state)
{
    (void)state;
    valet_error err;
    (void)vl_fail(&err, VALET_DENIED, "a\nb", "said %s", "\r\n\x1b[1m");
    assert_string_equal(err.code, "a?b");
    assert_string_equal(err.message, "said ???[1m");
}

static void
may_quote_what_the_error_held(void **state)
{
    (void)state;
    valet_error err;
    (void)vl_fail(&err, VALET_RETRY, "code", "the host is away");
    (void)vl_fail(&err, VALET_RETRY, err.code, "no sign-in: %s", err.message);
    assert_string_equal(err.code, "code");
    assert_string_equal(err.message, "no sign-in: the host is away");
}

static void
names_every_status(void **state)
{
    (void)state;
    for (int i = 0; i < VALET_STATUS_COUNT; i++) {
        assert_non_null(valet_status_name((valet_status)i));
        assert_string_not_equal(valet_status_name((valet_status)i), "unknown");
    }
    assert_string_equal(valet_status_name(VALET_STATUS_COUNT), "unknown");
    assert_string_equal(valet_status_name((valet_status)-1), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_an_error),
        cmocka_unit_test(cuts_long_texts_between_lines_and_characters),
        cmocka_unit_test(keeps_an_error_on_one_line),
        cmocka_unit_test(may_quote_what_the_error_held),
        cmocka_unit_test(names_every_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
