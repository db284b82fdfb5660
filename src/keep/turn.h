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

struct vl_keep_turn {
    struct vl_keep_lock lock;
};
#define VL_KEEP_NO_TURN ((struct vl_keep_turn){{-1}})

/* Does not wait, since who has it may be another on the same loop.
 * VALET_RETRY: somebody has it. */
valet_status vl_keep_turn_try(struct vl_keep *keep, struct vl_keep_turn *ret,
                              valet_error *err) VALET_CHECK;
void vl_keep_turn_done(struct vl_keep_turn *turn);

#endif
