/* SPDX-License-Identifier: Apache-2.0
 *
 * The token endpoint (entra-wire 2.7): which grant it is, and the answer.
 */
#include "apps/tenant/claims.h"
#include "apps/tenant/grant.h"
#include "apps/tenant/route.h"

#include "core/limits.h"

#define REFRESH_MS   (90LL * 86400000)
#define LIFETIME_MIN 3600
#define LIFETIME_MAX 5400
/* Who knows claims challenges gets tokens for a day, and is told when to ask
 * again. */
#define LONG_MIN 72000
#define LONG_MAX 100800

/* The two names of one grant: both are what libraries send. */
static const struct {
    const char *grant_type, *counter;
    enum vl_tenant_grant_type type;
    unsigned (*redeem)(struct vl_tenant_redemption *r);
} grant_types[] = {
    {"authorization_code", "token.authorization_code",
     VL_TENANT_AUTHORIZATION_CODE, vl_tenant_redeem_code},
    {"refresh_token", "token.refresh_token", VL_TENANT_REFRESH_TOKEN,
     vl_tenant_redeem_refresh_token},
    {"client_credentials", "token.client_credentials",
     VL_TENANT_CLIENT_CREDENTIALS, vl_tenant_redeem_client},
    {"urn:ietf:params:oauth:grant-type:jwt-bearer", "token.on_behalf_of",
     VL_TENANT_ON_BEHALF_OF, vl_tenant_redeem_assertion},
    {"urn:ietf:params:oauth:grant-type:device_code", "token.device_code",
     VL_TENANT_DEVICE_CODE, vl_tenant_redeem_device},
    {"device_code", "token.device_code", VL_TENANT_DEVICE_CODE,
     vl_tenant_redeem_device},
};

enum vl_tenant_grant_type
vl_tenant_grant_type_of(struct vl_str text)
{
    for (size_t i = 0; i < VL_COUNT(grant_types); i++)
        if (vl_str_eqz(text, grant_types[i].grant_type))
            return grant_types[i].type;
    return VL_TENANT_ANY_GRANT;
}

static unsigned
draw_lifetime(const struct vl_tenant_redemption *r)
{
    const struct vl_tenant_settings *settings =
        &r->call->tenant->data->settings;
    unsigned min = r->asked.is_capable ? LONG_MIN : LIFETIME_MIN;
    unsigned max = r->asked.is_capable ? LONG_MAX : LIFETIME_MAX;
    uint32_t random;
    if (settings->access_token_seconds)
        return settings->access_token_seconds;
    vl_random(&random, sizeof random);
    return min + random % (max - min + 1);
}

/* An application asks at a tenant: `common` is nobody's, and knows no roles. */
static unsigned
check_tenant(const struct vl_tenant_call *call, enum vl_tenant_grant_type type)
{
    if (type != VL_TENANT_CLIENT_CREDENTIALS || call->realm)
        return 0;
    return vl_str_ieq(call->segment, VL_STR("common")) ? 9001023 : 50059;
}

static unsigned
redeem_as(struct vl_tenant_redemption *r, size_t at)
{
    struct vl_tenant_call *call = r->call;
    vl_tenant_count(call->tenant, grant_types[at].counter);
    unsigned code = check_tenant(call, grant_types[at].type);
    if (!code)
        code = vl_tenant_client_read(call, &r->client);
    r->detail = r->client.detail;
    if (code)
        return code;
    code = vl_tenant_asked_read(call, vl_params_get(&call->form, "claims"),
                                &r->asked);
    if (code) {
        r->detail = "It is claims.";
        return code;
    }
    return grant_types[at].redeem(r);
}

static unsigned
redeem(struct vl_tenant_redemption *r)
{
    struct vl_str type;
    if (vl_params_repeat(&r->call->form, NULL)) {
        r->detail = "A parameter was given twice.";
        return 90023;
    }
    unsigned code = vl_tenant_require(r, "grant_type", &type);
    if (code)
        return code;
    for (size_t i = 0; i < VL_COUNT(grant_types); i++)
        if (vl_str_eqz(type, grant_types[i].grant_type))
            return redeem_as(r, i);
    return 70003;
}

/* A fresh refresh token for what the old grant, or the code, was for. */
static struct vl_str
put_refresh_token(const struct vl_tenant_redemption *r)
{
    const struct vl_tenant_grant *old = r->grant;
    int64_t now = vl_tenant_now(r->call);
    struct vl_str scope = vl_str_z(old->scope);
    struct vl_tenant_grant grant = {
        .expires_ms = now + REFRESH_MS,
        .user = old->user,
        .app = r->client.app,
        .realm = old->realm,
        .epoch = old->epoch,
        .signed_in = old->signed_in,
        .scope = vl_tenant_dup(scope.n ? scope : vl_str_z(r->scopes.granted)),
        .acrs = vl_tenant_dup(vl_str_z(old->acrs)),
    };
    return vl_tenant_shelf_put(&r->call->tenant->refresh_tokens, &grant, now);
}

static void
write_times(const struct vl_tenant_redemption *r, struct vl_json_out *json,
            unsigned lifetime)
{
    unsigned refresh_in = r->call->tenant->data->settings.refresh_in_seconds;
    if (!refresh_in && lifetime >= LONG_MIN)
        refresh_in = lifetime / 2;
    vl_json_add_int(json, "expires_in", lifetime);
    vl_json_add_int(json, "ext_expires_in", lifetime);
    if (refresh_in)
        vl_json_add_int(json, "refresh_in", refresh_in);
}

/* What only a person's tokens come with. */
static valet_status
write_person(const struct vl_tenant_redemption *r, struct vl_json_out *json,
             const struct vl_tenant_subject *subject, valet_error *err)
{
    const struct vl_tenant_call *call = r->call;
    vl_auto(vl_buf) id = vl_buf_of(VL_LIMIT_JWT);
    if (r->scopes.openid) {
        VL_TRY(vl_tenant_id_token(call, subject, &id, err));
        vl_json_add_str(json, "id_token", vl_buf_str(&id));
    }
    if (vl_str_eqz(vl_params_get(&call->form, "client_info"), "1"))
        vl_json_add_z(json, "client_info",
                      vl_tenant_client_info(call, subject->user));
    /* Who has one gets a new one, whatever it asks for this time. */
    if (r->scopes.offline || !r->is_first)
        vl_json_add_str(json, "refresh_token", put_refresh_token(r));
    if (r->client.app->in_family)
        vl_json_add_z(json, "foci", "1");
    return VALET_OK;
}

static valet_status
write_answer(const struct vl_tenant_redemption *r, struct vl_buf *out,
             valet_error *err)
{
    const struct vl_tenant_call *call = r->call;
    const struct vl_tenant_grant *grant = r->grant;
    vl_auto(vl_buf) access = vl_buf_of(VL_LIMIT_JWT);
    struct vl_tenant_subject subject = {
        .realm = call->realm,
        .app = r->client.app,
        .scopes = r->scopes,
        .lifetime = draw_lifetime(r),
        .proof = r->client.proof,
        .is_capable = r->asked.is_capable,
    };
    if (grant) {
        subject.user = grant->user;
        subject.realm = grant->user->realm;
        subject.nonce = r->is_first ? grant->nonce : NULL;
        subject.acrs = grant->acrs;
        subject.signed_in = grant->signed_in;
    }
    VL_TRY(vl_tenant_access_token(call, &subject, &access, err));
    struct vl_json_out json = {out, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "token_type", "Bearer");
    if (grant)
        vl_json_add_z(&json, "scope", r->scopes.granted);
    write_times(r, &json, subject.lifetime);
    vl_json_add_str(&json, "access_token", vl_buf_str(&access));
    if (grant)
        VL_TRY(write_person(r, &json, &subject, err));
    vl_json_close(&json, '}');
    return vl_buf_check(out, err);
}

void
vl_tenant_token(struct vl_tenant_call *call)
{
    struct vl_tenant_redemption r = {.call = call, .asked = {.acrs = ""}};
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    unsigned code = redeem(&r);
    if (code)
        vl_tenant_fail(call, code, r.detail);
    else if (write_answer(&r, &body, NULL) != VALET_OK)
        vl_tenant_fail(call, 90033, NULL);
    else
        vl_tenant_send_token(call, vl_buf_str(&body));
}
