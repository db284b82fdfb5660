/* SPDX-License-Identifier: Apache-2.0
 *
 * What else the control API changes: the settings, and the certificates of
 * applications.
 */
#include "apps/tenant/control.h"
#include "apps/tenant/route.h"

#include "core/enc.h"
#include "core/limits.h"
#include "crypto/digest.h"
#include "crypto/pem.h"

#define KEY_BITS 2048
#define DER_MAX  4096

/* Those that are not named stay as they are; 0 is the default. */
void
vl_tenant_control_settings(struct vl_tenant_call *call)
{
    vl_auto(vl_json) body = {NULL};
    struct vl_tenant_settings settings = call->tenant->data->settings;
    const struct {
        const char *name;
        unsigned *value;
    } numbers[] = {{"access_token_seconds", &settings.access_token_seconds},
                   {"refresh_in_seconds", &settings.refresh_in_seconds},
                   {"device_code_seconds", &settings.device_code_seconds},
                   {"device_interval", &settings.device_interval}};
    if (!vl_tenant_control_body(call, &body))
        return;
    for (size_t i = 0; i < VL_COUNT(numbers); i++) {
        int64_t value;
        if (!vl_tenant_control_number(body.root, numbers[i].name,
                                      *numbers[i].value, &value)) {
            vl_tenant_control_fail(
                call, 400,
                vl_tenant_format(call, "%s is a number", numbers[i].name));
            return;
        }
        *numbers[i].value = (unsigned)value;
    }
    const struct json_t *acrs = vl_json_get(body.root, "graph_acrs");
    if (acrs && (vl_json_kind(acrs) != VL_JSON_STRING ||
                 !vl_tenant_take_acrs(&settings, vl_json_str(acrs)))) {
        vl_tenant_control_fail(call, 400, "graph_acrs is a word such as c1");
        return;
    }
    call->tenant->data->settings = settings;
    vl_tenant_control_send(call, 200, VL_STR("{\"ok\":true}"));
}

/* A key and its certificate, as PEM. */
static valet_status
make_certificate(const struct vl_tenant_app *app, struct vl_buf *ret_pem,
                 struct vl_buf *ret_key, valet_error *err)
{
    struct vl_pkey *key = NULL;
    vl_auto(vl_buf) der = vl_buf_of(DER_MAX);
    VL_TRY(vl_pkey_new_rsa(KEY_BITS, &key, err));
    valet_status status = vl_pkey_self_signed(key, app->key, &der, err);
    if (status == VALET_OK)
        status = vl_pem_write_certificate(vl_buf_str(&der), ret_pem, err);
    if (status == VALET_OK)
        status = vl_pem_write_key(key, ret_key, err);
    vl_pkey_free(key);
    return status;
}

static void
send_certificate(struct vl_tenant_call *call, const struct vl_buf *pem,
                 const struct vl_buf *key)
{
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_json_open(&json, '{');
    vl_json_add_str(&json, "certificate", vl_buf_str(pem));
    if (vl_buf_size(key))
        vl_json_add_str(&json, "key", vl_buf_str(key));
    vl_json_close(&json, '}');
    vl_tenant_control_send(call, 201, vl_buf_str(&body));
}

/* Registers the certificate of the body; or makes one, and tells its key. */
void
vl_tenant_control_certificate(struct vl_tenant_call *call)
{
    vl_auto(vl_json) body = {NULL};
    vl_auto(vl_buf) pem = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_buf) key = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    valet_error err = {0};
    if (!vl_tenant_control_body(call, &body))
        return;
    struct vl_tenant_app *app = vl_tenant_find_app_by(
        call->tenant->data, vl_json_get_str(body.root, "app"));
    if (!app || app->is_public) {
        vl_tenant_control_fail(call, 404,
                               "there is no such confidential application");
        return;
    }
    vl_buf_add(&pem, vl_json_get_str(body.root, "certificate"));
    bool given = vl_buf_size(&pem) > 0;
    if ((!given && make_certificate(app, &pem, &key, &err) != VALET_OK) ||
        vl_tenant_credentials_add(&app->credentials, vl_buf_str(&pem), &err) !=
            VALET_OK)
        vl_tenant_control_fail(call, 400, err.message);
    else
        send_certificate(call, &pem, &key);
}
