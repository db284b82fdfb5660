/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of data as one struct: finding things in it, and describing it.
 * Reading it is load.c's.
 */
#include "apps/tenant/data.h"

#include "core/limits.h"
#include "json/write.h"

bool
vl_tenant_is_guid(struct vl_str text)
{
    if (text.n != 36)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text.p[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                   (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

bool
vl_tenant_take_acrs(struct vl_tenant_settings *settings, struct vl_str word)
{
    if (word.n >= sizeof settings->graph_acrs)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9')))
            return false;
    }
    memset(settings->graph_acrs, 0, sizeof settings->graph_acrs);
    if (word.n)
        memcpy(settings->graph_acrs, word.p, word.n);
    return true;
}

const struct vl_tenant_realm *
vl_tenant_find_realm(const struct vl_tenant_data *data, struct vl_str name)
{
    for (size_t i = 0; i < data->realm_count; i++) {
        const struct vl_tenant_realm *realm = &data->realms[i];
        if (vl_str_ieq(name, vl_str_z(realm->id)) ||
            vl_str_ieq(name, vl_str_z(realm->domain)))
            return realm;
    }
    return NULL;
}

const struct vl_tenant_app *
vl_tenant_find_app(const struct vl_tenant_data *data, struct vl_str id)
{
    for (size_t i = 0; i < data->app_count; i++)
        if (vl_str_ieq(id, vl_str_z(data->apps[i].id)))
            return &data->apps[i];
    return NULL;
}

struct vl_tenant_app *
vl_tenant_find_app_by(struct vl_tenant_data *data, struct vl_str name)
{
    for (size_t i = 0; i < data->app_count; i++)
        if (vl_str_ieq(name, vl_str_z(data->apps[i].id)) ||
            vl_str_eqz(name, data->apps[i].key))
            return &data->apps[i];
    return NULL;
}

static const char *const consent_names[VL_TENANT_CONSENT_MODE_COUNT] = {
    [VL_TENANT_CONSENT_GRANTED] = "granted",
    [VL_TENANT_CONSENT_NEEDED] = "needed",
    [VL_TENANT_CONSENT_BY_ADMIN] = "admin_required",
};

bool
vl_tenant_consent_of(struct vl_str name, enum vl_tenant_consent_mode *ret)
{
    for (int i = 0; i < VL_TENANT_CONSENT_MODE_COUNT; i++) {
        if (!vl_str_eqz(name, consent_names[i]))
            continue;
        *ret = (enum vl_tenant_consent_mode)i;
        return true;
    }
    return false;
}

struct vl_tenant_user *
vl_tenant_find_user(struct vl_tenant_data *data, struct vl_str name)
{
    for (size_t i = 0; i < data->user_count; i++) {
        struct vl_tenant_user *user = &data->users[i];
        if (vl_str_ieq(name, vl_str_z(user->username)) ||
            vl_str_ieq(name, vl_str_z(user->id)) || vl_str_eqz(name, user->key))
            return user;
    }
    return NULL;
}

static void
describe_words(struct vl_json_out *out, const char *key,
               const struct vl_tenant_words *words)
{
    vl_json_open_key(out, key, '[');
    for (size_t i = 0; i < words->count; i++)
        vl_json_add_z(out, NULL, words->items[i]);
    vl_json_close(out, ']');
}

static void
describe_user(struct vl_json_out *out, const struct vl_tenant_user *user)
{
    vl_json_open_key(out, user->key, '{');
    vl_json_add_z(out, "id", user->id);
    vl_json_add_z(out, "tenant", user->realm->id);
    vl_json_add_z(out, "username", user->username);
    vl_json_add_z(out, "password", user->password);
    vl_json_add_z(out, "display_name", user->display_name);
    if (user->is_admin)
        vl_json_add_bool(out, "admin", true);
    if (user->mail)
        vl_json_add_z(out, "mail", user->mail);
    describe_words(out, "roles", &user->roles);
    vl_json_close(out, '}');
}

static void
describe_app(struct vl_json_out *out, const struct vl_tenant_app *app,
             struct vl_buf *scratch)
{
    vl_json_open_key(out, app->key, '{');
    vl_json_add_z(out, "id", app->id);
    vl_json_add_z(out, "name", app->name);
    vl_json_add_z(out, "redirect", app->redirects.items[0]);
    describe_words(out, "redirects", &app->redirects);
    vl_json_add_bool(out, "public", app->is_public);
    vl_json_add_z(out, "consent", consent_names[app->consent]);
    if (app->secret)
        vl_json_add_z(out, "secret", app->secret);
    if (app->app_roles.count)
        describe_words(out, "app_roles", &app->app_roles);
    if (app->uri && app->scopes.count) {
        vl_buf_clear(scratch);
        vl_buf_addf(scratch, "%s/%s", app->uri, app->scopes.items[0]);
        vl_json_add_str(out, "scope", vl_buf_str(scratch));
    }
    vl_json_close(out, '}');
}

/* Who is at home there. */
static void
describe_users(struct vl_json_out *out, const struct vl_tenant_data *data,
               const struct vl_tenant_realm *home)
{
    vl_json_open_key(out, "users", '{');
    for (size_t i = 0; i < data->user_count; i++)
        if (data->users[i].realm == home)
            describe_user(out, &data->users[i]);
    vl_json_close(out, '}');
}

/* Programs take `users` for people who may sign in at the first tenant: those
 * of the others stand with their tenant. */
void
vl_tenant_describe(const struct vl_tenant_data *data, struct vl_buf *out)
{
    vl_auto(vl_buf) scratch = vl_buf_of(VL_LIMIT_TARGET);
    struct vl_json_out json = {out, false};
    vl_json_open(&json, '{');
    vl_json_open_key(&json, "tenants", '[');
    for (size_t i = 0; i < data->realm_count; i++) {
        vl_json_open(&json, '{');
        vl_json_add_z(&json, "id", data->realms[i].id);
        vl_json_add_z(&json, "domain", data->realms[i].domain);
        vl_json_add_z(&json, "name", data->realms[i].name);
        if (i)
            describe_users(&json, data, &data->realms[i]);
        vl_json_close(&json, '}');
    }
    vl_json_close(&json, ']');
    describe_users(&json, data, &data->realms[0]);
    vl_json_open_key(&json, "apps", '{');
    for (size_t i = 0; i < data->app_count; i++)
        describe_app(&json, &data->apps[i], &scratch);
    vl_json_close(&json, '}');
    vl_json_close(&json, '}');
}
