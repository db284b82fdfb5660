/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/desk.h"
#include "oauth/error.h"
#include "oauth/redirect.h"
#include "web/page.h"

static void
release(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    vl_secret_done(&req->verifier);
    vl_idp_tokens_done(&req->tokens);
    vl_wipe(req, sizeof *req);
    free(req);
}

void
vl_req_end(struct vl_req *req)
{
    vl_op_end(&req->op);
}

static void
reply_unavailable(struct vl_req *req)
{
    struct vl_exchange *x = req->x;
    req->x = NULL;
    if (req->is_page)
        vl_page_error(x, 503, "Sign-in is not possible at the moment",
                      "This is a passing fault. Close this window, wait a "
                      "minute, and start again in your program.",
                      req->correlation);
    else
        vl_oauth_reply_error(
            x, &(struct vl_oauth_error){.status = 503,
                                        .error = "temporarily_unavailable",
                                        .description = "try again later",
                                        .retry_ms = 5000});
}

static void
orphan(struct vl_op *op)
{
    reply_unavailable(vl_req_of(op));
}

static void
copy(char *to, size_t size, struct vl_str from)
{
    size_t n = from.n < size ? from.n : size - 1;
    if (n)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

struct vl_req *
vl_req_new(struct vl_issuer *issuer, struct vl_exchange *x, bool is_page)
{
    struct vl_req *req = vl_alloc(sizeof *req);
    vl_op_init(&req->op, issuer, release);
    req->op.orphan = orphan;
    req->x = x;
    req->in = vl_exchange_request(x);
    req->is_page = is_page;
    copy(req->peer, sizeof req->peer, vl_str_z(req->in->peer));
    vl_uuid(req->correlation);
    return req;
}

bool
vl_req_read_form(struct vl_req *req)
{
    struct vl_str type = vl_headers_get(&req->in->headers, "Content-Type");
    if (vl_headers_count(&req->in->headers, "Content-Type") == 1 &&
        vl_media_type_is(type, "application/x-www-form-urlencoded") &&
        vl_params_parse(req->in->body, &req->op.arena, &req->params, NULL) ==
            VALET_OK)
        return true;
    vl_req_audit(
        req, req->is_page ? VL_AUDIT_AUTHORIZE_REJECT : VL_AUDIT_TOKEN_REJECT,
        "malformed_form");
    if (req->is_page)
        vl_req_page_error(req, 400, "This request cannot be read",
                          "Close this window and start again in your program.");
    else
        vl_req_json_error(req, 400, "invalid_request",
                          "send application/x-www-form-urlencoded");
    return false;
}

/* An empty parameter counts as not sent (RFC 6749 section 3.1). */
struct vl_str
vl_req_param(const struct vl_req *req, const char *name)
{
    struct vl_str value = vl_params_get(&req->params, name);
    return value.n ? value : (struct vl_str){NULL, 0};
}

void
vl_req_set_client_id(struct vl_req *req, struct vl_str id)
{
    copy(req->client_id.text, sizeof req->client_id.text, id);
    req->client_known = true;
}

void
vl_req_set_user(struct vl_req *req, struct vl_str tid, struct vl_str oid)
{
    copy(req->user.tid, sizeof req->user.tid, tid);
    copy(req->user.oid, sizeof req->user.oid, oid);
}

void
vl_req_set_session(struct vl_req *req, struct vl_str id)
{
    copy(req->session_id, sizeof req->session_id, id);
}

void
vl_req_set_correlation(struct vl_req *req, struct vl_str correlation)
{
    copy(req->correlation, sizeof req->correlation, correlation);
}

void
vl_req_audit(const struct vl_req *req, enum vl_audit_kind kind,
             const char *reason)
{
    vl_audit(req->op.issuer->deps.audit,
             &(struct vl_audit_event){
                 .kind = kind,
                 .refused = reason != NULL,
                 .reason = reason,
                 /* What a stranger sent as an id may be a token. */
                 .client = req->client_known ? &req->client_id : NULL,
                 .user = req->user.oid[0] ? &req->user : NULL,
                 .session = req->session_id[0] ? req->session_id : NULL,
                 .peer = req->peer,
                 .correlation = req->correlation});
}

void
vl_req_page_error(struct vl_req *req, int status, const char *title,
                  const char *advice)
{
    vl_page_error(req->x, status, title, advice, req->correlation);
    vl_req_end(req);
}

void
vl_req_json_error(struct vl_req *req, int status, const char *error,
                  const char *description)
{
    vl_oauth_reply_error(req->x,
                         &(struct vl_oauth_error){.status = status,
                                                  .error = error,
                                                  .description = description});
    vl_req_end(req);
}

void
vl_req_unavailable(struct vl_req *req)
{
    reply_unavailable(req);
    vl_req_end(req);
}

/* A browser that is redirected to an app stays on the page it had, which is
 * the provider's: one of ours with a link says what has happened. */
static bool
is_app_scheme(struct vl_str redirect)
{
    struct vl_url url;
    return vl_url_parse(redirect, &url, NULL) == VALET_OK &&
           !vl_url_is_http(&url);
}

/* @spec W-20 W-71 AS-25 */
void
vl_req_redirect(struct vl_req *req, struct vl_str code, const char *error,
                const char *description)
{
    vl_auto(vl_buf) url = vl_buf_of_secret(VL_LIMIT_HEAD);
    struct vl_redirect_answer answer = {
        .code = code,
        .error = error,
        .description = description,
        .state = req->flow.state,
        .iss = vl_str_z(req->op.issuer->config->issuer)};
    vl_redirect_write(&url, req->flow.redirect, &answer);
    if (vl_buf_check(&url, NULL) != VALET_OK) {
        vl_req_page_error(req, 400, "This request cannot be answered",
                          "The program's address is too long.");
        return;
    }
    struct vl_reply reply = {.status = 302};
    if (req->flow.cookie.n)
        vl_cookie_clear_flow(req, req->flow.cookie, &reply);
    if (is_app_scheme(req->flow.redirect)) {
        vl_page_move_on(req->x,
                        code.n ? VL_STR("You are signed in")
                               : VL_STR("The sign-in did not succeed"),
                        vl_buf_str(&url), &reply);
    } else {
        vl_page_headers(&reply);
        vl_reply_add(&reply, "Location", vl_buf_str(&url));
        vl_exchange_reply(req->x, &reply);
    }
    vl_req_end(req);
}

const char *
vl_provider_reason(const valet_error *err, const char *otherwise)
{
    return err && err->code[0] ? err->code : otherwise;
}
