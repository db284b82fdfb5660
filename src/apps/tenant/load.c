/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the set of data. One table per kind of thing names its keys; the
 * reader walks the YAML map, so that an unknown key is found with its line.
 */
#include "apps/tenant/data.h"

#include "conf/yaml.h"
#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "http/url.h"
#include "web/asset.h"

/* The tree is about twelve times the text (conf/yaml.h); then our texts. */
#define ARENA_MAX ((size_t)VL_LIMIT_CONFIG * 14)

extern const struct vl_asset vl_tenant_assets[];

enum kind { TEXT, GUID, WORDS, FLAG, NUMBER, CONSENT };

struct field {
    const char *name;
    enum kind kind;
    bool required;
    size_t offset;
};

struct loader {
    const char *name; /* of the file, for messages */
    struct vl_arena *arena;
    struct vl_tenant_data *data;
};

#define AT(type, field) offsetof(struct type, field)

static const struct field realm_fields[] = {
    {"id", GUID, true, AT(vl_tenant_realm, id)},
    {"domain", TEXT, true, AT(vl_tenant_realm, domain)},
    {"name", TEXT, true, AT(vl_tenant_realm, name)},
};

static const struct field user_fields[] = {
    {"id", GUID, true, AT(vl_tenant_user, id)},
    {"username", TEXT, true, AT(vl_tenant_user, username)},
    {"password", TEXT, true, AT(vl_tenant_user, password)},
    {"display_name", TEXT, true, AT(vl_tenant_user, display_name)},
    {"given_name", TEXT, false, AT(vl_tenant_user, given_name)},
    {"family_name", TEXT, false, AT(vl_tenant_user, family_name)},
    {"mail", TEXT, false, AT(vl_tenant_user, mail)},
    {"job_title", TEXT, false, AT(vl_tenant_user, job_title)},
    {"roles", WORDS, false, AT(vl_tenant_user, roles)},
    {"tenant", TEXT, false, AT(vl_tenant_user, tenant)},
    {"sign_in_error", NUMBER, false, AT(vl_tenant_user, sign_in_error)},
    {"admin", FLAG, false, AT(vl_tenant_user, is_admin)},
};

static const struct field app_fields[] = {
    {"id", GUID, true, AT(vl_tenant_app, id)},
    {"name", TEXT, true, AT(vl_tenant_app, name)},
    {"redirects", WORDS, true, AT(vl_tenant_app, redirects)},
    {"secret", TEXT, false, AT(vl_tenant_app, secret)},
    {"uri", TEXT, false, AT(vl_tenant_app, uri)},
    {"scopes", WORDS, false, AT(vl_tenant_app, scopes)},
    {"tenant", TEXT, false, AT(vl_tenant_app, tenant)},
    {"consent", CONSENT, false, AT(vl_tenant_app, consent)},
    {"public", FLAG, false, AT(vl_tenant_app, is_public)},
    {"multi_tenant", FLAG, false, AT(vl_tenant_app, multi_tenant)},
};

struct raw_fault {
    const char *where, *retry_after, *answer;
    unsigned aadsts, status, count, delay_ms;
};

static const struct field fault_fields[] = {
    {"where", TEXT, true, AT(raw_fault, where)},
    {"retry_after", TEXT, false, AT(raw_fault, retry_after)},
    {"answer", TEXT, false, AT(raw_fault, answer)},
    {"aadsts", NUMBER, false, AT(raw_fault, aadsts)},
    {"status", NUMBER, false, AT(raw_fault, status)},
    {"count", NUMBER, false, AT(raw_fault, count)},
    {"delay_ms", NUMBER, false, AT(raw_fault, delay_ms)},
};

struct raw_top {
    const char *resource_mode;
    unsigned access_token_seconds;
};

static const struct field top_fields[] = {
    {"resource_mode", TEXT, false, AT(raw_top, resource_mode)},
    {"access_token_seconds", NUMBER, false, AT(raw_top, access_token_seconds)},
};

static valet_status
fail_at(const struct loader *l, const struct vl_yaml *node, valet_error *err,
        const char *what)
{
    struct vl_yaml_mark mark = vl_yaml_mark(node);
    struct vl_str key = vl_yaml_key(node);
    return vl_fail(err, VALET_INVALID, "", "%s:%u:%u: %.40s%s%s", l->name,
                   mark.line, mark.column, key.n ? key.p : "",
                   key.n ? ": " : "", what);
}

/* What is not there is nothing; what is there has to be of this kind. */
static valet_status
check_kind(const struct loader *l, const struct vl_yaml *node,
           enum vl_yaml_kind kind, valet_error *err)
{
    if (!node || vl_yaml_kind(node) == kind)
        return VALET_OK;
    return fail_at(l, node, err,
                   kind == VL_YAML_MAP ? "write a map of keys and values"
                                       : "write a list");
}

static valet_status
read_words(const struct loader *l, const struct vl_yaml *node,
           struct vl_tenant_words *ret, valet_error *err)
{
    size_t count = vl_yaml_size(node);
    if (vl_yaml_kind(node) != VL_YAML_LIST || count > VL_COUNT(ret->items))
        return fail_at(l, node, err, "write a list of at most 16 texts");
    for (size_t i = 0; i < count; i++) {
        struct vl_str text = vl_yaml_text(vl_yaml_at(node, i));
        if (!text.n)
            return fail_at(l, node, err, "write a list of texts");
        ret->items[i] = text.p;
    }
    ret->count = count;
    return VALET_OK;
}

static valet_status
read_scalar(const struct loader *l, const struct vl_yaml *node, enum kind kind,
            void *ret, valet_error *err)
{
    struct vl_str text = vl_yaml_text(node);
    if (!text.n)
        return fail_at(l, node, err, "write a value");
    uint64_t number = 0;
    switch (kind) {
    case GUID:
        if (!vl_tenant_is_guid(text))
            return fail_at(l, node, err, "write a GUID");
        *(const char **)ret = text.p;
        break;
    case FLAG:
        if (!vl_str_eqz(text, "true") && !vl_str_eqz(text, "false"))
            return fail_at(l, node, err, "write true or false");
        *(bool *)ret = vl_str_eqz(text, "true");
        break;
    case NUMBER:
        if (!vl_str_u64(text, 100000000, &number))
            return fail_at(l, node, err, "write a number");
        *(unsigned *)ret = (unsigned)number;
        break;
    case CONSENT:
        if (!vl_tenant_consent_of(text, ret))
            return fail_at(l, node, err,
                           "write granted, needed or admin_required");
        break;
    case TEXT:
    case WORDS:
        *(const char **)ret = text.p;
        break;
    }
    return VALET_OK;
}

struct table {
    const struct field *fields;
    size_t count;
};

static const struct field *
find_field(struct table table, struct vl_str name)
{
    for (size_t i = 0; i < table.count; i++)
        if (vl_str_eqz(name, table.fields[i].name))
            return &table.fields[i];
    return NULL;
}

static valet_status
read_map(const struct loader *l, const struct vl_yaml *map, struct table table,
         void *target, valet_error *err)
{
    VL_TRY(check_kind(l, map, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        const struct field *field = find_field(table, vl_yaml_key(node));
        if (!field)
            return fail_at(l, node, err, "there is no such key");
        char *at = (char *)target + field->offset;
        if (field->kind == WORDS)
            VL_TRY(read_words(l, node, (void *)at, err));
        else
            VL_TRY(read_scalar(l, node, field->kind, (void *)at, err));
    }
    for (size_t i = 0; i < table.count; i++)
        if (table.fields[i].required &&
            !vl_yaml_find(map, table.fields[i].name))
            return vl_fail(err, VALET_INVALID, "", "%s:%u:%u: %s is missing",
                           l->name, vl_yaml_mark(map).line,
                           vl_yaml_mark(map).column, table.fields[i].name);
    return VALET_OK;
}

#define TABLE(fields) ((struct table){fields, VL_COUNT(fields)})

static valet_status
read_realms(const struct loader *l, const struct vl_yaml *root,
            valet_error *err)
{
    struct vl_tenant_data *data = l->data;
    const struct vl_yaml *list = vl_yaml_find(root, "tenants");
    size_t count = vl_yaml_size(list);
    VL_TRY(check_kind(l, list, VL_YAML_LIST, err));
    if (!count || count > VL_TENANT_REALMS_MAX)
        return fail_at(l, list ? list : root, err,
                       "write one to eight `tenants`");
    for (; data->realm_count < count; data->realm_count++)
        VL_TRY(read_map(l, vl_yaml_at(list, data->realm_count),
                        TABLE(realm_fields), &data->realms[data->realm_count],
                        err));
    return VALET_OK;
}

static valet_status
find_home(const struct loader *l, const struct vl_yaml *node,
          const char *written, const struct vl_tenant_realm **ret,
          valet_error *err)
{
    *ret = written ? vl_tenant_find_realm(l->data, vl_str_z(written))
                   : &l->data->realms[0];
    return *ret ? VALET_OK
                : fail_at(l, node, err, "its tenant is not among `tenants`");
}

static valet_status
read_users(const struct loader *l, const struct vl_yaml *map, valet_error *err)
{
    struct vl_tenant_data *data = l->data;
    VL_TRY(check_kind(l, map, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        struct vl_tenant_user user = {.key = vl_yaml_key(node).p};
        VL_TRY(read_map(l, node, TABLE(user_fields), &user, err));
        VL_TRY(find_home(l, node, user.tenant, &user.realm, err));
        if (data->user_count == VL_TENANT_USERS_MAX)
            return fail_at(l, node, err, "there are too many users");
        if (vl_tenant_find_user(data, vl_str_z(user.username)) ||
            vl_tenant_find_user(data, vl_str_z(user.id)))
            return fail_at(l, node, err, "this username or id is taken");
        data->users[data->user_count++] = user;
    }
    return VALET_OK;
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

static valet_status
read_apps(const struct loader *l, const struct vl_yaml *map, valet_error *err)
{
    struct vl_tenant_data *data = l->data;
    VL_TRY(check_kind(l, map, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        struct vl_tenant_app app = {.key = vl_yaml_key(node).p};
        VL_TRY(read_map(l, node, TABLE(app_fields), &app, err));
        VL_TRY(find_home(l, node, app.tenant, &app.realm, err));
        if (data->app_count == VL_TENANT_APPS_MAX)
            return fail_at(l, node, err, "there are too many apps");
        if (vl_tenant_find_app(data, vl_str_z(app.id)))
            return fail_at(l, node, err, "this id is taken");
        if (app.is_public && app.secret)
            return fail_at(l, node, err, "a public app has no secret");
        if (!app.redirects.count)
            return fail_at(l, node, err, "write at least one redirect");
        for (size_t r = 0; r < app.redirects.count; r++)
            if (!is_good_redirect(app.redirects.items[r]))
                return fail_at(l, node, err,
                               "redirects are https, http on loopback, or a "
                               "scheme of the app");
        data->apps[data->app_count++] = app;
    }
    return VALET_OK;
}

static valet_status
read_faults(const struct loader *l, const struct vl_yaml *list,
            valet_error *err)
{
    VL_TRY(check_kind(l, list, VL_YAML_LIST, err));
    for (size_t i = 0; i < vl_yaml_size(list); i++) {
        const struct vl_yaml *node = vl_yaml_at(list, i);
        struct raw_fault raw = {.count = 1};
        struct vl_tenant_fault fault = vl_tenant_fault_of();
        valet_error why = {0};
        VL_TRY(read_map(l, node, TABLE(fault_fields), &raw, err));
        fault.aadsts = raw.aadsts;
        fault.status = (int)raw.status;
        fault.count = raw.count;
        fault.delay_ms = raw.delay_ms;
        (void)vl_tenant_where_of(vl_str_z(raw.where), &fault.where);
        if (raw.retry_after &&
            vl_tenant_fault_retry(&fault, vl_str_z(raw.retry_after), &why) !=
                VALET_OK)
            return fail_at(l, node, err, why.message);
        if (raw.answer && vl_tenant_fault_shape(&fault, vl_str_z(raw.answer),
                                                &why) != VALET_OK)
            return fail_at(l, node, err, why.message);
        if (vl_tenant_faults_add(&l->data->faults, &fault, &why) != VALET_OK)
            return fail_at(l, node, err, why.message);
    }
    return VALET_OK;
}

static valet_status
read_top(const struct loader *l, const struct vl_yaml *root, valet_error *err)
{
    static const char *const modes[VL_TENANT_RESOURCE_MODE_COUNT] = {
        [VL_TENANT_RESOURCE_CHECK] = "check",
        [VL_TENANT_RESOURCE_REFUSE] = "refuse",
        [VL_TENANT_RESOURCE_IGNORE] = "ignore",
    };
    static const char *const parts[] = {"tenants", "users", "apps", "faults"};
    struct raw_top top = {.resource_mode = "check"};
    VL_TRY(check_kind(l, root, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(root); i++) {
        const struct vl_yaml *node = vl_yaml_at(root, i);
        const struct field *field =
            find_field(TABLE(top_fields), vl_yaml_key(node));
        bool known = field != NULL;
        for (size_t p = 0; p < VL_COUNT(parts); p++)
            known = known || vl_str_eqz(vl_yaml_key(node), parts[p]);
        if (!known)
            return fail_at(l, node, err, "there is no such key");
        if (field)
            VL_TRY(read_scalar(l, node, field->kind,
                               (char *)&top + field->offset, err));
    }
    l->data->access_token_seconds = top.access_token_seconds;
    for (int i = 0; i < VL_TENANT_RESOURCE_MODE_COUNT; i++) {
        l->data->resource_mode = (enum vl_tenant_resource_mode)i;
        if (strcmp(top.resource_mode, modes[i]) == 0)
            return VALET_OK;
    }
    return fail_at(l, vl_yaml_find(root, "resource_mode"), err,
                   "write check, refuse or ignore");
}

static valet_status
read_all(const struct loader *l, struct vl_str text, valet_error *err)
{
    const struct vl_yaml *root = NULL;
    VL_TRY(vl_yaml_parse(l->name, text, l->arena, &root, err));
    VL_TRY(read_top(l, root, err));
    VL_TRY(read_realms(l, root, err));
    VL_TRY(read_users(l, vl_yaml_find(root, "users"), err));
    VL_TRY(read_apps(l, vl_yaml_find(root, "apps"), err));
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
    struct loader loader = {name, &data->arena, data};
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
    return vl_tenant_data_parse(path, vl_buf_str(&file), ret, err);
}

void
vl_tenant_data_free(struct vl_tenant_data *data)
{
    if (!data)
        return;
    vl_arena_done(&data->arena);
    free(data);
}
