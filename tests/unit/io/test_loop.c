/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/sys.h"
#include "io/loop.h"

static int
make_loop(void **state)
{
    struct vl_loop *loop;
    assert_ok(vl_loop_new(&loop, NULL));
    *state = loop;
    return 0;
}

static int
free_loop(void **state)
{
    vl_loop_free(*state);
    return 0;
}

/* --- timers --- */

struct seen {
    struct vl_loop *loop;
    struct vl_timer *timer, *other;
    int fired;
    char order[8];
    size_t n;
};

static void
count_and_stop(void *ctx)
{
    struct seen *seen = ctx;
    seen->fired++;
    vl_loop_stop(seen->loop);
}

static void
note_a(void *ctx)
{
    struct seen *seen = ctx;
    seen->order[seen->n++] = 'a';
}

static void
note_b_and_stop(void *ctx)
{
    struct seen *seen = ctx;
    seen->order[seen->n++] = 'b';
    vl_loop_stop(seen->loop);
}

static void
fires_timers_in_order_and_not_early(void **state)
{
    struct seen seen = {.loop = *state};
    struct vl_timer *b = vl_timer_new(seen.loop, note_b_and_stop, &seen);
    struct vl_timer *a = vl_timer_new(seen.loop, note_a, &seen);
    /* The loop's own clock is stale by now; it must not count. */
    usleep(20000);
    int64_t before = vl_mono_now();
    vl_timer_start(b, 30);
    vl_timer_start(a, 10);
    assert_int_equal(seen.n, 0); /* starting does not call back */
    vl_loop_run(seen.loop);
    assert_true(vl_mono_now() - before >= 29);
    assert_memory_equal(seen.order, "ab", 2);
    vl_timer_free(a);
    vl_timer_free(b);
}

static void
does_not_fire_a_stopped_timer(void **state)
{
    struct seen seen = {.loop = *state}, end = {.loop = *state};
    struct vl_timer *never = vl_timer_new(seen.loop, count_and_stop, &seen);
    struct vl_timer *freed = vl_timer_new(seen.loop, count_and_stop, &seen);
    struct vl_timer *last = vl_timer_new(seen.loop, count_and_stop, &end);
    vl_timer_start(never, 1);
    vl_timer_start(freed, 1);
    vl_timer_start(last, 20);
    vl_timer_stop(never);
    vl_timer_free(freed);
    vl_timer_free(NULL);
    vl_loop_run(seen.loop);
    assert_int_equal(seen.fired, 0);
    assert_int_equal(end.fired, 1);
    vl_timer_free(never);
    vl_timer_free(last);
}

static void
free_both(void *ctx)
{
    struct seen *seen = ctx;
    seen->fired++;
    vl_timer_free(seen->timer);
    vl_timer_free(seen->other);
    vl_loop_stop(seen->loop);
}

static void
lets_a_timer_free_itself_and_others(void **state)
{
    struct seen seen = {.loop = *state};
    seen.timer = vl_timer_new(seen.loop, free_both, &seen);
    seen.other = vl_timer_new(seen.loop, free_both, &seen);
    vl_timer_start(seen.timer, 1);
    vl_timer_start(seen.other, 1);
    vl_loop_run(seen.loop);
    assert_int_equal(seen.fired, 1);
}

static void
restart(void *ctx)
{
    struct seen *seen = ctx;
    seen->fired++;
    vl_timer_start(seen->timer, 0);
}

static void
stop_on_event(int events, void *ctx)
{
    (void)events;
    vl_loop_stop(((struct seen *)ctx)->loop);
}

static void
start_other(void *ctx)
{
    struct seen *seen = ctx;
    vl_timer_start(seen->other, 0);
}

static int64_t
now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A millisecond each time is what a request that is begun by a timer, and
 * begins with one, would wait for. */
static void
a_timer_that_starts_another_at_once_does_not_wait(void **state)
{
    struct seen seen = {.loop = *state};
    seen.timer = vl_timer_new(seen.loop, start_other, &seen);
    seen.other = vl_timer_new(seen.loop, count_and_stop, &seen);
    int64_t best = INT64_MAX;
    for (int i = 0; i < 100; i++) {
        int64_t began = now_us();
        vl_timer_start(seen.timer, 0);
        vl_loop_run(seen.loop);
        int64_t took = now_us() - began;
        best = took < best ? took : best;
    }
    assert_int_equal(seen.fired, 100);
    assert_true(best < 1000);
    vl_timer_free(seen.timer);
    vl_timer_free(seen.other);
}

static void
restart_slowly(void *ctx)
{
    const struct timespec pause = {0, 2000000};
    (void)nanosleep(&pause, NULL);
    restart(ctx);
}

static void
does_not_starve_others_by_a_timer_of_zero_that_is_slow(void **state)
{
    struct seen zero = {.loop = *state};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    zero.timer = vl_timer_new(zero.loop, restart_slowly, &zero);
    struct vl_watch *watch =
        vl_watch_new(zero.loop, ends[0], stop_on_event, &zero);
    vl_watch_set(watch, VL_WATCH_READ);
    vl_timer_start(zero.timer, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    vl_loop_run(zero.loop);
    assert_true(zero.fired > 0);
    vl_watch_free(watch);
    vl_timer_free(zero.timer);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
does_not_starve_others_by_a_timer_of_zero(void **state)
{
    struct seen zero = {.loop = *state}, end = {.loop = *state};
    zero.timer = vl_timer_new(zero.loop, restart, &zero);
    end.timer = vl_timer_new(zero.loop, count_and_stop, &end);
    vl_timer_start(zero.timer, 0);
    vl_timer_start(end.timer, 10);
    vl_loop_run(zero.loop);
    assert_true(zero.fired > 0);
    assert_int_equal(end.fired, 1);
    vl_timer_free(zero.timer);
    vl_timer_free(end.timer);
}

/* --- posted tasks --- */

enum { SENDERS = 4, EACH = 1000 };

struct message {
    struct vl_task task;
    struct box *box;
    int sender, number;
};

struct box {
    struct vl_loop *loop;
    int next[SENDERS];
    int total;
    bool in_order;
};

struct sender {
    struct box *box;
    int number;
};

static void
receive(struct vl_task *task)
{
    struct message *m = VL_CONTAINER(task, struct message, task);
    struct box *box = m->box;
    if (box->next[m->sender]++ != m->number)
        box->in_order = false;
    free(m);
    if (++box->total == SENDERS * EACH)
        vl_loop_stop(box->loop);
}

static void *
send_all(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < EACH; i++) {
        struct message *m = vl_alloc(sizeof *m);
        *m = (struct message){.task.run = receive,
                              .box = sender->box,
                              .sender = sender->number,
                              .number = i};
        vl_loop_post(sender->box->loop, &m->task);
    }
    return NULL;
}

static void
delivers_what_threads_post_in_order(void **state)
{
    struct box box = {.loop = *state, .in_order = true};
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){&box, i};
        assert_int_equal(
            pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    vl_loop_run(box.loop);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(box.total, SENDERS * EACH);
    assert_true(box.in_order);
}

struct chain {
    struct vl_task task;
    struct vl_loop *loop;
    int left;
};

static void
post_again(struct vl_task *task)
{
    struct chain *chain = VL_CONTAINER(task, struct chain, task);
    if (chain->left-- > 0)
        vl_loop_post(chain->loop, task);
}

static void
delivers_what_is_queued_when_it_is_freed(void **state)
{
    (void)state;
    struct vl_loop *loop;
    assert_ok(vl_loop_new(&loop, NULL));
    struct chain chain = {.task.run = post_again, .loop = loop, .left = 3};
    vl_loop_post(loop, &chain.task);
    vl_loop_free(loop);
    assert_int_equal(chain.left, -1);
}

/* --- signals and foreign descriptors --- */

static void
on_signal(int number, void *ctx)
{
    struct seen *seen = ctx;
    seen->fired += number;
    vl_loop_stop(seen->loop);
}

static void
tells_of_a_signal(void **state)
{
    struct seen seen = {.loop = *state};
    assert_ok(vl_loop_on_signal(seen.loop, SIGUSR1, on_signal, &seen, NULL));
    assert_int_equal(raise(SIGUSR1), 0);
    vl_loop_run(seen.loop);
    assert_int_equal(raise(SIGUSR1), 0);
    vl_loop_run(seen.loop);
    assert_int_equal(seen.fired, 2 * SIGUSR1);
    valet_error err = {0};
    assert_int_equal(
        vl_loop_on_signal(seen.loop, SIGKILL, on_signal, &seen, &err),
        VALET_INTERNAL);
    assert_true(err.message[0]);
}

struct watched {
    struct vl_loop *loop;
    struct vl_watch *watch;
    int events;
    int calls;
};

static void
note_events_and_free(int events, void *ctx)
{
    struct watched *w = ctx;
    w->events = events;
    w->calls++;
    vl_watch_free(w->watch);
    vl_loop_stop(w->loop);
}

static void
watches_a_foreign_descriptor(void **state)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct watched r = {.loop = *state}, w = {.loop = *state};
    r.watch = vl_watch_new(r.loop, fds[0], note_events_and_free, &r);
    w.watch = vl_watch_new(w.loop, fds[1], note_events_and_free, &w);
    vl_watch_set(r.watch, VL_WATCH_READ);
    vl_watch_set(w.watch, VL_WATCH_READ | VL_WATCH_WRITE);
    vl_loop_run(*state);
    assert_int_equal(w.events, VL_WATCH_WRITE);
    assert_int_equal(r.calls, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    vl_loop_run(*state);
    assert_int_equal(r.events, VL_WATCH_READ);
    assert_int_equal(r.calls + w.calls, 2);
    close(fds[0]);
    close(fds[1]);
}

static void
cannot_watch_a_plain_file(void **state)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_null(vl_watch_new(*state, fileno(file), NULL, NULL));
    fclose(file);
}

static void
closes_what_is_left(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct vl_loop *loop;
    struct seen seen = {0};
    assert_ok(vl_loop_new(&loop, NULL));
    vl_timer_start(vl_timer_new(loop, count_and_stop, &seen), 0);
    vl_watch_set(vl_watch_new(loop, fds[1], note_events_and_free, NULL),
                 VL_WATCH_WRITE);
    assert_ok(vl_loop_on_signal(loop, SIGUSR2, on_signal, &seen, NULL));
    vl_loop_free(loop);
    vl_loop_free(NULL);
    assert_int_equal(seen.fired, 0);
    close(fds[0]);
    close(fds[1]);
}

/* In a process without the standard descriptors: 0 if it went well. */
static int
live_without_standard_descriptors(void)
{
    struct vl_loop *loop;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        (void)close(fd);
    if (vl_loop_new(&loop, NULL) != VALET_OK)
        return 1;
    if (write(STDOUT_FILENO, "token", 5) >= 0 || errno != EBADF)
        return 2;
    vl_loop_free(loop);
    return 0;
}

static void
has_no_standard_descriptor_for_its_own(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(live_without_standard_descriptors());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_loop, free_loop)
    const struct CMUnitTest tests[] = {
        CASE(fires_timers_in_order_and_not_early),
        CASE(does_not_fire_a_stopped_timer),
        CASE(lets_a_timer_free_itself_and_others),
        CASE(does_not_starve_others_by_a_timer_of_zero),
        CASE(a_timer_that_starts_another_at_once_does_not_wait),
        CASE(does_not_starve_others_by_a_timer_of_zero_that_is_slow),
        CASE(delivers_what_threads_post_in_order),
        CASE(delivers_what_is_queued_when_it_is_freed),
        CASE(tells_of_a_signal),
        CASE(watches_a_foreign_descriptor),
        CASE(cannot_watch_a_plain_file),
        CASE(closes_what_is_left),
        cmocka_unit_test(has_no_standard_descriptor_for_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
