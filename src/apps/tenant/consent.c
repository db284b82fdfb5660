/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/consent.h"

#include "core/limits.h"

#define WORDS_MAX 64

struct consent {
    struct vl_list node; /* in the tenant's list */
    const void *giver;   /* a user, or the realm of an administrator */
    const struct vl_tenant_app *app;
    char *words;
};

static struct consent *
find(const struct vl_tenant *tenant, const void *giver,
     const struct vl_tenant_app *app)
{
    VL_LIST_EACH (node, &tenant->consents) {
        struct consent *consent = VL_CONTAINER(node, struct consent, node);
        if (consent->giver == giver && consent->app == app)
            return consent;
    }
    return NULL;
}

/* The same scope is the same word, however it was written: its resource's id
 * stands before it. */
static void
write_words(const struct vl_tenant_scopes *scopes, struct vl_buf *out)
{
    const char *resource =
        scopes->resource ? scopes->resource->id : VL_TENANT_GRAPH_ID;
    struct vl_str rest = vl_str_z(scopes->scp), name;
    while (vl_str_split(&rest, ' ', &name))
        if (name.n)
            vl_buf_addf(out, "%s/" VL_STR_FMT " ", resource, VL_STR_ARG(name));
    if (scopes->offline)
        vl_buf_addz(out, "offline_access ");
    if (scopes->openid || scopes->profile || scopes->email)
        vl_buf_addz(out, "openid ");
}

static bool
has_word(const struct consent *consent, struct vl_str word)
{
    return consent && vl_str_has_word(vl_str_z(consent->words), word);
}

enum vl_tenant_need
vl_tenant_consent_need(const struct vl_tenant_call *call,
                       const struct vl_tenant_user *user,
                       const struct vl_tenant_app *app,
                       const struct vl_tenant_scopes *scopes)
{
    const struct vl_tenant *tenant = call->tenant;
    if (app->consent == VL_TENANT_CONSENT_GRANTED)
        return VL_TENANT_NEEDS_NOTHING;
    vl_auto(vl_buf) words = vl_buf_of(WORDS_MAX * VL_LIMIT_SCOPE);
    write_words(scopes, &words);
    const struct consent *own = find(tenant, user, app);
    const struct consent *all = find(tenant, user->realm, app);
    struct vl_str rest = vl_buf_str(&words), word;
    bool covered = true;
    while (vl_str_split(&rest, ' ', &word))
        covered =
            covered && (!word.n || has_word(own, word) || has_word(all, word));
    if (covered)
        return VL_TENANT_NEEDS_NOTHING;
    return app->consent == VL_TENANT_CONSENT_BY_ADMIN && !user->is_admin
               ? VL_TENANT_NEEDS_ADMIN
               : VL_TENANT_NEEDS_CONSENT;
}

void
vl_tenant_consent_give(const struct vl_tenant_call *call,
                       const struct vl_tenant_user *user,
                       const struct vl_tenant_app *app,
                       const struct vl_tenant_scopes *scopes, bool for_all)
{
    const void *giver = for_all ? (const void *)user->realm : user;
    struct consent *consent = find(call->tenant, giver, app);
    vl_auto(vl_buf) words = vl_buf_of(WORDS_MAX * VL_LIMIT_SCOPE);
    if (!consent) {
        consent = vl_alloc(sizeof *consent);
        consent->giver = giver;
        consent->app = app;
        consent->words = vl_strdup("");
        vl_list_add_last(&call->tenant->consents, &consent->node);
    }
    vl_buf_addz(&words, consent->words);
    write_words(scopes, &words);
    free(consent->words);
    consent->words = vl_strdup(vl_buf_cstr(&words));
}

void
vl_tenant_consents_forget(struct vl_tenant *tenant,
                          const struct vl_tenant_app *app)
{
    VL_LIST_EACH (node, &tenant->consents) {
        struct consent *consent = VL_CONTAINER(node, struct consent, node);
        if (app && consent->app != app)
            continue;
        vl_list_remove(&consent->node);
        free(consent->words);
        free(consent);
    }
}

/* Who may read the profile knows who it is. */
static bool
goes_without_saying(const struct vl_tenant_scopes *scopes, struct vl_str name)
{
    return !scopes->resource &&
           vl_str_has_word(vl_str_z(scopes->scp), VL_STR("User.Read")) &&
           (vl_str_eqz(name, "openid") || vl_str_eqz(name, "profile"));
}

static const char *
explain(const struct vl_tenant_call *call,
        const struct vl_tenant_scopes *scopes, struct vl_str name)
{
    static const struct {
        const char *name, *text;
    } known[] = {
        {"User.Read", "Sign you in and read your profile"},
        {"User.ReadBasic.All", "Read everybody's basic profile"},
        {"User.Read.All", "Read everybody's full profile"},
        {"Mail.Read", "Read your mail"},
        {"Calendars.Read", "Read your calendars"},
        {"Files.Read", "Read your files"},
        {"GroupMember.Read.All", "Read who is in which group"},
        {"Directory.Read.All", "Read the directory"},
        {"openid", "Sign you in"},
        {"profile", "See your basic profile"},
        {"email", "See your email address"},
    };
    for (size_t i = 0; i < VL_COUNT(known) && !scopes->resource; i++)
        if (vl_str_eqz(name, known[i].name))
            return known[i].text;
    return vl_tenant_format(call, "Use %s in your name (" VL_STR_FMT ")",
                            scopes->resource ? scopes->resource->name
                                             : "Microsoft Graph",
                            VL_STR_ARG(name));
}

struct vl_page_list
vl_tenant_consent_list(const struct vl_tenant_call *call,
                       const struct vl_tenant_scopes *scopes)
{
    struct vl_page_list list = {.name = "wishes", .width = 1};
    struct vl_page_var *vars =
        vl_arena_alloc(call->arena, WORDS_MAX * sizeof *vars);
    struct vl_str rest = vl_str_z(scopes->scp), name;
    while (vars && list.rows + 1 < WORDS_MAX && vl_str_split(&rest, ' ', &name))
        if (name.n && !goes_without_saying(scopes, name))
            vars[list.rows++] = (struct vl_page_var){
                "wish", vl_str_z(explain(call, scopes, name))};
    if (vars && scopes->offline)
        vars[list.rows++] = (struct vl_page_var){
            "wish", VL_STR("Keep the access while you are away")};
    list.vars = vars;
    return list;
}
