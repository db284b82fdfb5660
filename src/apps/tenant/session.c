/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/session.h"

#define COOKIE_NAME "ESTSAUTH"
#define SESSION_MS  86400000

/* Strict enough that no other site posts our forms in somebody's name. */
#define COOKIE_RULES "; Path=/; HttpOnly; SameSite=Lax"

bool
vl_tenant_may_sign_in(const struct vl_tenant_call *call,
                      const struct vl_tenant_user *user)
{
    return !call->realm || call->realm == user->realm;
}

static bool
is_alive(const struct vl_tenant_call *call,
         const struct vl_tenant_grant *session)
{
    return session && vl_tenant_now(call) < session->expires_ms &&
           session->epoch == session->user->epoch &&
           !session->user->sign_in_error;
}

/* handles = handle *( "." handle ) */
struct vl_tenant_accounts
vl_tenant_accounts_read(const struct vl_tenant_call *call)
{
    struct vl_tenant_accounts accounts = {.count = 0};
    struct vl_str rest = vl_cookie_get(&call->request->headers, COOKIE_NAME);
    struct vl_str handle;
    while (accounts.count < VL_TENANT_ACCOUNTS_MAX &&
           vl_str_split(&rest, '.', &handle)) {
        const struct vl_tenant_grant *session =
            vl_tenant_shelf_find(&call->tenant->sessions, handle);
        if (is_alive(call, session))
            accounts.items[accounts.count++] = session;
    }
    return accounts;
}

/* A hint is a username, or the object id that Entra's own claim has. */
static bool
fits_hints(const struct vl_tenant_request *r, const struct vl_tenant_user *user)
{
    if (r->login_hint.n)
        return vl_str_ieq(r->login_hint, vl_str_z(user->username)) ||
               vl_str_ieq(r->login_hint, vl_str_z(user->id));
    return !r->home || r->home == user->realm;
}

struct vl_tenant_accounts
vl_tenant_accounts_fitting(const struct vl_tenant_call *call,
                           const struct vl_tenant_request *r)
{
    struct vl_tenant_accounts all = vl_tenant_accounts_read(call);
    struct vl_tenant_accounts fitting = {.count = 0};
    for (size_t i = 0; i < all.count; i++)
        if (vl_tenant_may_sign_in(call, all.items[i]->user) &&
            fits_hints(r, all.items[i]->user))
            fitting.items[fitting.count++] = all.items[i];
    return fitting;
}

const struct vl_tenant_grant *
vl_tenant_accounts_find(const struct vl_tenant_accounts *accounts,
                        struct vl_str username)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (vl_str_ieq(username, vl_str_z(accounts->items[i]->user->username)))
            return accounts->items[i];
    return NULL;
}

/* Over https the cookie is not for http, where anybody could read it. */
static const char *
rules_of(const struct vl_tenant_call *call)
{
    return call->is_https ? COOKIE_RULES "; Secure" : COOKIE_RULES;
}

const struct vl_tenant_grant *
vl_tenant_account_add(struct vl_tenant_call *call,
                      const struct vl_tenant_user *user, const char *acrs)
{
    int64_t now = vl_tenant_now(call);
    struct vl_tenant_accounts old = vl_tenant_accounts_read(call);
    const char *others = "";
    size_t kept = 0;
    /* Written down first: a full shelf makes room by dropping the oldest. */
    for (size_t i = 0; i < old.count && kept + 1 < VL_TENANT_ACCOUNTS_MAX;
         i++) {
        if (old.items[i]->user == user) {
            acrs = vl_tenant_acrs_join(call, old.items[i]->acrs, acrs);
            continue;
        }
        others = vl_tenant_format(call, "%s.%s", others, old.items[i]->handle);
        kept++;
    }
    struct vl_tenant_grant session = {.expires_ms = now + SESSION_MS,
                                      .user = user,
                                      .epoch = user->epoch,
                                      .signed_in = now / 1000,
                                      .acrs = vl_tenant_dup(vl_str_z(acrs))};
    struct vl_str handle =
        vl_tenant_shelf_put(&call->tenant->sessions, &session, now);
    call->cookie = vl_tenant_format(call, COOKIE_NAME "=" VL_STR_FMT "%s%s",
                                    VL_STR_ARG(handle), others, rules_of(call));
    return vl_tenant_shelf_find(&call->tenant->sessions, handle);
}

void
vl_tenant_accounts_end(struct vl_tenant_call *call)
{
    struct vl_str rest = vl_cookie_get(&call->request->headers, COOKIE_NAME);
    struct vl_str handle;
    while (vl_str_split(&rest, '.', &handle)) {
        struct vl_tenant_grant *session =
            vl_tenant_shelf_find(&call->tenant->sessions, handle);
        if (session)
            session->expires_ms = 0;
    }
    call->cookie =
        vl_tenant_format(call, COOKIE_NAME "=%s; Max-Age=0", rules_of(call));
}
