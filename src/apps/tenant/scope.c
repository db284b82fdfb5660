/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/scope.h"

#include "core/limits.h"

static const struct vl_tenant_words graph_scopes = {
    {"User.Read", "User.ReadBasic.All", "User.Read.All", "Mail.Read",
     "Calendars.Read", "Files.Read", "GroupMember.Read.All",
     "Directory.Read.All"},
    8};

struct resolver {
    const struct vl_tenant_call *call;
    const struct vl_tenant_scope_rules *rules;
    struct vl_tenant_scopes scopes;
    bool has_resource;
    struct vl_buf granted, names;
};

/* scope-token = 1*( %x21 / %x23-5B / %x5D-7E )  (RFC 6749 section 3.3) */
static bool
is_scope_token(struct vl_str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] < 0x21 || word.p[i] > 0x7e || word.p[i] == '"' ||
            word.p[i] == '\\')
            return false;
    return true;
}

static bool
is_oidc(struct resolver *r, struct vl_str word)
{
    const struct {
        const char *word;
        bool *flag;
    } flags[] = {{"openid", &r->scopes.openid},
                 {"profile", &r->scopes.profile},
                 {"email", &r->scopes.email},
                 {"offline_access", &r->scopes.offline}};
    for (size_t i = 0; i < VL_COUNT(flags); i++) {
        if (!vl_str_eqz(word, flags[i].word))
            continue;
        *flags[i].flag = true;
        return true;
    }
    return false;
}

bool
vl_tenant_find_resource(const struct vl_tenant_call *call, struct vl_str name,
                        const struct vl_tenant_app **ret)
{
    const char *const graph[] = {"https://graph.microsoft.com",
                                 VL_TENANT_GRAPH_ID, call->origin};
    if (vl_str_ends(name, VL_STR("/")))
        name.n--;
    *ret = NULL;
    for (size_t i = 0; i < VL_COUNT(graph); i++)
        if (vl_str_ieq(name, vl_str_z(graph[i])))
            return true;
    const struct vl_tenant_data *data = call->tenant->data;
    for (size_t i = 0; i < data->app_count; i++) {
        const struct vl_tenant_app *app = &data->apps[i];
        bool same = vl_str_ieq(name, vl_str_z(app->id)) ||
                    (app->uri && vl_str_ieq(name, vl_str_z(app->uri)));
        if (same && (app->uri || app->scopes.count)) {
            *ret = app;
            return true;
        }
    }
    return false;
}

struct vl_str
vl_tenant_cut_scope(struct vl_str word, struct vl_str *ret_name)
{
    size_t slash = word.n;
    while (slash && word.p[slash - 1] != '/')
        slash--;
    *ret_name = vl_str_from(word, slash);
    return vl_str_head(word, slash ? slash - 1 : 0);
}

static void
add_word(struct vl_buf *list, struct vl_str word)
{
    if (vl_str_has_word(vl_buf_str(list), word))
        return;
    if (vl_buf_size(list))
        vl_buf_addc(list, ' ');
    vl_buf_add(list, word);
}

static unsigned
add_names(struct resolver *r, struct vl_str name)
{
    const struct vl_tenant_words *known =
        r->scopes.resource ? &r->scopes.resource->scopes : &graph_scopes;
    if (vl_str_eqz(name, ".default")) {
        /* All that is consented to: of Graph, what everybody may have. */
        size_t count = r->scopes.resource ? known->count : 1;
        for (size_t i = 0; i < count; i++)
            add_word(&r->names, vl_str_z(known->items[i]));
        return 0;
    }
    for (size_t i = 0; i < known->count; i++) {
        if (!vl_str_ieq(name, vl_str_z(known->items[i])))
            continue;
        add_word(&r->names, vl_str_z(known->items[i]));
        return 0;
    }
    return 650053;
}

static unsigned
add_scope(struct resolver *r, struct vl_str word)
{
    const struct vl_tenant_app *resource = NULL;
    struct vl_str name, of = vl_tenant_cut_scope(word, &name);
    if (name.n < word.n && !vl_tenant_find_resource(r->call, of, &resource))
        return 500011;
    if (r->has_resource && resource != r->scopes.resource)
        return r->rules->first_wins ? 0 : 28000;
    r->has_resource = true;
    r->scopes.resource = resource;
    unsigned code = add_names(r, name);
    if (!code)
        add_word(&r->granted, word);
    return code;
}

/* @spec entra-wire 2.7: refuse, check or ignore `resource` */
static unsigned
check_resource(const struct resolver *r)
{
    struct vl_str named = r->rules->resource;
    const struct vl_tenant_app *resource = NULL;
    enum vl_tenant_resource_mode mode = r->call->tenant->data->resource_mode;
    if (!named.n || mode == VL_TENANT_RESOURCE_IGNORE)
        return 0;
    if (mode == VL_TENANT_RESOURCE_REFUSE)
        return 901002;
    if (!vl_tenant_find_resource(r->call, named, &resource))
        return 9010010;
    return resource == r->scopes.resource ? 0 : 9010010;
}

/* A token for Graph is good for the words of OpenID Connect too. */
static void
add_oidc_words(struct resolver *r)
{
    const struct {
        bool wanted;
        const char *word;
    } words[] = {{r->scopes.openid, "openid"},
                 {r->scopes.profile, "profile"},
                 {r->scopes.email, "email"}};
    if (r->scopes.resource)
        return;
    for (size_t i = 0; i < VL_COUNT(words); i++) {
        if (!words[i].wanted)
            continue;
        add_word(&r->granted, vl_str_z(words[i].word));
        add_word(&r->names, vl_str_z(words[i].word));
    }
}

static unsigned
resolve_words(struct resolver *r, struct vl_str text)
{
    struct vl_str word;
    if (text.n > VL_LIMIT_SCOPE)
        return 70011;
    while (vl_str_split(&text, ' ', &word)) {
        if (!word.n || is_oidc(r, word))
            continue;
        unsigned code = is_scope_token(word) ? add_scope(r, word) : 70011;
        if (code)
            return code;
    }
    return check_resource(r);
}

unsigned
vl_tenant_scopes_resolve(const struct vl_tenant_call *call, struct vl_str text,
                         const struct vl_tenant_scope_rules *rules,
                         struct vl_tenant_scopes *ret)
{
    struct resolver r = {.call = call,
                         .rules = rules,
                         .granted = vl_buf_of(2 * VL_LIMIT_SCOPE),
                         .names = vl_buf_of(2 * VL_LIMIT_SCOPE)};
    unsigned code = resolve_words(&r, text);
    if (!code) {
        add_oidc_words(&r);
        r.scopes.granted =
            vl_tenant_format(call, "%s", vl_buf_cstr(&r.granted));
        r.scopes.scp = vl_tenant_format(call, "%s", vl_buf_cstr(&r.names));
        *ret = r.scopes;
    }
    vl_buf_done(&r.granted);
    vl_buf_done(&r.names);
    return code;
}
