/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2, posix_openpt */
#include "vl_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "io/lines.h"

#define LINE_MAX_HERE 100

/* What is connected, and what was heard. `to` and `from` are the peer's. */
struct talk {
    struct vl_loop *loop;
    struct vl_timer *soon;
    struct vl_lines *lines;
    int in, out, to, from;
    struct vl_buf heard; /* each line in brackets */
    int too_long, ends, finished;
    bool broken, all, echoes, frees;
};

static void
note_line(struct vl_str line, void *ctx)
{
    struct talk *t = ctx;
    if (t->frees)
        vl_lines_free(t->lines);
    vl_buf_addc(&t->heard, '[');
    vl_buf_add(&t->heard, line);
    vl_buf_addc(&t->heard, ']');
    if (t->echoes)
        (void)vl_lines_write(t->lines, line);
}

static void
note_too_long(void *ctx)
{
    struct talk *t = ctx;
    t->too_long++;
    if (t->frees)
        vl_lines_free(t->lines);
}

static void
note_end(bool broken, void *ctx)
{
    struct talk *t = ctx;
    t->ends++;
    t->broken = broken;
    if (t->frees)
        vl_lines_free(t->lines);
}

static void
note_finish(bool all, void *ctx)
{
    struct talk *t = ctx;
    t->finished++;
    t->all = all;
    vl_lines_free(t->lines);
}

/* It always runs, so that no step waits for ever. */
static void
tick(void *ctx)
{
    struct talk *t = ctx;
    vl_timer_start(t->soon, 1);
}

static void
begin(struct talk *t, int in, int out)
{
    *t = (struct talk){.in = in, .out = out, .to = -1, .from = -1};
    t->heard = vl_buf_of(1 << 20);
    assert_ok(vl_loop_new(&t->loop, NULL));
    t->soon = vl_timer_new(t->loop, tick, t);
    tick(t);
}

static void
start(struct talk *t)
{
    const struct vl_lines_hooks hooks = {note_line, note_too_long, note_end, t};
    assert_ok(vl_lines_new(t->loop, t->in, t->out, LINE_MAX_HERE, &hooks,
                           &t->lines, NULL));
    assert_int_equal(t->ends + (int)vl_buf_size(&t->heard), 0);
}

static void
begin_with_pipes(struct talk *t)
{
    int a[2], b[2];
    assert_int_equal(pipe2(a, O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_CLOEXEC), 0);
    begin(t, a[0], b[1]);
    t->to = a[1];
    t->from = b[0];
    start(t);
}

static void
hang_up(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
finish(struct talk *t)
{
    bool freed = t->finished || t->frees;
    if (!freed)
        vl_lines_free(t->lines);
    vl_loop_free(t->loop);
    vl_buf_done(&t->heard);
    if (t->out != t->in)
        hang_up(&t->out);
    hang_up(&t->in);
    hang_up(&t->to);
    hang_up(&t->from);
}

static void
step(struct talk *t, int times)
{
    for (int i = 0; i < times; i++)
        vl_loop_step(t->loop);
}

static void
say(struct talk *t, const char *text)
{
    assert_int_equal(write(t->to, text, strlen(text)), strlen(text));
    step(t, 3);
}

static void
assert_gets(int fd, const char *text)
{
    char got[4096];
    ssize_t n = read(fd, got, sizeof got);
    assert_true(n >= 0);
    assert_str(vl_str_of(got, (size_t)n), text);
}

static bool
is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    assert_true(flags >= 0);
    return (flags & O_NONBLOCK) != 0;
}

/* --- lines --- */

/* @spec ST-01 */
static void
takes_lines_of_either_end_and_skips_empty_ones(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    say(&t, "{\"a\"");
    assert_int_equal(vl_buf_size(&t.heard), 0);
    say(&t, ":1}\r");
    say(&t, "\n\n\r\nb\rc\r\nd");
    assert_str(vl_buf_str(&t.heard), "[{\"a\":1}][b\rc]");
    finish(&t);
}

static void
takes_the_last_line_without_its_end_and_then_the_end(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    say(&t, "one\nlast");
    hang_up(&t.to);
    step(&t, 3);
    assert_str(vl_buf_str(&t.heard), "[one][last]");
    assert_int_equal(t.ends, 1);
    assert_false(t.broken);
    assert_true(vl_lines_write(t.lines, VL_STR("answer")));
    step(&t, 1);
    assert_gets(t.from, "answer\n");
    assert_int_equal(t.ends, 1);
    finish(&t);
}

static void
passes_nul_bytes_through(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    assert_int_equal(write(t.to, "a\0b\n", 4), 4);
    step(&t, 3);
    assert_int_equal(vl_buf_size(&t.heard), 5);
    assert_memory_equal(vl_buf_str(&t.heard).p, "[a\0b]", 5);
    finish(&t);
}

static void
drops_a_line_that_is_too_long_and_tells_once(void **state)
{
    (void)state;
    struct talk t;
    char text[LINE_MAX_HERE + 1];
    memset(text, 'x', sizeof text);
    begin_with_pipes(&t);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(write(t.to, text, LINE_MAX_HERE), LINE_MAX_HERE);
        step(&t, 1);
    }
    assert_int_equal(t.too_long, 1);
    say(&t, "x\nshort\n");
    assert_int_equal(t.too_long, 1);
    assert_str(vl_buf_str(&t.heard), "[short]");
    assert_int_equal(write(t.to, text, LINE_MAX_HERE), LINE_MAX_HERE);
    say(&t, "\r\n");
    assert_int_equal(t.too_long, 1);
    assert_int_equal(vl_buf_size(&t.heard), 7 + LINE_MAX_HERE + 2);
    assert_int_equal(write(t.to, text, sizeof text), sizeof text);
    say(&t, "\n");
    assert_int_equal(t.too_long, 2);
    finish(&t);
}

/* @spec ST-01 */
static void
writes_what_one_turn_brought_at_once(void **state)
{
    (void)state;
    struct talk t;
    int pair[2];
    /* Of this kind each write is a packet of its own. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    begin(&t, pair[0], pair[0]);
    t.to = pair[1];
    start(&t);
    t.echoes = true;
    assert_true(vl_lines_write(t.lines, VL_STR("1")));
    assert_true(vl_lines_write(t.lines, VL_STR("2")));
    assert_int_equal(vl_lines_waiting(t.lines), 4);
    step(&t, 1);
    assert_gets(t.to, "1\n2\n");
    say(&t, "a\nb\nc\n");
    assert_gets(t.to, "a\nb\nc\n");
    finish(&t);
}

/* --- back-pressure --- */

static size_t
read_all(struct talk *t)
{
    char got[65536];
    size_t sum = 0;
    assert_int_equal(fcntl(t->from, F_SETFL, O_NONBLOCK), 0);
    for (int quiet = 0; quiet < 3; step(t, 1)) {
        ssize_t n = read(t->from, got, sizeof got);
        sum += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
    }
    return sum;
}

static void
stops_reading_while_nobody_reads_what_it_writes(void **state)
{
    (void)state;
    struct talk t;
    struct vl_str line = VL_STR("0123456789abcdefghijklmnopqrstuvwxyz\n"
                                "0123456789\n0123456789\n0123456789\n"
                                "0123456789abcdefghijklmnopqrstuvwxyz\n");
    size_t sent = 0;
    begin_with_pipes(&t);
    t.echoes = true;
    t.heard.max = 0;
    assert_int_equal(fcntl(t.to, F_SETFL, O_NONBLOCK), 0);
    for (int quiet = 0; quiet < 5; step(&t, 1)) {
        ssize_t n = write(t.to, line.p, line.n);
        assert_true(n < 0 || (size_t)n == line.n);
        sent += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
    }
    assert_true(vl_lines_waiting(t.lines) > VL_LIMIT_STREAM_HIGH);
    assert_true(vl_lines_waiting(t.lines) < VL_LIMIT_STREAM_HIGH + 64);
    assert_int_equal(read_all(&t), sent);
    assert_int_equal(vl_lines_waiting(t.lines), 0);
    assert_int_equal(t.ends, 0);
    finish(&t);
}

static void
says_when_too_much_waits(void **state)
{
    (void)state;
    struct talk t;
    size_t n = 0;
    char text[1000];
    memset(text, 'x', sizeof text);
    begin_with_pipes(&t);
    while (vl_lines_write(t.lines, vl_str_of(text, sizeof text)))
        n++;
    assert_int_equal(n, VL_LIMIT_STREAM_HIGH / 1001);
    assert_int_equal(read_all(&t), (n + 1) * 1001);
    finish(&t);
}

/* --- ends --- */

static void
tells_that_nobody_reads_any_more(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    hang_up(&t.from);
    assert_true(vl_lines_write(t.lines, VL_STR("x")));
    assert_int_equal(t.ends, 0);
    step(&t, 1);
    assert_int_equal(t.ends, 1);
    assert_true(t.broken);
    assert_int_equal(vl_lines_waiting(t.lines), 0);
    say(&t, "lost\n");
    assert_true(vl_lines_write(t.lines, VL_STR("x")));
    step(&t, 2);
    assert_int_equal(vl_buf_size(&t.heard), 0);
    assert_int_equal(t.ends, 1);
    finish(&t);
}

static void
tells_that_the_reader_left_while_much_waits(void **state)
{
    (void)state;
    struct talk t;
    char text[1000];
    memset(text, 'x', sizeof text);
    begin_with_pipes(&t);
    while (vl_lines_write(t.lines, vl_str_of(text, sizeof text)))
        continue;
    step(&t, 2);
    assert_int_equal(t.ends, 0);
    hang_up(&t.from);
    step(&t, 2);
    assert_int_equal(t.ends, 1);
    assert_true(t.broken);
    finish(&t);
}

static void
finishes_when_all_is_written(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    assert_true(vl_lines_write(t.lines, VL_STR("last words")));
    vl_lines_finish(t.lines, 10000, note_finish, &t);
    assert_int_equal(t.finished, 0);
    assert_true(vl_lines_write(t.lines, VL_STR("too late")));
    step(&t, 2);
    assert_int_equal(t.finished, 1);
    assert_true(t.all);
    assert_gets(t.from, "last words\n");
    finish(&t);
}

static void
finishes_in_time_when_nobody_reads(void **state)
{
    (void)state;
    struct talk t;
    char text[1000];
    memset(text, 'x', sizeof text);
    begin_with_pipes(&t);
    while (vl_lines_write(t.lines, vl_str_of(text, sizeof text)))
        continue;
    vl_lines_finish(t.lines, 20, note_finish, &t);
    while (!t.finished)
        step(&t, 1);
    assert_false(t.all);
    assert_int_equal(t.ends, 0);
    finish(&t);
}

static void
finishes_when_the_output_breaks(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    hang_up(&t.from);
    assert_true(vl_lines_write(t.lines, VL_STR("x")));
    vl_lines_finish(t.lines, 10000, note_finish, &t);
    step(&t, 2);
    assert_int_equal(t.finished, 1);
    assert_false(t.all);
    assert_int_equal(t.ends, 0);
    finish(&t);
}

static void
is_freed_in_any_hook(void **state)
{
    (void)state;
    char much[LINE_MAX_HERE + 20];
    memset(much, 'x', sizeof much);
    memset(much + sizeof much - 2, '\n', 1);
    much[sizeof much - 1] = '\0';
    const char *const inputs[] = {"one\ntwo\n", "a part", much, ""};
    const char *const heard[] = {"[one]", "[a part]", "", ""};
    for (size_t i = 0; i < VL_COUNT(inputs); i++) {
        struct talk t;
        begin_with_pipes(&t);
        t.frees = true;
        say(&t, inputs[i]);
        hang_up(&t.to);
        step(&t, 3);
        assert_int_equal(t.ends, i == 3);
        assert_int_equal(t.too_long, i == 2);
        assert_str(vl_buf_str(&t.heard), heard[i]);
        finish(&t);
    }
}

static void
is_freed_with_its_loop(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    assert_true(vl_lines_write(t.lines, VL_STR("x")));
    t.frees = true; /* so finish() does not */
    finish(&t);
    assert_int_equal(t.ends, 0);
}

/* --- descriptors --- */

static void
leaves_the_flags_of_pipes_alone(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    say(&t, "a\n");
    assert_false(is_nonblocking(t.in));
    assert_false(is_nonblocking(t.out));
    finish(&t);
}

static void
leaves_the_flags_of_a_socket_alone_and_does_not_wait(void **state)
{
    (void)state;
    struct talk t;
    int pair[2];
    char text[1000] = "";
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    begin(&t, pair[0], pair[0]);
    t.to = t.from = pair[1];
    start(&t);
    assert_false(is_nonblocking(t.in));
    say(&t, "a\nb");
    assert_str(vl_buf_str(&t.heard), "[a]");
    while (vl_lines_write(t.lines, vl_str_of(text, sizeof text)))
        continue;
    step(&t, 2);
    assert_true(vl_lines_waiting(t.lines) > 0);
    assert_true(read_all(&t) > VL_LIMIT_STREAM_HIGH);
    t.from = -1;
    hang_up(&t.to);
    step(&t, 2);
    assert_str(vl_buf_str(&t.heard), "[a][b]");
    assert_int_equal(t.ends, 1);
    finish(&t);
}

/* Both hear of it in one turn; one gets it. */
static void
does_not_wait_for_what_another_process_took(void **state)
{
    (void)state;
    for (int is_socket = 0; is_socket < 2; is_socket++) {
        struct talk t;
        struct vl_lines *other;
        int pair[2];
        assert_int_equal(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, pair)
                                   : pipe2(pair, O_CLOEXEC),
                         0);
        begin(&t, pair[0], open("/dev/null", O_WRONLY | O_CLOEXEC));
        t.to = pair[1];
        start(&t);
        const struct vl_lines_hooks hooks = {note_line, NULL, note_end, &t};
        assert_ok(vl_lines_new(t.loop, t.in, t.out, LINE_MAX_HERE, &hooks,
                               &other, NULL));
        say(&t, "once\n");
        assert_str(vl_buf_str(&t.heard), "[once]");
        assert_int_equal(t.ends, 0);
        vl_lines_free(other);
        finish(&t);
    }
}

static void
gives_a_terminal_back_as_it_was(void **state)
{
    (void)state;
    struct talk t;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master) + unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    begin(&t, slave, slave);
    t.to = master;
    start(&t);
    say(&t, "typed\n");
    assert_str(vl_buf_str(&t.heard), "[typed]");
    assert_false(is_nonblocking(slave));
    assert_true(vl_lines_write(t.lines, VL_STR("shown")));
    step(&t, 2);
    assert_gets(master, "typed\r\nshown\r\n");
    say(&t, "\004");
    assert_int_equal(t.ends, 1);
    assert_false(t.broken);
    finish(&t);
}

/* The master of a terminal is what cannot be opened a second time. */
static void
restores_the_flags_that_it_had_to_change(void **state)
{
    (void)state;
    struct talk t;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(grantpt(master) + unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    begin(&t, master, master);
    t.to = slave;
    start(&t);
    assert_true(is_nonblocking(master));
    say(&t, "hello\n");
    assert_str(vl_buf_str(&t.heard), "[hello]");
    vl_lines_free(t.lines);
    assert_false(is_nonblocking(master));
    t.frees = true;
    finish(&t);
}

static void
sees_the_end_of_a_named_pipe_whose_writer_has_gone(void **state)
{
    (void)state;
    struct talk t;
    char folder[] = "/tmp/vl_lines_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
    assert_int_equal(write(writer, "a\n", 2), 2);
    (void)close(writer);
    begin(&t, reader, open("/dev/null", O_WRONLY | O_CLOEXEC));
    start(&t);
    step(&t, 4);
    assert_str(vl_buf_str(&t.heard), "[a]");
    assert_int_equal(t.ends, 1);
    assert_true(is_nonblocking(reader));
    vl_lines_free(t.lines);
    assert_false(is_nonblocking(reader));
    t.frees = true;
    finish(&t);
    assert_int_equal(unlink(path) + rmdir(folder), 0);
}

static void
reads_a_file_and_writes_another(void **state)
{
    (void)state;
    struct talk t;
    char from[] = "/tmp/vl_lines_XXXXXX", to[] = "/tmp/vl_lines_XXXXXX";
    int in = mkstemp(from), out = mkstemp(to);
    assert_int_equal(unlink(from) + unlink(to), 0);
    for (int i = 0; i < 30000; i++)
        assert_int_equal(write(in, "0123456789\n", 11), 11);
    assert_int_equal(lseek(in, 11, SEEK_SET), 11);
    begin(&t, in, out);
    start(&t);
    t.echoes = true;
    for (int i = 0; i < 100 && !t.ends; i++)
        step(&t, 1);
    step(&t, 1);
    assert_int_equal(t.ends, 1);
    assert_int_equal(vl_buf_size(&t.heard), 29999 * 12);
    assert_int_equal(lseek(out, 0, SEEK_END), 29999 * 11);
    finish(&t);
}

static void
reads_and_writes_dev_null(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, open("/dev/null", O_RDONLY | O_CLOEXEC),
          open("/dev/null", O_WRONLY | O_CLOEXEC));
    start(&t);
    assert_true(vl_lines_write(t.lines, VL_STR("x")));
    step(&t, 3);
    assert_int_equal(vl_lines_waiting(t.lines), 0);
    assert_int_equal(t.ends, 1);
    assert_false(t.broken);
    finish(&t);
}

static void
tells_that_a_device_is_full(void **state)
{
    (void)state;
    struct talk t;
    begin_with_pipes(&t);
    vl_lines_free(t.lines);
    hang_up(&t.out);
    t.out = open("/dev/full", O_WRONLY | O_CLOEXEC);
    start(&t);
    assert_true(vl_lines_write(t.lines, VL_STR("x")));
    step(&t, 2);
    assert_int_equal(t.ends, 1);
    assert_true(t.broken);
    finish(&t);
}

static void
refuses_what_is_no_descriptor(void **state)
{
    (void)state;
    struct talk t;
    valet_error err = {0};
    const struct vl_lines_hooks hooks = {.line = note_line, .end = note_end};
    begin(&t, open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
    assert_int_equal(vl_lines_new(t.loop, t.in, -1, 10, &hooks, &t.lines, &err),
                     VALET_INVALID);
    assert_int_equal(vl_lines_new(t.loop, -1, t.in, 10, &hooks, &t.lines, &err),
                     VALET_INVALID);
    t.frees = true;
    finish(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_lines_of_either_end_and_skips_empty_ones),
        cmocka_unit_test(takes_the_last_line_without_its_end_and_then_the_end),
        cmocka_unit_test(passes_nul_bytes_through),
        cmocka_unit_test(drops_a_line_that_is_too_long_and_tells_once),
        cmocka_unit_test(writes_what_one_turn_brought_at_once),
        cmocka_unit_test(stops_reading_while_nobody_reads_what_it_writes),
        cmocka_unit_test(says_when_too_much_waits),
        cmocka_unit_test(tells_that_nobody_reads_any_more),
        cmocka_unit_test(tells_that_the_reader_left_while_much_waits),
        cmocka_unit_test(finishes_when_all_is_written),
        cmocka_unit_test(finishes_in_time_when_nobody_reads),
        cmocka_unit_test(finishes_when_the_output_breaks),
        cmocka_unit_test(is_freed_in_any_hook),
        cmocka_unit_test(is_freed_with_its_loop),
        cmocka_unit_test(leaves_the_flags_of_pipes_alone),
        cmocka_unit_test(leaves_the_flags_of_a_socket_alone_and_does_not_wait),
        cmocka_unit_test(does_not_wait_for_what_another_process_took),
        cmocka_unit_test(gives_a_terminal_back_as_it_was),
        cmocka_unit_test(restores_the_flags_that_it_had_to_change),
        cmocka_unit_test(sees_the_end_of_a_named_pipe_whose_writer_has_gone),
        cmocka_unit_test(reads_a_file_and_writes_another),
        cmocka_unit_test(reads_and_writes_dev_null),
        cmocka_unit_test(tells_that_a_device_is_full),
        cmocka_unit_test(refuses_what_is_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
