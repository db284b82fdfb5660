/* SPDX-License-Identifier: Apache-2.0
 *
 * What a database has to do for the store. Private to this room.
 *
 * A driver sees sealed values only and knows no key. All calls come from one
 * thread: the store's worker. They come in groups (all the batches that wait):
 *
 *     start … step … step … keep      a batch that takes effect
 *     start … step … undo             a batch that does not
 *     commit                          the end of the group
 *
 * Only after `commit` said true is any batch of the group answered.
 */
#ifndef VL_STORE_DRIVER_H
#define VL_STORE_DRIVER_H

#include "store/store.h"

/* One record. What a driver hands out is borrowed for the call. */
struct vl_record {
    struct vl_str key, owner, sealed;
    int64_t expires_ms, version;
};

/* One step of a batch, in the driver's words. */
struct vl_step {
    enum vl_store_verb verb;
    enum vl_section section;
    struct vl_record record; /* key, owner; PUT: all of it, `version` new */
    int64_t if_version;      /* PUT, DELETE */
    int64_t now_ms;          /* records that expired until now are not there */
    /* GET, TAKE, LIST: called for each record found (LIST: only its key, and
     * at most VL_LIMIT_STORE_LIST of them). Not OK ends the step with it. */
    valet_status (*found)(struct vl_step *step, const struct vl_record *record);
    void *ctx;
    int64_t count; /* COUNT, DELETE_OWNED: the answer */
};

struct vl_driver {
    const struct vl_driver_ops *ops;
};

struct vl_driver_ops {
    /* A batch begins; `writes` is false when it only asks. */
    valet_status (*start)(struct vl_driver *driver, bool writes);
    /* As the verbs of store.h; the status is that of the step. */
    valet_status (*step)(struct vl_driver *driver, struct vl_step *step);
    valet_status (*keep)(struct vl_driver *driver);
    void (*undo)(struct vl_driver *driver);
    /* The group ends. False: none of its batches took effect. */
    bool (*commit)(struct vl_driver *driver);
    /* Forgets expired records, looking at no more than `max`; returns how
     * many. Called before `commit`, between batches. */
    int64_t (*sweep)(struct vl_driver *driver, int64_t now_ms, int64_t max);
    void (*free)(struct vl_driver *driver);
};

/* A store that owns this driver. Frees the driver when it cannot be made. */
valet_status
vl_store_new(struct vl_driver *driver, const struct vl_keyring *ring,
             const struct vl_clock *clock, struct vl_store **ret,
             valet_error *err) VALET_CHECK;

/* Is it gone at `now_ms`? 0 means never. */
static inline bool
vl_record_is_expired(const struct vl_record *record, int64_t now_ms)
{
    return record->expires_ms > 0 && record->expires_ms <= now_ms;
}

#endif
