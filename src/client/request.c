/* SPDX-License-Identifier: Apache-2.0 */
#include "client/request.h"

#include "core/limits.h"
#include "core/principal.h"
#include "core/status.h"
#include "entra/claims.h"
#include "oauth/scope.h"

/* An assertion and a challenge at their limits, and the rest. */
#define TEXTS_MAX     (4 * VL_LIMIT_JWT)
#define TIMEOUT_S     300
#define TIMEOUT_MAX_S 86400

static valet_status
refuse(valet_error *err, const char *member, const char *why)
{
    return vl_fail(err, VALET_INVALID, "", "request.%s: %s", member, why);
}

static valet_status
copy(struct vl_client_request *request, const char *member, const char *text,
     size_t max, struct vl_str *ret, valet_error *err)
{
    struct vl_str s = vl_str_z(text);
    if (!text)
        return VALET_OK;
    if (s.n == 0 || s.n > max || !vl_str_is_utf8(s))
        return refuse(err, member, "the text is empty, too long or not UTF-8");
    *ret = vl_arena_dup(&request->arena, s);
    return ret->p ? VALET_OK : refuse(err, member, "too much text");
}

static valet_status
copy_scopes(struct vl_client_request *request, const char *const *scopes,
            valet_error *err)
{
    vl_auto(vl_buf) all = vl_buf_of(VL_LIMIT_SCOPE);
    for (; scopes && *scopes; scopes++) {
        vl_buf_addz(&all, vl_buf_size(&all) ? " " : "");
        vl_buf_addz(&all, *scopes);
    }
    if (vl_buf_check(&all, NULL) != VALET_OK ||
        !vl_scope_is_valid(vl_buf_str(&all)))
        return refuse(err, "scopes",
                      "at least one is needed, of visible ASCII");
    request->scopes = vl_arena_dup(&request->arena, vl_buf_str(&all));
    return request->scopes.p ? VALET_OK
                             : refuse(err, "scopes", "too much text");
}

/* --- what belongs to which flow --- */

static valet_status
check_sign_in(const valet_request *in, valet_error *err)
{
    const unsigned all =
        VALET_METHOD_BROKER | VALET_METHOD_BROWSER | VALET_METHOD_DEVICE_CODE;
    static const char *const prompts[] = {"login", "select_account", "consent"};
    bool known = !in->prompt;
    for (size_t i = 0; i < VL_COUNT(prompts); i++)
        known = known || strcmp(in->prompt, prompts[i]) == 0;
    if (in->methods & ~all)
        return refuse(err, "methods", "there is no such method");
    if (in->methods == VALET_METHOD_DEVICE_CODE && !in->tell)
        return refuse(err, "tell", "nobody would see the code");
    if (in->timeout_s < 0 || in->timeout_s > TIMEOUT_MAX_S)
        return refuse(err, "timeout_s", "it is from 1 to 86400");
    if (!known)
        return refuse(err, "prompt", "login, select_account or consent");
    return VALET_OK;
}

static valet_status
check_not_sign_in(const valet_request *in, valet_error *err)
{
    bool may_ask_broker =
        in->flow == VALET_FLOW_SILENT && in->methods == VALET_METHOD_BROKER;
    if ((in->methods && !may_ask_broker) || in->login_hint || in->domain_hint ||
        in->prompt || in->timeout_s || in->tell || in->open)
        return refuse(err, "flow", "nobody is asked anything in this flow");
    return VALET_OK;
}

/* @spec S-04 */
static valet_status
check_flow(const struct vl_client_config *config, const valet_request *in,
           valet_error *err)
{
    bool is_public = config->kind == VALET_CLIENT_PUBLIC;
    bool is_for_nobody =
        in->flow == VALET_FLOW_APP || in->flow == VALET_FLOW_ON_BEHALF_OF;
    if (in->flow > VALET_FLOW_ON_BEHALF_OF)
        return refuse(err, "flow", "there is no such flow");
    if (in->flow == VALET_FLOW_SIGN_IN && !is_public)
        return refuse(err, "flow", "people sign in to a public client");
    if (is_for_nobody && is_public)
        return refuse(err, "flow", "it needs a confidential client");
    if (is_for_nobody && in->account)
        return refuse(err, "account", "this flow has none");
    if (!in->assertion == (in->flow == VALET_FLOW_ON_BEHALF_OF))
        return refuse(err, "assertion",
                      "on-behalf-of needs it, and no other flow");
    if (is_for_nobody && vl_instance_is_shared(&config->instance) &&
        !in->tenant)
        return refuse(err, "tenant",
                      "the application asks one tenant: say which");
    return in->flow == VALET_FLOW_SIGN_IN ? check_sign_in(in, err)
                                          : check_not_sign_in(in, err);
}

static valet_status
check_app_scope(const struct vl_client_request *request, valet_error *err)
{
    if (request->flow != VALET_FLOW_APP)
        return VALET_OK;
    if (vl_str_has(request->scopes, ' ') ||
        !vl_str_ends(request->scopes, VL_STR("/.default")))
        return refuse(err, "scopes",
                      "an application asks for one RESOURCE/.default");
    return VALET_OK;
}

/* @spec S-22 */
static valet_status
check_tenant(const struct vl_client_config *config,
             const struct vl_client_request *request, valet_error *err)
{
    if (!request->tenant.n)
        return VALET_OK;
    if (!vl_guid_is_valid(request->tenant))
        return refuse(err, "tenant", "a tenant is named by its id, a GUID");
    if (!config->instance.tenants ||
        !vl_client_config_allows(config, request->tenant))
        return refuse(err, "tenant",
                      "it is not in the client's list `tenants`");
    return VALET_OK;
}

static valet_status
copy_claims(struct vl_client_request *ret, const char *claims, valet_error *err)
{
    valet_error why = {.message = ""};
    vl_auto(vl_buf) merged = vl_buf_of(VL_LIMIT_CLAIMS);
    VL_TRY(copy(ret, "claims", claims, VL_LIMIT_CLAIMS, &ret->claims, err));
    return vl_claims_merge(ret->claims, NULL, &merged, &why) == VALET_OK
               ? VALET_OK
               : refuse(err, "claims", why.message);
}

static valet_status
copy_texts(struct vl_client_request *ret, const valet_request *in,
           valet_error *err)
{
    VL_TRY(copy_scopes(ret, in->scopes, err));
    VL_TRY(copy(ret, "account", in->account, VL_CLIENT_TEXT_MAX, &ret->account,
                err));
    VL_TRY(
        copy(ret, "tenant", in->tenant, VL_CLIENT_TEXT_MAX, &ret->tenant, err));
    VL_TRY(copy_claims(ret, in->claims, err));
    VL_TRY(copy(ret, "assertion", in->assertion, VL_LIMIT_JWT, &ret->assertion,
                err));
    VL_TRY(copy(ret, "login_hint", in->login_hint, VL_CLIENT_TEXT_MAX,
                &ret->login_hint, err));
    VL_TRY(copy(ret, "domain_hint", in->domain_hint, VL_CLIENT_TEXT_MAX,
                &ret->domain_hint, err));
    return copy(ret, "prompt", in->prompt, VL_CLIENT_TEXT_MAX, &ret->prompt,
                err);
}

valet_status
vl_client_request_read(const struct vl_client_config *config,
                       const valet_request *in, struct vl_client_request *ret,
                       valet_error *err)
{
    const unsigned all =
        VALET_METHOD_BROKER | VALET_METHOD_BROWSER | VALET_METHOD_DEVICE_CODE;
    ret->arena = vl_arena_of(TEXTS_MAX);
    for (size_t i = 0; i < VL_COUNT(in->later); i++)
        if (in->later[i])
            return refuse(err, "later", "this version has no such member");
    VL_TRY(check_flow(config, in, err));
    VL_TRY(copy_texts(ret, in, err));
    ret->flow = in->flow;
    VL_TRY(check_app_scope(ret, err));
    VL_TRY(check_tenant(config, ret, err));
    ret->renew = in->renew;
    ret->methods = in->methods;
    if (in->flow == VALET_FLOW_SIGN_IN && !in->methods)
        ret->methods = all;
    ret->forced = (ret->methods & (ret->methods - 1)) == 0;
    ret->timeout_ms =
        1000 * (int64_t)(in->timeout_s ? in->timeout_s : TIMEOUT_S);
    ret->tell = in->tell;
    ret->open = in->open;
    ret->ctx = in->ctx;
    return VALET_OK;
}

void
vl_client_request_done(struct vl_client_request *request)
{
    vl_arena_done(&request->arena);
}
