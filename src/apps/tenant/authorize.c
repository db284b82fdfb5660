/* SPDX-License-Identifier: Apache-2.0
 *
 * The authorize endpoint and what its pages post (entra-wire 2.6): who signs
 * in, what they consent to, and the code.
 */
#include "apps/tenant/answer.h"
#include "apps/tenant/claims.h"
#include "apps/tenant/consent.h"
#include "apps/tenant/device.h"
#include "apps/tenant/pages.h"
#include "apps/tenant/route.h"

#define CODE_MS 600000

static void
send_code(struct vl_tenant_call *call, const struct vl_tenant_request *r,
          const struct vl_tenant_grant *session)
{
    if (r->device) {
        vl_tenant_device_approve(call, r, session);
        return;
    }
    int64_t now = vl_tenant_now(call);
    char session_state[VL_UUID_SIZE];
    struct vl_tenant_answer answer = {.count = 0};
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
        .acrs = vl_tenant_dup(vl_str_z(session->acrs)),
        .challenge_is_plain = r->challenge_is_plain,
        .is_capable = r->asked.is_capable,
    };
    struct vl_str code = vl_tenant_shelf_put(&call->tenant->codes, &grant, now);
    vl_uuid(session_state);
    vl_tenant_answer_add(&answer, "code", code);
    if (r->client_info)
        vl_tenant_answer_add(
            &answer, "client_info",
            vl_str_z(vl_tenant_client_info(call, session->user)));
    vl_tenant_answer_add(&answer, "state", r->state);
    vl_tenant_answer_add(&answer, "session_state", vl_str_z(session_state));
    vl_tenant_answer_send(call, r, &answer);
}

/* The request behind a page or form: an application's, or that of a device. */
static struct vl_tenant_refusal
read_request(struct vl_tenant_call *call, const struct vl_params *params,
             struct vl_tenant_request *ret)
{
    struct vl_str typed = vl_params_get(params, "otc");
    return typed.n && !vl_params_get(params, "client_id").n
               ? vl_tenant_device_request(call, typed, ret)
               : vl_tenant_request_read(call, params, ret);
}

/* False when it was answered. */
static bool
begin(struct vl_tenant_call *call, const struct vl_params *params,
      struct vl_tenant_request *ret)
{
    struct vl_tenant_refusal refusal = read_request(call, params, ret);
    if (refusal.code && refusal.on_page)
        vl_tenant_fail_page(call, refusal.code, refusal.detail);
    else if (refusal.code)
        vl_tenant_answer_error(call, ret, refusal.code, refusal.detail);
    else if (call->has_fault && call->fault.aadsts)
        vl_tenant_answer_error(call, ret, call->fault.aadsts, NULL);
    else
        return true;
    return false;
}

/* Somebody is signed in: may the application have what it asks for? */
static void
meet_consent(struct vl_tenant_call *call, const struct vl_tenant_request *r,
             const struct vl_tenant_grant *session)
{
    const struct vl_tenant_user *user = session->user;
    enum vl_tenant_need need =
        vl_tenant_consent_need(call, user, r->app, &r->scopes);
    if (need != VL_TENANT_NEEDS_NOTHING && r->prompt == VL_TENANT_NO_PAGE)
        vl_tenant_answer_error(call, r, 65001, NULL);
    else if (need == VL_TENANT_NEEDS_ADMIN)
        vl_tenant_show_admin_needed(call, r, user);
    else if (need == VL_TENANT_NEEDS_CONSENT || r->prompt == VL_TENANT_CONSENT)
        vl_tenant_show_consent(call, r, user);
    else
        send_code(call, r, session);
}

/*
 * Somebody is signed in: well enough for what was asked? A second factor is
 * typing the password once more. Whoever typed a code has to say that the
 * program which showed it is theirs.
 */
static void
meet_person(struct vl_tenant_call *call, const struct vl_tenant_request *r,
            const struct vl_tenant_grant *session)
{
    bool enough = vl_tenant_acrs_met(r->asked.acrs, session->acrs);
    if (!enough && r->prompt == VL_TENANT_NO_PAGE)
        vl_tenant_answer_error(call, r, 50076, NULL);
    else if (!enough)
        vl_tenant_show_sign_in(call, r, vl_str_z(session->user->username),
                               "AADSTS50076: More is asked of you than you "
                               "have shown; sign in again.");
    else if (r->device && !r->is_confirmed)
        vl_tenant_show_device(call, r, session->user);
    else
        meet_consent(call, r, session);
}

/* No page may be shown. */
static void
answer_silently(struct vl_tenant_call *call, const struct vl_tenant_request *r,
                const struct vl_tenant_accounts *accounts)
{
    if (accounts->count == 1)
        meet_person(call, r, accounts->items[0]);
    else
        vl_tenant_answer_error(call, r, accounts->count ? 16000 : 50058, NULL);
}

void
vl_tenant_ask_person(struct vl_tenant_call *call,
                     const struct vl_tenant_request *r)
{
    struct vl_tenant_accounts accounts = vl_tenant_accounts_fitting(call, r);
    if (r->prompt == VL_TENANT_NO_PAGE)
        answer_silently(call, r, &accounts);
    else if (!accounts.count || r->prompt == VL_TENANT_SIGN_IN)
        vl_tenant_show_sign_in(call, r, r->login_hint, NULL);
    else if (accounts.count > 1 || r->prompt == VL_TENANT_CHOOSE)
        vl_tenant_show_accounts(call, r, &accounts);
    else
        meet_person(call, r, accounts.items[0]);
}

void
vl_tenant_authorize(struct vl_tenant_call *call)
{
    struct vl_tenant_request r;
    bool post = vl_str_eqz(call->request->method, "POST");
    if (begin(call, post ? &call->form : &call->query, &r))
        vl_tenant_ask_person(call, &r);
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
    *ret_code = vl_tenant_may_sign_in(call, user) ? user->sign_in_error : 50020;
    return *ret_code ? NULL : user;
}

static void
take_password(struct vl_tenant_call *call, const struct vl_tenant_request *r)
{
    struct vl_str name;
    unsigned code;
    const struct vl_tenant_user *user = check_person(call, &name, &code);
    if (user)
        meet_person(call, r, vl_tenant_account_add(call, user, r->asked.acrs));
    else
        vl_tenant_show_sign_in(
            call, r, name,
            vl_tenant_format(call, "AADSTS%u: %s", code,
                             vl_tenant_aadsts_find(code)->text));
}

/* The session of the person that the form names, if it is still there. The
 * hints have done their work: people may be somebody else than was thought. */
static const struct vl_tenant_grant *
find_account(const struct vl_tenant_call *call, struct vl_str name)
{
    struct vl_tenant_accounts accounts = vl_tenant_accounts_read(call);
    const struct vl_tenant_grant *session =
        vl_tenant_accounts_find(&accounts, name);
    return session && vl_tenant_may_sign_in(call, session->user) ? session
                                                                 : NULL;
}

void
vl_tenant_sign_in(struct vl_tenant_call *call)
{
    struct vl_tenant_request r;
    struct vl_str choice = vl_params_get(&call->form, "choice");
    struct vl_str account = vl_params_get(&call->form, "account");
    if (!begin(call, &call->query, &r))
        return;
    const struct vl_tenant_grant *session = find_account(call, account);
    r.is_confirmed = vl_str_eqz(choice, "continue");
    if (vl_str_eqz(choice, "cancel"))
        vl_tenant_answer_error(call, &r, 65004, NULL);
    else if (session)
        meet_person(call, &r, session);
    else if (account.n || vl_str_eqz(choice, "other"))
        vl_tenant_show_sign_in(call, &r, account, NULL);
    else
        take_password(call, &r);
}

/* Tampering gains nothing: who may not consent is asked again. */
void
vl_tenant_consent(struct vl_tenant_call *call)
{
    struct vl_tenant_request r;
    struct vl_str choice = vl_params_get(&call->form, "choice");
    struct vl_str account = vl_params_get(&call->form, "account");
    if (!begin(call, &call->query, &r))
        return;
    const struct vl_tenant_grant *session = find_account(call, account);
    if (!vl_str_eqz(choice, "accept")) {
        unsigned code = vl_str_eqz(choice, "return") ? 90094 : 65004;
        vl_tenant_answer_error(call, &r, code, NULL);
        return;
    }
    if (!session) {
        vl_tenant_show_sign_in(call, &r, account, NULL);
        return;
    }
    const struct vl_tenant_user *user = session->user;
    if (vl_tenant_consent_need(call, user, r.app, &r.scopes) ==
        VL_TENANT_NEEDS_ADMIN) {
        vl_tenant_show_admin_needed(call, &r, user);
        return;
    }
    bool for_all =
        user->is_admin && (r.app->consent == VL_TENANT_CONSENT_BY_ADMIN ||
                           vl_params_get(&call->form, "for_all").n);
    vl_tenant_consent_give(call, user, r.app, &r.scopes, for_all);
    send_code(call, &r, session);
}
