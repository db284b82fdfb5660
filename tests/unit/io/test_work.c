/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include <pthread.h>

#include "io/work.h"

enum { JOBS = 1000 };

/* What the worker's thread does; read by the test after it has ended. */
struct bench {
    struct vl_loop *loop;
    struct vl_worker *worker;
    int batches, in_batch, largest, ran;
    bool commits, open, run_in_order, run_right;
    /* What the loop's thread does. */
    int done, committed;
    bool done_in_order, done_here;
    pthread_t here;
    pthread_mutex_t gate;
};

struct task {
    struct vl_job job;
    struct bench *bench;
    int number;
};

static void
begin(void *ctx)
{
    struct bench *b = ctx;
    b->batches++;
    b->in_batch = 0;
    b->open = true;
}

static bool
end(void *ctx)
{
    struct bench *b = ctx;
    if (b->in_batch > b->largest)
        b->largest = b->in_batch;
    b->open = false;
    return b->commits;
}

static void
run(struct vl_job *job)
{
    struct task *task = VL_CONTAINER(job, struct task, job);
    struct bench *b = task->bench;
    b->run_in_order = b->run_in_order && b->ran == task->number;
    b->run_right =
        b->run_right && b->open && !pthread_equal(b->here, pthread_self());
    b->in_batch++;
    b->ran++;
}

static void
wait_at_gate(struct vl_job *job)
{
    struct task *task = VL_CONTAINER(job, struct task, job);
    (void)pthread_mutex_lock(&task->bench->gate);
    (void)pthread_mutex_unlock(&task->bench->gate);
    run(job);
}

static void
done(struct vl_job *job)
{
    struct task *task = VL_CONTAINER(job, struct task, job);
    struct bench *b = task->bench;
    b->done_here = b->done_here && pthread_equal(b->here, pthread_self());
    b->done_in_order = b->done_in_order && b->done == task->number;
    b->committed += job->committed;
    b->done++;
    free(task);
    if (b->done == JOBS)
        vl_loop_stop(b->loop);
}

static void
submit(struct bench *b, int number, void (*what)(struct vl_job *job))
{
    struct task *task = vl_alloc(sizeof *task);
    *task = (struct task){
        .job = {.run = what, .done = done}, .bench = b, .number = number};
    vl_worker_submit(b->worker, b->loop, &task->job);
}

static void
open_bench(struct bench *b, bool commits)
{
    *b = (struct bench){.commits = commits,
                        .run_in_order = true,
                        .run_right = true,
                        .done_in_order = true,
                        .done_here = true,
                        .here = pthread_self()};
    assert_int_equal(pthread_mutex_init(&b->gate, NULL), 0);
    assert_ok(vl_loop_new(&b->loop, NULL));
    struct vl_worker_hooks hooks = {begin, end, b};
    assert_ok(vl_worker_new(&hooks, &b->worker, NULL));
}

static void
answers_in_order_and_in_batches(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, true);
    /* The first job holds the thread while the others come. */
    (void)pthread_mutex_lock(&b.gate);
    submit(&b, 0, wait_at_gate);
    for (int i = 1; i < JOBS; i++)
        submit(&b, i, run);
    assert_int_equal(b.done, 0);
    (void)pthread_mutex_unlock(&b.gate);
    vl_loop_run(b.loop);
    vl_worker_free(b.worker);
    assert_int_equal(b.done, JOBS);
    assert_int_equal(b.committed, JOBS);
    assert_true(b.run_in_order && b.run_right);
    assert_true(b.done_in_order && b.done_here);
    assert_int_equal(b.largest, VL_WORKER_BATCH);
    /* 1 to 256 jobs were in the first; the rest in full ones. */
    assert_in_range(b.batches, JOBS / VL_WORKER_BATCH,
                    JOBS / VL_WORKER_BATCH + 2);
    vl_loop_free(b.loop);
    (void)pthread_mutex_destroy(&b.gate);
}

static void
tells_when_a_batch_did_not_take_effect(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, false);
    for (int i = 0; i < JOBS; i++)
        submit(&b, i, run);
    vl_loop_run(b.loop);
    vl_worker_free(b.worker);
    assert_int_equal(b.done, JOBS);
    assert_int_equal(b.committed, 0);
    vl_loop_free(b.loop);
    (void)pthread_mutex_destroy(&b.gate);
}

static void
finishes_what_is_queued_when_it_is_freed(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, true);
    for (int i = 0; i < JOBS; i++)
        submit(&b, i, run);
    vl_worker_free(b.worker);
    vl_worker_free(NULL);
    assert_int_equal(b.ran, JOBS);
    assert_int_equal(b.done, 0);
    /* The answers wait at the loop, and their memory with them. */
    vl_loop_free(b.loop);
    assert_int_equal(b.done, JOBS);
    assert_true(b.run_in_order && b.done_in_order);
    (void)pthread_mutex_destroy(&b.gate);
}

static void
run_plain(struct vl_job *job)
{
    (void)job;
}

static void
done_plain(struct vl_job *job)
{
    vl_loop_stop(job->loop);
}

static void
works_without_hooks(void **state)
{
    (void)state;
    struct vl_loop *loop;
    struct vl_worker *worker;
    assert_ok(vl_loop_new(&loop, NULL));
    assert_ok(vl_worker_new(NULL, &worker, NULL));
    struct vl_job job = {.run = run_plain, .done = done_plain};
    vl_worker_submit(worker, loop, &job);
    vl_loop_run(loop);
    assert_true(job.committed);
    vl_worker_free(worker);
    vl_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_order_and_in_batches),
        cmocka_unit_test(tells_when_a_batch_did_not_take_effect),
        cmocka_unit_test(finishes_what_is_queued_when_it_is_freed),
        cmocka_unit_test(works_without_hooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
