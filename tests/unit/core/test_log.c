/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include <unistd.h>

#include "core/str.h"
#include "vl_test.h"

struct desk {
    struct vl_log log;
    int read_end;
    char text[8192];
};

static int
open_desk(void **state)
{
    int ends[2];
    struct desk *d = vl_alloc(sizeof *d);
    assert_int_equal(pipe(ends), 0);
    d->read_end = ends[0];
    d->log = (struct vl_log){.fd = ends[1], .level = VL_LOG_INFO};
    *state = d;
    return 0;
}

static int
close_desk(void **state)
{
    struct desk *d = *state;
    if (d->log.fd >= 0)
        (void)close(d->log.fd);
    (void)close(d->read_end);
    free(d);
    return 0;
}

/* All that was written; the log is closed by it. */
static const char *
written(struct desk *d)
{
    size_t n = 0;
    ssize_t got;
    (void)close(d->log.fd);
    d->log.fd = -1;
    while ((got = read(d->read_end, d->text + n, sizeof d->text - 1 - n)) > 0)
        n += (size_t)got;
    d->text[n] = '\0';
    return d->text;
}

static size_t
count(const char *text, char c)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static void
writes_one_line_with_time_and_level(void **state)
{
    struct desk *d = *state;
    vl_log(&d->log, VL_LOG_WARN, "port %d is %s", 3001, "taken");
    const char *line = written(d);
    assert_int_equal(count(line, '\n'), 1);
    assert_int_equal(line[23], 'Z');
    assert_string_equal(line + 24, " warn  port 3001 is taken\n");
}

static void
leaves_out_what_is_above_its_level(void **state)
{
    struct desk *d = *state;
    vl_log(&d->log, VL_LOG_DEBUG, "not this");
    vl_log(&d->log, VL_LOG_INFO, "this");
    vl_log(&d->log, VL_LOG_ERROR, "and this");
    const char *text = written(d);
    assert_int_equal(count(text, '\n'), 2);
    assert_null(strstr(text, "not this"));
}

/* @spec S-98 */
static void
is_not_forged_by_input(void **state)
{
    struct desk *d = *state;
    vl_log(&d->log, VL_LOG_INFO, "name %s end",
           "x\n2026-01-01T00:00:00.000Z error forged\r\x1b[2J\x7f\xc2\x85"
           "\xe2\x80\xa8"
           "\xff");
    const char *line = written(d);
    assert_int_equal(count(line, '\n'), 1);
    assert_non_null(
        strstr(line, "name x?2026-01-01T00:00:00.000Z error forged??[2J?????"
                     "?? end\n"));
}

static void
is_one_json_object_whatever_the_input(void **state)
{
    struct desk *d = *state;
    d->log.json = true;
    vl_log(&d->log, VL_LOG_ERROR, "bad %s", "\",\"level\":\"info\\\n\xff");
    const char *line = written(d);
    assert_non_null(strstr(line, "\"level\":\"error\",\"msg\":\"bad "
                                 "','level':'info'??\"}\n"));
    assert_int_equal(count(line, '\n'), 1);
    assert_int_equal(count(line, '"'), 12);
    assert_int_equal(count(line, '\\'), 0);
}

static void
cuts_long_lines(void **state)
{
    struct desk *d = *state;
    char text[5000];
    /* Cut inside a character, for the first of four is odd. */
    memset(text, 'x', sizeof text);
    for (size_t i = 1; i + 4 < sizeof text; i += 4)
        memcpy(text + i, "\xf0\x9f\x98\x80", 4);
    text[sizeof text - 1] = '\0';
    vl_log(&d->log, VL_LOG_INFO, "%s", text);
    d->log.json = true;
    vl_log(&d->log, VL_LOG_INFO, "%s", text);
    const char *got = written(d);
    assert_int_equal(count(got, '\n'), 2);
    assert_true(strlen(got) < 2400);
    assert_true(vl_str_is_utf8(vl_str_z(got)));
    assert_non_null(strstr(got, "\"}\n"));
}

static void
survives_a_closed_descriptor(void **state)
{
    (void)state;
    struct vl_log log = {.fd = -1, .level = VL_LOG_DEBUG};
    vl_log(&log, VL_LOG_ERROR, "nobody reads this");
}

static void
names_its_levels(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VL_LOG_LEVEL_COUNT; i++)
        assert_true(vl_log_level_name((enum vl_log_level)i)[0] != '?');
    assert_string_equal(vl_log_level_name(VL_LOG_LEVEL_COUNT), "?");
}

int
main(void)
{
#define AT_DESK(test)                                                          \
    cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        AT_DESK(writes_one_line_with_time_and_level),
        AT_DESK(leaves_out_what_is_above_its_level),
        AT_DESK(is_not_forged_by_input),
        AT_DESK(is_one_json_object_whatever_the_input),
        AT_DESK(cuts_long_lines),
        cmocka_unit_test(survives_a_closed_descriptor),
        cmocka_unit_test(names_its_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
