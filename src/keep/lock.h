/* SPDX-License-Identifier: Apache-2.0
 *
 * A lock between processes: flock(2) on a file that stays where it is. The
 * kernel gives it back when its holder dies, however that happens; a lock file
 * that is removed would let two in (one holds the old file, one the new).
 */
#ifndef VL_KEEP_LOCK_H
#define VL_KEEP_LOCK_H

#include "core/base.h"

struct vl_keep_lock {
    int fd; /* -1: not held */
};

/* VALET_RETRY after `timeout_ms`; VALET_DENIED: the file is a link, or it is
 * not ours alone; VALET_NOT_FOUND: there is no such folder. */
valet_status
vl_keep_lock_take(const char *path, bool alone, int64_t timeout_ms,
                  struct vl_keep_lock *ret, valet_error *err) VALET_CHECK;
/* Held alone: what the lock protects has changed, which shows at the time of
 * its file. */
void vl_keep_lock_mark(const struct vl_keep_lock *lock);
void vl_keep_lock_done(struct vl_keep_lock *lock);

#endif
