/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/pages.h"

#include "apps/tenant/consent.h"
#include "core/limits.h"

/* The form posts to {tenant}{path} with this request as its query. */
static struct vl_str
make_action(const struct vl_tenant_call *call,
            const struct vl_tenant_request *r, const char *path)
{
    vl_auto(vl_buf) query = vl_buf_of(VL_LIMIT_TARGET * 4);
    for (size_t i = 0; i < r->params->count; i++) {
        const struct vl_param *param = &r->params->items[i];
        vl_form_add(&query, vl_arena_cstr(call->arena, param->name),
                    param->value);
    }
    return vl_str_z(vl_tenant_format(call, "/" VL_STR_FMT "%s?%s",
                                     VL_STR_ARG(call->segment), path,
                                     vl_buf_cstr(&query)));
}

static struct vl_page
start_page(const struct vl_tenant_call *call, const struct vl_tenant_request *r,
           const char *asset, const char *path)
{
    struct vl_page page = {.asset = asset, .assets = vl_tenant_assets};
    vl_page_set(&page, "app", vl_str_z(r->app->name));
    vl_page_set(&page, "tenant",
                vl_str_z(r->home ? r->home->name : "your organization"));
    vl_page_set(&page, "action", make_action(call, r, path));
    return page;
}

static void
send_page(struct vl_tenant_call *call, const struct vl_page *page)
{
    struct vl_reply reply = {.status = 200};
    vl_tenant_page_headers(call, &reply);
    vl_page_reply(call->x, page, &reply);
}

void
vl_tenant_show_sign_in(struct vl_tenant_call *call,
                       const struct vl_tenant_request *r,
                       struct vl_str username, const char *message)
{
    struct vl_page page = start_page(call, r, "sign-in", "/login");
    struct vl_page_list people = vl_tenant_list_people(call, r->home);
    vl_page_set(&page, "name", username);
    vl_page_set(&page, "message", vl_str_z(message));
    vl_page_set_list(&page, &people);
    send_page(call, &page);
}

void
vl_tenant_show_accounts(struct vl_tenant_call *call,
                        const struct vl_tenant_request *r,
                        const struct vl_tenant_accounts *accounts)
{
    enum { WIDTH = 2 };
    struct vl_page page = start_page(call, r, "accounts", "/login");
    struct vl_page_var vars[WIDTH * VL_TENANT_ACCOUNTS_MAX];
    struct vl_page_list list = {.name = "accounts",
                                .vars = vars,
                                .rows = accounts->count,
                                .width = WIDTH};
    for (size_t i = 0; i < accounts->count; i++) {
        const struct vl_tenant_user *user = accounts->items[i]->user;
        vars[WIDTH * i] =
            (struct vl_page_var){"person", vl_str_z(user->username)};
        vars[WIDTH * i + 1] =
            (struct vl_page_var){"shown", vl_str_z(user->display_name)};
    }
    vl_page_set_list(&page, &list);
    send_page(call, &page);
}

void
vl_tenant_show_consent(struct vl_tenant_call *call,
                       const struct vl_tenant_request *r,
                       const struct vl_tenant_user *user)
{
    struct vl_page page = start_page(call, r, "consent", "/consent");
    struct vl_page_list wishes = vl_tenant_consent_list(call, &r->scopes);
    bool by_admin = r->app->consent == VL_TENANT_CONSENT_BY_ADMIN;
    vl_page_set(&page, "person", vl_str_z(user->username));
    vl_page_set(&page, "publisher", vl_str_z(r->app->realm->name));
    vl_page_set(&page, "home", vl_str_z(user->realm->name));
    vl_page_set(&page, "for_all", vl_str_z(by_admin ? "yes" : ""));
    vl_page_set(&page, "may_for_all",
                vl_str_z(user->is_admin && !by_admin ? "yes" : ""));
    vl_page_set_list(&page, &wishes);
    send_page(call, &page);
}

void
vl_tenant_show_admin_needed(struct vl_tenant_call *call,
                            const struct vl_tenant_request *r,
                            const struct vl_tenant_user *user)
{
    struct vl_page page = start_page(call, r, "admin-needed", "/consent");
    vl_page_set(&page, "person", vl_str_z(user->username));
    vl_page_set(&page, "home", vl_str_z(user->realm->name));
    vl_page_set(&page, "sign_in", make_action(call, r, "/login"));
    vl_page_set(&page, "text",
                vl_str_z(vl_tenant_describe_error(call, 90094, NULL)));
    send_page(call, &page);
}

void
vl_tenant_show_device(struct vl_tenant_call *call,
                      const struct vl_tenant_request *r,
                      const struct vl_tenant_user *user)
{
    struct vl_page page = start_page(call, r, "device-confirm", "/login");
    vl_page_set(&page, "person", vl_str_z(user->username));
    vl_page_set(&page, "publisher", vl_str_z(r->app->realm->name));
    send_page(call, &page);
}
