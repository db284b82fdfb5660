/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests and exercises ask of the stand-in itself, under /_emul. We
 * listen on loopback only; a page in a browser is kept out as well: no Origin,
 * and bodies only as JSON.
 */
#include "apps/tenant/control.h"
#include "apps/tenant/consent.h"
#include "apps/tenant/route.h"

#include "core/limits.h"
#include "core/status.h"
#include "json/read.h"

void
vl_tenant_control_send(struct vl_tenant_call *call, int status,
                       struct vl_str body)
{
    struct vl_reply reply = {.status = status,
                             .type = "application/json; charset=utf-8",
                             .body = body};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    vl_exchange_reply(call->x, &reply);
}

void
vl_tenant_control_fail(struct vl_tenant_call *call, int status,
                       const char *message)
{
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "error", message);
    vl_json_close(&json, '}');
    vl_tenant_control_send(call, status, vl_buf_str(&body));
}

static bool
is_from_here(struct vl_tenant_call *call)
{
    const struct vl_headers *headers = &call->request->headers;
    struct vl_str type = vl_headers_get(headers, "content-type");
    struct vl_str peer = vl_str_z(call->request->peer);
    bool loopback = vl_str_starts(peer, VL_STR("127.")) ||
                    vl_str_eqz(peer, "::1") ||
                    vl_str_starts(peer, VL_STR("::ffff:127."));
    bool plain =
        !call->request->body.n || vl_media_type_is(type, "application/json");
    if (loopback && plain && !vl_headers_count(headers, "origin"))
        return true;
    vl_tenant_control_fail(call, 403,
                           "only from programs on this machine, as JSON");
    return false;
}

bool
vl_tenant_control_body(struct vl_tenant_call *call, struct vl_json *ret)
{
    valet_error err = {0};
    if (!is_from_here(call))
        return false;
    if (vl_json_parse(call->request->body, 8, ret, &err) != VALET_OK) {
        vl_tenant_control_fail(call, 400, err.message);
        return false;
    }
    if (vl_json_kind(ret->root) == VL_JSON_OBJECT)
        return true;
    vl_tenant_control_fail(call, 400, "write an object");
    return false;
}

bool
vl_tenant_control_number(const struct json_t *object, const char *key,
                         int64_t fallback, int64_t *ret)
{
    const struct json_t *value = vl_json_get(object, key);
    *ret = fallback;
    return !value ||
           (vl_json_int(value, ret) && *ret >= 0 && *ret <= 100000000);
}

static valet_status
read_texts(const struct json_t *object, struct vl_tenant_fault *fault,
           valet_error *err)
{
    const struct {
        const char *name;
        valet_status (*read)(struct vl_tenant_fault *fault, struct vl_str text,
                             valet_error *err);
    } members[] = {{"answer", vl_tenant_fault_shape},
                   {"grant", vl_tenant_fault_grant},
                   {"error", vl_tenant_fault_error},
                   {"claims", vl_tenant_fault_claims}};
    for (size_t i = 0; i < VL_COUNT(members); i++) {
        const struct json_t *value = vl_json_get(object, members[i].name);
        if (value)
            VL_TRY(members[i].read(fault, vl_json_str(value), err));
    }
    return VALET_OK;
}

static valet_status
read_fault(const struct vl_tenant_call *call, const struct json_t *object,
           struct vl_tenant_fault *ret, valet_error *err)
{
    struct vl_tenant_fault fault = vl_tenant_fault_of();
    int64_t aadsts, status, seconds;
    const struct json_t *retry = vl_json_get(object, "retry_after");
    if (!vl_tenant_where_of(vl_json_get_str(object, "where"), &fault.where))
        return vl_fail(err, VALET_INVALID, "",
                       "`where` is discovery, keys, authorize, sign_in, "
                       "sign_out, device, token, graph or any");
    if (!vl_tenant_control_number(object, "aadsts", 0, &aadsts) ||
        !vl_tenant_control_number(object, "status", 0, &status) ||
        !vl_tenant_control_number(object, "count", 1, &fault.count) ||
        !vl_tenant_control_number(object, "delay_ms", 0, &fault.delay_ms))
        return vl_fail(err, VALET_INVALID, "",
                       "aadsts, status, count and delay_ms are numbers");
    VL_TRY(read_texts(object, &fault, err));
    fault.aadsts = (unsigned)aadsts;
    fault.status = (int)status;
    if (vl_json_int(retry, &seconds))
        VL_TRY(vl_tenant_fault_retry(
            &fault,
            vl_str_z(vl_tenant_format(call, "%lld", (long long)seconds)), err));
    else if (retry)
        VL_TRY(vl_tenant_fault_retry(&fault, vl_json_str(retry), err));
    *ret = fault;
    return VALET_OK;
}

static const struct vl_str done = {"{\"ok\":true}", 11};

void
vl_tenant_control_add_fault(struct vl_tenant_call *call)
{
    vl_auto(vl_json) body = {NULL};
    struct vl_tenant_fault fault;
    valet_error err = {0};
    if (!vl_tenant_control_body(call, &body))
        return;
    if (read_fault(call, body.root, &fault, &err) != VALET_OK ||
        vl_tenant_faults_add(&call->tenant->data->faults, &fault, &err) !=
            VALET_OK)
        vl_tenant_control_fail(call, 400, err.message);
    else
        vl_tenant_control_send(call, 201, done);
}

void
vl_tenant_control_clear_faults(struct vl_tenant_call *call)
{
    if (!is_from_here(call))
        return;
    call->tenant->data->faults.count = 0;
    vl_tenant_control_send(call, 200, done);
}

/* What people had consented to is forgotten. */
void
vl_tenant_control_consent(struct vl_tenant_call *call)
{
    vl_auto(vl_json) body = {NULL};
    enum vl_tenant_consent_mode mode;
    if (!vl_tenant_control_body(call, &body))
        return;
    struct vl_tenant_app *app = vl_tenant_find_app_by(
        call->tenant->data, vl_json_get_str(body.root, "app"));
    if (!app) {
        vl_tenant_control_fail(call, 404, "there is no such application");
        return;
    }
    if (!vl_tenant_consent_of(vl_json_get_str(body.root, "consent"), &mode)) {
        vl_tenant_control_fail(
            call, 400, "`consent` is granted, needed or admin_required");
        return;
    }
    app->consent = mode;
    vl_tenant_consents_forget(call->tenant, app);
    vl_tenant_control_send(call, 200, done);
}

void
vl_tenant_control_revoke(struct vl_tenant_call *call)
{
    vl_auto(vl_json) body = {NULL};
    if (!vl_tenant_control_body(call, &body))
        return;
    struct vl_str name = vl_json_get_str(body.root, "user");
    struct vl_tenant_user *user = vl_tenant_find_user(call->tenant->data, name);
    if (!user) {
        vl_tenant_control_fail(call, 404, "there is no such user");
        return;
    }
    user->epoch++;
    vl_tenant_control_send(call, 200, done);
}

void
vl_tenant_control_log(struct vl_tenant_call *call)
{
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    if (!is_from_here(call))
        return;
    vl_json_open(&json, '{');
    vl_json_open_key(&json, "counts", '{');
    for (size_t i = 0; i < VL_TENANT_COUNTERS; i++)
        if (call->tenant->counters[i].name)
            vl_json_add_int(&json, call->tenant->counters[i].name,
                            (int64_t)call->tenant->counters[i].count);
    vl_json_close(&json, '}');
    vl_json_close(&json, '}');
    vl_tenant_control_send(call, 200, vl_buf_str(&body));
}

void
vl_tenant_control_rotate(struct vl_tenant_call *call)
{
    valet_error err = {0};
    if (!is_from_here(call))
        return;
    if (vl_tenant_keyset_rotate(&call->tenant->keys, &err) != VALET_OK)
        vl_tenant_control_fail(call, 500, err.message);
    else
        vl_tenant_control_send(call, 200, done);
}

void
vl_tenant_control_describe(struct vl_tenant_call *call)
{
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_CONFIG);
    if (!is_from_here(call))
        return;
    vl_tenant_describe(call->tenant->data, &body);
    vl_tenant_control_send(call, 200, vl_buf_str(&body));
}
