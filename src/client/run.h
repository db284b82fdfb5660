/* SPDX-License-Identifier: Apache-2.0
 *
 * A call on the engine's side: from its request to its last note. Everything
 * here is on the engine's thread.
 */
#ifndef VL_CLIENT_RUN_H
#define VL_CLIENT_RUN_H

#include "client/realm.h"
#include "entra/identify.h"
#include "entra/remember.h"

struct vl_sign_in;

struct vl_run {
    struct vl_list node; /* among the engine's */
    struct vl_engine *engine;
    struct vl_call *call; /* held */
    struct vl_realm *realm;
    char home[VL_HOME_ACCOUNT_SIZE]; /* whose token; "": nobody's yet */
    /* One of these is under way. */
    struct vl_authority_wait wait;
    struct vl_acquire *acquire;
    struct vl_broker_call *broker;
    struct vl_sign_in *sign_in;
};

/* Takes over one hold on the call. */
void vl_run_begin(struct vl_call *call);
/* No note any more. */
void vl_run_abort(struct vl_run *run);
/* The caller has opened the URL that it was given, or has not. */
void vl_run_opened(struct vl_run *run, const valet_error *error);

/* The two ends of a run, which is gone afterwards. */

/* `account` NULL: the application's own token. */
void vl_run_succeed(struct vl_run *run, const struct vl_cache_token *token,
                    const struct vl_cache_account *account, valet_source source,
                    const valet_error *unkept);
void vl_run_fail(struct vl_run *run, const valet_entra_error *error);
/* A failure of ours, before or beside Entra. */
void
vl_run_fail_here(struct vl_run *run, valet_next next, const valet_error *why);
/* What a failure of ours means for the program. */
valet_next vl_run_next_of(const valet_error *why);

/* The flows (silent.c, sign_in.c), begun with the realm known. */
void vl_silent_begin(struct vl_run *run);
void vl_sign_in_begin(struct vl_run *run);
void vl_sign_in_free(struct vl_sign_in *sign_in); /* NULL is fine */
void vl_sign_in_opened(struct vl_sign_in *sign_in, const valet_error *error);

#endif
