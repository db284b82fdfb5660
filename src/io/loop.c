/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include <signal.h>

#include "core/secret.h"
#include "core/status.h"
#include "core/sys.h"
#include "io/handle.h"

/* Timers that start others at once, one after the other. */
#define HOT_MAX 8

void
vl_handle_own(struct vl_handle *object, uv_handle_t *uv,
              void (*close)(struct vl_handle *handle))
{
    object->close = close;
    uv->data = object;
}

static void
free_object(uv_handle_t *uv)
{
    free(uv->data);
}

void
vl_handle_close(uv_handle_t *uv)
{
    if (!uv_is_closing(uv))
        uv_close(uv, free_object);
}

/* --- posted tasks --- */

static struct vl_task *
take_tasks(struct vl_loop *loop)
{
    uv_mutex_lock(&loop->lock);
    struct vl_task *first = loop->first;
    loop->first = loop->last = NULL;
    uv_mutex_unlock(&loop->lock);
    return first;
}

/* Runs what is queued now; what these tasks post waits for the next round, so
 * that they cannot keep sockets from being served. */
static bool
run_tasks(struct vl_loop *loop)
{
    struct vl_task *task = take_tasks(loop), *next;
    bool any = task != NULL;
    for (; task; task = next) {
        next = task->next; /* `run` may free the task */
        task->run(task);
    }
    return any;
}

static void
on_wake(uv_async_t *wake)
{
    (void)run_tasks(VL_CONTAINER(wake, struct vl_loop, wake));
}

void
vl_loop_post(struct vl_loop *loop, struct vl_task *task)
{
    task->next = NULL;
    uv_mutex_lock(&loop->lock);
    bool was_empty = loop->first == NULL;
    if (was_empty)
        loop->first = task;
    else
        loop->last->next = task;
    loop->last = task;
    uv_mutex_unlock(&loop->lock);
    /* Whoever made the list not empty wakes the loop for all that follow. */
    if (was_empty)
        (void)uv_async_send(&loop->wake);
}

/* --- the loop --- */

/*
 * Linux sends SIGPIPE to who writes to a closed connection, and libuv does
 * not suppress it. A handler of the application is left alone.
 */
static void
ignore_sigpipe(void)
{
    struct sigaction old, ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL)
        (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* Between the timers of a round and its sockets. */
static void
on_cool(uv_prepare_t *cool)
{
    VL_CONTAINER(cool, struct vl_loop, cool)->hot = 0;
    (void)uv_prepare_stop(cool);
}

static void
close_cool(struct vl_handle *handle)
{
    struct vl_loop *loop = VL_CONTAINER(handle, struct vl_loop, cool_handle);
    if (!uv_is_closing((uv_handle_t *)&loop->cool))
        uv_close((uv_handle_t *)&loop->cool, NULL);
}

static void
close_wake(struct vl_handle *handle)
{
    struct vl_loop *loop = VL_CONTAINER(handle, struct vl_loop, wake_handle);
    if (!uv_is_closing((uv_handle_t *)&loop->wake))
        uv_close((uv_handle_t *)&loop->wake, NULL);
}

valet_status
vl_loop_new(struct vl_loop **ret, valet_error *err)
{
    ignore_sigpipe();
    vl_hold_standard_descriptors();
    struct vl_loop *loop = vl_alloc(sizeof *loop);
    loop->first = loop->last = NULL;
    loop->firing = false;
    loop->hot = 0;
    int rc = uv_loop_init(&loop->uv);
    if (rc == 0 && (rc = uv_async_init(&loop->uv, &loop->wake, on_wake)) != 0)
        (void)uv_loop_close(&loop->uv);
    if (rc != 0) {
        free(loop);
        return vl_fail(err, VALET_INTERNAL, "", "cannot make an event loop: %s",
                       uv_strerror(rc));
    }
    VL_ASSERT(uv_mutex_init(&loop->lock) == 0);
    vl_handle_own(&loop->wake_handle, (uv_handle_t *)&loop->wake, close_wake);
    VL_ASSERT(uv_prepare_init(&loop->uv, &loop->cool) == 0);
    vl_handle_own(&loop->cool_handle, (uv_handle_t *)&loop->cool, close_cool);
    *ret = loop;
    return VALET_OK;
}

static void
close_any(uv_handle_t *uv, void *ctx)
{
    (void)ctx;
    struct vl_handle *object = uv->data;
    if (!uv_is_closing(uv))
        object->close(object);
}

void
vl_loop_deliver(struct vl_loop *loop)
{
    while (run_tasks(loop))
        continue;
}

void
vl_loop_free(struct vl_loop *loop)
{
    if (!loop)
        return;
    /* Answers that were under way own memory: they are delivered, while
     * everything they may touch is still there. */
    vl_loop_deliver(loop);
    uv_walk(&loop->uv, close_any, NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        continue;
    VL_ASSERT(uv_loop_close(&loop->uv) == 0);
    uv_mutex_destroy(&loop->lock);
    vl_wipe(loop->read, sizeof loop->read); /* requests carry tokens */
    vl_wipe(loop->plain, sizeof loop->plain);
    free(loop);
}

void
vl_loop_run(struct vl_loop *loop)
{
    /* The wake-up handle keeps it running while there is nothing else. */
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void
vl_loop_step(struct vl_loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_ONCE);
}

void
vl_loop_stop(struct vl_loop *loop)
{
    uv_stop(&loop->uv);
}

/* --- timers --- */

struct vl_timer {
    struct vl_handle handle;
    uv_timer_t uv;
    struct vl_loop *loop;
    void (*fire)(void *ctx);
    void *ctx;
};

static void
close_timer(struct vl_handle *handle)
{
    struct vl_timer *timer = VL_CONTAINER(handle, struct vl_timer, handle);
    vl_handle_close((uv_handle_t *)&timer->uv);
}

struct vl_timer *
vl_timer_new(struct vl_loop *loop, void (*fire)(void *ctx), void *ctx)
{
    struct vl_timer *timer = vl_alloc(sizeof *timer);
    timer->loop = loop;
    timer->fire = fire;
    timer->ctx = ctx;
    VL_ASSERT(uv_timer_init(&loop->uv, &timer->uv) == 0);
    vl_handle_own(&timer->handle, (uv_handle_t *)&timer->uv, close_timer);
    return timer;
}

static void
on_timer(uv_timer_t *uv)
{
    struct vl_timer *timer = VL_CONTAINER(uv, struct vl_timer, uv);
    struct vl_loop *loop = timer->loop;
    loop->firing = true;
    timer->fire(timer->ctx);
    loop->firing = false;
}

/* libuv would run a timer that restarts itself with 0 for ever, without looking
 * at its sockets: so only a few are in one round. One that starts another,
 * which starts a request, is no such thing, and need not wait for a millisecond
 * each time. */
static bool
is_too_hot(struct vl_loop *loop)
{
    if (!loop->firing)
        return false;
    if (loop->hot == 0)
        (void)uv_prepare_start(&loop->cool, on_cool);
    return ++loop->hot > HOT_MAX;
}

void
vl_timer_start(struct vl_timer *timer, int64_t ms)
{
    /* Its clock stands still during a callback; ours would end too early. */
    uv_update_time(&timer->loop->uv);
    int64_t least = ms < 1 && is_too_hot(timer->loop) ? 1 : 0;
    (void)uv_timer_start(&timer->uv, on_timer,
                         (uint64_t)(ms < least ? least : ms), 0);
}

void
vl_timer_stop(struct vl_timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
}

void
vl_timer_free(struct vl_timer *timer)
{
    if (timer)
        vl_handle_close((uv_handle_t *)&timer->uv);
}
