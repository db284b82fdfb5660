/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the set of data. One table per kind of thing names its keys; the
 * reader walks the YAML map, so that an unknown key is found with its line.
 */
#include "apps/tenant/load_map.h"

#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "web/asset.h"

/* The tree is about twelve times the text (conf/yaml.h); then our texts. */
#define ARENA_MAX ((size_t)VL_LIMIT_CONFIG * 14)

extern const struct vl_asset vl_tenant_assets[];

static const struct vl_load_field realm_fields[] = {
    {"id", VL_LOAD_GUID, true, VL_LOAD_AT(vl_tenant_realm, id)},
    {"domain", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_realm, domain)},
    {"name", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_realm, name)},
};

static const struct vl_load_field user_fields[] = {
    {"id", VL_LOAD_GUID, true, VL_LOAD_AT(vl_tenant_user, id)},
    {"username", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_user, username)},
    {"password", VL_LOAD_TEXT, true, VL_LOAD_AT(vl_tenant_user, password)},
    {"display_name", VL_LOAD_TEXT, true,
     VL_LOAD_AT(vl_tenant_user, display_name)},
    {"given_name", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_user, given_name)},
    {"family_name", VL_LOAD_TEXT, false,
     VL_LOAD_AT(vl_tenant_user, family_name)},
    {"mail", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_user, mail)},
    {"job_title", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_user, job_title)},
    {"roles", VL_LOAD_WORDS, false, VL_LOAD_AT(vl_tenant_user, roles)},
    {"tenant", VL_LOAD_TEXT, false, VL_LOAD_AT(vl_tenant_user, tenant)},
    {"sign_in_error", VL_LOAD_NUMBER, false,
     VL_LOAD_AT(vl_tenant_user, sign_in_error)},
    {"admin", VL_LOAD_FLAG, false, VL_LOAD_AT(vl_tenant_user, is_admin)},
};

struct raw_fault {
    const char *where, *retry_after, *answer, *grant, *error, *claims;
    unsigned aadsts, status, count, delay_ms;
};

static const struct vl_load_field fault_fields[] = {
    {"where", VL_LOAD_TEXT, true, VL_LOAD_AT(raw_fault, where)},
    {"retry_after", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_fault, retry_after)},
    {"answer", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_fault, answer)},
    {"grant", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_fault, grant)},
    {"error", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_fault, error)},
    {"claims", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_fault, claims)},
    {"aadsts", VL_LOAD_NUMBER, false, VL_LOAD_AT(raw_fault, aadsts)},
    {"status", VL_LOAD_NUMBER, false, VL_LOAD_AT(raw_fault, status)},
    {"count", VL_LOAD_NUMBER, false, VL_LOAD_AT(raw_fault, count)},
    {"delay_ms", VL_LOAD_NUMBER, false, VL_LOAD_AT(raw_fault, delay_ms)},
};

struct raw_top {
    const char *resource_mode, *graph_acrs;
    unsigned access_token_seconds, refresh_in_seconds;
    unsigned device_code_seconds, device_interval;
};

#define NUMBER(name)                                                           \
    {                                                                          \
#name, VL_LOAD_NUMBER, false, VL_LOAD_AT(raw_top, name)                \
    }

static const struct vl_load_field top_fields[] = {
    {"resource_mode", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_top, resource_mode)},
    {"graph_acrs", VL_LOAD_TEXT, false, VL_LOAD_AT(raw_top, graph_acrs)},
    NUMBER(access_token_seconds),
    NUMBER(refresh_in_seconds),
    NUMBER(device_code_seconds),
    NUMBER(device_interval),
};

static valet_status
read_realms(const struct vl_loader *l, const struct vl_yaml *root,
            valet_error *err)
{
    struct vl_tenant_data *data = l->data;
    const struct vl_yaml *list = vl_yaml_find(root, "tenants");
    size_t count = vl_yaml_size(list);
    VL_TRY(vl_load_check(l, list, VL_YAML_LIST, err));
    if (!count || count > VL_TENANT_REALMS_MAX)
        return vl_load_fail(l, list ? list : root, err,
                            "write one to eight `tenants`");
    for (; data->realm_count < count; data->realm_count++)
        VL_TRY(vl_load_map(l, vl_yaml_at(list, data->realm_count),
                           VL_LOAD_TABLE(realm_fields),
                           &data->realms[data->realm_count], err));
    return VALET_OK;
}

static valet_status
read_users(const struct vl_loader *l, const struct vl_yaml *map,
           valet_error *err)
{
    struct vl_tenant_data *data = l->data;
    VL_TRY(vl_load_check(l, map, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        struct vl_tenant_user user = {.key = vl_yaml_key(node).p};
        VL_TRY(vl_load_map(l, node, VL_LOAD_TABLE(user_fields), &user, err));
        VL_TRY(vl_load_home(l, node, user.tenant, &user.realm, err));
        if (data->user_count == VL_TENANT_USERS_MAX)
            return vl_load_fail(l, node, err, "there are too many users");
        if (vl_tenant_find_user(data, vl_str_z(user.username)) ||
            vl_tenant_find_user(data, vl_str_z(user.id)))
            return vl_load_fail(l, node, err, "this username or id is taken");
        data->users[data->user_count++] = user;
    }
    return VALET_OK;
}

static valet_status
take_fault(const struct raw_fault *raw, struct vl_tenant_faults *faults,
           valet_error *err)
{
    struct vl_tenant_fault fault = vl_tenant_fault_of();
    fault.aadsts = raw->aadsts;
    fault.status = (int)raw->status;
    fault.count = raw->count;
    fault.delay_ms = raw->delay_ms;
    (void)vl_tenant_where_of(vl_str_z(raw->where), &fault.where);
    if (raw->retry_after)
        VL_TRY(vl_tenant_fault_retry(&fault, vl_str_z(raw->retry_after), err));
    if (raw->answer)
        VL_TRY(vl_tenant_fault_shape(&fault, vl_str_z(raw->answer), err));
    if (raw->grant)
        VL_TRY(vl_tenant_fault_grant(&fault, vl_str_z(raw->grant), err));
    if (raw->error)
        VL_TRY(vl_tenant_fault_error(&fault, vl_str_z(raw->error), err));
    if (raw->claims)
        VL_TRY(vl_tenant_fault_claims(&fault, vl_str_z(raw->claims), err));
    return vl_tenant_faults_add(faults, &fault, err);
}

static valet_status
read_faults(const struct vl_loader *l, const struct vl_yaml *list,
            valet_error *err)
{
    VL_TRY(vl_load_check(l, list, VL_YAML_LIST, err));
    for (size_t i = 0; i < vl_yaml_size(list); i++) {
        const struct vl_yaml *node = vl_yaml_at(list, i);
        struct raw_fault raw = {.count = 1};
        valet_error why = {0};
        VL_TRY(vl_load_map(l, node, VL_LOAD_TABLE(fault_fields), &raw, err));
        if (take_fault(&raw, &l->data->faults, &why) != VALET_OK)
            return vl_load_fail(l, node, err, why.message);
    }
    return VALET_OK;
}

static valet_status
take_settings(const struct vl_loader *l, const struct vl_yaml *root,
              const struct raw_top *top, valet_error *err)
{
    struct vl_tenant_settings settings = {
        .access_token_seconds = top->access_token_seconds,
        .refresh_in_seconds = top->refresh_in_seconds,
        .device_code_seconds = top->device_code_seconds,
        .device_interval = top->device_interval,
    };
    if (top->graph_acrs &&
        !vl_tenant_take_acrs(&settings, vl_str_z(top->graph_acrs)))
        return vl_load_fail(l, vl_yaml_find(root, "graph_acrs"), err,
                            "write a short word such as c1");
    l->data->settings = settings;
    return VALET_OK;
}

static valet_status
read_top(const struct vl_loader *l, const struct vl_yaml *root,
         valet_error *err)
{
    static const char *const modes[VL_TENANT_RESOURCE_MODE_COUNT] = {
        [VL_TENANT_RESOURCE_CHECK] = "check",
        [VL_TENANT_RESOURCE_REFUSE] = "refuse",
        [VL_TENANT_RESOURCE_IGNORE] = "ignore",
    };
    static const char *const parts[] = {"tenants", "users", "apps", "faults"};
    struct raw_top top = {.resource_mode = "check"};
    VL_TRY(vl_load_check(l, root, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(root); i++) {
        const struct vl_yaml *node = vl_yaml_at(root, i);
        const struct vl_load_field *field =
            vl_load_find(VL_LOAD_TABLE(top_fields), vl_yaml_key(node));
        bool known = field != NULL;
        for (size_t p = 0; p < VL_COUNT(parts); p++)
            known = known || vl_str_eqz(vl_yaml_key(node), parts[p]);
        if (!known)
            return vl_load_fail(l, node, err, "there is no such key");
        if (field)
            VL_TRY(vl_load_scalar(l, node, field->kind,
                                  (char *)&top + field->offset, err));
    }
    VL_TRY(take_settings(l, root, &top, err));
    for (int i = 0; i < VL_TENANT_RESOURCE_MODE_COUNT; i++) {
        l->data->resource_mode = (enum vl_tenant_resource_mode)i;
        if (strcmp(top.resource_mode, modes[i]) == 0)
            return VALET_OK;
    }
    return vl_load_fail(l, vl_yaml_find(root, "resource_mode"), err,
                        "write check, refuse or ignore");
}

static valet_status
read_all(const struct vl_loader *l, struct vl_str text, valet_error *err)
{
    const struct vl_yaml *root = NULL;
    VL_TRY(vl_yaml_parse(l->name, text, l->arena, &root, err));
    VL_TRY(read_top(l, root, err));
    VL_TRY(read_realms(l, root, err));
    VL_TRY(read_users(l, vl_yaml_find(root, "users"), err));
    VL_TRY(vl_load_apps(l, vl_yaml_find(root, "apps"), err));
    return read_faults(l, vl_yaml_find(root, "faults"), err);
}

static struct vl_str
find_default(void)
{
    const struct vl_asset *asset = vl_tenant_assets;
    while (asset->name && strcmp(asset->name, "default") != 0)
        asset++;
    return vl_str_of(asset->bytes, asset->size);
}

valet_status
vl_tenant_data_parse(const char *name, struct vl_str text,
                     struct vl_tenant_data **ret, valet_error *err)
{
    struct vl_tenant_data *data = vl_alloc(sizeof *data);
    data->arena = vl_arena_of(ARENA_MAX);
    struct vl_loader loader = {name, &data->arena, data};
    valet_status status = read_all(&loader, text, err);
    if (status != VALET_OK) {
        vl_tenant_data_free(data);
        return status;
    }
    *ret = data;
    return VALET_OK;
}

valet_status
vl_tenant_data_load(const char *path, struct vl_tenant_data **ret,
                    valet_error *err)
{
    vl_auto(vl_buf) file = vl_buf_of(VL_LIMIT_CONFIG);
    if (!path)
        return vl_tenant_data_parse("default", find_default(), ret, err);
    VL_TRY(vl_file_read(path, false, &file, err));
    struct vl_tenant_data *data = NULL;
    VL_TRY(vl_tenant_data_parse(path, vl_buf_str(&file), &data, err));
    struct vl_loader loader = {path, &data->arena, data};
    valet_status status = vl_load_app_files(&loader, err);
    if (status != VALET_OK) {
        vl_tenant_data_free(data);
        return status;
    }
    *ret = data;
    return VALET_OK;
}

void
vl_tenant_data_free(struct vl_tenant_data *data)
{
    if (!data)
        return;
    for (size_t i = 0; i < data->app_count; i++)
        vl_tenant_credentials_done(&data->apps[i].credentials);
    vl_arena_done(&data->arena);
    free(data);
}
