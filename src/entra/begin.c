/* SPDX-License-Identifier: Apache-2.0
 *
 * Where to send the browser.
 */
#include "core/status.h"
#include "entra/operation.h"
#include "http/url.h"

static valet_status
write_url(const struct vl_entra_op *op, const struct vl_authority_facts *facts,
          struct vl_buf *url, valet_error *err)
{
    bool has_query = vl_str_has(facts->authorization_endpoint, '?');
    vl_buf_add(url, facts->authorization_endpoint);
    vl_buf_addc(url, has_query ? '&' : '?');
    vl_buf_add(url, vl_buf_str(&op->in));
    /* A URL that was cut could lack what protects the sign-in. */
    if (vl_buf_check(&op->in, NULL) != VALET_OK ||
        vl_buf_check(url, NULL) != VALET_OK)
        return vl_fail(err, VALET_LIMIT, "",
                       "the URL of the sign-in would be too long");
    return VALET_OK;
}

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
        status = write_url(op, facts, &text, &err);
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
    vl_form_add(&op->in, "client_id", vl_str_z(config->client_id));
    vl_form_add(&op->in, "response_type", VL_STR("code"));
    vl_form_add(&op->in, "response_mode", VL_STR("query"));
    vl_form_add(&op->in, "redirect_uri", vl_str_z(config->redirect_uri));
    vl_form_add(&op->in, "scope", vl_str_z(config->scopes));
    vl_form_add(&op->in, "state", in->state);
    vl_form_add(&op->in, "nonce", in->nonce);
    vl_form_add(&op->in, "code_challenge", in->code_challenge);
    vl_form_add(&op->in, "code_challenge_method", VL_STR("S256"));
    vl_entra_op_get_facts(op, on_facts);
}
