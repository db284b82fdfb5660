/* SPDX-License-Identifier: Apache-2.0 */
#include "client/engine.h"

#include <signal.h>

#include "cache/kept.h"
#include "client/place.h"
#include "client/run.h"
#include "core/status.h"

/* --- its thread --- */

static void *
live(void *ctx)
{
    struct vl_engine *engine = ctx;
    vl_loop_run(engine->loop);
    return NULL;
}

/* Signals are the application's: none is delivered to this thread. */
static int
begin_thread(struct vl_engine *engine)
{
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&engine->thread, NULL, live, engine);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed;
}

static void
stop(struct vl_task *task)
{
    vl_loop_stop(VL_CONTAINER(task, struct vl_engine, stop)->loop);
}

/* --- its life --- */

static void
release(struct vl_engine *engine)
{
    VL_LIST_EACH (node, &engine->runs)
        vl_run_abort(VL_CONTAINER(node, struct vl_run, node));
    VL_LIST_EACH (node, &engine->realms)
        vl_realm_free(VL_CONTAINER(node, struct vl_realm, node));
    vl_broker_free(engine->broker);
    vl_keep_close(engine->keep);
    vl_cache_free(engine->cache);
    vl_throttle_free(engine->throttle);
    vl_fetcher_free(engine->fetcher);
    vl_loop_free(engine->loop);
    free(engine);
}

valet_status
vl_engine_start(struct vl_client *client, struct vl_engine **ret,
                valet_error *err)
{
    struct vl_loop *loop;
    VL_TRY(vl_loop_new(&loop, err));
    struct vl_engine *engine = vl_alloc(sizeof *engine);
    *engine = (struct vl_engine){
        .client = client,
        .loop = loop,
        .stop = {.run = stop},
        .fetcher = vl_fetcher_new(loop),
        .throttle = vl_throttle_new(client->clock),
        .cache = vl_cache_new(NULL),
    };
    vl_list_init(&engine->realms);
    vl_list_init(&engine->runs);
    valet_status status = VALET_OK;
    if (client->config.ca_file)
        status = vl_fetcher_trust(engine->fetcher, client->config.ca_file, err);
    if (status == VALET_OK && begin_thread(engine) != 0)
        status = vl_fail(err, VALET_INTERNAL, "",
                         "cannot begin the client's thread");
    if (status == VALET_OK)
        *ret = engine;
    else
        release(engine);
    return status;
}

void
vl_engine_stop(struct vl_engine *engine)
{
    if (!engine)
        return;
    vl_loop_post(engine->loop, &engine->stop);
    VL_ASSERT(pthread_join(engine->thread, NULL) == 0);
    release(engine);
}

/* --- work for somebody who waits --- */

struct errand {
    struct vl_task task;
    struct vl_engine *engine;
    valet_status (*job)(struct vl_engine *engine, void *ctx, valet_error *err);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_done;
    valet_status status;
    valet_error err;
};

static void
do_errand(struct vl_task *task)
{
    struct errand *errand = VL_CONTAINER(task, struct errand, task);
    valet_status status =
        errand->job(errand->engine, errand->ctx, &errand->err);
    (void)pthread_mutex_lock(&errand->lock);
    errand->status = status;
    errand->is_done = true;
    (void)pthread_cond_signal(&errand->ended);
    (void)pthread_mutex_unlock(&errand->lock);
}

valet_status
vl_engine_do(struct vl_engine *engine,
             valet_status (*job)(struct vl_engine *engine, void *ctx,
                                 valet_error *err),
             void *ctx, valet_error *err)
{
    struct errand errand = {.task = {.run = do_errand},
                            .engine = engine,
                            .job = job,
                            .ctx = ctx,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = PTHREAD_COND_INITIALIZER};
    vl_loop_post(engine->loop, &errand.task);
    (void)pthread_mutex_lock(&errand.lock);
    while (!errand.is_done)
        (void)pthread_cond_wait(&errand.ended, &errand.lock);
    (void)pthread_mutex_unlock(&errand.lock);
    (void)pthread_mutex_destroy(&errand.lock);
    (void)pthread_cond_destroy(&errand.ended);
    if (errand.status != VALET_OK && err)
        *err = errand.err;
    return errand.status;
}

/* --- on its thread --- */

struct vl_str
vl_engine_host(const struct vl_engine *engine)
{
    return vl_instance_environment(&engine->client->config.instance);
}

/* @spec S-25 S-29: checked at first use, not at birth. */
valet_status
vl_engine_open(struct vl_engine *engine, valet_error *err)
{
    if (engine->keep)
        return VALET_OK;
    VL_TRY(vl_place_open(&engine->client->config, &engine->keep, err));
    VL_LIST_EACH (node, &engine->realms)
        VL_CONTAINER(node, struct vl_realm, node)->acquirer.keep = engine->keep;
    return VALET_OK;
}

valet_status
vl_engine_load(struct vl_engine *engine, valet_error *err)
{
    engine->loaded = false;
    VL_TRY(vl_engine_open(engine, err));
    if (engine->keep)
        VL_TRY(vl_cache_load(engine->cache, engine->keep, err));
    engine->loaded = true;
    vl_engine_look(engine);
    return VALET_OK;
}

/* @spec S-29 */
valet_status
vl_engine_refresh(struct vl_engine *engine, valet_error *err)
{
    bool is_known =
        !engine->keep ||
        vl_keep_is_same(vl_keep_now(engine->keep), vl_keep_known(engine->keep));
    return is_known ? VALET_OK : vl_engine_load(engine, err);
}

/* @spec S-29 */
void
vl_engine_look(struct vl_engine *engine)
{
    unsigned merges = vl_cache_merges(engine->cache);
    if (merges != engine->merges)
        vl_ready_empty(engine->client->ready);
    engine->merges = merges;
    if (engine->keep)
        vl_ready_follow(engine->client->ready, engine->keep);
}

valet_status
vl_engine_save(struct vl_engine *engine, valet_error *err)
{
    int64_t now_s = vl_clock_now(engine->client->clock) / 1000;
    vl_ready_empty(engine->client->ready);
    VL_TRY(vl_engine_open(engine, err));
    if (engine->keep)
        return vl_cache_save(engine->cache, engine->keep, now_s, err);
    vl_cache_settle(engine->cache);
    return VALET_OK;
}
