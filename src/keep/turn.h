/* SPDX-License-Identifier: Apache-2.0
 *
 * One process at a time renews what is kept: a second lock beside the keep's
 * own (PATH.turn), held over the network, so that those who only read are not
 * kept waiting. A keep in memory has no others: its turn is always had.
 */
#ifndef VL_KEEP_TURN_H
#define VL_KEEP_TURN_H

#include "keep/keep.h"
#include "keep/lock.h"

/* Longer than all attempts of a request to the token endpoint. */
#define VL_LIMIT_KEEP_TURN_MS 45000

struct vl_keep_turn {
    struct vl_keep_lock lock;
};
#define VL_KEEP_NO_TURN ((struct vl_keep_turn){{-1}})

/* Waits for it; VALET_RETRY: others had it all the time. */
valet_status vl_keep_turn_take(struct vl_keep *keep, struct vl_keep_turn *ret,
                               valet_error *err) VALET_CHECK;
void vl_keep_turn_done(struct vl_keep_turn *turn);

#endif
