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
    vl_buf_add(url, vl_buf_str(&op->query));
    /* A URL that was cut could lack what protects the sign-in. */
    if (vl_buf_check(&op->query, NULL) != VALET_OK ||
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
    vl_form_add(&op->query, "client_id", vl_str_z(config->client_id));
    vl_form_add(&op->query, "response_type", VL_STR("code"));
    vl_form_add(&op->query, "response_mode", VL_STR("query"));
    vl_form_add(&op->query, "redirect_uri", vl_str_z(config->redirect_uri));
    vl_form_add(&op->query, "scope", vl_str_z(config->scopes));
    vl_form_add(&op->query, "state", in->state);
    vl_form_add(&op->query, "nonce", in->nonce);
    vl_form_add(&op->query, "code_challenge", in->code_challenge);
    vl_form_add(&op->query, "code_challenge_method", VL_STR("S256"));
    op->wait.ready = on_facts;
    vl_authority_get(op->entra->authority, &op->wait);
}
