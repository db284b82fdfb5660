/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "io/pool.h"

enum { JOBS = 1000, TOGETHER = 4 };

/* What the threads share. */
struct bench {
    struct vl_pool *pool;
    atomic_int running, most, ran;
    int order[JOBS]; /* for one thread at a time */
    int in_order;
    pthread_barrier_t barrier;
    atomic_bool saw_signal;
};

struct job {
    struct vl_task task;
    struct bench *bench;
    int number;
    struct job *next; /* to be given away by this one; or NULL */
    bool given;
};

static struct job *
job_of(struct vl_task *task)
{
    return VL_CONTAINER(task, struct job, task);
}

static void
count(struct vl_task *task)
{
    struct bench *b = job_of(task)->bench;
    int now = atomic_fetch_add(&b->running, 1) + 1;
    int most = atomic_load(&b->most);
    while (now > most && !atomic_compare_exchange_weak(&b->most, &most, now))
        ;
    atomic_fetch_add(&b->ran, 1);
    atomic_fetch_sub(&b->running, 1);
}

static void
note_order(struct vl_task *task)
{
    struct job *job = job_of(task);
    job->bench->order[job->bench->in_order++] = job->number;
    count(task);
}

static void
meet(struct vl_task *task)
{
    (void)pthread_barrier_wait(&job_of(task)->bench->barrier);
    count(task);
}

static void
give_next(struct vl_task *task)
{
    struct job *job = job_of(task);
    if (job->next)
        job->given = vl_pool_run(job->bench->pool, &job->next->task);
    count(task);
}

static void
look_at_signals(struct vl_task *task)
{
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT))
        atomic_store(&job_of(task)->bench->saw_signal, true);
    count(task);
}

static struct job *
make_jobs(struct bench *b, int n, void (*run)(struct vl_task *task))
{
    struct job *jobs = vl_alloc((size_t)n * sizeof *jobs);
    for (int i = 0; i < n; i++) {
        jobs[i].task.run = run;
        jobs[i].bench = b;
        jobs[i].number = i;
    }
    return jobs;
}

static void
runs_everything_before_it_is_gone(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(8)};
    struct job *jobs = make_jobs(&b, JOBS, count);
    for (int i = 0; i < JOBS; i++)
        assert_true(vl_pool_run(b.pool, &jobs[i].task));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), JOBS);
    assert_true(atomic_load(&b.most) <= 8);
    free(jobs);
    vl_pool_free(NULL);
}

/* Each waits for the others: one after the other they would wait for ever. */
static void
runs_pieces_beside_each_other(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(TOGETHER)};
    struct job *jobs = make_jobs(&b, 5 * TOGETHER, meet);
    assert_int_equal(pthread_barrier_init(&b.barrier, NULL, TOGETHER), 0);
    for (int i = 0; i < 5 * TOGETHER; i++)
        assert_true(vl_pool_run(b.pool, &jobs[i].task));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 5 * TOGETHER);
    (void)pthread_barrier_destroy(&b.barrier);
    free(jobs);
}

static void
keeps_the_order_on_one_thread(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(1)};
    struct job *jobs = make_jobs(&b, JOBS, note_order);
    for (int i = 0; i < JOBS; i++)
        assert_true(vl_pool_run(b.pool, &jobs[i].task));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.most), 1);
    assert_int_equal(b.in_order, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(b.order[i], i);
    free(jobs);
}

/* From any thread: also from those of the pool, while it is waited for. */
static void
takes_work_from_its_own_threads(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(3)};
    struct job *jobs = make_jobs(&b, JOBS, give_next);
    for (int i = 0; i + 1 < JOBS; i++)
        jobs[i].next = &jobs[i + 1];
    assert_true(vl_pool_run(b.pool, &jobs[0].task));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), JOBS);
    for (int i = 0; i + 1 < JOBS; i++)
        assert_true(jobs[i].given);
    free(jobs);
}

static void *
give_all(void *arg)
{
    struct job *jobs = arg;
    for (int i = 0; i < JOBS; i++)
        jobs[i].given = vl_pool_run(jobs[i].bench->pool, &jobs[i].task);
    return NULL;
}

static void
takes_work_from_many_threads(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(4)};
    pthread_t threads[4];
    struct job *jobs[VL_COUNT(threads)];
    for (size_t i = 0; i < VL_COUNT(threads); i++) {
        jobs[i] = make_jobs(&b, JOBS, count);
        assert_int_equal(pthread_create(&threads[i], NULL, give_all, jobs[i]),
                         0);
    }
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), (int)VL_COUNT(threads) * JOBS);
    for (size_t i = 0; i < VL_COUNT(threads); i++) {
        assert_true(jobs[i][JOBS - 1].given);
        free(jobs[i]);
    }
}

static void
leaves_signals_to_the_loop(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(2)};
    struct job *jobs = make_jobs(&b, 10, look_at_signals);
    sigset_t before, after;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (int i = 0; i < 10; i++)
        assert_true(vl_pool_run(b.pool, &jobs[i].task));
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    vl_pool_free(b.pool);
    assert_false(atomic_load(&b.saw_signal));
    assert_int_equal(sigismember(&after, SIGTERM),
                     sigismember(&before, SIGTERM));
    free(jobs);
}

static void
says_no_where_it_can_have_no_thread(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(0)};
    struct job *jobs = make_jobs(&b, 1, count);
    assert_false(vl_pool_run(b.pool, &jobs[0].task));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 0);
    free(jobs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_everything_before_it_is_gone),
        cmocka_unit_test(runs_pieces_beside_each_other),
        cmocka_unit_test(keeps_the_order_on_one_thread),
        cmocka_unit_test(takes_work_from_its_own_threads),
        cmocka_unit_test(takes_work_from_many_threads),
        cmocka_unit_test(leaves_signals_to_the_loop),
        cmocka_unit_test(says_no_where_it_can_have_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
