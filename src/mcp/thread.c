/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct vl_mcp_gate {
    atomic_size_t holds;
    pthread_mutex_t lock;
    pthread_cond_t done;  /* something that was waited for has run */
    struct vl_loop *loop; /* NULL: closed */
    /* The thread of the loop, or of the last one: a handler that outlived it
     * may ask at any time. */
    _Atomic(pthread_t) home;
    atomic_bool is_settled;
};

struct vl_mcp_gate *
vl_mcp_gate_new(void)
{
    struct vl_mcp_gate *gate = vl_alloc(sizeof *gate);
    atomic_init(&gate->holds, 1);
    VL_ASSERT(pthread_mutex_init(&gate->lock, NULL) == 0);
    VL_ASSERT(pthread_cond_init(&gate->done, NULL) == 0);
    return gate;
}

/* Whose thread runs the loop is not known before it runs. */
void
vl_mcp_gate_open(struct vl_mcp_gate *gate, struct vl_loop *loop)
{
    pthread_mutex_lock(&gate->lock);
    gate->loop = loop;
    pthread_mutex_unlock(&gate->lock);
}

bool
vl_mcp_gate_is_open(struct vl_mcp_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    bool is_open = gate->loop != NULL;
    pthread_mutex_unlock(&gate->lock);
    return is_open;
}

void
vl_mcp_gate_hold(struct vl_mcp_gate *gate)
{
    atomic_fetch_add_explicit(&gate->holds, 1, memory_order_relaxed);
}

void
vl_mcp_gate_release(struct vl_mcp_gate *gate)
{
    if (!gate ||
        atomic_fetch_sub_explicit(&gate->holds, 1, memory_order_acq_rel) > 1)
        return;
    pthread_cond_destroy(&gate->done);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

void
vl_mcp_gate_settle(struct vl_mcp_gate *gate)
{
    pthread_t self = pthread_self();
    if (atomic_load(&gate->is_settled) &&
        pthread_equal(atomic_load(&gate->home), self))
        return;
    atomic_store(&gate->home, self);
    atomic_store(&gate->is_settled, true);
}

void
vl_mcp_gate_close(struct vl_mcp_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->loop = NULL;
    pthread_mutex_unlock(&gate->lock);
}

bool
vl_mcp_gate_is_home(const struct vl_mcp_gate *gate)
{
    return !atomic_load(&gate->is_settled) ||
           pthread_equal(atomic_load(&gate->home), pthread_self());
}

/* A visit to the other thread. */
struct visit {
    struct vl_task task;
    struct vl_mcp_gate *gate; /* held */
    void (*run)(void *ctx);
    void *ctx;
    bool is_waited_for, is_done;
};

static void
arrive(struct vl_task *task)
{
    struct visit *visit = VL_CONTAINER(task, struct visit, task);
    struct vl_mcp_gate *gate = visit->gate;
    visit->run(visit->ctx);
    if (visit->is_waited_for) {
        pthread_mutex_lock(&gate->lock);
        visit->is_done = true; /* and gone, as soon as the lock is free */
        pthread_cond_broadcast(&gate->done);
        pthread_mutex_unlock(&gate->lock);
    } else {
        free(visit);
    }
    vl_mcp_gate_release(gate);
}

/* With the lock held: so the loop is there until it has been posted. */
static bool
send_off(struct vl_mcp_gate *gate, struct visit *visit)
{
    if (!gate->loop)
        return false;
    visit->task.run = arrive;
    vl_mcp_gate_hold(gate);
    vl_loop_post(gate->loop, &visit->task);
    return true;
}

void
vl_mcp_gate_do(struct vl_mcp_gate *gate, void (*run)(void *ctx), void *ctx)
{
    if (vl_mcp_gate_is_home(gate)) {
        run(ctx);
        return;
    }
    struct visit visit = {
        .gate = gate, .run = run, .ctx = ctx, .is_waited_for = true};
    /* What runs may be the end of everything else that holds it. */
    vl_mcp_gate_hold(gate);
    pthread_mutex_lock(&gate->lock);
    bool sent = send_off(gate, &visit);
    while (sent && !visit.is_done)
        pthread_cond_wait(&gate->done, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    vl_mcp_gate_release(gate);
    if (!sent)
        run(ctx);
}

bool
vl_mcp_gate_post(struct vl_mcp_gate *gate, void (*run)(void *ctx), void *ctx)
{
    struct visit *visit = vl_alloc(sizeof *visit);
    *visit = (struct visit){.gate = gate, .run = run, .ctx = ctx};
    pthread_mutex_lock(&gate->lock);
    bool sent = send_off(gate, visit);
    pthread_mutex_unlock(&gate->lock);
    if (!sent)
        free(visit);
    return sent;
}
