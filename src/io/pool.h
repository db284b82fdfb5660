/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads for work that waits or computes, each piece beside the others. They
 * are started when there is work that none is free for, and end when there was
 * none for a while. Whoever's work it is has a lane: what is in it begins in
 * the order it came, and lanes take turns.
 */
#ifndef VL_IO_POOL_H
#define VL_IO_POOL_H

#include "core/list.h"
#include "core/str.h"

struct vl_pool;
struct vl_pool_lane; /* private */

/* One piece of work; all zero but for `run`. It may be gone when it runs. */
struct vl_job {
    void (*run)(struct vl_job *job);
    struct vl_pool_lane *lane; /* NULL: it does not wait */
    struct vl_list in_lane;
};

/* None runs yet; at most `max` will, and of those `max_each` for one owner. */
struct vl_pool *vl_pool_new(size_t max, size_t max_each);
/* From any thread. The owner "" is nobody: bounded by `max` alone. False when
 * no thread could be had, and none is there. */
bool vl_pool_run(struct vl_pool *pool, struct vl_str owner,
                 struct vl_job *job) VALET_CHECK;
/* Takes back what has not begun; false when it has, or was never given. */
bool vl_pool_take(struct vl_pool *pool, struct vl_job *job);
/* Waits for all that was given to it. NULL is fine. */
void vl_pool_free(struct vl_pool *pool);

#endif
