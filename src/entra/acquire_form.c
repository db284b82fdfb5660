/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/acquire_form.h"

#include "core/limits.h"
#include "http/url.h"
#include "oauth/scope.h"

#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"

static bool
is_of_resource(struct vl_str scope)
{
    return !vl_str_eqz(scope, "openid") && !vl_str_eqz(scope, "profile") &&
           !vl_str_eqz(scope, "offline_access");
}

static void
add_scopes(struct vl_str scopes, const char *oidc, struct vl_buf *form)
{
    vl_auto(vl_buf) all = vl_buf_of(scopes.n + 64);
    vl_scope_filter(&all, scopes, is_of_resource);
    vl_buf_addz(&all, vl_buf_size(&all) ? " " : "");
    vl_buf_addz(&all, oidc);
    vl_form_add(form, "scope", vl_buf_str(&all));
}

void
vl_acquire_form_write(const struct vl_acquire_form *what, struct vl_buf *form)
{
    if (what->assertion.n) {
        vl_form_add(form, "grant_type", VL_STR(JWT_BEARER));
        vl_form_add(form, "client_info", VL_STR("1"));
        vl_form_add(form, "assertion", what->assertion);
        vl_form_add(form, "requested_token_use", VL_STR("on_behalf_of"));
        /* Without offline_access: the refresh token would not be kept. */
        add_scopes(what->scopes, "openid profile", form);
    } else if (what->refresh_token.n) {
        vl_form_add(form, "grant_type", VL_STR("refresh_token"));
        vl_form_add(form, "client_info", VL_STR("1"));
        vl_form_add(form, "refresh_token", what->refresh_token);
        /* Else there would be no next one. */
        add_scopes(what->scopes, "openid profile offline_access", form);
    } else {
        vl_form_add(form, "grant_type", VL_STR("client_credentials"));
        vl_form_add(form, "scope", what->scopes);
    }
}
