/* SPDX-License-Identifier: Apache-2.0
 *
 * The person has signed in: session, one-time code and grant are written
 * together, or nothing is (@spec W-60: there is no code before that).
 */
#include "issuer/desk.h"

static void try_issue(struct vl_req *req);

static void
add_session(struct vl_req *req, int64_t now)
{
    struct vl_op *op = &req->op;
    const struct vl_issuer_config *config = op->issuer->config;
    struct vl_session session = {
        .client = req->flow.client,
        .tid = vl_str_z(req->user.tid),
        .oid = vl_str_z(req->user.oid),
        .name = req->name,
        .username = req->username,
        .resource = req->flow.resource,
        .scopes = req->flow.scopes,
        .access = vl_secret_reveal(&req->tokens.access.secret),
        .refresh = vl_secret_reveal(&req->tokens.refresh.secret),
        .access_expires_ms = req->tokens.expires_ms,
        .created_ms = now,
        .ends_ms = now + config->session_max_ms,
        /* Unless the code is redeemed, Entra's tokens are not kept. */
        .idle_ms = now + VL_LIMIT_CODE_MS};
    struct vl_store_op *step =
        vl_session_put(op, vl_str_z(req->session_id), &session);
    step->if_version = VL_STORE_ABSENT;
}

/* @spec W-19 W-57: bound to all that the sign-in was about. */
static struct vl_buf *
add_code(struct vl_req *req, int64_t now)
{
    struct vl_op *op = &req->op;
    struct vl_token_id id;
    struct vl_buf *text = vl_op_value(op);
    vl_token_mint(&op->issuer->keys, VL_TOKEN_CODE, NULL, text, &id);
    struct vl_code code = {.session = vl_str_z(req->session_id),
                           .client = req->flow.client,
                           .redirect = req->flow.redirect,
                           .challenge = req->flow.challenge,
                           .resource = req->flow.resource,
                           .scopes = req->flow.scopes,
                           .correlation = req->flow.correlation,
                           .expires_ms = now + VL_LIMIT_CODE_MS};
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_CODE, vl_op_keep(op, vl_str_z(id.text)),
                  &vl_record_code, &code);
    step->owner = vl_str_z(req->session_id);
    step->expires_ms = code.expires_ms;
    step->if_version = VL_STORE_ABSENT;
    return text;
}

/* @spec SB-02 W-50: by user, client, and where the answer goes. */
static void
add_grant(struct vl_req *req, int64_t now)
{
    struct vl_op *op = &req->op;
    struct vl_grant grant = {.client = req->flow.client,
                             .redirect = req->flow.redirect,
                             .resource = req->flow.resource,
                             .scopes = req->flow.scopes,
                             .username = req->username,
                             .created_ms = now};
    struct vl_buf *key = vl_op_value(op);
    struct vl_str owner =
        vl_session_owner(op, vl_str_z(req->user.tid), vl_str_z(req->user.oid));
    vl_buf_add(key, owner);
    vl_buf_addc(key, ' ');
    vl_buf_add(key, req->flow.client);
    struct vl_store_op *step = vl_op_put(op, VL_STORE_GRANT, vl_buf_str(key),
                                         &vl_record_grant, &grant);
    step->owner = owner;
    step->expires_ms = now + VL_DESK_GRANT_LIFE_MS;
}

static void
issued(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_op_answer(op)->status;
    if (status == VALET_CONFLICT && ++req->tries < VL_DESK_TRIES) {
        /* Another sign-in has just renewed the client's registration. */
        try_issue(req);
        return;
    }
    if (status != VALET_OK) {
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL, "store_unavailable");
        vl_req_unavailable(req);
        return;
    }
    vl_req_audit(req, VL_AUDIT_CALLBACK_OK, NULL);
    vl_req_audit(req, VL_AUDIT_CODE_ISSUE, NULL);
    vl_session_trim(op->issuer, &req->user);
    vl_req_redirect(req, vl_buf_str(req->code_text), NULL, NULL);
}

static void
client_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_client_read(req);
    int64_t now = vl_desk_now(op->issuer);
    if (status == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (status != VALET_OK ||
        !vl_client_may_redirect(req, req->flow.redirect)) {
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL, "unknown_client");
        vl_req_page_error(req, 400, "This sign-in cannot be finished",
                          "The program is no longer registered here.");
        return;
    }
    vl_session_new_id(op->issuer, req->session_id);
    (void)vl_op_ask(op);
    add_session(req, now);
    req->code_text = add_code(req, now);
    add_grant(req, now);
    vl_client_renew(req);
    vl_op_submit(op, issued);
}

static void
try_issue(struct vl_req *req)
{
    struct vl_store_batch *batch = vl_op_ask(&req->op);
    if (!vl_client_ask(req, batch, req->flow.client))
        vl_req_unavailable(req);
    else
        vl_op_submit(&req->op, client_known);
}

void
vl_callback_issue(struct vl_req *req)
{
    /* What does not fit our records is no sign-in. */
    if (req->tokens.access.secret.size > VL_LIMIT_UPSTREAM_TOKEN ||
        req->tokens.refresh.secret.size > VL_LIMIT_UPSTREAM_TOKEN ||
        !req->user.tid[0] || !req->user.oid[0]) {
        vl_req_audit(req, VL_AUDIT_CALLBACK_FAIL, "provider_answer");
        vl_req_unavailable(req);
        return;
    }
    try_issue(req);
}
