/* SPDX-License-Identifier: Apache-2.0
 *
 * What a loop listens to besides its own sockets: signals, and descriptors of
 * foreign libraries.
 */
#include "core/status.h"
#include "io/handle.h"

struct signal_watch {
    struct vl_handle handle;
    uv_signal_t uv;
    void (*fire)(int signal, void *ctx);
    void *ctx;
};

static void
close_signal(struct vl_handle *handle)
{
    struct signal_watch *watch =
        VL_CONTAINER(handle, struct signal_watch, handle);
    vl_handle_close((uv_handle_t *)&watch->uv);
}

static void
on_signal(uv_signal_t *uv, int number)
{
    struct signal_watch *watch = VL_CONTAINER(uv, struct signal_watch, uv);
    watch->fire(number, watch->ctx);
}

valet_status
vl_loop_on_signal(struct vl_loop *loop, int signal,
                  void (*fire)(int signal, void *ctx), void *ctx,
                  valet_error *err)
{
    struct signal_watch *watch = vl_alloc(sizeof *watch);
    watch->fire = fire;
    watch->ctx = ctx;
    int rc = uv_signal_init(&loop->uv, &watch->uv);
    if (rc != 0) {
        free(watch);
        return vl_fail(err, VALET_INTERNAL, "", "cannot watch signals: %s",
                       uv_strerror(rc));
    }
    vl_handle_own(&watch->handle, (uv_handle_t *)&watch->uv, close_signal);
    rc = uv_signal_start(&watch->uv, on_signal, signal);
    if (rc != 0) {
        vl_handle_close((uv_handle_t *)&watch->uv);
        return vl_fail(err, VALET_INTERNAL, "", "cannot watch signal %d: %s",
                       signal, uv_strerror(rc));
    }
    return VALET_OK;
}

struct vl_watch {
    struct vl_handle handle;
    uv_poll_t uv;
    void (*fire)(int events, void *ctx);
    void *ctx;
    int wanted; /* in libuv's words */
};

static void
close_watch(struct vl_handle *handle)
{
    struct vl_watch *watch = VL_CONTAINER(handle, struct vl_watch, handle);
    vl_handle_close((uv_handle_t *)&watch->uv);
}

struct vl_watch *
vl_watch_new(struct vl_loop *loop, int fd, void (*fire)(int events, void *ctx),
             void *ctx)
{
    struct vl_watch *watch = vl_alloc(sizeof *watch);
    watch->fire = fire;
    watch->ctx = ctx;
    watch->wanted = 0;
    if (uv_poll_init(&loop->uv, &watch->uv, fd) != 0) {
        free(watch);
        return NULL;
    }
    vl_handle_own(&watch->handle, (uv_handle_t *)&watch->uv, close_watch);
    return watch;
}

static void
on_poll(uv_poll_t *uv, int status, int events)
{
    struct vl_watch *watch = VL_CONTAINER(uv, struct vl_watch, uv);
    int fired = 0;
    /* libuv stops watching a socket in error; our owners expect a poll(2),
     * which goes on telling. */
    if (status < 0)
        (void)uv_poll_start(uv, watch->wanted, on_poll);
    /* A broken descriptor is both: its owner learns of it by using it. */
    if (status < 0 || (events & UV_READABLE))
        fired |= VL_WATCH_READ;
    if (status < 0 || (events & UV_WRITABLE))
        fired |= VL_WATCH_WRITE;
    if (fired)
        watch->fire(fired, watch->ctx);
}

void
vl_watch_set(struct vl_watch *watch, int events)
{
    int wanted = 0;
    if (events & VL_WATCH_READ)
        wanted |= UV_READABLE;
    if (events & VL_WATCH_WRITE)
        wanted |= UV_WRITABLE;
    watch->wanted = wanted;
    if (wanted)
        (void)uv_poll_start(&watch->uv, wanted, on_poll);
    else
        (void)uv_poll_stop(&watch->uv);
}

void
vl_watch_free(struct vl_watch *watch)
{
    if (watch)
        vl_handle_close((uv_handle_t *)&watch->uv);
}
