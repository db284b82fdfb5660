/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2, closefrom */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sys.h"
#include "vl_test.h"

struct scene {
    struct vl_loop *loop;
    struct vl_timer *soon;
    struct vl_child *child;
    int from; /* what it prints */
    int ends, code, signal;
};

static void
note_end(int code, int signal, void *ctx)
{
    struct scene *s = ctx;
    s->ends++;
    s->code = code;
    s->signal = signal;
}

/* It always runs, so that no step waits for ever. */
static void
tick(void *ctx)
{
    struct scene *s = ctx;
    vl_timer_start(s->soon, 5);
}

static valet_status
start(struct scene *s, const char *const *argv, const char *const *env)
{
    int ends[2];
    valet_error err = {.message = ""};
    *s = (struct scene){.code = -1};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_ok(vl_loop_new(&s->loop, NULL));
    s->soon = vl_timer_new(s->loop, tick, s);
    tick(s);
    const int fds[] = {-1, ends[1], STDERR_FILENO, ends[1]};
    const struct vl_child_spec spec = {
        .argv = (char *const *)(uintptr_t)argv,
        .env = (char *const *)(uintptr_t)env,
        .fds = fds,
        .fd_count = VL_COUNT(fds),
    };
    valet_status status =
        vl_child_start(s->loop, &spec, note_end, s, &s->child, &err);
    assert_int_equal(s->ends, 0);
    assert_int_equal(status == VALET_OK, err.message[0] == '\0');
    (void)close(ends[1]);
    s->from = ends[0];
    return status;
}

static void
start_shell(struct scene *s, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    assert_ok(start(s, argv, NULL));
}

static void
wait_end(struct scene *s)
{
    int64_t until = vl_mono_now() + 20000;
    while (!s->ends) {
        assert_true(vl_mono_now() < until);
        vl_loop_step(s->loop);
    }
}

/* Until it has printed something. */
static void
wait_word(const struct scene *s)
{
    char c;
    assert_int_equal(read(s->from, &c, 1), 1);
}

static void
expect_output(const struct scene *s, const char *text)
{
    char all[512];
    size_t n = 0;
    ssize_t got;
    while ((got = read(s->from, all + n, sizeof all - 1 - n)) > 0)
        n += (size_t)got;
    all[n] = '\0';
    assert_string_equal(all, text);
}

static void
finish(struct scene *s)
{
    vl_child_free(s->child);
    vl_loop_free(s->loop);
    (void)close(s->from);
    /* @spec ST-05: no zombie, whatever happened. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void
it_gets_its_arguments_as_they_are_and_only_its_descriptors(void **state)
{
    const char *const argv[] = {
        "sh",
        "-c",
        "printf '%s|' \"$@\"; printf '%s' \"$X\" >&3; ls /proc/self/fd",
        "x",
        "a b",
        "$X;'\"",
        "",
        NULL};
    const char *const env[] = {"X=1 2", "PATH=/bin:/usr/bin", NULL};
    struct scene s;
    (void)state;
    assert_ok(start(&s, argv, env));
    wait_end(&s);
    assert_int_equal(s.code + s.signal, 0);
    /* Of `ls` 4 is the folder. */
    expect_output(&s, "a b|$X;'\"||1 20\n1\n2\n3\n4\n");
    finish(&s);
}

static void
its_code_and_its_signal_are_told(void **state)
{
    struct scene s;
    (void)state;
    start_shell(&s, "exit 7");
    wait_end(&s);
    assert_int_equal(s.code, 7);
    assert_int_equal(s.signal, 0);
    finish(&s);
    start_shell(&s, "kill -USR1 $$");
    wait_end(&s);
    assert_int_equal(s.signal, SIGUSR1);
    finish(&s);
}

static void
what_is_no_program_is_refused_at_once(void **state)
{
    const char *const argv[] = {"no-such-program-here", NULL};
    const char *const folder[] = {"/tmp", NULL};
    struct scene s;
    (void)state;
    assert_int_equal(start(&s, argv, NULL), VALET_NOT_FOUND);
    finish(&s);
    assert_int_equal(start(&s, folder, NULL), VALET_INVALID);
    finish(&s);
}

static void
signals_are_as_a_program_expects_them(void **state)
{
    struct scene s;
    sigset_t usr2, before;
    (void)state;
    (void)sigemptyset(&usr2);
    (void)sigaddset(&usr2, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &usr2, &before);
    start_shell(&s,
                "grep -E 'SigBlk|SigIgn' /proc/self/status | tr -dc 1-9a-f");
    wait_end(&s);
    expect_output(&s, ""); /* no digit but 0 */
    finish(&s);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* @spec ST-05 */
static void
who_does_not_go_is_told_and_then_killed(void **state)
{
    struct scene s;
    int64_t since;
    (void)state;
    start_shell(&s, "trap 'echo term; exit 3' TERM; echo go; "
                    "while :; do sleep 0.02; done");
    wait_word(&s);
    since = vl_mono_now();
    vl_child_end(s.child, 500); /* a busy machine lets it wait for its trap */
    wait_end(&s);
    assert_int_equal(s.code, 3);
    assert_true(vl_mono_now() - since >= 500);
    expect_output(&s, "o\nterm\n");
    finish(&s);
    start_shell(&s, "trap '' TERM; echo go; while :; do sleep 0.02; done");
    wait_word(&s);
    since = vl_mono_now();
    vl_child_end(s.child, 100);
    wait_end(&s);
    assert_int_equal(s.signal, SIGKILL);
    assert_in_range(vl_mono_now() - since, 200, 5000);
    finish(&s);
}

static void
said_again_the_next_step_comes_at_once(void **state)
{
    struct scene s;
    int64_t since = vl_mono_now();
    (void)state;
    start_shell(&s, "trap '' TERM; echo go; while :; do sleep 0.02; done");
    wait_word(&s);
    for (int i = 0; i < 4; i++)
        vl_child_end(s.child, 60000);
    wait_end(&s);
    assert_int_equal(s.signal, SIGKILL);
    assert_true(vl_mono_now() - since < 20000);
    finish(&s);
}

/* npx and its like pass no signal on. */
static void
what_it_has_started_ends_with_it(void **state)
{
    struct scene s;
    (void)state;
    start_shell(&s, "sleep 1000 & echo go; wait");
    wait_word(&s);
    vl_child_end(s.child, 20);
    wait_end(&s);
    expect_output(&s, "o\n"); /* the end: nobody holds the pipe */
    finish(&s);
    /* What it leaves behind of its own accord is not: a browser, say. */
    start_shell(&s, "(trap 'echo term' TERM; sleep 0.3; echo late) & exit 0");
    wait_end(&s);
    expect_output(&s, "late\n");
    finish(&s);
}

static void
a_child_that_is_freed_is_killed_and_not_heard_of(void **state)
{
    struct scene s;
    (void)state;
    for (int i = 0; i < 20; i++) {
        start_shell(&s, "trap '' TERM; while :; do sleep 0.02; done");
        vl_child_free(s.child);
        for (int step = 0; step < i; step++)
            vl_loop_step(s.loop);
        s.child = NULL;
        finish(&s);
        assert_int_equal(s.ends, 0);
    }
    for (int i = 0; i < 20; i++) { /* or its loop is */
        start_shell(&s, "exit 0");
        for (int step = 0; step < i % 4; step++)
            vl_loop_step(s.loop);
        if (i % 2) {
            vl_child_end(s.child, 1);
            vl_child_free(s.child);
        }
        s.child = NULL;
        finish(&s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            it_gets_its_arguments_as_they_are_and_only_its_descriptors),
        cmocka_unit_test(its_code_and_its_signal_are_told),
        cmocka_unit_test(what_is_no_program_is_refused_at_once),
        cmocka_unit_test(signals_are_as_a_program_expects_them),
        cmocka_unit_test(who_does_not_go_is_told_and_then_killed),
        cmocka_unit_test(said_again_the_next_step_comes_at_once),
        cmocka_unit_test(what_it_has_started_ends_with_it),
        cmocka_unit_test(a_child_that_is_freed_is_killed_and_not_heard_of),
    };
    closefrom(STDERR_FILENO + 1); /* what we inherited is nobody's business */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
