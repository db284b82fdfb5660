/* SPDX-License-Identifier: Apache-2.0
 *
 * grant_type=authorization_code (RFC 6749 section 4.1.3): one code, once, from
 * the client it was made for, with everything it is bound to.
 */
#include "issuer/desk.h"
#include "oauth/pkce.h"

static void
refuse(struct vl_req *req, const char *reason)
{
    vl_token_refuse(req, VL_AUDIT_CODE_REJECT, reason);
}

/* --- replay --- */

static void
replay_ended(struct vl_op *op)
{
    vl_token_family_ended(vl_req_of(op), VL_AUDIT_CODE_REPLAY, "code_replay");
}

/* --- issue --- */

static void start(struct vl_req *req);

static void
issued(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_op_answer(op)->status;
    if (status == VALET_CONFLICT && ++req->tries < VL_DESK_TRIES) {
        /* Redeemed by somebody else just now, or ended: look again. */
        start(req);
        return;
    }
    if (status != VALET_OK) {
        vl_req_unavailable(req);
        return;
    }
    vl_req_audit(req, VL_AUDIT_CODE_REDEEM, NULL);
    vl_req_audit(req, VL_AUDIT_TOKEN_ISSUE, NULL);
    vl_token_reply(req, &req->answer);
}

static void
issue(struct vl_req *req)
{
    struct vl_op *op = &req->op;
    (void)vl_op_ask(op);
    /* @spec W-57: kept as used, so that a replay is seen. */
    struct vl_code used = req->code;
    used.used = true;
    struct vl_store_op *step = vl_op_put(
        op, VL_STORE_CODE, vl_str_z(req->id.text), &vl_record_code, &used);
    step->owner = vl_str_z(req->session_id);
    step->expires_ms = vl_desk_now(op->issuer) + VL_DESK_USED_CODE_MS;
    step->if_version = req->code_version;

    vl_token_touch_session(req);
    vl_random(req->family.bytes, sizeof req->family.bytes);
    struct vl_buf *access =
        vl_token_add_access(req, req->code.scopes, &req->answer.expires_ms);
    struct vl_buf *refresh =
        vl_token_add_refresh(req, req->code.scopes, VL_STORE_ABSENT);
    req->answer.access = vl_buf_str(access);
    req->answer.refresh = vl_buf_str(refresh);
    req->answer.scopes = req->code.scopes;
    vl_op_submit(op, issued);
}

static void
session_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
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
    issue(req);
}

/* @spec W-19 AS-18 AS-23: all bindings, byte for byte. */
static const char *
find_mismatch(const struct vl_req *req)
{
    if (!vl_str_eqz(req->code.client, req->client_id.text))
        return "client_mismatch";
    if (vl_desk_now(req->op.issuer) >= req->code.expires_ms)
        return "code_expired";
    if (!vl_str_eq(req->code.redirect, vl_req_param(req, "redirect_uri")))
        return "redirect_mismatch";
    if (!vl_pkce_verify(vl_req_param(req, "code_verifier"),
                        req->code.challenge))
        return "verifier_mismatch";
    return NULL;
}

static void
check_code(struct vl_req *req)
{
    const char *mismatch = find_mismatch(req);
    if (req->code.used) {
        /* @spec W-57 */
        vl_req_end_session(req, replay_ended);
        return;
    }
    if (mismatch) {
        refuse(req, mismatch);
        return;
    }
    if (vl_req_wants_other_resource(req, req->code.resource)) {
        vl_req_audit(req, VL_AUDIT_CODE_REJECT, "resource_mismatch");
        vl_req_json_error(req, 400, "invalid_target",
                          "the code is for another resource");
        return;
    }
    (void)vl_store_add(vl_op_ask(&req->op), VL_STORE_GET, VL_STORE_SESSION,
                       vl_str_z(req->session_id));
    vl_op_submit(&req->op, session_known);
}

static void
code_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status client = vl_client_read(req);
    valet_status code = vl_op_read(op, 0, &vl_record_code, &req->code);
    if (client == VALET_RETRY || code == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (client == VALET_NOT_FOUND) {
        /* @spec 4.4-5: by this clients know to register again. */
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "unknown_client");
        vl_req_json_error(req, 401, "invalid_client", "unknown client");
        return;
    }
    if (client != VALET_OK || code != VALET_OK) {
        refuse(req,
               code == VALET_NOT_FOUND ? "unknown_code" : "corrupt_record");
        return;
    }
    req->code_version = vl_op_answer(op)->ops[0].version;
    vl_req_set_session(req, req->code.session);
    vl_req_set_correlation(req, req->code.correlation);
    check_code(req);
}

static void
start(struct vl_req *req)
{
    struct vl_store_batch *batch = vl_op_ask(&req->op);
    (void)vl_store_add(batch, VL_STORE_GET, VL_STORE_CODE,
                       vl_str_z(req->id.text));
    if (!vl_client_ask(req, batch, vl_req_param(req, "client_id"))) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "unknown_client");
        vl_req_json_error(req, 401, "invalid_client", "unknown client");
        return;
    }
    vl_op_submit(&req->op, code_known);
}

static const char *
find_missing(const struct vl_req *req)
{
    static const char *const needed[] = {"client_id", "code", "redirect_uri",
                                         "code_verifier"};
    for (size_t i = 0; i < VL_COUNT(needed); i++)
        if (!vl_req_param(req, needed[i]).n)
            return needed[i];
    return NULL;
}

/* A forged code is looked for too, under a key that cannot be: so unknown
 * clients are told apart from bad codes in one place. */
void
vl_token_by_code(struct vl_req *req)
{
    const char *missing = find_missing(req);
    if (missing) {
        vl_req_audit(req, VL_AUDIT_CODE_REJECT, "missing_parameter");
        vl_req_json_error(req, 400, "invalid_request",
                          "client_id, code, redirect_uri and code_verifier "
                          "are needed");
        return;
    }
    if (!vl_token_read(&req->op.issuer->keys, VL_TOKEN_CODE,
                       vl_req_param(req, "code"), &req->id, NULL))
        memcpy(req->id.text, "none", sizeof "none");
    start(req);
}
