/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing out (entra-wire 2.16), and where the browser goes afterwards.
 */
#include "apps/tenant/answer.h"
#include "apps/tenant/route.h"
#include "apps/tenant/session.h"

#include "core/limits.h"

static struct vl_str
param(const struct vl_tenant_call *call, const char *name)
{
    struct vl_str value = vl_params_get(&call->form, name);
    return value.n ? value : vl_params_get(&call->query, name);
}

/* Back to an application only: to an address that one has registered. */
static bool
may_return(const struct vl_tenant_call *call, struct vl_str url)
{
    const struct vl_tenant_data *data = call->tenant->data;
    for (size_t i = 0; url.n && i < data->app_count; i++)
        if (vl_tenant_may_redirect(call, &data->apps[i], url))
            return true;
    return false;
}

void
vl_tenant_sign_out(struct vl_tenant_call *call)
{
    struct vl_str url = param(call, "post_logout_redirect_uri");
    struct vl_str state = param(call, "state");
    vl_tenant_accounts_end(call);
    if (may_return(call, url)) {
        vl_auto(vl_buf) target = vl_buf_of(VL_LIMIT_TARGET * 4);
        vl_buf_add(&target, url);
        if (state.n)
            vl_url_add_param(&target, "state", state);
        vl_tenant_send_away(call, vl_buf_str(&target));
        return;
    }
    struct vl_page page = {.asset = "signed-out", .assets = vl_tenant_assets};
    struct vl_reply reply = {.status = 200};
    vl_tenant_page_headers(call, &reply);
    vl_page_reply(call->x, &page, &reply);
}
