/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks Microsoft Graph, and who shares an answer. Every request waits for
 * the next turn of the loop. There it is answered from the memory, or joins the
 * flight of the same user and selection that is under way, or finds the host
 * left alone, or begins a flight.
 */
#include "core/status.h"
#include "entra/graph_inside.h"

struct vl_graph {
    struct vl_graph_config config;
    struct vl_graph_breaker breaker;
    struct vl_graph_memory memory;
    struct vl_list ready;   /* requests for the next turn */
    struct vl_list turn;    /* of this one */
    struct vl_list flights; /* all */
    struct vl_map joinable; /* those that more requests may join, by key */
    /* Made when they are needed. */
    struct vl_timer *next_turn, *sweep;
    bool *gone; /* a turn runs, and has to know of the end */
};

struct flight {
    struct vl_list node;
    struct vl_graph *graph; /* NULL: it has gone, and its requests too */
    struct vl_graph_key key;
    struct vl_secret token;
    struct vl_graph_ask *ask;
    struct vl_list waiters;
    bool is_joinable, is_trial, has_landed;
};

struct vl_graph_me {
    struct vl_list node; /* among the ready, or a flight's waiters */
    struct vl_graph *graph;
    struct flight *flight; /* or NULL */
    struct vl_graph_key key;
    struct vl_secret token;
    char *select, *correlation;
    bool is_nameless; /* nobody knows whose profile it would be */
    bool anew;
    bool finishing; /* `done` is running */
    vl_graph_done *done;
    void *ctx;
};

static int64_t
now_of(const struct vl_graph *graph)
{
    return vl_clock_now(graph->config.clock);
}

/* --- answers --- */

static void
release(struct vl_graph_me *op)
{
    vl_list_remove(&op->node);
    vl_secret_done(&op->token);
    free(op->select);
    free(op->correlation);
    free(op);
}

/* May free the client, and abort what it likes. */
static void
deliver(struct vl_graph_me *op, const struct vl_graph_outcome *outcome)
{
    vl_list_remove(&op->node);
    op->flight = NULL;
    op->finishing = true;
    op->done(outcome->status, &outcome->answer,
             outcome->status == VALET_OK ? NULL : &outcome->err, op->ctx);
    release(op);
}

static void
deliver_failure(struct vl_graph_me *op, valet_status status, const char *code,
                int64_t retry_after_ms, const char *text)
{
    struct vl_graph_outcome outcome = {
        .answer = {.retry_after_ms = retry_after_ms, .claims = ""}};
    outcome.status = vl_fail(&outcome.err, status, code, "%s", text);
    deliver(op, &outcome);
}

/* --- flights --- */

/* It is nobody's any more who comes later. */
static void
close_doors(struct flight *flight)
{
    if (flight->is_joinable)
        (void)vl_map_take(&flight->graph->joinable,
                          vl_graph_key_str(&flight->key));
    flight->is_joinable = false;
}

static void
free_flight(struct flight *flight)
{
    vl_list_remove(&flight->node);
    vl_secret_done(&flight->token);
    free(flight);
}

/* Nobody waits for it. */
static void
scrap(struct flight *flight)
{
    if (flight->is_trial)
        vl_graph_breaker_release(&flight->graph->breaker);
    close_doors(flight);
    vl_graph_ask_abort(&flight->ask);
    free_flight(flight);
}

static void take_turn(void *ctx);

static void
make_ready(struct vl_graph *graph, struct vl_graph_me *op)
{
    vl_list_remove(&op->node);
    vl_list_add_last(&graph->ready, &op->node);
    op->flight = NULL;
    if (!graph->next_turn)
        graph->next_turn = vl_timer_new(graph->config.loop, take_turn, graph);
    vl_timer_start(graph->next_turn, 0);
}

/* What is not asked for again has to go all the same. */
static void
sweep(void *ctx)
{
    struct vl_graph *graph = ctx;
    if (vl_graph_memory_sweep(&graph->memory, now_of(graph)))
        vl_timer_start(graph->sweep, graph->config.ttl_ms);
}

static void
remember(struct flight *flight, const struct vl_graph_outcome *outcome)
{
    struct vl_graph *graph = flight->graph;
    bool was_empty = vl_list_is_empty(&graph->memory.entries);
    vl_graph_memory_note(&graph->memory, &flight->key, &flight->token,
                         now_of(graph), outcome);
    if (!was_empty || vl_list_is_empty(&graph->memory.entries))
        return;
    if (!graph->sweep)
        graph->sweep = vl_timer_new(graph->config.loop, sweep, graph);
    vl_timer_start(graph->sweep, graph->config.ttl_ms);
}

/* A refusal is of the token that was sent: who brought another one is heard for
 * themselves. */
static bool
is_told(const struct flight *flight, const struct vl_graph_me *op,
        const struct vl_graph_outcome *outcome)
{
    return outcome->status != VALET_DENIED ||
           vl_secret_eq(&flight->token, &op->token);
}

static void
on_outcome(const struct vl_graph_outcome *outcome, void *ctx)
{
    struct flight *flight = ctx;
    struct vl_graph *graph = flight->graph;
    bool is_wanted = flight->is_joinable; /* else it was to be forgotten */
    flight->ask = NULL;
    flight->has_landed = true;
    vl_graph_breaker_note(&graph->breaker, flight->is_trial, outcome,
                          now_of(graph));
    close_doors(flight);
    if (is_wanted)
        remember(flight, outcome);
    while (!vl_list_is_empty(&flight->waiters)) {
        struct vl_graph_me *op =
            VL_CONTAINER(flight->waiters.next, struct vl_graph_me, node);
        if (is_told(flight, op, outcome))
            deliver(op, outcome);
        else
            make_ready(op->graph, op);
    }
    free_flight(flight);
}

static void
join(struct flight *flight, struct vl_graph_me *op)
{
    vl_list_remove(&op->node);
    vl_list_add_last(&flight->waiters, &op->node);
    op->flight = flight;
}

static void
begin_flight(struct vl_graph *graph, struct vl_graph_me *op, bool is_trial)
{
    struct flight *flight = vl_alloc(sizeof *flight);
    struct vl_graph_ask_request request = {
        .fetcher = graph->config.fetcher,
        .url = graph->config.url,
        .select = op->select,
        .correlation = op->correlation,
        .token = &op->token,
        .once = is_trial,
    };
    flight->graph = graph;
    flight->key = op->key;
    flight->token = vl_secret_of(vl_secret_reveal(&op->token));
    flight->is_trial = is_trial;
    flight->is_joinable = true;
    vl_list_init(&flight->waiters);
    vl_list_init(&flight->node);
    vl_list_add_last(&graph->flights, &flight->node);
    (void)vl_map_put(&graph->joinable, vl_graph_key_str(&flight->key), flight);
    join(flight, op);
    flight->ask = vl_graph_ask_start(&request, on_outcome, flight);
}

/* --- turns --- */

/* It may deliver, and so free the client. */
static void
decide(struct vl_graph *graph, struct vl_graph_me *op)
{
    vl_auto(vl_buf) json = vl_buf_of_secret(VL_GRAPH_MEMORY_ONE);
    struct vl_graph_outcome outcome;
    int64_t wait_ms;
    if (op->is_nameless) {
        deliver_failure(op, VALET_INTERNAL, "", -1,
                        "it is not known whose profile is asked for");
        return;
    }
    if (!op->anew && vl_graph_memory_find(&graph->memory, &op->key, &op->token,
                                          now_of(graph), &outcome, &json)) {
        deliver(op, &outcome);
        return;
    }
    struct flight *flight =
        vl_map_find(&graph->joinable, vl_graph_key_str(&op->key));
    if (flight) {
        join(flight, op);
        return;
    }
    enum vl_graph_way way =
        vl_graph_breaker_ask(&graph->breaker, now_of(graph), &wait_ms);
    if (way == VL_GRAPH_CLOSED)
        deliver_failure(op, VALET_RETRY, "circuit_open", wait_ms,
                        "Microsoft Graph has failed again and again, and is "
                        "left alone for a while");
    else
        begin_flight(graph, op, way == VL_GRAPH_TRIAL);
}

/* Who asks in a callback waits for the next turn: others have theirs. */
static void
take_turn(void *ctx)
{
    struct vl_graph *graph = ctx;
    bool gone = false;
    VL_LIST_EACH (node, &graph->ready) {
        vl_list_remove(node);
        vl_list_add_last(&graph->turn, node);
    }
    graph->gone = &gone;
    while (!gone && !vl_list_is_empty(&graph->turn))
        decide(graph, VL_CONTAINER(graph->turn.next, struct vl_graph_me, node));
    if (!gone)
        graph->gone = NULL;
}

/* --- life --- */

struct vl_graph *
vl_graph_new(const struct vl_graph_config *config)
{
    struct vl_graph *graph = vl_alloc(sizeof *graph);
    graph->config = *config;
    vl_graph_memory_init(&graph->memory, config->ttl_ms);
    vl_map_init(&graph->joinable);
    vl_list_init(&graph->ready);
    vl_list_init(&graph->turn);
    vl_list_init(&graph->flights);
    return graph;
}

static void
release_all(struct vl_list *ops)
{
    VL_LIST_EACH (node, ops)
        release(VL_CONTAINER(node, struct vl_graph_me, node));
}

void
vl_graph_free(struct vl_graph *graph)
{
    if (!graph)
        return;
    if (graph->gone)
        *graph->gone = true;
    release_all(&graph->ready);
    release_all(&graph->turn);
    VL_LIST_EACH (node, &graph->flights) {
        struct flight *flight = VL_CONTAINER(node, struct flight, node);
        release_all(&flight->waiters);
        if (!flight->has_landed) {
            scrap(flight);
            continue;
        }
        /* It frees itself when its callbacks have returned. */
        vl_list_remove(&flight->node);
        flight->graph = NULL;
    }
    vl_timer_free(graph->next_turn);
    vl_timer_free(graph->sweep);
    vl_graph_memory_done(&graph->memory);
    vl_map_done(&graph->joinable);
    free(graph);
}

/* @spec S-43 S-78 S-100 */
struct vl_graph_me *
vl_graph_me_start(struct vl_graph *graph,
                  const struct vl_graph_request *request, vl_graph_done *done,
                  void *ctx)
{
    struct vl_graph_me *op = vl_alloc(sizeof *op);
    op->graph = graph;
    op->key = vl_graph_key_of(request->user, vl_str_z(request->select));
    op->token = vl_secret_of(vl_secret_reveal(&request->token->secret));
    op->select = vl_strdup(request->select ? request->select : "");
    op->correlation =
        vl_strdup(request->correlation ? request->correlation : "");
    op->is_nameless = request->user.n == 0;
    op->anew = request->anew;
    op->done = done;
    op->ctx = ctx;
    vl_list_init(&op->node);
    make_ready(graph, op);
    return op;
}

void
vl_graph_me_abort(struct vl_graph_me **at)
{
    struct vl_graph_me *op = *at;
    *at = NULL;
    /* Inside its own callback it is silent already, and freed after it. */
    if (!op || op->finishing)
        return;
    struct flight *flight = op->flight;
    release(op);
    if (flight && !flight->has_landed && vl_list_is_empty(&flight->waiters))
        scrap(flight);
}

void
vl_graph_forget(struct vl_graph *graph, struct vl_str user)
{
    struct vl_graph_key key = vl_graph_key_of(user, VL_STR(""));
    vl_graph_memory_forget(&graph->memory, key.user);
    VL_LIST_EACH (node, &graph->flights) {
        struct flight *flight = VL_CONTAINER(node, struct flight, node);
        if (memcmp(flight->key.user, key.user, sizeof key.user) == 0)
            close_doors(flight);
    }
}
