/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "core/map.h"

#define IDLE_SECONDS 5

struct vl_pool_lane {
    struct vl_str owner; /* in `key` */
    struct vl_list jobs; /* that wait */
    struct vl_list in_ready;
    size_t waiting, running, max;
    char key[];
};

struct vl_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, ended;
    struct vl_map lanes;  /* by owner: those with jobs */
    struct vl_list ready; /* lanes of which a job may begin, by turns */
    size_t max, max_each, threads, idle;
    bool closing;
};

struct vl_pool *
vl_pool_new(size_t max, size_t max_each)
{
    struct vl_pool *pool = vl_alloc(sizeof *pool);
    pthread_condattr_t attr;
    VL_ASSERT(pthread_condattr_init(&attr) == 0);
    VL_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    VL_ASSERT(pthread_mutex_init(&pool->lock, NULL) == 0);
    VL_ASSERT(pthread_cond_init(&pool->work, &attr) == 0);
    VL_ASSERT(pthread_cond_init(&pool->ended, NULL) == 0);
    pthread_condattr_destroy(&attr);
    vl_map_init(&pool->lanes);
    vl_list_init(&pool->ready);
    pool->max = max;
    pool->max_each = max_each;
    return pool;
}

/* --- lanes, with the lock held --- */

static struct vl_pool_lane *
find_lane(struct vl_pool *pool, struct vl_str owner)
{
    struct vl_pool_lane *lane = vl_map_find(&pool->lanes, owner);
    if (lane)
        return lane;
    lane = vl_alloc(sizeof *lane + owner.n);
    memcpy(lane->key, owner.p, owner.n);
    lane->owner = vl_str_of(lane->key, owner.n);
    lane->max = owner.n ? pool->max_each : pool->max;
    vl_list_init(&lane->jobs);
    vl_list_init(&lane->in_ready);
    (void)vl_map_put(&pool->lanes, lane->owner, lane);
    return lane;
}

/* After each change. One that is ready keeps its place. */
static void
queue_lane(struct vl_pool *pool, struct vl_pool_lane *lane)
{
    bool ready = lane->waiting && lane->running < lane->max;
    if (!ready)
        vl_list_remove(&lane->in_ready);
    else if (vl_list_is_empty(&lane->in_ready))
        vl_list_add_last(&pool->ready, &lane->in_ready);
    if (lane->waiting || lane->running)
        return;
    (void)vl_map_take(&pool->lanes, lane->owner);
    free(lane);
}

static void
enter_lane(struct vl_job *job, struct vl_pool_lane *lane)
{
    job->lane = lane;
    lane->waiting++;
    vl_list_init(&job->in_lane);
    vl_list_add_last(&lane->jobs, &job->in_lane);
}

static void
leave_lane(struct vl_job *job)
{
    vl_list_remove(&job->in_lane);
    job->lane->waiting--;
    job->lane = NULL;
}

/* How many could begin, if there were threads; more than are idle are not
 * counted. */
static size_t
count_ready(const struct vl_pool *pool)
{
    size_t n = 0;
    VL_LIST_EACH (it, &pool->ready) {
        const struct vl_pool_lane *lane =
            VL_CONTAINER(it, struct vl_pool_lane, in_ready);
        size_t free_places = lane->max - lane->running;
        n += lane->waiting < free_places ? lane->waiting : free_places;
        if (n > pool->idle)
            break;
    }
    return n;
}

/* --- threads --- */

/* With the lock held. NULL: enough of waiting; else a lane with a job. */
static struct vl_pool_lane *
next_lane(struct vl_pool *pool)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    int late = 0;
    pool->idle++;
    while (vl_list_is_empty(&pool->ready) && !pool->closing && !late)
        late = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
    pool->idle--;
    return vl_list_is_empty(&pool->ready)
               ? NULL
               : VL_CONTAINER(pool->ready.next, struct vl_pool_lane, in_ready);
}

static void *
live(void *arg)
{
    struct vl_pool *pool = arg;
    struct vl_pool_lane *lane;
    pthread_mutex_lock(&pool->lock);
    while ((lane = next_lane(pool))) {
        struct vl_job *job =
            VL_CONTAINER(lane->jobs.next, struct vl_job, in_lane);
        leave_lane(job);
        lane->running++;
        vl_list_remove(&lane->in_ready); /* the others' turn */
        queue_lane(pool, lane);
        pthread_mutex_unlock(&pool->lock);
        job->run(job);
        pthread_mutex_lock(&pool->lock);
        lane->running--;
        queue_lane(pool, lane);
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

bool
vl_pool_run(struct vl_pool *pool, struct vl_str owner, struct vl_job *job)
{
    pthread_mutex_lock(&pool->lock);
    struct vl_pool_lane *lane = find_lane(pool, owner);
    enter_lane(job, lane);
    queue_lane(pool, lane);
    bool more = pool->threads < pool->max && count_ready(pool) > pool->idle;
    bool started = more && start_thread(pool);
    bool taken = started || pool->threads > 0;
    if (taken) {
        pthread_cond_signal(&pool->work);
    } else {
        leave_lane(job);
        queue_lane(pool, lane);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

bool
vl_pool_take(struct vl_pool *pool, struct vl_job *job)
{
    pthread_mutex_lock(&pool->lock);
    struct vl_pool_lane *lane = job->lane;
    if (lane) {
        leave_lane(job);
        queue_lane(pool, lane);
    }
    pthread_mutex_unlock(&pool->lock);
    return lane != NULL;
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
    vl_map_done(&pool->lanes);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
