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
#include "json/read.h"

struct vl_entra {
    struct vl_idp idp; /* first: an idp is cast to its provider */
    const struct vl_entra_config *config;
    const struct vl_clock *clock;
    struct vl_fetcher *fetcher;
    struct vl_authority *authority;
    struct vl_list operations;
};

struct vl_entra_op {
    struct vl_list node;
    struct vl_entra *entra;
    struct vl_authority_wait wait;
    struct vl_fetch *fetch;
    struct vl_buf in;      /* begin: the query; redeem: the nonce */
    struct vl_secret form; /* until it is sent */
    /* What Entra answered; redeem keeps it while keys are fetched anew. */
    struct vl_json answer;
    struct vl_idp_tokens tokens;
    struct vl_str id_token; /* slice of `answer` */
    bool asked_for_new_keys;
    vl_idp_begin_done *begun;
    vl_idp_redeem_done *redeemed;
    vl_idp_refresh_done *refreshed;
    void *ctx;
};

struct vl_entra_op *vl_entra_op_new(struct vl_idp *idp, void *ctx);
/* Takes it off its provider: from here on only its owner frees it. */
void vl_entra_op_leave(struct vl_entra_op *op);
void vl_entra_op_free(struct vl_entra_op *op);

/* Asks for the tenant's facts; `ready` gets `op` as its ctx. */
void vl_entra_op_get_facts(struct vl_entra_op *op,
                           void (*ready)(valet_status status,
                                         const struct vl_authority_facts *facts,
                                         const valet_error *err, void *ctx));
/* Completes a form of the token endpoint and keeps it in `op`; one that got
 * too long is not kept. */
void vl_entra_op_set_form(struct vl_entra_op *op, struct vl_buf *form);
/* Sends it: `done` gets `op` as its ctx. VALET_LIMIT if there is none. */
valet_status
vl_entra_op_send(struct vl_entra_op *op, const struct vl_authority_facts *facts,
                 unsigned attempts, vl_fetch_done *done,
                 valet_error *err) VALET_CHECK;
/* What `done` was told, as tokens in `op`. */
valet_status
vl_entra_op_take(struct vl_entra_op *op, valet_status status,
                 const struct vl_fetch_answer *answer, const valet_error *why,
                 valet_error *err) VALET_CHECK;

/* The operations of the provider (oauth/idp.h). */
void vl_entra_begin(struct vl_idp *idp, const struct vl_idp_begin *in,
                    vl_idp_begin_done *done, void *ctx);
void vl_entra_redeem(struct vl_idp *idp, const struct vl_idp_redeem *in,
                     vl_idp_redeem_done *done, void *ctx);
void vl_entra_refresh(struct vl_idp *idp, const struct vl_upstream_token *token,
                      vl_idp_refresh_done *done, void *ctx);

#endif
