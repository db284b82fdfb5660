/* SPDX-License-Identifier: Apache-2.0
 *
 * One authorization request, taken apart and checked (entra-wire 2.6).
 */
#ifndef VL_TENANT_REQUEST_H
#define VL_TENANT_REQUEST_H

#include "apps/tenant/challenge.h"
#include "apps/tenant/scope.h"

/* How the answer travels to the redirect URI. */
enum vl_tenant_mode {
    VL_TENANT_QUERY,
    VL_TENANT_FRAGMENT,
    VL_TENANT_FORM_POST,
    VL_TENANT_MODE_COUNT
};

/* Which pages the application asks for, or forbids. */
enum vl_tenant_prompt {
    VL_TENANT_AS_NEEDED,
    VL_TENANT_NO_PAGE,
    VL_TENANT_SIGN_IN,
    VL_TENANT_CHOOSE,
    VL_TENANT_CONSENT,
    VL_TENANT_PROMPT_COUNT
};

struct vl_tenant_request {
    const struct vl_params *params;
    const struct vl_tenant_app *app;
    struct vl_str redirect_uri, state, nonce, scope, challenge;
    enum vl_tenant_mode mode;
    enum vl_tenant_prompt prompt;
    struct vl_str login_hint;
    /* Where the person is expected to be at home: the tenant of the path, or
     * of the domain hint; NULL when neither says. */
    const struct vl_tenant_realm *home;
    bool challenge_is_plain;
    bool client_info;
    struct vl_tenant_scopes scopes;
    struct vl_tenant_asked asked;
    /* The device that waits, when the answer is for none but it: then there is
     * no redirect URI. */
    struct vl_tenant_grant *device;
    bool is_confirmed; /* the person has said that it is theirs */
};

/* A refusal; code 0 is none. */
struct vl_tenant_refusal {
    unsigned code;
    const char *detail; /* or NULL */
    bool on_page;       /* the browser must not be sent to the redirect URI */
};

struct vl_tenant_refusal vl_tenant_request_read(struct vl_tenant_call *call,
                                                const struct vl_params *params,
                                                struct vl_tenant_request *ret);

/* May browsers be sent there from a page of ours? */
bool
vl_tenant_may_redirect(const struct vl_tenant_call *call,
                       const struct vl_tenant_app *app, struct vl_str asked);

/* Is the app at home in the tenant that was asked? 0 or a code. */
unsigned vl_tenant_check_home(const struct vl_tenant_call *call,
                              const struct vl_tenant_app *app);

#endif
