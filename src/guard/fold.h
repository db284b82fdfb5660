/* SPDX-License-Identifier: Apache-2.0
 *
 * So that strangers cannot fill the disk: refusals that name nobody but a
 * network address are written a few times a second, the rest is counted. The
 * table is bounded too; when it is full of addresses, further ones are counted
 * together. What names a user, client or session always has its own line.
 */
#ifndef VL_GUARD_FOLD_H
#define VL_GUARD_FOLD_H

#include "guard/audit.h"

/* Lines of one event, reason and peer within a window: an attack shows, and
 * is 10 kB a second. */
#define VL_FOLD_LINES     20
#define VL_FOLD_WINDOW_MS 1000
/* More addresses than this within one second are a crowd. */
#define VL_FOLD_ROWS 64
/* Addresses and stable codes are shorter. */
#define VL_FOLD_TEXT 64

struct vl_fold_row {
    enum vl_audit_kind kind;
    char peer[VL_FOLD_TEXT], reason[VL_FOLD_TEXT];
    unsigned lines;
    uint64_t repeated;
};

/* Zeroed it is empty. */
struct vl_fold {
    int64_t since; /* start of the window */
    bool open;     /* something was asked in it */
    size_t count;
    struct vl_fold_row rows[VL_FOLD_ROWS];
    struct vl_fold_row crowd[VL_AUDIT_KIND_COUNT];
};

/* Is the event to be counted rather than written? */
bool vl_fold_take(struct vl_fold *fold, const struct vl_audit_event *event,
                  int64_t now);
bool vl_fold_is_over(const struct vl_fold *fold, int64_t now);
/* Calls `tell` for what was counted, and begins anew. */
void vl_fold_settle(struct vl_fold *fold,
                    void (*tell)(const struct vl_audit_event *event,
                                 uint64_t repeated, void *ctx),
                    void *ctx);

#endif
