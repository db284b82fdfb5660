/* SPDX-License-Identifier: Apache-2.0
 *
 * A client and a tenant for it to ask, each on a thread of its own. The
 * tenant's script is changed only while nothing is asked, or by at_tenant().
 */
#ifndef VL_TEST_LOT_H
#define VL_TEST_LOT_H

#include <pthread.h>
#include <semaphore.h>

#include "../entra/tenant.h"
#include "client/client.h"

#define OID_2 "eeeeeeee-0000-4000-8000-000000000005"
#define SCOPE "User.Read"
#define APP   "api://the-api/.default"

static const char *const some_scopes[] = {SCOPE, NULL};
static const char *const app_scopes[] = {APP, NULL};

struct lot {
    struct bench *bench;
    pthread_t tenant; /* runs the bench's loop */
    struct vl_task stop;
    struct peer_route *device;
    valet_client_options options;
    valet_client *client;
    unsigned told; /* how often the person was shown a code */
    pthread_t told_on;
    char user_code[32];
};

static inline void *
run_tenant(void *ctx)
{
    vl_loop_run(((struct lot *)ctx)->bench->loop);
    return NULL;
}

static inline void
stop_tenant(struct vl_task *task)
{
    vl_loop_stop(VL_CONTAINER(task, struct lot, stop)->bench->loop);
}

struct errand_there {
    struct vl_task task;
    void (*work)(struct lot *l, void *ctx);
    struct lot *lot;
    void *ctx;
    sem_t done;
};

static inline void
do_there(struct vl_task *task)
{
    struct errand_there *errand = VL_CONTAINER(task, struct errand_there, task);
    errand->work(errand->lot, errand->ctx);
    (void)sem_post(&errand->done);
}

/* On the tenant's own thread, while it may be asked. */
static inline void
at_tenant(struct lot *l, void (*work)(struct lot *l, void *ctx), void *ctx)
{
    struct errand_there errand = {
        .task = {.run = do_there}, .work = work, .lot = l, .ctx = ctx};
    assert_int_equal(sem_init(&errand.done, 0, 0), 0);
    vl_loop_post(l->bench->loop, &errand.task);
    while (sem_wait(&errand.done) != 0)
        continue;
    (void)sem_destroy(&errand.done);
}

static inline int
open_lot(void **state)
{
    struct lot *l = vl_alloc(sizeof *l);
    void *bench;
    assert_int_equal(open_bench(&bench), 0);
    *l = (struct lot){.bench = bench, .stop = {.run = stop_tenant}};
    l->device = peer_add(&l->bench->peer, DEVICE);
    peer_say(l->device,
             (struct peer_answer){
                 .status = 200,
                 .body = "{\"device_code\":\"dc\",\"user_code\":\"ABCD-EFGH\","
                         "\"verification_uri\":\"https://login.example/device\""
                         ",\"expires_in\":900,\"interval\":1}"});
    l->options = (valet_client_options){.kind = VALET_CLIENT_PUBLIC,
                                        .client_id = CLIENT,
                                        .tenant = TID,
                                        .authority_host = l->bench->peer.origin,
                                        .cache = VALET_CACHE_MEMORY};
    assert_int_equal(pthread_create(&l->tenant, NULL, run_tenant, l), 0);
    *state = l;
    return 0;
}

static inline int
close_lot(void **state)
{
    struct lot *l = *state;
    void *bench = l->bench;
    valet_client_free(l->client);
    vl_loop_post(l->bench->loop, &l->stop);
    assert_int_equal(pthread_join(l->tenant, NULL), 0);
    free(l);
    return close_bench(&bench);
}

#define IN_LOT(test) cmocka_unit_test_setup_teardown(test, open_lot, close_lot)

static inline void
make_client(struct lot *l)
{
    valet_client_free(l->client);
    l->client = NULL;
    assert_ok(vl_client_new(&l->options, &l->bench->clock, &l->client, NULL));
}

static inline void
be_confidential(struct lot *l)
{
    l->options.kind = VALET_CLIENT_CONFIDENTIAL;
    l->options.client_secret = SECRET;
}

static inline void
note_code(const valet_progress *progress, void *ctx)
{
    struct lot *l = ctx;
    l->told++;
    l->told_on = pthread_self();
    (void)snprintf(l->user_code, sizeof l->user_code, "%s",
                   progress->user_code ? progress->user_code : "");
}

static inline valet_request
sign_in_request(struct lot *l)
{
    return (valet_request){.flow = VALET_FLOW_SIGN_IN,
                           .scopes = some_scopes,
                           .methods = VALET_METHOD_DEVICE_CODE,
                           .tell = note_code,
                           .ctx = l};
}

/* Somebody signs in with a code, at once. */
static inline void
sign_in(struct lot *l)
{
    valet_auth_result result;
    valet_entra_error error;
    valet_request request = sign_in_request(l);
    issue(l->bench, &(struct identity){.nonce = ""});
    if (valet_acquire(l->client, &request, &result, &error) != VALET_OK)
        fail_msg("%s", error.error.message);
    valet_auth_result_done(&result);
}

#endif
