/* SPDX-License-Identifier: Apache-2.0
 *
 * A code for tokens, and an id token for a person.
 */
#include "entra/operation.h"
#include "http/url.h"

/* A code and its verifier, escaped, and the rest. */
#define FORM_MAX (4 * VL_LIMIT_TARGET)

static void
fail(struct vl_entra_op *op, valet_status status, const valet_error *why)
{
    valet_error err = *why;
    err.status = status;
    vl_entra_op_leave(op);
    op->redeemed(status, NULL, NULL, &err, op->ctx);
    vl_entra_op_free(op);
}

static void
on_person(valet_status status, const struct vl_idp_person *person,
          const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    op->identify = NULL;
    if (status != VALET_OK) {
        fail(op, status, why);
        return;
    }
    vl_entra_op_leave(op);
    op->redeemed(VALET_OK, person, &op->tokens, NULL, op->ctx);
    vl_entra_op_free(op);
}

static void
on_tokens(struct vl_token_answer *answer, const valet_entra_error *error,
          void *ctx)
{
    struct vl_entra_op *op = ctx;
    op->grant = NULL;
    if (error) {
        /* Only the code can be too long, and it is not one of Entra's. */
        fail(op,
             error->error.status == VALET_LIMIT ? VALET_DENIED
                                                : error->error.status,
             &error->error);
        return;
    }
    struct vl_identify_in in = {.authority = op->entra->authority,
                                .clock = op->entra->clock,
                                .client_id = op->entra->config->client_id,
                                .id_token = answer->id_token,
                                .nonce = vl_buf_str(&op->nonce)};
    vl_entra_op_keep(op, answer);
    op->identify = vl_identify_start(&in, on_person, op);
}

void
vl_entra_redeem(struct vl_idp *idp, const struct vl_idp_redeem *in,
                vl_idp_redeem_done *done, void *ctx)
{
    struct vl_entra_op *op = vl_entra_op_new(idp, ctx);
    const struct vl_entra_config *config = op->entra->config;
    vl_auto(vl_buf) form = vl_buf_of_secret(FORM_MAX);
    op->redeemed = done;
    vl_buf_add(&op->nonce, in->nonce);
    vl_form_add(&form, "grant_type", VL_STR("authorization_code"));
    vl_form_add(&form, "code", in->code);
    vl_form_add(&form, "redirect_uri", vl_str_z(config->redirect_uri));
    vl_form_add(&form, "code_verifier", vl_secret_reveal(in->code_verifier));
    vl_form_add(&form, "scope", vl_str_z(config->scopes));
    /* A code works once: it is never sent twice. */
    op->grant = vl_grant_start(&op->entra->desk, &form, 1, on_tokens, op);
}
