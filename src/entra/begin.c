/* SPDX-License-Identifier: Apache-2.0
 *
 * Where to send the browser.
 */
#include "entra/authorize.h"
#include "entra/operation.h"

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    struct vl_str url = {NULL, 0};
    valet_error err = {0};
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_TARGET);
    if (status != VALET_OK)
        err = *why;
    else
        status = vl_authorize_url(facts, &op->query, &text, &err);
    if (status == VALET_OK)
        url = vl_buf_str(&text);
    vl_entra_op_leave(op);
    op->begun(status, url, status == VALET_OK ? NULL : &err, op->ctx);
    vl_entra_op_free(op);
}

/* @spec S-80: everything in this URL is ours or configured; nothing of the
 * client's request is passed on, its `resource` and scopes least of all. */
void
vl_entra_begin(struct vl_idp *idp, const struct vl_idp_begin *in,
               vl_idp_begin_done *done, void *ctx)
{
    struct vl_entra_op *op = vl_entra_op_new(idp, ctx);
    const struct vl_entra_config *config = op->entra->config;
    op->begun = done;
    vl_authorize_write(&op->query,
                       &(struct vl_authorize){
                           .client_id = vl_str_z(config->client_id),
                           .response_mode = "query",
                           .redirect_uri = vl_str_z(config->redirect_uri),
                           .scope = vl_str_z(config->scopes),
                           .state = in->state,
                           .nonce = in->nonce,
                           .code_challenge = in->code_challenge,
                       });
    op->wait.ready = on_facts;
    vl_authority_get(op->entra->authority, &op->wait);
}
