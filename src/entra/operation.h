/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to entra/: the three operations of an identity provider (begin.c,
 * redeem.c, refresh.c) and what they have in common (operation.c).
 *
 * An operation is on its provider's list from birth until its end. It ends by
 * leaving the list, calling back and being freed, in this order: so a
 * callback may free the provider, which frees what is on the list.
 */
#ifndef VL_ENTRA_OPERATION_H
#define VL_ENTRA_OPERATION_H

#include "entra/authority.h"
#include "entra/entra.h"
#include "entra/grant.h"
#include "entra/identify.h"

struct vl_entra {
    struct vl_idp idp; /* first: an idp is cast to its provider */
    const struct vl_entra_config *config;
    const struct vl_clock *clock;
    struct vl_instance instance;
    struct vl_authority *authority;
    struct vl_grant_desk desk;
    struct vl_list operations;
};

struct vl_entra_op {
    struct vl_list node;
    struct vl_entra *entra;
    /* One of the three is under way. */
    struct vl_authority_wait wait;
    struct vl_grant *grant;
    struct vl_identify *identify;
    struct vl_buf query; /* begin */
    struct vl_buf nonce; /* redeem */
    struct vl_idp_tokens tokens;
    vl_idp_begin_done *begun;
    vl_idp_redeem_done *redeemed;
    vl_idp_refresh_done *refreshed;
    void *ctx;
};

struct vl_entra_op *vl_entra_op_new(struct vl_idp *idp, void *ctx);
/* Takes it off its provider: from here on only its owner frees it. */
void vl_entra_op_leave(struct vl_entra_op *op);
void vl_entra_op_free(struct vl_entra_op *op);
/* Moves the tokens out of the answer. */
void vl_entra_op_keep(struct vl_entra_op *op, struct vl_token_answer *answer);

/* The operations of the provider (oauth/idp.h). */
void vl_entra_begin(struct vl_idp *idp, const struct vl_idp_begin *in,
                    vl_idp_begin_done *done, void *ctx);
void vl_entra_redeem(struct vl_idp *idp, const struct vl_idp_redeem *in,
                     vl_idp_redeem_done *done, void *ctx);
void vl_entra_refresh(struct vl_idp *idp, const struct vl_upstream_token *token,
                      vl_idp_refresh_done *done, void *ctx);

#endif
