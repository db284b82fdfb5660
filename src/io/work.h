/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread for work that can only block. Jobs run in the order they came,
 * in batches: all that is waiting when the thread wakes is one batch, between
 * `begin` and `end` (a database makes it one transaction). The answers go to
 * the loop of each sender after `end`, so what is answered is committed.
 */
#ifndef VL_IO_WORK_H
#define VL_IO_WORK_H

#include "core/list.h"
#include "io/loop.h"

struct vl_worker;

struct vl_worker_hooks {
    void (*begin)(void *ctx);
    /* False: the batch did not take effect; jobs see it as `committed`. */
    bool (*end)(void *ctx);
    void *ctx;
};

struct vl_job {
    struct vl_task answer;            /* private */
    struct vl_job *next;              /* private */
    struct vl_loop *loop;             /* private */
    bool committed;                   /* what the batch's `end` returned */
    void (*run)(struct vl_job *job);  /* on the worker's thread */
    void (*done)(struct vl_job *job); /* on the sender's loop */
};

/* A batch holds at most this many jobs, so that answers are not late. */
#define VL_WORKER_BATCH 256

valet_status
vl_worker_new(const struct vl_worker_hooks *hooks, struct vl_worker **ret,
              valet_error *err) VALET_CHECK;
/* From any thread that runs `loop`. The job lives until `done` was called. */
void vl_worker_submit(struct vl_worker *worker, struct vl_loop *loop,
                      struct vl_job *job);
/* Finishes what is queued, ends the thread; the answers are still posted, so
 * free the loops after it. */
void vl_worker_free(struct vl_worker *worker);

#endif
