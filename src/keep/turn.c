/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/turn.h"

#include <limits.h>

#include "keep/driver.h"

valet_status
vl_keep_turn_try(struct vl_keep *keep, struct vl_keep_turn *ret,
                 valet_error *err)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    if (vl_buf_size(&keep->lock) == 0)
        return VALET_OK;
    vl_buf_add(&path, vl_buf_str(&keep->lock));
    vl_buf_addz(&path, ".turn");
    VL_TRY(vl_buf_check(&path, err));
    return vl_keep_lock_take(vl_buf_cstr(&path), true, 0, &ret->lock, err);
}

void
vl_keep_turn_done(struct vl_keep_turn *turn)
{
    vl_keep_lock_done(&turn->lock);
}
