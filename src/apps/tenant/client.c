/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/client.h"

#include "apps/tenant/assertion.h"
#include "core/enc.h"
#include "core/limits.h"

struct credentials {
    struct vl_buf basic, id, secret;
};

static void
credentials_done(struct credentials *c)
{
    vl_buf_done(&c->basic);
    vl_buf_done(&c->id);
    vl_buf_done(&c->secret);
}

/* "Basic " base64( urlencode(id) ":" urlencode(secret) ); false if it is
 * there and malformed. */
static bool
read_basic(const struct vl_tenant_call *call, struct credentials *c)
{
    struct vl_str header =
        vl_headers_get(&call->request->headers, "authorization");
    if (!header.n)
        return true;
    if (!vl_str_ieq(vl_str_head(header, 6), VL_STR("Basic ")) ||
        !vl_dec_base64(vl_str_trim(vl_str_from(header, 6)), &c->basic))
        return false;
    struct vl_str both = vl_buf_str(&c->basic);
    size_t colon = vl_str_index(both, ':');
    return colon < both.n &&
           vl_dec_percent(vl_str_head(both, colon), true, &c->id) &&
           vl_dec_percent(vl_str_from(both, colon + 1), true, &c->secret);
}

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static unsigned
check_secret(const struct vl_tenant_app *app, struct vl_str secret)
{
    if (!app->secret || !vl_str_same_secret(secret, vl_str_z(app->secret)))
        return 7000215;
    return app->secret_expired ? 7000222 : 0;
}

/* A public application has nothing to show, and must not pretend to. */
static unsigned
check_proof(struct vl_tenant_call *call, struct vl_str secret,
            struct vl_tenant_client *ret)
{
    struct vl_str assertion = vl_params_get(&call->form, "client_assertion");
    struct vl_str type = vl_params_get(&call->form, "client_assertion_type");
    if (ret->app->is_public)
        return secret.n || assertion.n ? 700025 : 0;
    if (!secret.n && !assertion.n)
        return 7000218;
    ret->proof = assertion.n ? VL_TENANT_BY_ASSERTION : VL_TENANT_BY_SECRET;
    if (!assertion.n)
        return check_secret(ret->app, secret);
    if (!vl_str_eqz(type, ASSERTION_TYPE)) {
        ret->detail = type.n ? "It is client_assertion_type."
                             : "client_assertion_type is missing.";
        return type.n ? 90023 : 900144;
    }
    return vl_tenant_assertion_check(call, ret->app, assertion, &ret->detail);
}

/* The id and the secret of the form, or those of the header. */
static unsigned
read_names(struct vl_tenant_call *call, struct credentials *c,
           struct vl_str *ret_id, struct vl_str *ret_secret,
           const char **ret_detail)
{
    struct vl_str id = vl_params_get(&call->form, "client_id");
    struct vl_str secret = vl_params_get(&call->form, "client_secret");
    bool assertion = vl_params_get(&call->form, "client_assertion").n > 0;
    if (!read_basic(call, c)) {
        *ret_detail = "The Authorization header is malformed.";
        return 90023;
    }
    struct vl_str basic_id = vl_buf_str(&c->id);
    bool other = id.n && basic_id.n && !vl_str_ieq(id, basic_id);
    if (other || (basic_id.n > 0) + (secret.n > 0) + assertion > 1) {
        *ret_detail = "There is more than one credential.";
        return 90023;
    }
    *ret_id = basic_id.n ? basic_id : id;
    *ret_secret = basic_id.n ? vl_buf_str(&c->secret) : secret;
    *ret_detail = "It is client_id.";
    return ret_id->n ? 0 : 900144;
}

static unsigned
read_client(struct vl_tenant_call *call, struct credentials *c,
            struct vl_tenant_client *ret)
{
    struct vl_str id, secret;
    unsigned code = read_names(call, c, &id, &secret, &ret->detail);
    if (code)
        return code;
    ret->detail = NULL;
    ret->app = vl_tenant_find_app(call->tenant->data, id);
    if (!ret->app)
        return 700016;
    code = vl_tenant_check_home(call, ret->app);
    return code ? code : check_proof(call, secret, ret);
}

unsigned
vl_tenant_client_read(struct vl_tenant_call *call, struct vl_tenant_client *ret)
{
    struct credentials c = {vl_buf_of_secret(VL_LIMIT_HEAD),
                            vl_buf_of(VL_LIMIT_HEAD),
                            vl_buf_of_secret(VL_LIMIT_HEAD)};
    struct vl_tenant_client client = {0};
    unsigned code = read_client(call, &c, &client);
    credentials_done(&c);
    *ret = client;
    return code;
}
