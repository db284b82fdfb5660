/* SPDX-License-Identifier: Apache-2.0
 *
 * grant_type=refresh_token: every use gives a new one and ends the old one.
 * An old one that comes again was stolen, or the new one was: the family ends
 * (@spec AS-22 W-10, RFC 9700 section 4.14).
 */
#include "guard/policy.h"
#include "issuer/desk.h"
#include "oauth/scope.h"

static void
refuse(struct vl_req *req, const char *reason)
{
    vl_token_refuse(req, VL_AUDIT_TOKEN_REJECT, reason);
}

static void
reuse_ended(struct vl_op *op)
{
    vl_token_family_ended(vl_req_of(op), VL_AUDIT_TOKEN_REUSE, "refresh_reuse");
}

static void start(struct vl_req *req);

static void
rotated(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_op_answer(op)->status;
    if (status == VALET_CONFLICT && ++req->tries < VL_DESK_TRIES) {
        start(req);
        return;
    }
    if (status != VALET_OK) {
        vl_req_unavailable(req);
        return;
    }
    vl_req_audit(req, VL_AUDIT_TOKEN_REFRESH, NULL);
    vl_token_reply(req, &req->answer);
}

static void
rotate(struct vl_req *req, struct vl_str scopes)
{
    (void)vl_op_ask(&req->op);
    vl_token_touch_session(req);
    struct vl_buf *access =
        vl_token_add_access(req, scopes, &req->answer.expires_ms);
    /* The refresh token keeps its scopes (RFC 6749 section 6). */
    struct vl_buf *refresh =
        vl_token_add_refresh(req, req->refresh.scopes, req->refresh_version);
    req->answer.access = vl_buf_str(access);
    req->answer.refresh = vl_buf_str(refresh);
    req->answer.scopes = scopes;
    vl_op_submit(&req->op, rotated);
}

/* Narrower is fine, wider is not; unknown words are ignored as they are at
 * /authorize. False: refuse. */
static bool
choose_scopes(struct vl_req *req, struct vl_str *ret_scopes)
{
    struct vl_str asked = vl_req_param(req, "scope");
    struct vl_buf *known = vl_op_value(&req->op);
    *ret_scopes = req->refresh.scopes;
    if (!asked.n)
        return true;
    if (!vl_scope_is_valid(asked))
        return false;
    vl_scope_filter(known, asked, vl_desk_knows_scope, req->op.issuer);
    if (!vl_policy_has_scopes(req->refresh.scopes, vl_buf_str(known)))
        return false;
    if (vl_buf_size(known))
        *ret_scopes = vl_buf_str(known);
    return true;
}

static void
session_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    struct vl_str scopes;
    valet_status status = vl_op_read(op, 0, &vl_record_session, &req->session);
    if (status == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (status != VALET_OK) {
        refuse(req, status == VALET_DENIED ? "corrupt_record" : "no_session");
        return;
    }
    req->session_version = vl_op_answer(op)->ops[0].version;
    vl_req_set_user(req, req->session.tid, req->session.oid);
    if (!choose_scopes(req, &scopes)) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "wider_scope");
        vl_req_json_error(req, 400, "invalid_scope",
                          "scope: not more than was granted");
        return;
    }
    rotate(req, scopes);
}

static void
check_refresh(struct vl_req *req)
{
    if (!vl_str_eqz(req->refresh.client, req->client_id.text)) {
        refuse(req, "client_mismatch");
        return;
    }
    if (!vl_str_same_secret(req->refresh.current, vl_str_z(req->id.text))) {
        vl_req_end_session(req, reuse_ended);
        return;
    }
    if (vl_desk_now(req->op.issuer) >= req->refresh.expires_ms) {
        refuse(req, "refresh_expired");
        return;
    }
    if (vl_req_wants_other_resource(req, req->refresh.resource)) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "resource_mismatch");
        vl_req_json_error(req, 400, "invalid_target",
                          "the token is for another resource");
        return;
    }
    (void)vl_store_add(vl_op_ask(&req->op), VL_STORE_GET, VL_STORE_SESSION,
                       vl_str_z(req->session_id));
    vl_op_submit(&req->op, session_known);
}

static void
refresh_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status client = vl_client_read(req);
    valet_status refresh = vl_op_read(op, 0, &vl_record_refresh, &req->refresh);
    if (client == VALET_RETRY || refresh == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (client == VALET_NOT_FOUND) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "unknown_client");
        vl_req_json_error(req, 401, "invalid_client", "unknown client");
        return;
    }
    if (client != VALET_OK || refresh != VALET_OK) {
        refuse(req, refresh == VALET_NOT_FOUND ? "unknown_refresh_token"
                                               : "corrupt_record");
        return;
    }
    req->refresh_version = vl_op_answer(op)->ops[0].version;
    vl_req_set_session(req, req->refresh.session);
    check_refresh(req);
}

static void
start(struct vl_req *req)
{
    struct vl_store_batch *batch = vl_op_ask(&req->op);
    (void)vl_store_add(batch, VL_STORE_GET, VL_STORE_REFRESH,
                       vl_str_z(req->family_id.text));
    if (!vl_client_ask(req, batch, vl_req_param(req, "client_id"))) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "unknown_client");
        vl_req_json_error(req, 401, "invalid_client", "unknown client");
        return;
    }
    vl_op_submit(&req->op, refresh_known);
}

void
vl_token_by_refresh(struct vl_req *req)
{
    const struct vl_token_keys *keys = &req->op.issuer->keys;
    struct vl_str token = vl_req_param(req, "refresh_token");
    if (!token.n || !vl_req_param(req, "client_id").n) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "missing_parameter");
        vl_req_json_error(req, 400, "invalid_request",
                          "client_id and refresh_token are needed");
        return;
    }
    if (vl_token_read(keys, VL_TOKEN_REFRESH, token, &req->id, &req->family))
        req->family_id = vl_token_family_id(keys, &req->family);
    else
        memcpy(req->family_id.text, "none", sizeof "none");
    start(req);
}
