/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads for work that waits or computes, each piece beside the others. They
 * are started when there is work that none is free for, and end when there was
 * none for a while.
 */
#ifndef VL_IO_POOL_H
#define VL_IO_POOL_H

#include "io/loop.h"

struct vl_pool;

/* None runs yet; at most `max` will. */
struct vl_pool *vl_pool_new(size_t max);
/* From any thread: in the order they came. False when no thread could be
 * had, and none is there. */
bool vl_pool_run(struct vl_pool *pool, struct vl_task *task) VALET_CHECK;
/* Waits for all that was given to it. NULL is fine. */
void vl_pool_free(struct vl_pool *pool);

#endif
