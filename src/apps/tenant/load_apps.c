/* SPDX-License-Identifier: Apache-2.0
 *
 * The applications of the set of data, and what they prove themselves with.
 */
#include "apps/tenant/load_map.h"

#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "http/url.h"

static const struct vl_load_field app_fields[] = {
    {"id", VL_LOAD_GUID, true, VL_LOAD_AT(vl_tenant_app, id)},
    {"name", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_app, name)},
    {"redirects", VL_LOAD_WORDS, true, VL_LOAD_AT(vl_tenant_app, redirects)},
    {"secret", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_app, secret)},
    {"uri", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_app, uri)},
    {"scopes", VL_LOAD_WORDS, false, VL_LOAD_AT(vl_tenant_app, scopes)},
    {"tenant", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_app, tenant)},
    {"consent", VL_LOAD_CONSENT, false, VL_LOAD_AT(vl_tenant_app, consent)},
    {"public", VL_LOAD_FLAG, false, VL_LOAD_AT(vl_tenant_app, is_public)},
    {"certificates", VL_LOAD_WORDS, false,
     VL_LOAD_AT(vl_tenant_app, certificates)},
    {"federated", VL_LOAD_OTHER, false, 0},
    {"app_roles", VL_LOAD_WORDS, false, VL_LOAD_AT(vl_tenant_app, app_roles)},
    {"family", VL_LOAD_FLAG, false, VL_LOAD_AT(vl_tenant_app, in_family)},
    {"secret_expired", VL_LOAD_FLAG, false,
     VL_LOAD_AT(vl_tenant_app, secret_expired)},
    {"multi_tenant", VL_LOAD_FLAG, false,
     VL_LOAD_AT(vl_tenant_app, multi_tenant)},
};

static const struct vl_load_field federated_fields[] = {
    {"issuer", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_federated, issuer)},
    {"subject", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_federated, subject)},
    {"audience", VL_LOAD_TEXT, false,
     VL_LOAD_AT(vl_tenant_federated, audience)},
    {"key", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_federated, key)},
};

/* The text itself, or the name of a file with it. */
static bool
is_inline(const char *text)
{
    return strstr(text, "-----BEGIN ") != NULL;
}

/* A page of ours will send browsers there: web addresses and schemes of apps
 * only, no plain http but on this machine. */
static bool
is_good_redirect(const char *text)
{
    static const char *const content[] = {"javascript", "data", "vbscript",
                                          "blob", "file"};
    struct vl_url url;
    if (vl_url_parse(vl_str_z(text), &url, NULL) != VALET_OK)
        return false;
    for (size_t i = 0; i < VL_COUNT(content); i++)
        if (vl_str_ieq(url.scheme, vl_str_z(content[i])))
            return false;
    return vl_url_is_http(&url)
               ? vl_url_is_https(&url) || vl_url_is_loopback(&url)
               : vl_str_has(url.scheme, '.') ||
                     vl_str_starts(url.scheme, VL_STR("msal")) ||
                     url.has_authority;
}

static const char *
judge_app(const struct vl_tenant_app *app)
{
    if (app->is_public && (app->secret || app->certificates.count))
        return "a public app has no secret and no certificate";
    if (!app->redirects.count)
        return "write at least one redirect";
    if (app->certificates.count > VL_TENANT_CERTIFICATES_MAX)
        return "an app has at most 8 certificates";
    for (size_t r = 0; r < app->redirects.count; r++)
        if (!is_good_redirect(app->redirects.items[r]))
            return "redirects are https, http on loopback, or a scheme of the "
                   "app";
    return NULL;
}

static valet_status
read_federated(const struct vl_loader *l, const struct vl_yaml *list,
               struct vl_tenant_credentials *credentials, valet_error *err)
{
    VL_TRY(vl_load_check(l, list, VL_YAML_LIST, err));
    for (size_t i = 0; i < vl_yaml_size(list); i++) {
        const struct vl_yaml *node = vl_yaml_at(list, i);
        struct vl_tenant_federated federated = {.issuer = NULL};
        valet_error why = {0};
        VL_TRY(vl_load_map(l, node, VL_LOAD_TABLE(federated_fields), &federated,
                           err));
        if (credentials->federated_count == VL_TENANT_FEDERATED_MAX)
            return vl_load_fail(l, node, err, "an app has at most 20 of them");
        if (federated.key && is_inline(federated.key) &&
            vl_tenant_federated_take_key(&federated, vl_str_z(federated.key),
                                         &why) != VALET_OK)
            return vl_load_fail(l, vl_yaml_find(node, "key"), err, why.message);
        credentials->federated[credentials->federated_count++] = federated;
    }
    return VALET_OK;
}

static valet_status
read_credentials(const struct vl_loader *l, const struct vl_yaml *node,
                 struct vl_tenant_app *app, valet_error *err)
{
    const struct vl_yaml *list = vl_yaml_find(node, "certificates");
    for (size_t i = 0; i < app->certificates.count; i++) {
        const char *text = app->certificates.items[i];
        valet_error why = {0};
        if (is_inline(text) &&
            vl_tenant_credentials_add(&app->credentials, vl_str_z(text),
                                      &why) != VALET_OK)
            return vl_load_fail(l, vl_yaml_at(list, i), err, why.message);
    }
    return read_federated(l, vl_yaml_find(node, "federated"), &app->credentials,
                          err);
}

valet_status
vl_load_apps(const struct vl_loader *l, const struct vl_yaml *map,
             valet_error *err)
{
    struct vl_tenant_data *data = l->data;
    VL_TRY(vl_load_check(l, map, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        struct vl_tenant_app app = {.key = vl_yaml_key(node).p};
        VL_TRY(vl_load_map(l, node, VL_LOAD_TABLE(app_fields), &app, err));
        VL_TRY(vl_load_home(l, node, app.tenant, &app.realm, err));
        if (data->app_count == VL_TENANT_APPS_MAX)
            return vl_load_fail(l, node, err, "there are too many apps");
        if (vl_tenant_find_app(data, vl_str_z(app.id)))
            return vl_load_fail(l, node, err, "this id is taken");
        if (judge_app(&app))
            return vl_load_fail(l, node, err, judge_app(&app));
        /* Keys are owned from here on, whatever follows. */
        data->apps[data->app_count++] = app;
        VL_TRY(
            read_credentials(l, node, &data->apps[data->app_count - 1], err));
    }
    return VALET_OK;
}

static valet_status
fail_file(const struct vl_loader *l, const struct vl_tenant_app *app,
          const char *path, const valet_error *why, valet_error *err)
{
    return vl_fail(err, VALET_INVALID, "", "%s: %.40s: %.200s: %.200s", l->name,
                   app->key, path, why->message);
}

static valet_status
read_app_files(const struct vl_loader *l, struct vl_tenant_app *app,
               valet_error *err)
{
    struct vl_tenant_credentials *credentials = &app->credentials;
    valet_error why = {0};
    for (size_t i = 0; i < app->certificates.count; i++) {
        const char *path = app->certificates.items[i];
        vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
        if (!is_inline(path) &&
            (vl_file_read(path, false, &text, &why) != VALET_OK ||
             vl_tenant_credentials_add(credentials, vl_buf_str(&text), &why) !=
                 VALET_OK))
            return fail_file(l, app, path, &why, err);
    }
    for (size_t i = 0; i < credentials->federated_count; i++) {
        struct vl_tenant_federated *federated = &credentials->federated[i];
        vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
        if (federated->key && !is_inline(federated->key) &&
            (vl_file_read(federated->key, false, &text, &why) != VALET_OK ||
             vl_tenant_federated_take_key(federated, vl_buf_str(&text), &why) !=
                 VALET_OK))
            return fail_file(l, app, federated->key, &why, err);
    }
    return VALET_OK;
}

valet_status
vl_load_app_files(const struct vl_loader *l, valet_error *err)
{
    for (size_t i = 0; i < l->data->app_count; i++)
        VL_TRY(read_app_files(l, &l->data->apps[i], err));
    return VALET_OK;
}
