/* SPDX-License-Identifier: Apache-2.0
 *
 * /auth/callback: the provider sends the browser back. The state finds the
 * sign-in, once; but it finishes only in the browser that approved it: the
 * cookie set by the approval is mandatory, the store's record alone never
 * suffices, and nothing in the request can switch that off (@spec W-06 W-78
 * W-79 SB-08).
 */
#include "issuer/desk.h"

static void
refuse(struct vl_req *req, const char *reason)
{
    vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL, reason);
    vl_req_page_error(req, 400, "This sign-in cannot be finished here",
                      "It was not begun in this browser, took too long, or "
                      "was finished before. Close this window and start again "
                      "in your program.");
}

/* What the client is told of the provider's errors; texts are not passed on.
 */
static const char *
map_error(struct vl_str error)
{
    static const struct {
        const char *theirs, *ours;
    } table[] = {
        {"access_denied", "access_denied"},
        {"consent_required", "access_denied"},
        {"interaction_required", "access_denied"},
        {"login_required", "access_denied"},
        {"temporarily_unavailable", "temporarily_unavailable"},
    };
    for (size_t i = 0; i < VL_COUNT(table); i++)
        if (vl_str_eqz(error, table[i].theirs))
            return table[i].ours;
    return "server_error";
}

static void
redeemed(valet_status status, const struct vl_idp_person *person,
         struct vl_idp_tokens *tokens, const valet_error *err, void *ctx)
{
    struct vl_req *req = ctx;
    vl_op_come_back(&req->op);
    if (status == VALET_DENIED) {
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL,
                     vl_provider_reason(err, "provider_refused"));
        vl_req_redirect(req, (struct vl_str){NULL, 0}, "access_denied",
                        "the identity provider refused");
        return;
    }
    if (status != VALET_OK) {
        /* @spec S-94: a page with a number; sending the browser anywhere
         * would only begin anew. */
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL,
                     vl_provider_reason(err, "provider_unavailable"));
        vl_req_unavailable(req);
        return;
    }
    req->tokens = *tokens;
    *tokens = (struct vl_idp_tokens){0};
    vl_req_set_user(req, vl_str_z(person->user.tid),
                    vl_str_z(person->user.oid));
    struct vl_buf *name = vl_op_value(&req->op);
    struct vl_buf *username = vl_op_value(&req->op);
    vl_buf_add(name, vl_str_head(person->name, 1024));
    vl_buf_add(username, vl_str_head(person->username, 1024));
    req->name = vl_buf_str(name);
    req->username = vl_buf_str(username);
    vl_req_keep_scopes_of(req, person);
    if (!req->flow.scopes.n) {
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL, "no_role");
        vl_req_redirect(req, (struct vl_str){NULL, 0}, "access_denied",
                        "the user has no role that allows this");
        return;
    }
    vl_callback_issue(req);
}

static void
go_on(struct vl_req *req)
{
    struct vl_idp *idp = req->op.issuer->deps.idp;
    struct vl_str error = vl_req_param(req, "error");
    if (error.n) {
        /* @spec W-20 */
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL, map_error(error));
        vl_req_redirect(req, (struct vl_str){NULL, 0}, map_error(error),
                        "the sign-in did not succeed");
        return;
    }
    req->verifier = vl_secret_of(req->flow.verifier);
    vl_op_go_upstream(&req->op);
    idp->ops->redeem(idp,
                     &(struct vl_idp_redeem){.code = vl_req_param(req, "code"),
                                             .code_verifier = &req->verifier,
                                             .nonce = req->flow.nonce},
                     redeemed, req);
}

static void
flow_taken(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_op_read(op, 0, &vl_record_flow, &req->flow);
    if (status == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (status != VALET_OK) {
        refuse(req, "unknown_state");
        return;
    }
    vl_req_set_correlation(req, req->flow.correlation);
    vl_req_set_client_id(req, req->flow.client);
    struct vl_str cookie = vl_cookie_flow(req, req->flow.cookie);
    struct vl_token_id proof = vl_handle_id(&op->issuer->keys, "proof", cookie);
    if (!req->flow.approved || !req->flow.proof.n || !cookie.n ||
        !vl_str_same_secret(vl_str_z(proof.text), req->flow.proof)) {
        refuse(req, "browser_mismatch");
        return;
    }
    go_on(req);
}

void
vl_desk_callback(struct vl_req *req)
{
    if (vl_params_parse(req->in->query, &req->op.arena, &req->params, NULL) !=
            VALET_OK ||
        vl_params_repeat(&req->params, NULL)) {
        refuse(req, "malformed");
        return;
    }
    struct vl_str state = vl_req_param(req, "state");
    bool has_code = vl_req_param(req, "code").n > 0;
    bool has_error = vl_req_param(req, "error").n > 0;
    if (!vl_handle_is_valid(state) || has_code == has_error) {
        refuse(req, "malformed");
        return;
    }
    struct vl_token_id id = vl_handle_id(&req->op.issuer->keys, "state", state);
    (void)vl_store_add(vl_op_ask(&req->op), VL_STORE_TAKE, VL_STORE_FLOW,
                       vl_op_keep(&req->op, vl_str_z(id.text)));
    vl_op_submit(&req->op, flow_taken);
}
