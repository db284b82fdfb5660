/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to the consent page. Only this post approves a sign-in (@spec
 * W-48 W-79): it must come from our page, in the browser the page was shown
 * to, once. Then, and only then, state, nonce and verifier of our own are made
 * and the browser gets the proof without which the callback refuses (@spec
 * SB-06 SB-07).
 */
#include "core/enc.h"
#include "issuer/desk.h"
#include "oauth/pkce.h"
#include "oauth/redirect.h"
#include "web/page.h"

/* @spec W-70 */
struct vl_token_id
vl_consent_csrf(const struct vl_issuer *issuer, struct vl_str browser,
                struct vl_str flow)
{
    vl_auto(vl_buf) both = vl_buf_of_secret(2 * VL_HANDLE_SIZE);
    vl_buf_add(&both, browser);
    vl_buf_addc(&both, ' ');
    vl_buf_add(&both, flow);
    return vl_handle_id(&issuer->keys, "csrf", vl_buf_str(&both));
}

static void
refuse(struct vl_req *req, int status, const char *reason)
{
    vl_req_audit(req, VL_AUDIT_AUTHORIZE_REJECT, reason);
    vl_req_page_error(req, status, "This answer does not count",
                      "The page was too old, was answered already, or did not "
                      "come from this browser. Close this window and start "
                      "again in your program.");
}

/*
 * Does the post come from a page of ours? Browsers that hide the origin from
 * the page (our Referrer-Policy asks for that) send "null" and say
 * Sec-Fetch-Site; what sends neither is held by the form's token.
 */
static bool
is_same_origin(const struct vl_req *req)
{
    const struct vl_headers *headers = &req->in->headers;
    struct vl_str site = vl_headers_get(headers, "Sec-Fetch-Site");
    struct vl_str origin = vl_headers_get(headers, "Origin");
    struct vl_url ours, theirs;
    if (vl_headers_count(headers, "Sec-Fetch-Site") > 1 ||
        vl_headers_count(headers, "Origin") > 1)
        return false;
    if (site.p && !vl_str_eqz(site, "same-origin"))
        return false;
    if (!origin.p)
        return true;
    if (vl_str_eqz(origin, "null"))
        return site.p != NULL;
    return vl_url_parse(vl_str_z(req->op.issuer->config->issuer), &ours,
                        NULL) == VALET_OK &&
           vl_url_parse(origin, &theirs, NULL) == VALET_OK &&
           vl_url_same_origin(&ours, &theirs);
}

/* --- denied --- */

/* @spec W-54 W-20: told to the client; nothing is remembered. */
static void
deny(struct vl_req *req)
{
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_HEAD);
    struct vl_redirect_answer answer = {
        .error = "access_denied",
        .description = "the user declined",
        .state = req->flow.state,
        .iss = vl_str_z(req->op.issuer->config->issuer)};
    vl_redirect_write(&url, req->flow.redirect, &answer);
    struct vl_reply reply = {.status = 200};
    vl_req_audit(req, VL_AUDIT_CONSENT_DENY, NULL);
    vl_page_move_on(req->x, VL_STR("Access was not allowed"), vl_buf_str(&url),
                    &reply);
    vl_req_end(req);
}

/* --- approved --- */

static void
approval_stored(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    if (vl_op_answer(op)->status != VALET_OK) {
        vl_req_unavailable(req);
        return;
    }
    struct vl_reply reply = {.status = 200};
    vl_cookie_set_flow(req, &reply);
    vl_req_audit(req, VL_AUDIT_UPSTREAM_REDIRECT, NULL);
    vl_page_move_on(req->x, VL_STR("Taking you to the sign-in"),
                    req->provider_url, &reply);
    vl_req_end(req);
}

/* @spec SB-07 W-48 W-49: stored after the approval, right before the browser
 * goes upstream, under the hash of a state of our own. */
static void
store_approval(struct vl_req *req)
{
    struct vl_op *op = &req->op;
    const struct vl_issuer *issuer = op->issuer;
    struct vl_token_id id =
        vl_handle_id(&issuer->keys, "state", vl_str_z(req->state));
    struct vl_token_id proof =
        vl_handle_id(&issuer->keys, "proof", vl_str_z(req->proof));
    struct vl_flow approved = req->flow;
    approved.approved = true;
    approved.nonce = vl_str_z(req->nonce);
    approved.verifier = vl_secret_reveal(&req->verifier);
    approved.cookie = vl_str_z(req->cookie);
    approved.proof = vl_str_z(proof.text);
    (void)vl_op_ask(op);
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_FLOW, vl_op_keep(op, vl_str_z(id.text)),
                  &vl_record_flow, &approved);
    step->expires_ms = vl_desk_now(issuer) + VL_LIMIT_FLOW_MS;
    step->if_version = VL_STORE_ABSENT;
    vl_op_submit(op, approval_stored);
}

static void
begun(valet_status status, struct vl_str url, const valet_error *err, void *ctx)
{
    struct vl_req *req = ctx;
    vl_op_come_back(&req->op);
    if (status != VALET_OK) {
        /* @spec S-94: a page with a number, no loop. */
        vl_req_audit(req, VL_AUDIT_UPSTREAM_REDIRECT,
                     vl_provider_reason(err, "provider_unavailable"));
        vl_req_unavailable(req);
        return;
    }
    struct vl_buf *kept = vl_op_value(&req->op);
    vl_buf_add(kept, url);
    req->provider_url = vl_buf_str(kept);
    store_approval(req);
}

static void
approve(struct vl_req *req)
{
    struct vl_idp *idp = req->op.issuer->deps.idp;
    unsigned char tag[4];
    char challenge[VL_PKCE_CHALLENGE_SIZE];
    vl_auto(vl_buf) hex = vl_buf_of(sizeof req->cookie);
    vl_req_audit(req, VL_AUDIT_CONSENT_APPROVE, NULL);
    vl_handle_new(req->state);
    vl_handle_new(req->nonce);
    vl_handle_new(req->proof);
    vl_random(tag, sizeof tag);
    vl_enc_hex(&hex, vl_str_of(tag, sizeof tag));
    memcpy(req->cookie, vl_buf_cstr(&hex), sizeof req->cookie);
    req->verifier = vl_pkce_new_verifier();
    vl_pkce_challenge(&req->verifier, challenge);
    struct vl_str kept = vl_op_keep(&req->op, vl_str_z(challenge));
    vl_op_go_upstream(&req->op);
    idp->ops->begin(idp,
                    &(struct vl_idp_begin){.state = vl_str_z(req->state),
                                           .nonce = vl_str_z(req->nonce),
                                           .code_challenge = kept},
                    begun, req);
}

/* @spec W-52: registrations may have changed while the page was open. */
static void
client_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_client_read(req);
    if (status == VALET_RETRY)
        vl_req_unavailable(req);
    else if (status != VALET_OK ||
             !vl_client_may_redirect(req, req->flow.redirect))
        refuse(req, 400, "unknown_client");
    else if (vl_str_eqz(vl_req_param(req, "decision"), "approve"))
        approve(req);
    else
        deny(req);
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
        refuse(req, 400, "unknown_flow");
        return;
    }
    vl_req_set_correlation(req, req->flow.correlation);
    struct vl_token_id browser =
        vl_handle_id(&op->issuer->keys, "browser", vl_cookie_browser(req));
    struct vl_store_batch *batch = vl_op_ask(op);
    if (req->flow.approved ||
        !vl_str_same_secret(vl_str_z(browser.text), req->flow.browser) ||
        !vl_client_ask(req, batch, req->flow.client)) {
        refuse(req, 400, "browser_mismatch");
        return;
    }
    vl_op_submit(op, client_known);
}

void
vl_desk_consent(struct vl_req *req)
{
    if (!is_same_origin(req)) {
        refuse(req, 403, "cross_site_post");
        return;
    }
    if (!vl_req_read_form(req))
        return;
    struct vl_str browser = vl_cookie_browser(req);
    struct vl_str flow = vl_req_param(req, "flow");
    struct vl_str decision = vl_req_param(req, "decision");
    if (vl_params_repeat(&req->params, NULL) || !vl_handle_is_valid(flow) ||
        (!vl_str_eqz(decision, "approve") && !vl_str_eqz(decision, "deny"))) {
        refuse(req, 400, "malformed");
        return;
    }
    struct vl_token_id csrf = vl_consent_csrf(req->op.issuer, browser, flow);
    if (!browser.n ||
        !vl_str_same_secret(vl_str_z(csrf.text), vl_req_param(req, "csrf"))) {
        refuse(req, 400, "csrf");
        return;
    }
    struct vl_token_id id = vl_handle_id(&req->op.issuer->keys, "flow", flow);
    (void)vl_store_add(vl_op_ask(&req->op), VL_STORE_TAKE, VL_STORE_FLOW,
                       vl_op_keep(&req->op, vl_str_z(id.text)));
    vl_op_submit(&req->op, flow_taken);
}
