/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/operation.h"

struct vl_entra_op *
vl_entra_op_new(struct vl_idp *idp, void *ctx)
{
    struct vl_entra_op *op = vl_alloc(sizeof *op);
    op->entra = (struct vl_entra *)(void *)idp;
    op->ctx = ctx;
    op->query = vl_buf_of_secret(VL_LIMIT_TARGET);
    op->nonce = vl_buf_of_secret(VL_LIMIT_TARGET);
    vl_list_init(&op->node);
    vl_list_add_last(&op->entra->operations, &op->node);
    vl_authority_wait_init(&op->wait);
    op->wait.ctx = op;
    return op;
}

void
vl_entra_op_leave(struct vl_entra_op *op)
{
    vl_list_remove(&op->node);
    vl_authority_cancel(&op->wait);
    vl_grant_abort(&op->grant);
    vl_identify_abort(&op->identify);
}

void
vl_entra_op_free(struct vl_entra_op *op)
{
    vl_entra_op_leave(op);
    vl_buf_done(&op->query);
    vl_buf_done(&op->nonce);
    vl_idp_tokens_done(&op->tokens);
    free(op);
}

void
vl_entra_op_keep(struct vl_entra_op *op, struct vl_token_answer *answer)
{
    op->tokens = answer->tokens;
    answer->tokens = (struct vl_idp_tokens){.expires_ms = 0};
}
