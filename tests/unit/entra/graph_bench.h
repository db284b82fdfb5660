/* SPDX-License-Identifier: Apache-2.0
 *
 * A Graph client, a Graph that plays by a script, a clock that the test moves,
 * and callers with what they were told.
 */
#ifndef VL_TEST_GRAPH_BENCH_H
#define VL_TEST_GRAPH_BENCH_H

#include "entra/graph_inside.h"
#include "peer.h"

enum { PATIENCE_MS = 60000, CALLERS = 8, START_MS = 1800000000 };

#define USUAL "displayName,mail,userPrincipalName"
#define USER  "{\"displayName\":\"\xe0\xa6\xa8\",\"mail\":null}"
#define OTHER "{\"displayName\":\"Other\"}"

struct bench;

struct caller {
    struct bench *bench;
    struct vl_upstream_token token;
    struct vl_graph_request request;
    struct vl_graph_me *op;
    /* In the callback. */
    bool abort_self, free_client;
    struct caller *abort_other, *begin_other;
    /* What came. */
    int calls;
    valet_status status;
    valet_error err;
    char json[256], request_id[64], claims[128];
    unsigned throttled;
    bool token_refused, remembered;
    int64_t retry_after_ms;
};

struct bench {
    struct vl_loop *loop;
    struct vl_timer *patience;
    struct vl_fetcher *fetcher;
    struct vl_clock clock;
    int64_t now_ms;
    struct peer peer;
    struct peer_route *me;
    struct vl_graph_config config;
    struct vl_graph *graph;
    struct caller callers[CALLERS];
    int left; /* callbacks until the loop stops */
};

static inline void
out_of_patience(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happens any more");
}

static inline int64_t
read_clock(void *ctx)
{
    return *(int64_t *)ctx;
}

/* In place of the one there is. */
static inline void
make_client(struct bench *b, int64_t ttl_ms)
{
    vl_graph_free(b->graph);
    b->config.ttl_ms = ttl_ms;
    b->graph = vl_graph_new(&b->config);
}

static inline void
bring_token(struct caller *caller, const char *token)
{
    vl_secret_done(&caller->token.secret);
    caller->token.secret = vl_secret_of(vl_str_z(token));
}

static inline int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->patience = vl_timer_new(b->loop, out_of_patience, NULL);
    vl_timer_start(b->patience, PATIENCE_MS);
    b->fetcher = vl_fetcher_new(b->loop);
    b->now_ms = START_MS;
    b->clock = (struct vl_clock){read_clock, &b->now_ms};
    peer_open(&b->peer, b->loop);
    b->me = peer_add(&b->peer, "/v1.0/me");
    b->config = (struct vl_graph_config){.loop = b->loop,
                                         .fetcher = b->fetcher,
                                         .clock = &b->clock,
                                         .url = b->peer.origin};
    make_client(b, 0);
    for (size_t i = 0; i < CALLERS; i++) {
        struct caller *caller = &b->callers[i];
        caller->bench = b;
        bring_token(caller, "the-upstream-token");
        caller->request =
            (struct vl_graph_request){.token = &caller->token,
                                      .user = VL_STR("tenant.person"),
                                      .select = USUAL,
                                      .correlation = "our-correlation"};
    }
    *state = b;
    return 0;
}

static inline int
close_bench(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < CALLERS; i++) {
        vl_graph_me_abort(&b->callers[i].op);
        vl_secret_done(&b->callers[i].token.secret);
    }
    vl_graph_free(b->graph);
    vl_fetcher_free(b->fetcher);
    peer_close(&b->peer);
    vl_timer_free(b->patience);
    vl_loop_free(b->loop);
    free(b);
    return 0;
}

static inline void begin(struct caller *caller);

static inline void
told(valet_status status, const struct vl_graph_answer *answer,
     const valet_error *err, void *ctx)
{
    struct caller *caller = ctx;
    struct bench *b = caller->bench;
    caller->calls++;
    caller->status = status;
    caller->err = err ? *err : (valet_error){.status = VALET_OK};
    assert_true((status == VALET_OK) == (err == NULL));
    assert_non_null(answer);
    (void)snprintf(caller->json, sizeof caller->json, VL_STR_FMT,
                   VL_STR_ARG(answer->json));
    (void)snprintf(caller->claims, sizeof caller->claims, "%s", answer->claims);
    memcpy(caller->request_id, answer->request_id, sizeof caller->request_id);
    caller->throttled = answer->throttled;
    caller->token_refused = answer->token_refused;
    caller->remembered = answer->remembered;
    caller->retry_after_ms = answer->retry_after_ms;
    if (caller->abort_self)
        vl_graph_me_abort(&caller->op);
    caller->op = NULL;
    if (caller->abort_other)
        vl_graph_me_abort(&caller->abort_other->op);
    if (caller->begin_other)
        begin(caller->begin_other);
    if (caller->free_client) {
        vl_graph_free(b->graph);
        b->graph = NULL;
        for (size_t i = 0; i < CALLERS; i++)
            b->callers[i].op = NULL;
    }
    if (--b->left == 0)
        vl_loop_stop(b->loop);
}

static inline void
begin(struct caller *caller)
{
    caller->calls = 0;
    caller->op =
        vl_graph_me_start(caller->bench->graph, &caller->request, told, caller);
    assert_int_equal(caller->calls, 0);
}

/* Until so many have been told. */
static inline void
run(struct bench *b, int callbacks)
{
    b->left = callbacks;
    vl_loop_run(b->loop);
}

static inline void
ask(struct caller *caller)
{
    begin(caller);
    run(caller->bench, 1);
    assert_int_equal(caller->calls, 1);
}

/* Lets the loop have all that is ready; a second is the longest. */
static inline void
wait_for_requests(struct bench *b, unsigned asked)
{
    while (b->me->asked < asked)
        vl_loop_step(b->loop);
}

static inline void
say(struct bench *b, int status, const char *body)
{
    peer_reset(b->me);
    peer_say(b->me, (struct peer_answer){.status = status, .body = body});
}

#endif
