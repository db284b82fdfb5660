/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a sign-in, whatever the flow: tokens have come, and now it is to
 * be proven whose they are (identify.h). The answer is kept meanwhile.
 */
#ifndef VL_ENTRA_ADMIT_H
#define VL_ENTRA_ADMIT_H

#include "entra/grant.h"
#include "entra/identify.h"

struct vl_admit;

struct vl_admit_in {
    struct vl_str nonce; /* copied */
    bool no_nonce;       /* the flow can send none (RFC 8628) */
};

/*
 * Person and answer, or an error; all are borrowed for the call. Tokens that
 * prove nobody are VALET_NEXT_GIVE_UP: they are dropped, unused.
 */
typedef void vl_admit_done(const struct vl_idp_person *person,
                           const struct vl_token_answer *answer,
                           const valet_entra_error *error, void *ctx);
/* The tokens are moved out of the answer, its texts are copied. */
struct vl_admit *
vl_admit_start(const struct vl_grant_desk *desk, const struct vl_admit_in *in,
               struct vl_token_answer *answer, vl_admit_done *done, void *ctx);
/* Silences and frees it; *admit becomes NULL. NULL is fine. */
void vl_admit_abort(struct vl_admit **admit);

#endif
