/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a page, with programs in a folder of the test's own in place of the
 * desktop's.
 */
#define _GNU_SOURCE /* mkdtemp */
#include "vl_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "browser/open.h"
#include "core/buf.h"
#include "core/sys.h"

#define PATIENCE_MS 20000
#define URL         "http://localhost:8400/start/a-b_c'$(id)"
/* What it was called with, in which session, with which descriptors. */
#define TELL                                                                   \
    "#!/bin/sh\n"                                                              \
    "cd \"${0%/*}\"\n"                                                         \
    "{ echo \"$#\"; for a; do echo \"$a\"; done; } >said.new\n"                \
    "ls -l /proc/$$/fd >fds\n"                                                 \
    "read -r stat </proc/$$/stat; echo \"$$ $stat\" >stat\n"                   \
    "mv said.new said\n"

struct bench {
    char folder[64];
    struct vl_loop *loop;
    struct vl_timer *patience;
    struct vl_opening *opening;
    int calls;
    bool failed;
    valet_error error;
};

static const char *path; /* the variable */

static const char *
env(const char *name)
{
    assert_string_equal(name, "PATH");
    return path;
}

static void
out_of_patience(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happens any more");
}

static int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/vl-open-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->patience = vl_timer_new(b->loop, out_of_patience, b);
    vl_timer_start(b->patience, PATIENCE_MS);
    path = b->folder;
    *state = b;
    return 0;
}

static const char *
in_folder(const struct bench *b, const char *name)
{
    static char file[128];
    (void)snprintf(file, sizeof file, "%s/%s", b->folder, name);
    return file;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"xdg-open", "gio",  "wslview",  "said",
                                        "fds",      "stat", "said.new", "hold"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        (void)unlink(in_folder(b, names[i]));
    assert_int_equal(rmdir(b->folder), 0);
    vl_opening_abort(&b->opening);
    vl_timer_free(b->patience);
    vl_loop_free(b->loop);
    free(b);
    return 0;
}

static void
install(struct bench *b, const char *name, const char *text)
{
    assert_ok(vl_file_create(in_folder(b, name), vl_str_z(text), NULL));
    assert_int_equal(chmod(in_folder(b, name), 0700), 0);
}

static void
on_opened(const valet_error *error, void *ctx)
{
    struct bench *b = ctx;
    b->calls++;
    b->opening = NULL;
    b->failed = error;
    if (error)
        b->error = *error;
    vl_loop_stop(b->loop);
}

static void
start(struct bench *b)
{
    assert_ok(vl_browser_open(b->loop, env, VL_STR(URL), on_opened, b,
                              &b->opening, NULL));
    assert_int_equal(b->calls, 0);
}

static void
after_open(struct bench *b)
{
    start(b);
    vl_loop_run(b->loop);
    assert_int_equal(b->calls, 1);
}

static void
read_file(struct bench *b, const char *name, struct vl_buf *out)
{
    *out = vl_buf_of(65536);
    assert_ok(vl_file_read(in_folder(b, name), false, out, NULL));
}

static void
assert_said(struct bench *b, const char *text)
{
    vl_auto(vl_buf) said;
    read_file(b, "said", &said);
    assert_string_equal(vl_buf_cstr(&said), text);
}

/* @spec S-33 */
static void
gives_the_page_to_the_desktop_and_to_no_shell(void **state)
{
    struct bench *b = *state;
    install(b, "xdg-open", TELL);
    install(b, "gio", "#!/bin/sh\nexit 1\n");
    after_open(b);
    assert_false(b->failed);
    assert_said(b, "1\n" URL "\n");
}

static void
takes_what_the_desktop_has(void **state)
{
    struct bench *b = *state;
    install(b, "gio", TELL);
    after_open(b);
    assert_false(b->failed);
    assert_said(b, "2\nopen\n" URL "\n");
}

/* @spec S-33 */
static void
the_program_has_nothing_of_ours(void **state)
{
    struct bench *b = *state;
    int ours = open("/dev/null", O_RDONLY); /* would be inherited */
    vl_auto(vl_buf) fds, stat;
    int pid, same, parent, group, session;
    char name[32], life;
    assert_true(ours > 2);
    install(b, "xdg-open", TELL);
    after_open(b);
    read_file(b, "fds", &fds);
    size_t null = 0;
    for (const char *at = vl_buf_cstr(&fds); (at = strstr(at, "-> ")); at++) {
        bool is_null = strncmp(at, "-> /dev/null\n", 13) == 0;
        null += is_null;
        /* The shell has its own script open. */
        assert_true(is_null || strstr(at, "/xdg-open") || strstr(at, "/fds"));
    }
    assert_in_range(null, 2, 3);
    read_file(b, "stat", &stat);
    assert_int_equal(sscanf(vl_buf_cstr(&stat), "%d %d %31s %c %d %d %d", &pid,
                            &same, name, &life, &parent, &group, &session),
                     7);
    assert_int_equal(pid, session);
    assert_int_equal(pid, group);
    (void)close(ours);
}

static void
tells_that_the_desktop_could_not(void **state)
{
    struct bench *b = *state;
    install(b, "xdg-open", "#!/bin/sh\nexit 3\n");
    after_open(b);
    assert_true(b->failed);
    assert_non_null(strstr(b->error.message, "could not open a browser"));
}

static void
tells_that_the_program_is_broken(void **state)
{
    struct bench *b = *state;
    install(b, "xdg-open", "#!/nowhere/interpreter\n");
    after_open(b);
    assert_true(b->failed);
    assert_non_null(strstr(b->error.message, "cannot be started"));
}

static void
tells_that_there_is_no_such_program(void **state)
{
    struct bench *b = *state;
    valet_error err = {0};
    const char *const paths[] = {b->folder, "", NULL, ".:tmp", "/nowhere:"};
    assert_ok(vl_file_create(in_folder(b, "gio"), VL_STR(TELL), NULL));
    assert_int_equal(mkdir(in_folder(b, "xdg-open"), 0700), 0);
    for (size_t i = 0; i < VL_COUNT(paths); i++) {
        path = paths[i];
        assert_int_equal(vl_browser_open(b->loop, env, VL_STR(URL), on_opened,
                                         b, &b->opening, &err),
                         VALET_NOT_FOUND);
    }
    assert_int_equal(rmdir(in_folder(b, "xdg-open")), 0);
}

/* @spec S-33 */
static void
opens_nothing_but_pages(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = {
        "http://login.example/",  "file:///etc/passwd",   "javascript:x",
        "https://a.example/\n-x", "https://a.example/ b", "-h",
        "https://u@a.example/",   "data:text/html,x",     "",
    };
    install(b, "xdg-open", TELL);
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(vl_browser_open(b->loop, env, vl_str_z(bad[i]),
                                         on_opened, b, &b->opening, NULL),
                         VALET_INVALID);
    assert_int_equal(access(in_folder(b, "said"), F_OK), -1);
}

/* Its process, when it has said which; it reads until we close `hold`. */
#define STAY                                                                   \
    TELL "read -r end <hold\n"                                                 \
         "exit 1\n"

static pid_t
pid_of(struct bench *b)
{
    vl_auto(vl_buf) stat;
    read_file(b, "stat", &stat);
    return (pid_t)strtol(vl_buf_cstr(&stat), NULL, 10);
}

/* @spec S-33: some become the browser, and stay. */
static void
does_not_wait_for_a_program_that_stays(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkfifo(in_folder(b, "hold"), 0600), 0);
    install(b, "xdg-open", STAY);
    after_open(b);
    assert_false(b->failed);
    pid_t pid = pid_of(b);
    assert_int_equal(kill(pid, 0), 0); /* outlives the opening */
    int hold = open(in_folder(b, "hold"), O_WRONLY);
    assert_true(hold >= 0);
    (void)close(hold);
    /* Once it ends, somebody waits for it: no zombie. */
    int64_t end = vl_mono_now() + PATIENCE_MS;
    while (kill(pid, 0) == 0) {
        assert_true(vl_mono_now() < end);
        (void)poll(NULL, 0, 5);
    }
    assert_int_equal(errno, ESRCH);
}

static void
can_be_given_up(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkfifo(in_folder(b, "hold"), 0600), 0);
    install(b, "xdg-open", STAY);
    start(b);
    vl_opening_abort(&b->opening);
    assert_null(b->opening);
    /* It is let run: this waits until it reads. */
    int hold = open(in_folder(b, "hold"), O_WRONLY);
    assert_true(hold >= 0);
    (void)close(hold);
    vl_loop_deliver(b->loop);
    assert_int_equal(b->calls, 0);
}

#define AT_BENCH(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_BENCH(gives_the_page_to_the_desktop_and_to_no_shell),
        AT_BENCH(takes_what_the_desktop_has),
        AT_BENCH(the_program_has_nothing_of_ours),
        AT_BENCH(tells_that_the_desktop_could_not),
        AT_BENCH(tells_that_the_program_is_broken),
        AT_BENCH(tells_that_there_is_no_such_program),
        AT_BENCH(opens_nothing_but_pages),
        AT_BENCH(does_not_wait_for_a_program_that_stays),
        AT_BENCH(can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
