/* SPDX-License-Identifier: Apache-2.0
 *
 * /revoke (RFC 7009): either token ends the whole family. A known client hears
 * 200 whatever the token was: it is of no use afterwards, and nobody learns
 * which tokens live (@spec W-11 W-59).
 */
#include "issuer/desk.h"
#include "oauth/error.h"

static void
reply_done(struct vl_req *req)
{
    struct vl_reply reply = {.status = 200};
    vl_oauth_headers(&reply, NULL);
    vl_exchange_reply(req->x, &reply);
    vl_req_end(req);
}

static void
ended(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    vl_session_ended(op->issuer, req->session_id);
    if (vl_op_answer(op)->status != VALET_OK) {
        vl_req_unavailable(req);
        return;
    }
    vl_req_audit(req, VL_AUDIT_TOKEN_REVOKE, NULL);
    reply_done(req);
}

static void
token_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    bool is_access = !req->family_id.text[0];
    valet_status client = vl_client_read(req);
    valet_status token =
        is_access ? vl_op_read(op, 0, &vl_record_access, &req->access)
                  : vl_op_read(op, 0, &vl_record_refresh, &req->refresh);
    if (client == VALET_RETRY || token == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (client == VALET_NOT_FOUND) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REVOKE, "unknown_client");
        vl_req_json_error(req, 401, "invalid_client", "unknown client");
        return;
    }
    struct vl_str owner = is_access ? req->access.client : req->refresh.client;
    if (client != VALET_OK || token != VALET_OK ||
        !vl_str_eqz(owner, req->client_id.text)) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REVOKE,
                     token == VALET_OK ? "client_mismatch" : "unknown_token");
        reply_done(req);
        return;
    }
    vl_req_set_session(req,
                       is_access ? req->access.session : req->refresh.session);
    if (is_access)
        vl_req_set_user(req, req->access.tid, req->access.oid);
    vl_req_end_session(req, ended);
}

/* The prefix tells the kind; token_type_hint is not needed. */
static void
find_token(struct vl_req *req, struct vl_store_batch *batch)
{
    const struct vl_token_keys *keys = &req->op.issuer->keys;
    struct vl_str token = vl_req_param(req, "token");
    if (vl_token_read(keys, VL_TOKEN_REFRESH, token, &req->id, &req->family)) {
        req->family_id = vl_token_family_id(keys, &req->family);
        (void)vl_store_add(batch, VL_STORE_GET, VL_STORE_REFRESH,
                           vl_str_z(req->family_id.text));
        return;
    }
    if (!vl_token_read(keys, VL_TOKEN_ACCESS, token, &req->id, NULL))
        memcpy(req->id.text, "none", sizeof "none");
    (void)vl_store_add(batch, VL_STORE_GET, VL_STORE_ACCESS,
                       vl_str_z(req->id.text));
}

void
vl_desk_revoke(struct vl_req *req)
{
    if (!vl_req_read_form(req) || vl_token_refuses_secret(req))
        return;
    if (vl_params_repeat(&req->params, NULL) || !vl_req_param(req, "token").n) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REVOKE, "malformed");
        vl_req_json_error(req, 400, "invalid_request",
                          "token and client_id are needed, each once");
        return;
    }
    struct vl_store_batch *batch = vl_op_ask(&req->op);
    find_token(req, batch);
    if (!vl_client_ask(req, batch, vl_req_param(req, "client_id"))) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REVOKE, "unknown_client");
        vl_req_json_error(req, 401, "invalid_client", "unknown client");
        return;
    }
    vl_op_submit(&req->op, token_known);
}
