/* SPDX-License-Identifier: Apache-2.0 */
#include "io/work.h"

#include <pthread.h>
#include <signal.h>

#include "core/status.h"

struct vl_worker {
    pthread_t thread;
    struct vl_worker_hooks hooks;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t more;
    struct vl_job *first, *last;
    bool stopping;
};

/* Waits for work and cuts one batch off the queue; NULL when it is over. */
static struct vl_job *
take_batch(struct vl_worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    while (!worker->first && !worker->stopping)
        (void)pthread_cond_wait(&worker->more, &worker->lock);
    struct vl_job *batch = worker->first, *end = batch;
    for (size_t n = 1; end && end->next && n < VL_WORKER_BATCH; n++)
        end = end->next;
    if (end) {
        worker->first = end->next;
        end->next = NULL;
    }
    (void)pthread_mutex_unlock(&worker->lock);
    return batch;
}

static void
deliver(struct vl_task *answer)
{
    struct vl_job *job = VL_CONTAINER(answer, struct vl_job, answer);
    job->done(job);
}

static void
run_batch(struct vl_worker *worker, struct vl_job *batch)
{
    const struct vl_worker_hooks *hooks = &worker->hooks;
    if (hooks->begin)
        hooks->begin(hooks->ctx);
    for (struct vl_job *job = batch; job; job = job->next)
        job->run(job);
    bool committed = hooks->end ? hooks->end(hooks->ctx) : true;
    for (struct vl_job *job = batch, *next; job; job = next) {
        next = job->next; /* once posted, the job is its sender's again */
        job->committed = committed;
        job->answer.run = deliver;
        vl_loop_post(job->loop, &job->answer);
    }
}

static void *
work(void *arg)
{
    struct vl_worker *worker = arg;
    for (struct vl_job *batch; (batch = take_batch(worker)) != NULL;)
        run_batch(worker, batch);
    return NULL;
}

valet_status
vl_worker_new(const struct vl_worker_hooks *hooks, struct vl_worker **ret,
              valet_error *err)
{
    struct vl_worker *worker = vl_alloc(sizeof *worker);
    worker->hooks = hooks ? *hooks : (struct vl_worker_hooks){0};
    worker->first = worker->last = NULL;
    worker->stopping = false;
    VL_ASSERT(pthread_mutex_init(&worker->lock, NULL) == 0);
    VL_ASSERT(pthread_cond_init(&worker->more, NULL) == 0);
    /* Signals belong to the loops' threads: a write to disk is not
     * interrupted by them. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&worker->thread, NULL, work, worker);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        (void)pthread_cond_destroy(&worker->more);
        (void)pthread_mutex_destroy(&worker->lock);
        free(worker);
        return vl_fail(err, VALET_INTERNAL, "", "cannot start a thread: %s",
                       strerror(rc));
    }
    *ret = worker;
    return VALET_OK;
}

void
vl_worker_submit(struct vl_worker *worker, struct vl_loop *loop,
                 struct vl_job *job)
{
    job->loop = loop;
    job->next = NULL;
    job->committed = false;
    (void)pthread_mutex_lock(&worker->lock);
    if (worker->first)
        worker->last->next = job;
    else
        worker->first = job;
    worker->last = job;
    (void)pthread_cond_signal(&worker->more);
    (void)pthread_mutex_unlock(&worker->lock);
}

void
vl_worker_free(struct vl_worker *worker)
{
    if (!worker)
        return;
    (void)pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    (void)pthread_cond_signal(&worker->more);
    (void)pthread_mutex_unlock(&worker->lock);
    (void)pthread_join(worker->thread, NULL);
    (void)pthread_cond_destroy(&worker->more);
    (void)pthread_mutex_destroy(&worker->lock);
    free(worker);
}
