/* SPDX-License-Identifier: Apache-2.0 */
#include "io/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/status.h"
#include "io/handle.h"

struct vl_child {
    struct vl_handle handle;
    uv_process_t uv;
    struct vl_loop *loop;
    struct vl_timer *timer; /* to the next step; or NULL */
    int64_t step_ms;
    int next_signal; /* of the ladder; 0: it is at its end */
    bool is_over;
    bool is_free;
    vl_child_ended *ended;
    void *ctx;
};

/* The whole group: a wrapper such as npx passes no signal on. */
static void
signal_all(const struct vl_child *child, int signal)
{
    (void)kill(-(pid_t)child->uv.pid, signal);
}

/* libuv waits for it no more once its handle is closed. */
static void
reap(struct vl_child *child)
{
    pid_t pid = (pid_t)child->uv.pid;
    signal_all(child, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    child->is_over = true;
}

static void
close_handle(struct vl_handle *handle)
{
    struct vl_child *child = VL_CONTAINER(handle, struct vl_child, handle);
    vl_timer_free(child->timer);
    child->timer = NULL;
    if (!child->is_over)
        reap(child);
    vl_handle_close((uv_handle_t *)&child->uv);
}

static void
on_end(uv_process_t *uv, int64_t code, int signal)
{
    struct vl_child *child = VL_CONTAINER(uv, struct vl_child, uv);
    child->is_over = true;
    vl_timer_free(child->timer);
    child->timer = NULL;
    if (child->is_free)
        vl_handle_close((uv_handle_t *)&child->uv);
    else
        child->ended((int)code, signal, child->ctx);
}

static int
spawn(struct vl_child *child, const struct vl_child_spec *spec)
{
    uv_stdio_container_t fds[VL_CHILD_FDS];
    for (size_t i = 0; i < spec->fd_count; i++)
        fds[i] = (uv_stdio_container_t){
            .flags = spec->fds[i] < 0 ? UV_IGNORE : UV_INHERIT_FD,
            .data.fd = spec->fds[i],
        };
    const uv_process_options_t options = {
        .exit_cb = on_end,
        .file = spec->argv[0],
        .args = (char **)(uintptr_t)spec->argv,
        .env = (char **)(uintptr_t)spec->env,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = (int)spec->fd_count,
        .stdio = fds,
    };
    return uv_spawn(&child->loop->uv, &child->uv, &options);
}

valet_status
vl_child_start(struct vl_loop *loop, const struct vl_child_spec *spec,
               vl_child_ended *ended, void *ctx, struct vl_child **ret,
               valet_error *err)
{
    VL_ASSERT(spec->fd_count <= VL_CHILD_FDS);
    struct vl_child *child = vl_alloc(sizeof *child);
    *child = (struct vl_child){
        .loop = loop, .next_signal = SIGTERM, .ended = ended, .ctx = ctx};
    int failed = spawn(child, spec);
    vl_handle_own(&child->handle, (uv_handle_t *)&child->uv, close_handle);
    if (failed) {
        /* libuv has made a handle of it nevertheless. */
        vl_handle_close((uv_handle_t *)&child->uv);
        return vl_fail(
            err, failed == UV_ENOENT ? VALET_NOT_FOUND : VALET_INVALID, "",
            "cannot start %s: %s", spec->argv[0], uv_strerror(failed));
    }
    *ret = child;
    return VALET_OK;
}

/* --- its end --- */

/* @spec ST-05 */
static void
take_step(void *ctx)
{
    struct vl_child *child = ctx;
    if (child->is_over || !child->next_signal)
        return;
    signal_all(child, child->next_signal);
    child->next_signal = child->next_signal == SIGTERM ? SIGKILL : 0;
    if (child->next_signal)
        vl_timer_start(child->timer, child->step_ms);
}

void
vl_child_end(struct vl_child *child, int64_t ms)
{
    if (child->is_over)
        return;
    if (child->timer) {
        take_step(child);
        return;
    }
    child->step_ms = ms;
    child->timer = vl_timer_new(child->loop, take_step, child);
    vl_timer_start(child->timer, ms);
}

/* What it has started and left behind is nobody's now. (A group's number is
 * nobody else's while one of its processes lives.) */
void
vl_child_free(struct vl_child *child)
{
    if (!child || child->is_free)
        return;
    child->is_free = true;
    vl_timer_free(child->timer);
    child->timer = NULL;
    if (child->is_over) {
        signal_all(child, SIGTERM);
        vl_handle_close((uv_handle_t *)&child->uv);
    } else {
        signal_all(child, SIGKILL); /* the rest when it has ended */
    }
}
