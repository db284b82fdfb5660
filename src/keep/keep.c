/* SPDX-License-Identifier: Apache-2.0
 *
 * What all places have in common: the lock around them.
 */
#include "keep/keep.h"

#include "core/status.h"
#include "keep/driver.h"
#include "keep/lock.h"

static valet_status
take_lock(struct vl_keep *keep, bool alone, struct vl_keep_lock *lock,
          valet_error *err)
{
    if (vl_buf_size(&keep->lock) == 0)
        return VALET_OK;
    return vl_keep_lock_take(vl_buf_cstr(&keep->lock), alone,
                             VL_LIMIT_KEEP_LOCK_MS, lock, err);
}

valet_status
vl_keep_read(struct vl_keep *keep, struct vl_buf *out, valet_error *err)
{
    vl_auto(vl_keep_lock) lock = {-1};
    VL_ASSERT(out->secret);
    VL_TRY(take_lock(keep, false, &lock, err));
    return keep->ops->read(keep, out, err);
}

/* @spec S-29 */
valet_status
vl_keep_update(struct vl_keep *keep, vl_keep_edit *edit, void *ctx,
               valet_error *err)
{
    vl_auto(vl_keep_lock) lock = {-1};
    vl_auto(vl_buf) old = vl_buf_of_secret(VL_LIMIT_KEEP);
    vl_auto(vl_buf) new = vl_buf_of_secret(VL_LIMIT_KEEP);
    VL_TRY(take_lock(keep, true, &lock, err));
    VL_TRY(keep->ops->read(keep, &old, err));
    VL_TRY(edit(vl_buf_str(&old), &new, ctx, err));
    VL_TRY(vl_buf_check(&new, err));
    if (vl_buf_size(&new) == 0)
        return keep->ops->forget(keep, err);
    return keep->ops->write(keep, vl_buf_str(&new), err);
}

valet_status
vl_keep_forget(struct vl_keep *keep, valet_error *err)
{
    vl_auto(vl_keep_lock) lock = {-1};
    VL_TRY(take_lock(keep, true, &lock, err));
    return keep->ops->forget(keep, err);
}

/* @spec S-29 W-37 */
valet_status
vl_keep_check(struct vl_keep *keep, valet_error *err)
{
    vl_auto(vl_keep_lock) lock = {-1};
    vl_auto(vl_buf) old = vl_buf_of_secret(VL_LIMIT_KEEP);
    VL_TRY(take_lock(keep, true, &lock, err));
    VL_TRY(keep->ops->read(keep, &old, err));
    if (vl_buf_size(&old))
        return keep->ops->write(keep, vl_buf_str(&old), err);
    VL_TRY(keep->ops->write(keep, VL_STR("{}"), err));
    return keep->ops->forget(keep, err);
}

void
vl_keep_close(struct vl_keep *keep)
{
    if (!keep)
        return;
    keep->ops->free(keep);
    vl_buf_done(&keep->lock);
    free(keep);
}
