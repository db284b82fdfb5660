/* SPDX-License-Identifier: Apache-2.0
 *
 * /token: what both grants share.
 */
#include "issuer/desk.h"
#include "oauth/error.h"
#include "json/write.h"

void
vl_token_refuse(struct vl_req *req, enum vl_audit_kind kind, const char *reason)
{
    vl_req_audit(req, kind, reason);
    /* @spec W-13: which of the reasons it was, the audit knows. */
    vl_req_json_error(req, 400, "invalid_grant",
                      "the grant is not valid, has expired or was used");
}

void
vl_token_family_ended(struct vl_req *req, enum vl_audit_kind kind,
                      const char *reason)
{
    vl_session_ended(req->op.issuer, req->session_id);
    if (vl_op_answer(&req->op)->status != VALET_OK) {
        vl_req_audit(req, kind, "store_unavailable");
        vl_req_unavailable(req);
        return;
    }
    vl_token_refuse(req, kind, reason);
}

/* --- steps of the batch that issues --- */

struct vl_buf *
vl_token_add_access(struct vl_req *req, struct vl_str scopes,
                    int64_t *ret_expires_ms)
{
    struct vl_op *op = &req->op;
    const struct vl_session *session = &req->session;
    struct vl_token_id id;
    struct vl_buf *text = vl_op_value(op);
    vl_token_mint(&op->issuer->keys, VL_TOKEN_ACCESS, NULL, text, &id);
    int64_t expires =
        vl_desk_now(op->issuer) + op->issuer->config->access_token_ms;
    if (expires > session->ends_ms)
        expires = session->ends_ms;
    struct vl_access access = {.session = vl_str_z(req->session_id),
                               .client = session->client,
                               .tid = session->tid,
                               .oid = session->oid,
                               .resource = session->resource,
                               .scopes = scopes,
                               .expires_ms = expires};
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_ACCESS, vl_op_keep(op, vl_str_z(id.text)),
                  &vl_record_access, &access);
    step->owner = vl_str_z(req->session_id);
    step->expires_ms = expires;
    step->if_version = VL_STORE_ABSENT;
    *ret_expires_ms = expires;
    return text;
}

/* @spec AS-22 W-10 */
struct vl_buf *
vl_token_add_refresh(struct vl_req *req, struct vl_str scopes,
                     int64_t if_version)
{
    struct vl_op *op = &req->op;
    struct vl_token_id id;
    struct vl_buf *text = vl_op_value(op);
    vl_token_mint(&op->issuer->keys, VL_TOKEN_REFRESH, &req->family, text, &id);
    struct vl_token_id family =
        vl_token_family_id(&op->issuer->keys, &req->family);
    struct vl_refresh refresh = {.session = vl_str_z(req->session_id),
                                 .client = req->session.client,
                                 .resource = req->session.resource,
                                 .scopes = scopes,
                                 .current = vl_str_z(id.text),
                                 .expires_ms =
                                     req->session.idle_ms < req->session.ends_ms
                                         ? req->session.idle_ms
                                         : req->session.ends_ms};
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_REFRESH, vl_op_keep(op, vl_str_z(family.text)),
                  &vl_record_refresh, &refresh);
    step->owner = vl_str_z(req->session_id);
    step->expires_ms = refresh.expires_ms;
    step->if_version = if_version;
    return text;
}

/* The version makes it fail when the family was ended meanwhile. */
void
vl_token_touch_session(struct vl_req *req)
{
    struct vl_op *op = &req->op;
    req->session.idle_ms =
        vl_desk_now(op->issuer) + op->issuer->config->refresh_token_ms;
    vl_session_put(op, vl_str_z(req->session_id), &req->session)->if_version =
        req->session_version;
}

/* @spec AS-31 W-31 W-77: seconds where seconds are expected; no-store. */
void
vl_token_reply(struct vl_req *req, const struct vl_token_answer *answer)
{
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    struct vl_json_out out = {&body, false};
    int64_t left = answer->expires_ms - vl_desk_now(req->op.issuer);
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "access_token", answer->access);
    vl_json_add_z(&out, "token_type", "Bearer");
    vl_json_add_int(&out, "expires_in", left > 0 ? left / 1000 : 0);
    vl_json_add_str(&out, "refresh_token", answer->refresh);
    vl_json_add_str(&out, "scope", answer->scopes);
    vl_json_close(&out, '}');
    struct vl_reply reply = {
        .status = 200, .type = "application/json", .body = vl_buf_str(&body)};
    vl_oauth_headers(&reply, NULL);
    vl_reply_add(&reply, "Pragma", VL_STR("no-cache"));
    vl_exchange_reply(req->x, &reply);
    vl_req_end(req);
}

/* --- the door --- */

/* Clients are public: what proves a client is its redirect URI and PKCE. A
 * secret that we did not issue proves nothing, so it is refused rather than
 * ignored (@spec W-28 W-30). */
bool
vl_token_refuses_secret(struct vl_req *req)
{
    bool basic = vl_headers_count(&req->in->headers, "Authorization") > 0;
    if (!basic && !vl_req_param(req, "client_secret").n &&
        !vl_req_param(req, "client_assertion").n)
        return false;
    vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "client_authentication");
    vl_oauth_reply_error(
        req->x, &(struct vl_oauth_error){.status = 401,
                                         .error = "invalid_client",
                                         .description =
                                             "clients here have no secret; use "
                                             "token_endpoint_auth_method none",
                                         .basic = basic});
    vl_req_end(req);
    return true;
}

void
vl_desk_token(struct vl_req *req)
{
    if (!vl_req_read_form(req))
        return;
    if (vl_params_repeat(&req->params, NULL)) {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "repeated_parameter");
        vl_req_json_error(req, 400, "invalid_request",
                          "a parameter came twice");
        return;
    }
    if (vl_token_refuses_secret(req))
        return;
    /* @spec W-59: strict grants. */
    struct vl_str grant = vl_req_param(req, "grant_type");
    if (vl_str_eqz(grant, "authorization_code")) {
        vl_token_by_code(req);
    } else if (vl_str_eqz(grant, "refresh_token")) {
        vl_token_by_refresh(req);
    } else {
        vl_req_audit(req, VL_AUDIT_TOKEN_REJECT, "grant_type");
        vl_req_json_error(
            req, 400, grant.n ? "unsupported_grant_type" : "invalid_request",
            "grant_type: authorization_code or refresh_token");
    }
}
