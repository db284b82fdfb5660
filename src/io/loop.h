/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop, one per thread, on libuv (which no room above io/ sees).
 * Everything belongs to the thread that runs its loop, except vl_loop_post().
 *
 * The contract of every operation of the house: starting it never calls back
 * before it returns; after that it calls back exactly once, or never once it
 * was aborted or freed. A callback may free anything, itself included.
 */
#ifndef VL_IO_LOOP_H
#define VL_IO_LOOP_H

#include "core/base.h"

struct vl_loop;

/* Ignores SIGPIPE unless the process has decided about it, and takes the
 * standard descriptors that are closed: none of the loop's is one of them. */
valet_status vl_loop_new(struct vl_loop **ret, valet_error *err) VALET_CHECK;
/* Delivers the tasks that are still queued, then closes what is left without
 * calling anybody back, and frees. NULL is fine. */
void vl_loop_free(struct vl_loop *loop);
/* Delivers the tasks that are queued, and those that they post, without
 * waiting for anything. */
void vl_loop_deliver(struct vl_loop *loop);
/* Runs until vl_loop_stop(). */
void vl_loop_run(struct vl_loop *loop);
/* Runs what is ready, waiting (for ever) until the first event. For tests. */
void vl_loop_step(struct vl_loop *loop);
void vl_loop_stop(struct vl_loop *loop);

/* A message to a loop; the memory is the sender's until `run` is called. */
struct vl_task {
    void (*run)(struct vl_task *task);
    struct vl_task *next;
};
/* From any thread. Messages of one sender arrive in order. */
void vl_loop_post(struct vl_loop *loop, struct vl_task *task);

/* A timer: one shot after `ms`, started and stopped at will. */
struct vl_timer;
struct vl_timer *
vl_timer_new(struct vl_loop *loop, void (*fire)(void *ctx), void *ctx);
void vl_timer_start(struct vl_timer *timer, int64_t ms);
void vl_timer_stop(struct vl_timer *timer);
void vl_timer_free(struct vl_timer *timer); /* NULL is fine */

/* Calls `fire` for each arrival of a signal until the loop is freed. */
valet_status vl_loop_on_signal(struct vl_loop *loop, int signal,
                               void (*fire)(int signal, void *ctx), void *ctx,
                               valet_error *err) VALET_CHECK;

/* A file descriptor of a foreign library (libcurl), watched but not owned. */
enum { VL_WATCH_READ = 1, VL_WATCH_WRITE = 2 };
struct vl_watch;
/* NULL when the kernel cannot watch it. */
struct vl_watch *vl_watch_new(struct vl_loop *loop, int fd,
                              void (*fire)(int events, void *ctx), void *ctx);
void vl_watch_set(struct vl_watch *watch, int events);
/* Before the descriptor is closed. */
void vl_watch_free(struct vl_watch *watch); /* NULL is fine */

#endif
