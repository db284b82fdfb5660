/* SPDX-License-Identifier: Apache-2.0
 *
 * /register (RFC 7591), for clients that can do nothing else. Off unless the
 * operator switched it on; bounded by address and in all; what is never used
 * expires (@spec W-17 W-63 AS-15).
 */
#include "core/enc.h"
#include "issuer/desk.h"
#include "issuer/registration.h"
#include "oauth/error.h"
#include "oauth/scope.h"
#include "json/write.h"

static void
refuse(struct vl_req *req, const struct vl_oauth_error *error,
       const char *reason)
{
    vl_req_audit(req, VL_AUDIT_CLIENT_REJECT, reason);
    vl_oauth_reply_error(req->x, error);
    vl_req_end(req);
}

static void
new_client_id(struct vl_req *req)
{
    unsigned char bytes[16];
    vl_auto(vl_buf) id = vl_buf_of(64);
    vl_random(bytes, sizeof bytes);
    vl_buf_addz(&id, "mvc_");
    vl_enc_base64url(&id, vl_str_of(bytes, sizeof bytes));
    vl_req_set_client_id(req, vl_buf_str(&id));
}

static void
add_redirects(struct vl_json_out *out, struct vl_str rest)
{
    struct vl_str uri;
    vl_json_open_key(out, "redirect_uris", '[');
    while (vl_str_split(&rest, '\n', &uri))
        if (uri.n) /* the last line is ended too */
            vl_json_add_str(out, NULL, uri);
    vl_json_close(out, ']');
}

/* @spec 4.4-12 W-28: 201, integers as integers, no null, and the truth about
 * the authentication method. */
static void
write_answer(struct vl_req *req, struct vl_buf *body)
{
    struct vl_json_out out = {body, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "client_id", req->client_id.text);
    vl_json_add_int(&out, "client_id_issued_at", req->client.created_ms / 1000);
    vl_json_add_str(&out, "client_name", req->client.name);
    add_redirects(&out, req->client.redirects);
    vl_json_add_z(&out, "token_endpoint_auth_method", "none");
    vl_json_open_key(&out, "grant_types", '[');
    vl_json_add_z(&out, NULL, "authorization_code");
    vl_json_add_z(&out, NULL, "refresh_token");
    vl_json_close(&out, ']');
    vl_json_open_key(&out, "response_types", '[');
    vl_json_add_z(&out, NULL, "code");
    vl_json_close(&out, ']');
    if (req->scopes_known.n)
        vl_json_add_str(&out, "scope", req->scopes_known);
    if (req->application_type)
        vl_json_add_z(&out, "application_type", req->application_type);
    vl_json_close(&out, '}');
}

static void
stored(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    if (vl_op_answer(op)->status != VALET_OK) {
        vl_req_unavailable(req);
        return;
    }
    write_answer(req, &body);
    vl_req_audit(req, VL_AUDIT_CLIENT_REGISTER, NULL);
    vl_oauth_reply(req->x, 201, vl_buf_str(&body));
    vl_req_end(req);
}

static void
counted(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    const struct vl_store_batch *batch = vl_op_answer(op);
    const struct vl_issuer_config *config = op->issuer->config;
    if (batch->status != VALET_OK || batch->ops[0].status != VALET_OK) {
        vl_req_unavailable(req);
        return;
    }
    if (batch->ops[0].count >= (int64_t)config->registration_max) {
        refuse(req,
               &(struct vl_oauth_error){.status = 503,
                                        .error = "temporarily_unavailable",
                                        .description =
                                            "no room for more registrations",
                                        .retry_ms = 3600000},
               "registrations_full");
        return;
    }
    new_client_id(req);
    (void)vl_op_ask(op);
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_CLIENT, vl_str_z(req->client_id.text),
                  &vl_record_client, &req->client);
    step->expires_ms = req->client.expires_ms;
    step->if_version = VL_STORE_ABSENT;
    vl_op_submit(op, stored);
}

/* --- policy and quotas --- */

/* @spec W-17: the refusal says how to switch it on. */
static const struct vl_oauth_error switched_off = {
    .status = 403,
    .error = "access_denied",
    .description =
        "dynamic registration is switched off here; the operator can set "
        "'registration: { dynamic: true }' in the configuration, or list this "
        "client under 'clients:'"};

static bool
may_register(struct vl_req *req)
{
    struct vl_issuer *issuer = req->op.issuer;
    struct vl_peer_key peer = vl_peer_key(req->peer);
    struct vl_oauth_error slow = {.status = 429,
                                  .error = "temporarily_unavailable",
                                  .description = "too many registrations from "
                                                 "this network address"};
    if (!issuer->config->registration_dynamic) {
        refuse(req, &switched_off, "registration_off");
        return false;
    }
    if (!vl_limiter_take(issuer->limits->registrations, vl_peer_key_str(&peer),
                         &slow.retry_ms)) {
        refuse(req, &slow, "registration_quota");
        return false;
    }
    return true;
}

static void
keep(struct vl_req *req, const struct vl_registration *read)
{
    int64_t now = vl_desk_now(req->op.issuer);
    req->client.name = vl_op_keep(&req->op, vl_buf_str(&read->name));
    req->client.redirects = vl_op_keep(&req->op, vl_buf_str(&read->redirects));
    req->client.created_ms = now;
    req->client.expires_ms =
        now + req->op.issuer->config->registration_unused_ms;
    struct vl_buf *known = vl_op_value(&req->op);
    vl_scope_filter(known, vl_buf_str(&read->scopes), vl_desk_knows_scope,
                    req->op.issuer);
    req->scopes_known = vl_buf_str(known);
    if (read->has_type)
        req->application_type = read->is_native ? "native" : "web";
}

void
vl_desk_register(struct vl_req *req)
{
    valet_error err = {0};
    struct vl_registration read = {0};
    struct vl_str type = vl_headers_get(&req->in->headers, "Content-Type");
    if (!may_register(req))
        return;
    if (!vl_media_type_is(type, "application/json")) {
        refuse(req,
               &(struct vl_oauth_error){.status = 400,
                                        .error = "invalid_client_metadata",
                                        .description = "send application/json"},
               "content_type");
        return;
    }
    if (vl_registration_read(req->in->body, &read, &err) != VALET_OK) {
        refuse(req,
               &(struct vl_oauth_error){.status = 400,
                                        .error = err.code[0] ? err.code
                                                             : "invalid_client_"
                                                               "metadata",
                                        .description = err.message},
               err.code[0] ? err.code : "invalid_client_metadata");
        return;
    }
    keep(req, &read);
    vl_registration_done(&read);
    (void)vl_store_add(vl_op_ask(&req->op), VL_STORE_COUNT, VL_STORE_CLIENT,
                       (struct vl_str){NULL, 0});
    vl_op_submit(&req->op, counted);
}
