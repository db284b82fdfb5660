/* SPDX-License-Identifier: Apache-2.0
 *
 * New tokens for a refresh token.
 */
#include "entra/operation.h"
#include "http/url.h"

/* Entra's old refresh token stays valid, so asking again is safe. */
#define ATTEMPTS 3

static void
fail(struct vl_entra_op *op, const valet_entra_error *error)
{
    valet_error err = error->error;
    /* VALET_DENIED would end the person's session; that a document of the
     * authority was refused says nothing about it. */
    if (err.status == VALET_DENIED && error->http_status == 0)
        err.status = VALET_RETRY;
    vl_entra_op_leave(op);
    op->refreshed(err.status, NULL, &err, op->ctx);
    vl_entra_op_free(op);
}

static void
on_tokens(struct vl_token_answer *answer, const valet_entra_error *error,
          void *ctx)
{
    struct vl_entra_op *op = ctx;
    op->grant = NULL;
    if (error) {
        fail(op, error);
        return;
    }
    vl_entra_op_keep(op, answer);
    vl_entra_op_leave(op);
    op->refreshed(VALET_OK, &op->tokens, NULL, op->ctx);
    vl_entra_op_free(op);
}

void
vl_entra_refresh(struct vl_idp *idp, const struct vl_upstream_token *token,
                 vl_idp_refresh_done *done, void *ctx)
{
    struct vl_entra_op *op = vl_entra_op_new(idp, ctx);
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
    op->refreshed = done;
    vl_form_add(&form, "grant_type", VL_STR("refresh_token"));
    vl_form_add(&form, "refresh_token", vl_secret_reveal(&token->secret));
    vl_form_add(&form, "scope", vl_str_z(op->entra->config->scopes));
    op->grant =
        vl_grant_start(&op->entra->desk, &form, ATTEMPTS, on_tokens, op);
}
