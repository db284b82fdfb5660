/* SPDX-License-Identifier: Apache-2.0
 *
 * Token buckets (@spec S-100 W-29): so many per time for each key (address,
 * client, user), with a burst. The table is bounded; when it is full the
 * fullest, i.e. least active, buckets go first. From any thread.
 */
#ifndef VL_GUARD_LIMIT_H
#define VL_GUARD_LIMIT_H

#include "core/str.h"
#include "core/sys.h"

struct vl_limiter;

/* `burst` at once, refilled evenly over `per_ms`. */
struct vl_limiter *
vl_limiter_new(unsigned burst, int64_t per_ms, size_t max_keys,
               const struct vl_clock *clock);
void vl_limiter_free(struct vl_limiter *limiter);
/* Takes one. False: none left; *ret_wait_ms (may be NULL) until the next. */
bool vl_limiter_take(struct vl_limiter *limiter, struct vl_str key,
                     int64_t *ret_wait_ms);

#endif
