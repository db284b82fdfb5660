/* SPDX-License-Identifier: Apache-2.0
 *
 * /authorize. First who asks and where the answer would go: a mistake there is
 * a page, never a redirect, for the address may be a stranger's. Then the
 * rest: a mistake there is told to the client (@spec W-52 AS-19). Then the
 * consent page, at every sign-in: nobody knows yet who sits there.
 */
#include "guard/policy.h"
#include "issuer/desk.h"
#include "oauth/pkce.h"
#include "oauth/redirect.h"
#include "oauth/scope.h"
#include "web/page.h"

#define SCOPES_ON_PAGE 16

static void
refuse_page(struct vl_req *req, const char *reason, const char *advice)
{
    vl_req_audit(req, VL_AUDIT_AUTHORIZE_REJECT, reason);
    vl_req_page_error(req, 400, "This sign-in request is not valid", advice);
}

/* --- the checks after client and redirect URI, in their order --- */

struct fault {
    const char *error;  /* for the client; NULL: no fault */
    const char *reason; /* for the audit */
    const char *text;   /* for the client's developer */
};

static const struct fault no_fault = {NULL, NULL, NULL};

static void
refuse_client(struct vl_req *req, const struct fault *fault)
{
    vl_req_audit(req, VL_AUDIT_AUTHORIZE_REJECT, fault->reason);
    vl_req_redirect(req, (struct vl_str){NULL, 0}, fault->error, fault->text);
}

static struct fault
check_response_type(struct vl_req *req)
{
    struct vl_str type = vl_req_param(req, "response_type");
    struct vl_str mode = vl_req_param(req, "response_mode");
    if (!type.n)
        return (struct fault){"invalid_request", "response_type",
                              "response_type is missing"};
    if (!vl_str_eqz(type, "code"))
        return (struct fault){"unsupported_response_type", "response_type",
                              "response_type: only code"};
    if (mode.n && !vl_str_eqz(mode, "query"))
        return (struct fault){"invalid_request", "response_mode",
                              "response_mode: only query"};
    return no_fault;
}

static struct fault
check_extensions(struct vl_req *req)
{
    struct vl_str prompt = vl_req_param(req, "prompt");
    if (vl_req_param(req, "request").n)
        return (struct fault){"request_not_supported", "request_object",
                              "no request objects"};
    if (vl_req_param(req, "request_uri").n)
        return (struct fault){"request_uri_not_supported", "request_object",
                              "no request objects"};
    /* Consent is asked every time, so there is no silent sign-in. */
    if (vl_str_has_word(prompt, VL_STR("none")))
        return (struct fault){"login_required", "prompt_none",
                              "sign-in needs the user"};
    return no_fault;
}

/* @spec AS-07 W-58 */
static struct fault
check_pkce(struct vl_req *req)
{
    req->flow.challenge = vl_req_param(req, "code_challenge");
    if (!req->flow.challenge.n)
        return (struct fault){"invalid_request", "no_code_challenge",
                              "code_challenge is missing"};
    if (!vl_str_eqz(vl_req_param(req, "code_challenge_method"), "S256"))
        return (struct fault){"invalid_request", "not_s256",
                              "code_challenge_method must be S256"};
    if (!vl_pkce_challenge_is_valid(req->flow.challenge))
        return (struct fault){"invalid_request", "bad_code_challenge",
                              "code_challenge is malformed"};
    return no_fault;
}

/* @spec AS-23 W-15: unknown ones are refused, none means the default. */
static struct fault
check_resource(struct vl_req *req)
{
    const struct vl_issuer *issuer = req->op.issuer;
    const char *chosen = NULL;
    for (size_t i = 0; i < req->params.count; i++) {
        const struct vl_param *param = &req->params.items[i];
        if (!vl_str_eqz(param->name, "resource") || param->value.n == 0)
            continue;
        const char *found = vl_desk_find_resource(issuer, param->value);
        if (!found || (chosen && chosen != found))
            return (struct fault){"invalid_target", "unknown_resource",
                                  "resource: not one of ours"};
        chosen = found;
    }
    req->flow.resource =
        vl_str_z(chosen ? chosen : issuer->config->resources[0]);
    return no_fault;
}

/* Asked for out of habit by clients; they mean nothing here (@spec AS-27). */
static bool
is_habit(struct vl_str scope, const void *ctx)
{
    (void)ctx;
    static const char *const habits[] = {"openid", "profile", "email",
                                         "offline_access"};
    for (size_t i = 0; i < VL_COUNT(habits); i++)
        if (vl_str_eqz(scope, habits[i]))
            return true;
    return false;
}

/* @spec AS-30: what we do not know is not granted; at least one must be
 * known, or nothing was asked for in earnest. */
static struct fault
check_scope(struct vl_req *req)
{
    struct vl_str asked = vl_req_param(req, "scope");
    vl_auto(vl_buf) known = vl_buf_of(VL_SCOPES_SIZE - 1);
    vl_auto(vl_buf) habits = vl_buf_of(VL_LIMIT_SCOPE);
    req->flow.scopes = vl_str_z(req->op.issuer->config->scopes);
    if (!asked.n)
        return no_fault;
    if (!vl_scope_is_valid(asked))
        return (struct fault){"invalid_scope", "bad_scope",
                              "scope is malformed"};
    vl_scope_filter(&known, asked, vl_desk_knows_scope, req->op.issuer);
    vl_scope_filter(&habits, asked, is_habit, NULL);
    if (known.failed || (!vl_buf_size(&known) && !vl_buf_size(&habits)))
        return (struct fault){"invalid_scope", "unknown_scope",
                              "scope: none of ours"};
    if (vl_buf_size(&known))
        req->flow.scopes = vl_op_keep(&req->op, vl_buf_str(&known));
    return no_fault;
}

static struct fault (*const checks[])(struct vl_req *req) = {
    check_response_type, check_extensions, check_pkce, check_resource,
    check_scope};

/* --- the page --- */

static size_t
list_scopes(const struct vl_req *req, struct vl_page_var rows[SCOPES_ON_PAGE])
{
    size_t count = 0;
    struct vl_str rest = req->flow.scopes, word;
    while (count < SCOPES_ON_PAGE && vl_str_split(&rest, ' ', &word)) {
        const char *text = vl_policy_describe_scope(word);
        struct vl_str line = text ? vl_str_z(text) : word;
        /* Two names of one right are one line. */
        if (count > 0 && vl_str_eq(rows[count - 1].value, line))
            continue;
        rows[count].name = "text";
        rows[count++].value = line;
    }
    return count;
}

/* @spec SB-03 W-05 AS-14: who asks, where the answer goes, what for. */
static void
show_consent(struct vl_req *req)
{
    const struct vl_flow *flow = &req->flow;
    const struct vl_issuer *issuer = req->op.issuer;
    struct vl_page_var rows[SCOPES_ON_PAGE];
    struct vl_token_id csrf =
        vl_consent_csrf(issuer, vl_str_z(req->browser), vl_str_z(req->state));
    struct vl_buf *action = vl_op_value(&req->op);
    vl_buf_add(action, issuer->base);
    vl_buf_addz(action, "/authorize/consent");
    struct vl_page page = {.asset = "consent"};
    vl_page_set(&page, "client_name", vl_client_name(req));
    vl_page_set(&page, "client_id", flow->client);
    vl_page_set(&page, "redirect_uri", flow->redirect);
    vl_page_set(&page, "redirect_host", vl_redirect_host(flow->redirect));
    vl_page_set(&page, "resource", flow->resource);
    vl_page_set(&page, "provider", vl_str_z(issuer->deps.idp->ops->name));
    vl_page_set(&page, "action", vl_buf_str(action));
    vl_page_set(&page, "flow", vl_str_z(req->state));
    vl_page_set(&page, "csrf", vl_str_z(csrf.text));
    if (vl_redirect_is_local(flow->redirect))
        vl_page_set(&page, "is_loopback", VL_STR("yes"));
    struct vl_page_list list = {"scopes", rows, list_scopes(req, rows), 1};
    vl_page_set_list(&page, &list);

    struct vl_reply reply = {.status = 200};
    vl_cookie_set_browser(req, &reply);
    vl_page_reply(req->x, &page, &reply);
    vl_req_audit(req, VL_AUDIT_CONSENT_SHOW, NULL);
    vl_req_end(req);
}

static void
flow_stored(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    if (vl_op_answer(op)->status != VALET_OK)
        vl_req_unavailable(req);
    else
        show_consent(req);
}

/* Showing the page approves nothing (@spec W-48): the record says so, and the
 * browser gets its handle, no proof. */
static void
store_flow(struct vl_req *req)
{
    struct vl_op *op = &req->op;
    const struct vl_issuer *issuer = op->issuer;
    struct vl_str browser = vl_cookie_browser(req);
    if (browser.n)
        memcpy(req->browser, browser.p, browser.n);
    else
        vl_handle_new(req->browser);
    vl_handle_new(req->state);
    struct vl_token_id id =
        vl_handle_id(&issuer->keys, "flow", vl_str_z(req->state));
    struct vl_token_id owner =
        vl_handle_id(&issuer->keys, "browser", vl_str_z(req->browser));
    req->flow.browser = vl_op_keep(op, vl_str_z(owner.text));
    req->flow.correlation = vl_str_z(req->correlation);
    (void)vl_op_ask(op);
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_FLOW, vl_op_keep(op, vl_str_z(id.text)),
                  &vl_record_flow, &req->flow);
    step->expires_ms = vl_desk_now(issuer) + VL_LIMIT_FLOW_MS;
    step->if_version = VL_STORE_ABSENT;
    vl_op_submit(op, flow_stored);
}

/* @spec W-08: pending sign-ins are bounded, in all and by address. */
static bool
may_begin(struct vl_req *req)
{
    struct vl_issuer *issuer = req->op.issuer;
    struct vl_peer_key peer = vl_peer_key(req->peer);
    return vl_limiter_take(issuer->limits->flows_of_address,
                           vl_peer_key_str(&peer), NULL) &&
           vl_limiter_take(issuer->limits->flows, VL_STR("all"), NULL);
}

static void
check_request(struct vl_req *req)
{
    struct vl_str state = vl_params_get(&req->params, "state");
    if (state.n > VL_LIMIT_STATE) {
        refuse_page(req, "state_too_long",
                    "The program sent too long a state.");
        return;
    }
    req->flow.state = state;
    for (size_t i = 0; i < VL_COUNT(checks); i++) {
        struct fault fault = checks[i](req);
        if (fault.error) {
            refuse_client(req, &fault);
            return;
        }
    }
    if (!may_begin(req)) {
        vl_req_audit(req, VL_AUDIT_AUTHORIZE_REJECT, "too_many_flows");
        vl_req_page_error(req, 429, "Too many sign-ins are under way",
                          "Wait a few minutes and start again in your "
                          "program.");
        return;
    }
    vl_req_audit(req, VL_AUDIT_AUTHORIZE_START, NULL);
    store_flow(req);
}

/* @spec W-52: the registration is looked at before anything else, each time. */
static void
client_known(struct vl_op *op)
{
    struct vl_req *req = vl_req_of(op);
    valet_status status = vl_client_read(req);
    struct vl_str redirect = vl_req_param(req, "redirect_uri");
    if (status == VALET_RETRY) {
        vl_req_unavailable(req);
        return;
    }
    if (status != VALET_OK) {
        refuse_page(req, "unknown_client",
                    "The program is not registered here, or no longer. Remove "
                    "this server in the program and add it again.");
        return;
    }
    if (!vl_client_may_redirect(req, redirect)) {
        refuse_page(req, "redirect_mismatch",
                    "The program asks to be answered at an address it is not "
                    "registered with.");
        return;
    }
    req->flow.client = vl_str_z(req->client_id.text);
    req->flow.redirect = redirect;
    check_request(req);
}

static bool
read_params(struct vl_req *req)
{
    if (vl_str_eqz(req->in->method, "POST"))
        return vl_req_read_form(req);
    if (vl_params_parse(req->in->query, &req->op.arena, &req->params, NULL) ==
        VALET_OK)
        return true;
    refuse_page(req, "malformed", "The address cannot be read.");
    return false;
}

void
vl_desk_authorize(struct vl_req *req)
{
    if (!read_params(req))
        return;
    if (vl_params_repeat(&req->params, "resource")) {
        refuse_page(req, "repeated_parameter", "A parameter came twice.");
        return;
    }
    struct vl_store_batch *batch = vl_op_ask(&req->op);
    if (!vl_client_ask(req, batch, vl_req_param(req, "client_id"))) {
        refuse_page(req, "unknown_client", "The program did not say its id.");
        return;
    }
    vl_op_submit(&req->op, client_known);
}
