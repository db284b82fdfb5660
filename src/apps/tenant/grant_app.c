/* SPDX-License-Identifier: Apache-2.0
 *
 * Client credentials: an application in its own name.
 */
#include "apps/tenant/grant.h"

/* entra-wire 1.9: MSAL for Go asks for these as well. */
static bool
is_oidc(struct vl_str word)
{
    return vl_str_has_word(VL_STR("openid profile email offline_access"), word);
}

/* @spec entra-wire 2.7: exactly one RESOURCE/.default */
static unsigned
read_resource(struct vl_tenant_redemption *r, struct vl_str text)
{
    struct vl_str word, one = {NULL, 0}, name;
    while (vl_str_split(&text, ' ', &word)) {
        if (!word.n || is_oidc(word))
            continue;
        struct vl_str of = vl_tenant_cut_scope(word, &name);
        if (!of.n || !vl_str_eqz(name, ".default") ||
            (one.n && !vl_str_eq(one, word))) {
            r->detail = vl_tenant_format(r->call, "It is '" VL_STR_FMT "'.",
                                         VL_STR_ARG(word));
            return 1002012;
        }
        one = word;
    }
    if (!one.n) {
        r->detail = "There is none.";
        return 1002012;
    }
    struct vl_tenant_scope_rules rules = {
        .resource = vl_params_get(&r->call->form, "resource")};
    return vl_tenant_scopes_resolve(r->call, one, &rules, &r->scopes);
}

unsigned
vl_tenant_redeem_client(struct vl_tenant_redemption *r)
{
    struct vl_str scope;
    if (r->client.proof == VL_TENANT_BY_NOTHING)
        return 7000218;
    unsigned code = vl_tenant_require(r, "scope", &scope);
    return code ? code : read_resource(r, scope);
}
