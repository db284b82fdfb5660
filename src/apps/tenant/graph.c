/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of Microsoft Graph that a sign-in needs: the person's own profile
 * (entra-wire 2.18), and OpenID Connect's user info.
 */
#include "apps/tenant/challenge.h"
#include "apps/tenant/route.h"
#include "apps/tenant/scope.h"

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "json/read.h"

struct bearer {
    const struct vl_tenant_user *user; /* NULL: an application */
    bool may_read;                     /* User.Read or more */
};

/* What the client called its request; ours when it did not. */
static struct vl_str
client_id_of(const struct vl_tenant_call *call)
{
    struct vl_str id =
        vl_headers_get(&call->request->headers, "client-request-id");
    return vl_tenant_is_guid(id) ? id : vl_str_z(call->request_id);
}

static void
add_headers(struct vl_tenant_call *call, struct vl_reply *reply)
{
    vl_reply_add(reply, "request-id", vl_str_z(call->request_id));
    vl_reply_add(reply, "client-request-id", client_id_of(call));
    vl_reply_add(reply, "x-ms-ags-diagnostic",
                 VL_STR("{\"ServerInfo\":{\"DataCenter\":\"Local\"}}"));
    vl_reply_add(reply, "Cache-Control", VL_STR("no-cache"));
    vl_reply_add(reply, "X-Content-Type-Options", VL_STR("nosniff"));
}

/* @spec entra-wire 2.15: what to bring instead of this token. */
static const char *
make_challenge(const struct vl_tenant_call *call)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
    const char *claims = call->claims;
    if (!claims && call->has_fault && call->fault.claims[0])
        claims = call->fault.claims;
    if (claims)
        vl_enc_base64(&text, vl_str_z(claims));
    return vl_tenant_format(
        call,
        "Bearer realm=\"\", authorization_uri=\"%s/common/oauth2/v2.0/"
        "authorize\", client_id=\"%s\"%s%s%s",
        call->origin, VL_TENANT_GRAPH_ID,
        claims ? ", error=\"insufficient_claims\", claims=\"" : "",
        vl_buf_cstr(&text), claims ? "\"" : "");
}

static void
send_error(struct vl_tenant_call *call, int status, const char *code,
           const char *message)
{
    char iso[VL_TIME_ISO_SIZE];
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_time_iso(vl_tenant_now(call), iso);
    vl_json_open(&json, '{');
    vl_json_open_key(&json, "error", '{');
    vl_json_add_z(&json, "code", code);
    vl_json_add_z(&json, "message", message);
    vl_json_open_key(&json, "innerError", '{');
    vl_json_add_str(&json, "date", vl_str_head(vl_str_z(iso), 19));
    vl_json_add_z(&json, "request-id", call->request_id);
    vl_json_add_str(&json, "client-request-id", client_id_of(call));
    vl_json_close(&json, '}');
    vl_json_close(&json, '}');
    vl_json_close(&json, '}');
    struct vl_reply reply = {.status = status,
                             .type = "application/json",
                             .body = vl_buf_str(&body)};
    add_headers(call, &reply);
    if (status == 401)
        vl_reply_add(&reply, "WWW-Authenticate",
                     vl_str_z(make_challenge(call)));
    if (call->allow)
        vl_reply_add(&reply, "Allow", vl_str_z(call->allow));
    vl_tenant_add_retry(call, &reply);
    vl_exchange_reply(call->x, &reply);
}

void
vl_tenant_graph_fault(struct vl_tenant_call *call)
{
    static const struct {
        int status;
        const char *code, *message;
    } rows[] = {
        {401, "InvalidAuthenticationToken", "The access token is not valid."},
        {403, "Authorization_RequestDenied", "Privileges do not suffice."},
        {404, "Request_ResourceNotFound", "There is no such resource."},
        {429, "TooManyRequests", "Too many requests; ask again later."},
        {500, "InternalServerError", "A fault of the service."},
        {503, "serviceNotAvailable", "The service is busy; ask again later."},
        {504, "GatewayTimeout", "The service took too long."},
    };
    int usual = call->fault.claims[0] ? 401 : 429;
    int status = call->fault.status ? call->fault.status : usual;
    size_t i = 0;
    while (i + 1 < VL_COUNT(rows) && rows[i].status < status)
        i++;
    send_error(call, status, rows[i].code, rows[i].message);
}

void
vl_tenant_graph_unknown(struct vl_tenant_call *call)
{
    send_error(call, 400, "BadRequest",
               "Resource not found for this segment of the path.");
}

void
vl_tenant_graph_method(struct vl_tenant_call *call)
{
    send_error(call, 405, "Request_BadRequest",
               "The HTTP method is not allowed for this resource.");
}

/* The epoch that add_person() of claims.c put into "1.EPOCH.…" */
static bool
is_of_epoch(struct vl_str rh, unsigned epoch)
{
    struct vl_str rest = vl_str_from(rh, 2);
    uint64_t value;
    return vl_str_u64(vl_str_head(rest, vl_str_index(rest, '.')), UINT32_MAX,
                      &value) &&
           value == epoch;
}

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_DENIED, "InvalidAuthenticationToken",
                   "The access token %s.", why);
}

static bool
is_for_app(const struct json_t *claims)
{
    return vl_str_eqz(vl_json_get_str(claims, "idtyp"), "app");
}

/* Who knows challenges is told to come back with a younger token. */
static valet_status
refuse_revoked(struct vl_tenant_call *call, const struct json_t *claims,
               valet_error *err)
{
    if (vl_json_has_str(vl_json_get(claims, "xms_cc"), VL_STR("cp1")))
        call->claims =
            vl_tenant_format(call,
                             "{\"access_token\":{\"nbf\":{\"essential\":true,"
                             "\"value\":\"%lld\"}}}",
                             (long long)(vl_tenant_now(call) / 1000));
    return refuse(err, "was revoked");
}

/* Does the token carry what Graph was told to ask for? */
static valet_status
check_context(struct vl_tenant_call *call, const struct json_t *claims,
              valet_error *err)
{
    const char *acrs = call->tenant->data->settings.graph_acrs;
    if (!*acrs || vl_json_has_str(vl_json_get(claims, "acrs"), vl_str_z(acrs)))
        return VALET_OK;
    call->claims = vl_tenant_acrs_challenge(call, acrs);
    return refuse(err, "lacks an authentication context");
}

static valet_status
check_person(struct vl_tenant_call *call, const struct json_t *claims,
             struct bearer *ret, valet_error *err)
{
    struct vl_str oid = vl_json_get_str(claims, "oid");
    struct vl_tenant_user *user = vl_tenant_find_user(call->tenant->data, oid);
    if (!oid.n || !user || !vl_str_eqz(oid, user->id))
        return refuse(err, "names nobody");
    if (!is_of_epoch(vl_json_get_str(claims, "rh"), user->epoch))
        return refuse_revoked(call, claims, err);
    struct vl_str scp = vl_json_get_str(claims, "scp");
    ret->user = user;
    ret->may_read = vl_str_has_word(scp, VL_STR("User.Read")) ||
                    vl_str_has_word(scp, VL_STR("User.Read.All")) ||
                    vl_str_has_word(scp, VL_STR("Directory.Read.All"));
    return check_context(call, claims, err);
}

static valet_status
check_claims(struct vl_tenant_call *call, const struct json_t *claims,
             struct bearer *ret, valet_error *err)
{
    int64_t exp, nbf, now = vl_tenant_now(call) / 1000;
    if (!vl_str_eqz(vl_json_get_str(claims, "aud"), VL_TENANT_GRAPH_ID))
        return refuse(err, "is for another audience");
    if (!vl_json_get_int(claims, "exp", &exp) || now >= exp)
        return refuse(err, "has expired");
    if (!vl_json_get_int(claims, "nbf", &nbf) || now < nbf)
        return refuse(err, "is not valid yet");
    if (!is_for_app(claims))
        return check_person(call, claims, ret, err);
    *ret = (struct bearer){.user = NULL};
    return VALET_OK;
}

static valet_status
read_bearer(struct vl_tenant_call *call, struct bearer *ret, valet_error *err)
{
    struct vl_str header =
        vl_headers_get(&call->request->headers, "authorization");
    vl_auto(vl_json) claims = {NULL};
    if (!vl_str_ieq(vl_str_head(header, 7), VL_STR("Bearer ")))
        return refuse(err, "is missing");
    valet_error ignored;
    if (vl_jwt_verify(vl_str_from(header, 7), call->tenant->keys.published,
                      &claims, &ignored) != VALET_OK)
        return refuse(err, "is not one of this tenant");
    return check_claims(call, claims.root, ret, err);
}

/* False when it has answered with the error. */
static bool
admit(struct vl_tenant_call *call, struct bearer *ret)
{
    valet_error err = {0};
    if (read_bearer(call, ret, &err) != VALET_OK)
        send_error(call, 401, "InvalidAuthenticationToken", err.message);
    else if (!ret->user)
        send_error(call, 400, "BadRequest",
                   "/me is for tokens of a person; this is an application's.");
    else
        return true;
    return false;
}

static void
add_or_null(struct vl_json_out *json, const char *key, const char *value)
{
    if (value)
        vl_json_add_z(json, key, value);
    else
        vl_json_add_null(json, key);
}

static bool
is_selected(struct vl_str select, const char *name)
{
    struct vl_str item;
    if (!select.n)
        return true;
    while (vl_str_split(&select, ',', &item))
        if (vl_str_ieq(vl_str_trim(item), vl_str_z(name)))
            return true;
    return false;
}

static void
send_profile(struct vl_tenant_call *call, const struct vl_tenant_user *user,
             struct vl_str select)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {"displayName", user->display_name},
        {"givenName", user->given_name},
        {"jobTitle", user->job_title},
        {"mail", user->mail},
        {"mobilePhone", NULL},
        {"officeLocation", NULL},
        {"preferredLanguage", NULL},
        {"surname", user->family_name},
        {"userPrincipalName", user->username},
        {"id", user->id},
    };
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_json_open(&json, '{');
    vl_json_add_z(
        &json, "@odata.context",
        select.n ? vl_tenant_format(
                       call, "%s/v1.0/$metadata#users(" VL_STR_FMT ")/$entity",
                       call->origin, VL_STR_ARG(select))
                 : vl_tenant_format(call, "%s/v1.0/$metadata#users/$entity",
                                    call->origin));
    if (is_selected(select, "businessPhones")) {
        vl_json_open_key(&json, "businessPhones", '[');
        vl_json_close(&json, ']');
    }
    for (size_t i = 0; i < VL_COUNT(fields); i++)
        if (is_selected(select, fields[i].name))
            add_or_null(&json, fields[i].name, fields[i].value);
    vl_json_close(&json, '}');
    struct vl_reply reply = {
        .status = 200,
        .type = "application/json;odata.metadata=minimal;"
                "odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
        .body = vl_buf_str(&body)};
    add_headers(call, &reply);
    vl_exchange_reply(call->x, &reply);
}

void
vl_tenant_graph_me(struct vl_tenant_call *call)
{
    struct bearer bearer;
    if (!admit(call, &bearer))
        return;
    if (!bearer.may_read) {
        send_error(call, 403, "Authorization_RequestDenied",
                   "The token lacks the scope User.Read.");
        return;
    }
    send_profile(call, bearer.user, vl_params_get(&call->query, "$select"));
}

void
vl_tenant_userinfo(struct vl_tenant_call *call)
{
    struct bearer bearer;
    if (!admit(call, &bearer))
        return;
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "sub", bearer.user->id);
    vl_json_add_z(&json, "name", bearer.user->display_name);
    add_or_null(&json, "given_name", bearer.user->given_name);
    add_or_null(&json, "family_name", bearer.user->family_name);
    add_or_null(&json, "email", bearer.user->mail);
    vl_json_close(&json, '}');
    struct vl_reply reply = {.status = 200,
                             .type = "application/json; charset=utf-8",
                             .body = vl_buf_str(&body)};
    add_headers(call, &reply);
    vl_exchange_reply(call->x, &reply);
}
