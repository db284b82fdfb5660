/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/operation.h"

#include "core/status.h"
#include "entra/token_answer.h"
#include "http/url.h"

struct vl_entra_op *
vl_entra_op_new(struct vl_idp *idp, void *ctx)
{
    struct vl_entra_op *op = vl_alloc(sizeof *op);
    op->entra = (struct vl_entra *)(void *)idp;
    op->ctx = ctx;
    op->in = vl_buf_of_secret(VL_LIMIT_TARGET);
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
    vl_fetch_abort(&op->fetch);
}

void
vl_entra_op_free(struct vl_entra_op *op)
{
    vl_entra_op_leave(op);
    vl_buf_done(&op->in);
    vl_secret_done(&op->form);
    vl_json_done(&op->answer);
    vl_idp_tokens_done(&op->tokens);
    free(op);
}

void
vl_entra_op_get_facts(struct vl_entra_op *op,
                      void (*ready)(valet_status status,
                                    const struct vl_authority_facts *facts,
                                    const valet_error *err, void *ctx))
{
    op->wait.ready = ready;
    vl_authority_get(op->entra->authority, &op->wait);
}

/* Adds who we are (@spec S-56: in the body of a back-channel request only). */
void
vl_entra_op_set_form(struct vl_entra_op *op, struct vl_buf *form)
{
    const struct vl_entra_config *config = op->entra->config;
    vl_form_add(form, "client_id", vl_str_z(config->client_id));
    vl_form_add(form, "client_secret", vl_secret_reveal(config->client_secret));
    /* Half a form could mean something else than the whole. */
    if (vl_buf_check(form, NULL) == VALET_OK)
        op->form = vl_secret_of(vl_buf_str(form));
}

valet_status
vl_entra_op_send(struct vl_entra_op *op, const struct vl_authority_facts *facts,
                 unsigned attempts, vl_fetch_done *done, valet_error *err)
{
    if (vl_secret_is_empty(&op->form))
        return vl_fail(err, VALET_LIMIT, "",
                       "the request to Entra ID would be too long");
    struct vl_fetch_request request = {
        .method = "POST",
        .url = facts->token_endpoint.p,
        .form = vl_secret_reveal(&op->form),
        .attempts = attempts,
    };
    op->fetch = vl_fetch_start(op->entra->fetcher, &request, done, op);
    vl_secret_done(&op->form);
    return VALET_OK;
}

valet_status
vl_entra_op_take(struct vl_entra_op *op, valet_status status,
                 const struct vl_fetch_answer *answer, const valet_error *why,
                 valet_error *err)
{
    op->fetch = NULL;
    if (status != VALET_OK)
        return vl_fail(err, VALET_RETRY, "", "cannot reach Entra ID: %s",
                       why ? why->message : "no reason given");
    return vl_token_answer_read(answer, vl_clock_now(op->entra->clock),
                                &op->answer, &op->tokens, &op->id_token, err);
}
