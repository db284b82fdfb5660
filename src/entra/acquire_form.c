/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/acquire_form.h"

#include "entra/scopes.h"
#include "http/url.h"

#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"

static void
add_scopes(struct vl_str scopes, const char *oidc, struct vl_buf *form)
{
    vl_auto(vl_buf) all = vl_buf_of(scopes.n + 64);
    vl_scopes_write(&all, scopes, oidc);
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
        add_scopes(what->scopes, VL_SCOPES_SIGN_IN, form);
    } else {
        vl_form_add(form, "grant_type", VL_STR("client_credentials"));
        vl_form_add(form, "scope", what->scopes);
    }
}
