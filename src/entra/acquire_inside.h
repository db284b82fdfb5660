/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to entra/acquire*.c: one caller's wish, and whose turn it is.
 */
#ifndef VL_ENTRA_ACQUIRE_INSIDE_H
#define VL_ENTRA_ACQUIRE_INSIDE_H

#include "entra/acquire.h"
#include "keep/turn.h"

struct vl_acquire {
    struct vl_list node; /* among those that wait, or renew */
    bool renewing;
    bool ahead;                /* nobody waits for it */
    struct vl_list ahead_node; /* among those, then */
    struct vl_acquirer *acquirer;
    struct vl_timer *timer; /* brings us back from the loop */
    struct vl_grant *grant;
    struct vl_keep_turn turn;
    int64_t turn_until; /* monotonic */
    struct vl_buf home, scopes, claims;
    struct vl_buf hash; /* of the assertion; empty: there is none */
    struct vl_buf assertion;
    struct vl_secret used; /* the refresh token that was sent */
    bool renew;
    vl_acquire_done *done;
    void *ctx;
};

/* --- acquire_ahead.c --- */

/* Begins a renewal of the token that this one was given, unless there is one
 * already, or one has just failed. */
void vl_acquire_ahead(const struct vl_acquire *like);

/* --- acquire_turn.c --- */

/* Do both want the same? */
bool vl_acquire_is_same(const struct vl_acquire *a, const struct vl_acquire *b);

/* True: it renews now; its timer is called again else, when it may be its
 * turn. */
bool vl_acquire_enter(struct vl_acquire *acquire);
/* Nothing happens to it any more; the next ones have their turn. */
void vl_acquire_leave(struct vl_acquire *acquire);
/* Wipes and frees what has left. */
void vl_acquire_release(struct vl_acquire *acquire);
/* Leaves, calls back and is gone. */
void
vl_acquire_tell(struct vl_acquire *acquire, const struct vl_cache_token *token,
                const valet_entra_error *error, const valet_error *unkept);
/* The same for what the token endpoint said, of which all are told who wait for
 * the same. */
void
vl_acquire_tell_all(struct vl_acquire *acquire,
                    const struct vl_cache_token *token,
                    const valet_entra_error *error, const valet_error *unkept);

#endif
