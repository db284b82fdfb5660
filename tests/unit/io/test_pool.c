/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include <pthread.h>
#include <semaphore.h>
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
    sem_t begun, released;
    atomic_bool saw_signal;
};

struct work {
    struct vl_job job;
    struct bench *bench;
    int number;
    struct work *next; /* to be given away by this one; or NULL */
    bool given;
};

static struct work *
work_of(struct vl_job *job)
{
    return VL_CONTAINER(job, struct work, job);
}

static void
count(struct vl_job *job)
{
    struct bench *b = work_of(job)->bench;
    int now = atomic_fetch_add(&b->running, 1) + 1;
    int most = atomic_load(&b->most);
    while (now > most && !atomic_compare_exchange_weak(&b->most, &most, now))
        ;
    atomic_fetch_add(&b->ran, 1);
    atomic_fetch_sub(&b->running, 1);
}

static void
note_order(struct vl_job *job)
{
    struct work *work = work_of(job);
    work->bench->order[work->bench->in_order++] = work->number;
    count(job);
}

static void
meet(struct vl_job *job)
{
    (void)pthread_barrier_wait(&work_of(job)->bench->barrier);
    count(job);
}

static void
wait_for_release(struct vl_job *job)
{
    struct bench *b = work_of(job)->bench;
    (void)sem_post(&b->begun);
    while (sem_wait(&b->released) != 0)
        ;
    count(job);
}

static void
give_next(struct vl_job *job)
{
    struct work *work = work_of(job);
    if (work->next)
        work->given =
            vl_pool_run(work->bench->pool, VL_STR("a"), &work->next->job);
    count(job);
}

static void
look_at_signals(struct vl_job *job)
{
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT))
        atomic_store(&work_of(job)->bench->saw_signal, true);
    count(job);
}

static struct work *
make_jobs(struct bench *b, int n, void (*run)(struct vl_job *job))
{
    struct work *jobs = vl_alloc((size_t)n * sizeof *jobs);
    for (int i = 0; i < n; i++) {
        jobs[i].job.run = run;
        jobs[i].bench = b;
        jobs[i].number = i;
    }
    return jobs;
}

static void
runs_everything_before_it_is_gone(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(8, 8)};
    struct work *jobs = make_jobs(&b, JOBS, count);
    for (int i = 0; i < JOBS; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("a"), &jobs[i].job));
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
    struct bench b = {.pool = vl_pool_new(TOGETHER, TOGETHER)};
    struct work *jobs = make_jobs(&b, 5 * TOGETHER, meet);
    assert_int_equal(pthread_barrier_init(&b.barrier, NULL, TOGETHER), 0);
    for (int i = 0; i < 5 * TOGETHER; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("a"), &jobs[i].job));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 5 * TOGETHER);
    (void)pthread_barrier_destroy(&b.barrier);
    free(jobs);
}

static void
keeps_the_order_on_one_thread(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(1, 1)};
    struct work *jobs = make_jobs(&b, JOBS, note_order);
    for (int i = 0; i < JOBS; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("a"), &jobs[i].job));
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
    struct bench b = {.pool = vl_pool_new(3, 3)};
    struct work *jobs = make_jobs(&b, JOBS, give_next);
    for (int i = 0; i + 1 < JOBS; i++)
        jobs[i].next = &jobs[i + 1];
    assert_true(vl_pool_run(b.pool, VL_STR("a"), &jobs[0].job));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), JOBS);
    for (int i = 0; i + 1 < JOBS; i++)
        assert_true(jobs[i].given);
    free(jobs);
}

static void *
give_all(void *arg)
{
    struct work *jobs = arg;
    for (int i = 0; i < JOBS; i++)
        jobs[i].given =
            vl_pool_run(jobs[i].bench->pool, VL_STR("a"), &jobs[i].job);
    return NULL;
}

static void
takes_work_from_many_threads(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(4, 4)};
    pthread_t threads[4];
    struct work *jobs[VL_COUNT(threads)];
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
    struct bench b = {.pool = vl_pool_new(2, 2)};
    struct work *jobs = make_jobs(&b, 10, look_at_signals);
    sigset_t before, after;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (int i = 0; i < 10; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("a"), &jobs[i].job));
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
    struct bench b = {.pool = vl_pool_new(0, 0)};
    struct work *jobs = make_jobs(&b, 1, count);
    assert_false(vl_pool_run(b.pool, VL_STR("a"), &jobs[0].job));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 0);
    free(jobs);
}

/* --- whose it is --- */

static void
open_sems(struct bench *b)
{
    (void)sem_init(&b->begun, 0, 0);
    (void)sem_init(&b->released, 0, 0);
}

static void
await_begun(struct bench *b, int n)
{
    while (n > 0)
        n -= sem_wait(&b->begun) == 0;
}

static void
release(struct bench *b, int n)
{
    while (n-- > 0)
        (void)sem_post(&b->released);
}

static void
keeps_threads_for_others(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(6, 2)};
    struct work *mine = make_jobs(&b, 10, wait_for_release);
    struct work *theirs = make_jobs(&b, 2, wait_for_release);
    open_sems(&b);
    for (int i = 0; i < 10; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("a"), &mine[i].job));
    await_begun(&b, 2);
    for (int i = 0; i < 2; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("b"), &theirs[i].job));
    await_begun(&b, 2);
    assert_null(theirs[0].job.lane);
    assert_null(theirs[1].job.lane);
    assert_int_not_equal(sem_trywait(&b.begun), 0);
    release(&b, 12);
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 12);
    free(mine);
    free(theirs);
}

static void
lets_owners_take_turns(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(1, 1)};
    struct work *first = make_jobs(&b, 1, wait_for_release);
    struct work *works = make_jobs(&b, 5, note_order);
    static const int order[] = {0, 3, 4, 1, 2};
    open_sems(&b);
    assert_true(vl_pool_run(b.pool, VL_STR("x"), &first->job));
    await_begun(&b, 1);
    for (int i = 0; i < 5; i++)
        assert_true(vl_pool_run(b.pool,
                                i < 3    ? VL_STR("a")
                                : i == 3 ? VL_STR("b")
                                         : VL_STR("c"),
                                &works[i].job));
    release(&b, 1);
    vl_pool_free(b.pool);
    for (int i = 0; i < 5; i++)
        assert_int_equal(b.order[i], order[i]);
    free(first);
    free(works);
}

static void
bounds_nobody_by_an_owners_share(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(TOGETHER, 1)};
    struct work *works = make_jobs(&b, 2 * TOGETHER, meet);
    assert_int_equal(pthread_barrier_init(&b.barrier, NULL, TOGETHER), 0);
    for (int i = 0; i < 2 * TOGETHER; i++)
        assert_true(vl_pool_run(b.pool, VL_STR(""), &works[i].job));
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 2 * TOGETHER);
    (void)pthread_barrier_destroy(&b.barrier);
    free(works);
}

static void
gives_back_what_has_not_begun(void **state)
{
    (void)state;
    struct bench b = {.pool = vl_pool_new(4, 1)};
    struct work *works = make_jobs(&b, 4, wait_for_release);
    open_sems(&b);
    assert_false(vl_pool_take(b.pool, &works[0].job));
    for (int i = 0; i < 4; i++)
        assert_true(vl_pool_run(b.pool, VL_STR("a"), &works[i].job));
    await_begun(&b, 1);
    assert_false(vl_pool_take(b.pool, &works[0].job));
    for (int i = 1; i < 4; i++) {
        assert_true(vl_pool_take(b.pool, &works[i].job));
        assert_false(vl_pool_take(b.pool, &works[i].job));
    }
    /* And may be given again. */
    assert_true(vl_pool_run(b.pool, VL_STR("a"), &works[2].job));
    release(&b, 2);
    vl_pool_free(b.pool);
    assert_int_equal(atomic_load(&b.ran), 2);
    free(works);
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
        cmocka_unit_test(keeps_threads_for_others),
        cmocka_unit_test(lets_owners_take_turns),
        cmocka_unit_test(bounds_nobody_by_an_owners_share),
        cmocka_unit_test(gives_back_what_has_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
