/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/client.h"

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

static unsigned
check_secret(const struct vl_tenant_app *app, struct vl_str secret)
{
    if (app->is_public)
        return secret.n ? 700025 : 0;
    if (!secret.n)
        return 7000218;
    if (!app->secret || !vl_str_same_secret(secret, vl_str_z(app->secret)))
        return 7000215;
    return 0;
}

static unsigned
read_client(const struct vl_tenant_call *call, struct credentials *c,
            struct vl_tenant_client *ret)
{
    struct vl_str id = vl_params_get(&call->form, "client_id");
    struct vl_str secret = vl_params_get(&call->form, "client_secret");
    if (!read_basic(call, c)) {
        ret->detail = "The Authorization header is malformed.";
        return 90023;
    }
    struct vl_str basic_id = vl_buf_str(&c->id);
    if (basic_id.n && ((id.n && !vl_str_ieq(id, basic_id)) || secret.n)) {
        ret->detail = "There is more than one credential.";
        return 90023;
    }
    if (basic_id.n) {
        id = basic_id;
        secret = vl_buf_str(&c->secret);
    }
    if (!id.n) {
        ret->detail = "It is client_id.";
        return 900144;
    }
    ret->app = vl_tenant_find_app(call->tenant->data, id);
    if (!ret->app)
        return 700016;
    ret->with_secret = secret.n > 0;
    unsigned code = vl_tenant_check_home(call, ret->app);
    return code ? code : check_secret(ret->app, secret);
}

unsigned
vl_tenant_client_read(const struct vl_tenant_call *call,
                      struct vl_tenant_client *ret)
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
