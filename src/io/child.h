/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that is started, talked to over descriptors, and ended. It is in a
 * session of its own: a Ctrl-C that is meant for us does not reach it, and what
 * it has started in turn is ended with it. What it leaves behind when it ends
 * by itself, such as a browser, is left alone.
 */
#ifndef VL_IO_CHILD_H
#define VL_IO_CHILD_H

#include <sys/types.h>

#include "io/loop.h"

struct vl_child;

/* Borrowed for the start. */
struct vl_child_spec {
    /* The program, looked for in PATH (that of `env`) unless it has a slash,
     * and its arguments; ends in NULL. No shell reads them. */
    char *const *argv;
    char *const *env; /* "NAME=value", ends in NULL; or NULL: ours */
    /* What it gets as its descriptor 0, 1 and so on; they stay the caller's.
     * -1 is /dev/null, and beyond the first three nothing. */
    const int *fds;
    size_t fd_count; /* VL_CHILD_FDS at most */
};
#define VL_CHILD_FDS 8

/* It has ended: by itself (`signal` is 0) with this code, or by a signal. */
typedef void vl_child_ended(int code, int signal, void *ctx);

valet_status
vl_child_start(struct vl_loop *loop, const struct vl_child_spec *spec,
               vl_child_ended *ended, void *ctx, struct vl_child **ret,
               valet_error *err) VALET_CHECK;
/*
 * Whoever calls this has closed its input, by which it knows that it is to end.
 * After `ms` it and all in its session's group get SIGTERM, after as long again
 * SIGKILL (@spec ST-05). Called once more, the next step comes at once. `ended`
 * tells when it is over.
 */
void vl_child_end(struct vl_child *child, int64_t ms);
/* It is killed if it still runs, and leaves no zombie; `ended` is not called
 * any more. NULL is fine. */
void vl_child_free(struct vl_child *child);

#endif
