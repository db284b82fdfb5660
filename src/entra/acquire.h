/* SPDX-License-Identifier: Apache-2.0
 *
 * A token for a person who signed in before, for one in whose name we were
 * called, or for the application itself: from the cache, else new for what the
 * cache holds (a refresh token), for the person's assertion (on-behalf-of), or
 * for the proof of the client (client credentials).
 *
 * Renewals for one person, assertion or application are made one at a time, in
 * this process (a queue), and all of those that share a keep (its turn):
 * whoever waited looks into the cache again, so an expired token that many
 * want is renewed once (@spec S-31).
 *
 * The keep is read and written on the loop's thread, which may block for as
 * long as a disk or the Secret Service takes: this is for loops that serve one
 * program, not for a server's. A token in memory is given without a look at
 * the keep: others' sign-outs count from the next renewal on, or when the
 * cache is loaded.
 */
#ifndef VL_ENTRA_ACQUIRE_H
#define VL_ENTRA_ACQUIRE_H

#include "cache/cache.h"
#include "core/list.h"
#include "entra/grant.h"
#include "keep/keep.h"

/* Less than this left is too little to use a token (as MSAL). */
#define VL_ACQUIRE_SKEW_S 300

struct vl_acquire;

/* Of one client at one authority. All borrowed. */
struct vl_acquirer {
    const struct vl_grant_desk *desk;
    struct vl_loop *loop;
    struct vl_cache *cache;
    struct vl_keep *keep;    /* NULL: the cache is all there is */
    struct vl_str host;      /* of the authority, with its port */
    struct vl_str tenant_id; /* of the authority: a GUID */
    /* A renewal that nobody waits for has ended: others' changes may have come
     * into the cache with it. NULL: nobody is told. */
    void (*ahead_ended)(void *ctx);
    void *ctx;
    struct vl_list waiting, renewing, ahead; /* private */
    int64_t ahead_failed_ms;                 /* private */
};

struct vl_acquire_in {
    struct vl_str home_account_id; /* empty: for the application itself */
    /* The token that the application was called with: for its person. Their
     * token is cached for this assertion alone, and found by nobody who does
     * not have it. A secret; empty: none. Not together with the above. */
    struct vl_str assertion;
    struct vl_str scopes; /* separated by spaces */
    struct vl_str claims; /* JSON of a challenge: the cache does not do */
    bool renew;           /* not the token that is there */
};

/*
 * Exactly one of the first two is not NULL; all is borrowed for the call. A
 * token that is to be renewed ahead of time (`refresh_on`) is given as it is;
 * the renewal goes on without the caller. A token that came just now has no
 * `cached_at`. VALET_NEXT_SIGN_IN: nobody is signed in, or not any more; of an
 * assertion, its person has to, where they called us from. `unkept` says why a
 * new token could not be kept; else NULL.
 */
typedef void vl_acquire_done(const struct vl_cache_token *token,
                             const valet_entra_error *error,
                             const valet_error *unkept, void *ctx);

void vl_acquirer_init(struct vl_acquirer *acquirer);
/* Ends the renewals that nobody waits for. */
void vl_acquirer_done(struct vl_acquirer *acquirer);
/* `in` is copied. */
struct vl_acquire *
vl_acquire_start(struct vl_acquirer *acquirer, const struct vl_acquire_in *in,
                 vl_acquire_done *done, void *ctx);
/* Silences and frees it; *acquire becomes NULL. NULL is fine. */
void vl_acquire_abort(struct vl_acquire **acquire);

#endif
