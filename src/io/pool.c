/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_SECONDS 5

struct vl_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, ended;
    struct vl_task *first, *last;
    size_t max, threads, idle;
    bool closing;
};

struct vl_pool *
vl_pool_new(size_t max)
{
    struct vl_pool *pool = vl_alloc(sizeof *pool);
    pthread_condattr_t attr;
    VL_ASSERT(pthread_condattr_init(&attr) == 0);
    VL_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    VL_ASSERT(pthread_mutex_init(&pool->lock, NULL) == 0);
    VL_ASSERT(pthread_cond_init(&pool->work, &attr) == 0);
    VL_ASSERT(pthread_cond_init(&pool->ended, NULL) == 0);
    pthread_condattr_destroy(&attr);
    pool->max = max;
    return pool;
}

/* With the lock held. NULL: enough of waiting. */
static struct vl_task *
next_task(struct vl_pool *pool)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    int late = 0;
    pool->idle++;
    while (!pool->first && !pool->closing && !late)
        late = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
    pool->idle--;
    struct vl_task *task = pool->first;
    if (task) {
        pool->first = task->next;
        if (!pool->first)
            pool->last = NULL;
    }
    return task;
}

static void *
live(void *arg)
{
    struct vl_pool *pool = arg;
    struct vl_task *task;
    pthread_mutex_lock(&pool->lock);
    while ((task = next_task(pool))) {
        pthread_mutex_unlock(&pool->lock);
        task->run(task);
        pthread_mutex_lock(&pool->lock);
    }
    pool->threads--;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals are the business of whoever runs the loop. */
static bool
start_thread(struct vl_pool *pool)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, live, pool) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started) {
        pthread_detach(thread);
        pool->threads++;
    }
    return started;
}

static size_t
count_waiting(const struct vl_pool *pool)
{
    size_t n = 0;
    for (const struct vl_task *task = pool->first; task && n <= pool->idle;
         task = task->next)
        n++;
    return n;
}

bool
vl_pool_run(struct vl_pool *pool, struct vl_task *task)
{
    pthread_mutex_lock(&pool->lock);
    bool more = pool->threads < pool->max && count_waiting(pool) >= pool->idle;
    bool started = more && start_thread(pool);
    bool taken = started || pool->threads > 0;
    if (taken) {
        task->next = NULL;
        if (pool->last)
            pool->last->next = task;
        else
            pool->first = task;
        pool->last = task;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

void
vl_pool_free(struct vl_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    while (pool->threads)
        pthread_cond_wait(&pool->ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
