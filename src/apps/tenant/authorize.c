/* SPDX-License-Identifier: Apache-2.0
 *
 * The authorize endpoint and the sign-in page. The page keeps nothing here:
 * its form carries the authorization request in the address it posts to, and
 * all is checked again.
 */
#include "apps/tenant/claims.h"
#include "apps/tenant/request.h"
#include "apps/tenant/route.h"

#include "core/limits.h"

#define CODE_MS     600000
#define SESSION_MS  86400000
#define COOKIE_NAME "ESTSAUTH"

/* Sends the browser on. A form that was posted gets a page, since browsers
 * apply form-action to redirects that follow a post. */
static void
send_browser(struct vl_tenant_call *call, struct vl_str url, const char *cookie)
{
    struct vl_reply reply = {.status = 302};
    if (cookie)
        vl_reply_add(&reply, "Set-Cookie", vl_str_z(cookie));
    vl_tenant_sts_headers(call, &reply);
    if (vl_str_eqz(call->request->method, "POST")) {
        vl_page_move_on(call->x, VL_STR("Signing you in"), url, &reply);
        return;
    }
    vl_reply_add(&reply, "Location", url);
    vl_page_headers(&reply);
    vl_exchange_reply(call->x, &reply);
}

/* The error names of the front channel differ from the token endpoint's. */
static const char *
front_error(unsigned code)
{
    const char *error = vl_tenant_aadsts_find(code)->error;
    if (code == 65001)
        return "consent_required";
    return strcmp(error, "invalid_grant") == 0 ? "interaction_required" : error;
}

static void
send_error(struct vl_tenant_call *call, const struct vl_tenant_request *r,
           unsigned code, const char *detail)
{
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_TARGET * 4);
    vl_buf_add(&url, r->redirect_uri);
    vl_url_add_param(&url, "error", vl_str_z(front_error(code)));
    vl_url_add_param(&url, "error_description",
                     vl_str_z(vl_tenant_describe_error(call, code, detail)));
    vl_url_add_param(&url, "error_uri",
                     vl_str_z(vl_tenant_format(call, "%s/error?code=%u",
                                               call->origin, code)));
    if (r->state.n)
        vl_url_add_param(&url, "state", r->state);
    send_browser(call, vl_buf_str(&url), NULL);
}

static void
send_refusal(struct vl_tenant_call *call, const struct vl_tenant_request *r,
             const struct vl_tenant_refusal *refusal)
{
    if (refusal->on_page)
        vl_tenant_fail_page(call, refusal->code, refusal->detail);
    else
        send_error(call, r, refusal->code, refusal->detail);
}

static void
send_code(struct vl_tenant_call *call, const struct vl_tenant_request *r,
          const struct vl_tenant_grant *session, const char *cookie)
{
    int64_t now = vl_tenant_now(call);
    char session_state[VL_UUID_SIZE];
    struct vl_tenant_grant grant = {
        .expires_ms = now + CODE_MS,
        .user = session->user,
        .app = r->app,
        .realm = session->user->realm,
        .epoch = session->user->epoch,
        .signed_in = session->signed_in,
        .scope = vl_tenant_dup(r->scope),
        .redirect_uri = vl_tenant_dup(r->redirect_uri),
        .challenge = vl_tenant_dup(r->challenge),
        .nonce = vl_tenant_dup(r->nonce),
        .challenge_is_plain = r->challenge_is_plain,
    };
    struct vl_str code = vl_tenant_shelf_put(&call->tenant->codes, &grant, now);
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_TARGET * 4);
    vl_buf_add(&url, r->redirect_uri);
    vl_url_add_param(&url, "code", code);
    if (r->client_info)
        vl_url_add_param(&url, "client_info",
                         vl_str_z(vl_tenant_client_info(call, session->user)));
    if (r->state.n)
        vl_url_add_param(&url, "state", r->state);
    vl_uuid(session_state);
    vl_url_add_param(&url, "session_state", vl_str_z(session_state));
    send_browser(call, vl_buf_str(&url), cookie);
}

/* The page's form posts to /login with this request as its query. */
static const char *
make_action(const struct vl_tenant_call *call,
            const struct vl_tenant_request *r)
{
    vl_auto(vl_buf) query = vl_buf_of(VL_LIMIT_TARGET * 4);
    for (size_t i = 0; i < r->params->count; i++) {
        const struct vl_param *param = &r->params->items[i];
        vl_form_add(&query, vl_arena_cstr(call->arena, param->name),
                    param->value);
    }
    return vl_tenant_format(call, "/" VL_STR_FMT "/login?%s",
                            VL_STR_ARG(call->segment), vl_buf_cstr(&query));
}

static bool
may_sign_in(const struct vl_tenant_call *call,
            const struct vl_tenant_user *user)
{
    return !call->realm || call->realm == user->realm;
}

static void
show_sign_in(struct vl_tenant_call *call, const struct vl_tenant_request *r,
             struct vl_str username, const char *message)
{
    struct vl_page page = {.asset = "sign-in", .assets = vl_tenant_assets};
    struct vl_page_list people = vl_tenant_list_people(call);
    vl_page_set(&page, "app", vl_str_z(r->app->name));
    vl_page_set(
        &page, "tenant",
        vl_str_z(call->realm ? call->realm->name : "your organization"));
    vl_page_set(&page, "action", vl_str_z(make_action(call, r)));
    vl_page_set(&page, "name", username);
    vl_page_set(&page, "message", vl_str_z(message));
    vl_page_set_list(&page, &people);
    struct vl_reply reply = {.status = 200};
    vl_tenant_sts_headers(call, &reply);
    vl_page_reply(call->x, &page, &reply);
}

/* The session of this browser, if it may be used for this request. */
static const struct vl_tenant_grant *
find_session(const struct vl_tenant_call *call,
             const struct vl_tenant_request *r)
{
    struct vl_str cookie = vl_cookie_get(&call->request->headers, COOKIE_NAME);
    const struct vl_tenant_grant *session =
        vl_tenant_shelf_find(&call->tenant->sessions, cookie);
    if (!session || vl_tenant_now(call) >= session->expires_ms ||
        session->epoch != session->user->epoch ||
        session->user->sign_in_error || !may_sign_in(call, session->user))
        return NULL;
    bool other = r->login_hint.n &&
                 !vl_str_ieq(r->login_hint, vl_str_z(session->user->username));
    return other ? NULL : session;
}

void
vl_tenant_authorize(struct vl_tenant_call *call)
{
    struct vl_tenant_request r;
    bool post = vl_str_eqz(call->request->method, "POST");
    struct vl_tenant_refusal refusal =
        vl_tenant_request_read(call, post ? &call->form : &call->query, &r);
    if (refusal.code) {
        send_refusal(call, &r, &refusal);
        return;
    }
    if (call->has_fault && vl_tenant_fault_answers(&call->fault)) {
        send_error(call, &r, call->fault.aadsts ? call->fault.aadsts : 90033,
                   NULL);
        return;
    }
    const struct vl_tenant_grant *session = find_session(call, &r);
    bool none = vl_str_eqz(r.prompt, "none");
    if (session && (!r.prompt.n || none))
        send_code(call, &r, session, NULL);
    else if (none)
        send_error(call, &r, 50058, NULL);
    else
        show_sign_in(call, &r, r.login_hint, NULL);
}

static void
start_session(struct vl_tenant_call *call, const struct vl_tenant_request *r,
              const struct vl_tenant_user *user)
{
    int64_t now = vl_tenant_now(call);
    struct vl_tenant_grant session = {.expires_ms = now + SESSION_MS,
                                      .user = user,
                                      .epoch = user->epoch,
                                      .signed_in = now / 1000};
    struct vl_str handle =
        vl_tenant_shelf_put(&call->tenant->sessions, &session, now);
    const char *cookie = vl_tenant_format(
        call, COOKIE_NAME "=" VL_STR_FMT "; Path=/; HttpOnly; SameSite=Lax",
        VL_STR_ARG(handle));
    send_code(call, r, &session, cookie);
}

/*
 * Whoever is picked from the list needs no password: they are printed beside
 * it anyway. Who types has to type the right one. *ret_code is 0 or the fault.
 */
static const struct vl_tenant_user *
check_person(struct vl_tenant_call *call, struct vl_str *ret_name,
             unsigned *ret_code)
{
    struct vl_str pick = vl_params_get(&call->form, "pick");
    struct vl_str name = vl_str_trim(vl_params_get(&call->form, "username"));
    struct vl_str password = vl_params_get(&call->form, "password");
    *ret_name = pick.n ? pick : name;
    const struct vl_tenant_user *user =
        vl_tenant_find_user(call->tenant->data, *ret_name);
    bool known = user && vl_str_ieq(*ret_name, vl_str_z(user->username));
    *ret_code = 50126;
    if (!known ||
        (!pick.n && !vl_str_same_secret(password, vl_str_z(user->password))))
        return NULL;
    *ret_code = may_sign_in(call, user) ? user->sign_in_error : 50020;
    return *ret_code ? NULL : user;
}

void
vl_tenant_sign_in(struct vl_tenant_call *call)
{
    struct vl_tenant_request r;
    struct vl_tenant_refusal refusal =
        vl_tenant_request_read(call, &call->query, &r);
    struct vl_str name;
    unsigned code;
    if (refusal.code) {
        send_refusal(call, &r, &refusal);
        return;
    }
    if (vl_str_eqz(vl_params_get(&call->form, "choice"), "cancel")) {
        send_error(call, &r, 65004, NULL);
        return;
    }
    const struct vl_tenant_user *user = check_person(call, &name, &code);
    if (user)
        start_session(call, &r, user);
    else
        show_sign_in(call, &r, name,
                     vl_tenant_format(call, "AADSTS%u: %s", code,
                                      vl_tenant_aadsts_find(code)->text));
}

void
vl_tenant_sign_out(struct vl_tenant_call *call)
{
    struct vl_str cookie = vl_cookie_get(&call->request->headers, COOKIE_NAME);
    struct vl_tenant_grant *session =
        vl_tenant_shelf_find(&call->tenant->sessions, cookie);
    if (session)
        session->expires_ms = 0;
    struct vl_page page = {.asset = "signed-out", .assets = vl_tenant_assets};
    struct vl_reply reply = {.status = 200};
    vl_reply_add(&reply, "Set-Cookie",
                 VL_STR(COOKIE_NAME "=; Path=/; Max-Age=0; HttpOnly; "
                                    "SameSite=Lax"));
    vl_page_reply(call->x, &page, &reply);
}
