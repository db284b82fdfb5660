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

/* With the lock held: who asked knows what is there. */
static valet_status
know(struct vl_keep *keep, valet_status status)
{
    if (status == VALET_OK)
        keep->known = vl_keep_now(keep);
    return status;
}

static valet_status
change(struct vl_keep *keep, const struct vl_keep_lock *lock,
       struct vl_str document, valet_error *err)
{
    valet_status status = document.n ? keep->ops->write(keep, document, err)
                                     : keep->ops->forget(keep, err);
    keep->changes++;
    /* What is not in a file shows at the lock's. So does a change that failed:
     * nobody can say how far it has come. */
    if (lock->fd >= 0)
        vl_keep_lock_mark(lock);
    return status;
}

valet_status
vl_keep_read(struct vl_keep *keep, struct vl_buf *out, valet_error *err)
{
    vl_auto(vl_keep_lock) lock = {-1};
    VL_ASSERT(out->secret);
    VL_TRY(take_lock(keep, false, &lock, err));
    return know(keep, keep->ops->read(keep, out, err));
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
    return know(keep, change(keep, &lock, vl_buf_str(&new), err));
}

valet_status
vl_keep_forget(struct vl_keep *keep, valet_error *err)
{
    vl_auto(vl_keep_lock) lock = {-1};
    VL_TRY(take_lock(keep, true, &lock, err));
    return change(keep, &lock, VL_STR(""), err);
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
        return change(keep, &lock, vl_buf_str(&old), err);
    VL_TRY(change(keep, &lock, VL_STR("{}"), err));
    return change(keep, &lock, VL_STR(""), err);
}

void
vl_keep_close(struct vl_keep *keep)
{
    if (!keep)
        return;
    keep->ops->free(keep);
    vl_buf_done(&keep->lock);
    free(keep->seen);
    free(keep);
}
