/* SPDX-License-Identifier: Apache-2.0
 *
 * What a place has to do to be a keep. Private to this room. The lock around
 * it is keep.c's business; `write` and `forget` are called with it held alone,
 * `read` with it held together with other readers.
 */
#ifndef VL_KEEP_DRIVER_H
#define VL_KEEP_DRIVER_H

#include "keep/keep.h"

struct vl_keep {
    const struct vl_keep_ops *ops;
    struct vl_buf lock; /* path of the file to lock; empty: nothing to lock */
    char *seen; /* path of the file at which a change shows; or NULL. Other
                   threads read it: a buffer's text is written by who asks */
    uint64_t changes;          /* by this process */
    struct vl_keep_mark known; /* when the keep was last read or edited */
};

struct vl_keep_ops {
    /* Nothing is appended when there is no document. */
    valet_status (*read)(struct vl_keep *keep, struct vl_buf *out,
                         valet_error *err);
    /* Takes effect as a whole or not at all. */
    valet_status (*write)(struct vl_keep *keep, struct vl_str document,
                          valet_error *err);
    valet_status (*forget)(struct vl_keep *keep, valet_error *err);
    void (*free)(struct vl_keep *keep); /* what is its own */
};

#endif
