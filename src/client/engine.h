/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's own thread and all that belongs to it: the loop, the network,
 * the cache and where it is kept. What waits, waits here.
 */
#ifndef VL_CLIENT_ENGINE_H
#define VL_CLIENT_ENGINE_H

#include <pthread.h>

#include "broker/broker.h"
#include "cache/cache.h"
#include "client/client.h"
#include "entra/acquire.h"
#include "entra/throttle.h"

struct vl_engine {
    struct vl_client *client;
    pthread_t thread;
    struct vl_loop *loop;
    struct vl_task stop;
    struct vl_fetcher *fetcher;
    struct vl_throttle *throttle;
    struct vl_cache *cache;
    struct vl_keep *keep;     /* NULL: memory, or not opened yet */
    bool loaded;              /* the cache was, and it was read */
    unsigned merges;          /* of the cache, at the last look */
    struct vl_broker *broker; /* NULL until something needs it */
    struct vl_list realms;
    struct vl_list runs;
};

valet_status vl_engine_start(struct vl_client *client, struct vl_engine **ret,
                             valet_error *err) VALET_CHECK;
/* Ends the thread, silences what runs, frees. NULL is fine. */
void vl_engine_stop(struct vl_engine *engine);

/* Runs `job` on the engine's thread and waits for its end. From any other. */
valet_status vl_engine_do(struct vl_engine *engine,
                          valet_status (*job)(struct vl_engine *engine,
                                              void *ctx, valet_error *err),
                          void *ctx, valet_error *err) VALET_CHECK;

/* --- on the engine's thread --- */

/* Opens the keep if there is to be one. It is asked again until it works. */
valet_status
vl_engine_open(struct vl_engine *engine, valet_error *err) VALET_CHECK;
/* Brings the cache up to what is kept. */
valet_status
vl_engine_load(struct vl_engine *engine, valet_error *err) VALET_CHECK;
/* The same, if others have changed what is kept since it was looked at. */
valet_status
vl_engine_refresh(struct vl_engine *engine, valet_error *err) VALET_CHECK;
/* Keeps what was changed; tokens that were given at hand are so no more. */
valet_status
vl_engine_save(struct vl_engine *engine, valet_error *err) VALET_CHECK;
/* If others' changes have come into the cache since the last look, tokens that
 * were given are at hand no more: they may be of who has signed out. */
void vl_engine_look(struct vl_engine *engine);
/* The host of the authority, with its port: what accounts are of. */
struct vl_str vl_engine_host(const struct vl_engine *engine);

#endif
