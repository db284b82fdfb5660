/* SPDX-License-Identifier: Apache-2.0
 *
 * New tokens for a refresh token.
 */
#include "entra/operation.h"
#include "http/url.h"

/* A token, escaped, and the rest. */
#define FORM_MAX (4 * VL_LIMIT_UPSTREAM_TOKEN)
/* Entra's old refresh token stays valid, so asking again is safe. */
#define ATTEMPTS 3

static void
end(struct vl_entra_op *op, valet_status status, const valet_error *why)
{
    valet_error err = {0};
    if (status != VALET_OK)
        err = *why;
    err.status = status;
    vl_entra_op_leave(op);
    if (status == VALET_OK)
        op->refreshed(VALET_OK, &op->tokens, NULL, op->ctx);
    else
        op->refreshed(status, NULL, &err, op->ctx);
    vl_entra_op_free(op);
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    valet_error err = {0};
    status = vl_entra_op_take(op, status, answer, why, &err);
    end(op, status, &err);
}

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    valet_error err = {0};
    if (status != VALET_OK) {
        /* VALET_DENIED would end the person's session; that a document was
         * refused says nothing about it. */
        end(op, status == VALET_DENIED ? VALET_RETRY : status, why);
        return;
    }
    status = vl_entra_op_send(op, facts, ATTEMPTS, on_answer, &err);
    if (status != VALET_OK)
        end(op, status, &err);
}

void
vl_entra_refresh(struct vl_idp *idp, const struct vl_upstream_token *token,
                 vl_idp_refresh_done *done, void *ctx)
{
    struct vl_entra_op *op = vl_entra_op_new(idp, ctx);
    vl_auto(vl_buf) form = vl_buf_of_secret(FORM_MAX);
    op->refreshed = done;
    vl_form_add(&form, "grant_type", VL_STR("refresh_token"));
    vl_form_add(&form, "refresh_token", vl_secret_reveal(&token->secret));
    vl_form_add(&form, "scope", vl_str_z(op->entra->config->scopes));
    vl_entra_op_set_form(op, &form);
    vl_entra_op_get_facts(op, on_facts);
}
