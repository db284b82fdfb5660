/* SPDX-License-Identifier: Apache-2.0
 *
 * Who signed in, for flows that end with an answer of the token endpoint: its
 * id token is checked (identify.h), and the answer kept meanwhile.
 */
#ifndef VL_ENTRA_PERSON_H
#define VL_ENTRA_PERSON_H

#include "entra/grant.h"
#include "oauth/idp.h"

struct vl_person;

/*
 * `error` is NULL, or the other two are. All is borrowed for the call; the
 * tokens may be moved out.
 */
typedef void vl_person_done(const struct vl_idp_person *person,
                            struct vl_token_answer *answer,
                            const valet_entra_error *error, void *ctx);

struct vl_person_in {
    const struct vl_grant_desk *desk; /* borrowed */
    struct vl_token_answer *answer;   /* copied; its tokens are moved out */
    struct vl_str nonce;              /* copied */
    bool no_nonce;                    /* the flow can send none (RFC 8628) */
};

struct vl_person *
vl_person_start(const struct vl_person_in *in, vl_person_done *done, void *ctx);
/* Silences and frees it; *person becomes NULL. NULL is fine. */
void vl_person_abort(struct vl_person **person);

#endif
