/* SPDX-License-Identifier: Apache-2.0 */
#include "client/account.h"

#include "core/status.h"

struct search {
    struct vl_engine *engine;
    const struct vl_account_wish *wish;
    struct vl_str environment;
    struct vl_cache_account found;
    size_t count;
};

struct vl_str
vl_account_tenant(struct vl_str home_account_id)
{
    size_t dot = vl_str_index(home_account_id, '.');
    struct vl_str tenant = vl_str_from(home_account_id, dot + 1);
    return vl_guid_is_valid(tenant) ? tenant : (struct vl_str){NULL, 0};
}

bool
vl_account_is(const struct vl_cache_account *account, struct vl_str name)
{
    return vl_str_ieq(account->home_account_id, name) ||
           vl_str_ieq(account->username, name);
}

static bool
was_in(const struct search *search, const struct vl_cache_account *account,
       struct vl_str tenant_id, struct vl_cache_account *ret)
{
    return vl_cache_find_account(search->engine->cache,
                                 account->home_account_id, search->environment,
                                 tenant_id, ret);
}

/* A guest has been in tenants that are not their home. */
static bool
was_in_allowed(const struct search *search,
               const struct vl_cache_account *account,
               struct vl_cache_account *ret)
{
    const struct vl_client_config *config = &search->engine->client->config;
    const char *const *tenants = config->instance.tenants;
    *ret = *account;
    if (vl_client_config_allows(config, account->realm))
        return true;
    for (; tenants && *tenants; tenants++)
        if (was_in(search, account, vl_str_z(*tenants), ret))
            return true;
    return false;
}

static bool
look_at(const struct vl_cache_account *account, void *ctx)
{
    struct search *search = ctx;
    const struct vl_account_wish *wish = search->wish;
    struct vl_cache_account here = *account;
    if (wish->name.n && !vl_account_is(account, wish->name))
        return true;
    if (wish->anywhere ||
        (wish->tenant_id.n ? was_in(search, account, wish->tenant_id, &here)
                           : was_in_allowed(search, account, &here))) {
        search->found = here;
        search->count++;
    }
    return true;
}

static void
look(struct search *search)
{
    struct vl_cache *cache = search->engine->cache;
    search->environment =
        vl_cache_environment(cache, vl_engine_host(search->engine));
    search->count = 0;
    vl_cache_each_account(cache, search->environment, look_at, search);
}

valet_status
vl_account_find(struct vl_engine *engine, const struct vl_account_wish *wish,
                struct vl_cache_account *ret, valet_error *err)
{
    struct search search = {.engine = engine, .wish = wish};
    bool loaded = engine->loaded;
    if (!loaded)
        VL_TRY(vl_engine_load(engine, err));
    look(&search);
    if (loaded && search.count != 1) { /* others may have signed in or out */
        VL_TRY(vl_engine_load(engine, err));
        look(&search);
    }
    if (search.count > 1)
        return vl_fail(err, VALET_CONFLICT, "several_accounts",
                       wish->name.n
                           ? "several accounts have this name: give the id"
                           : "several accounts are signed in: say which");
    if (search.count == 0)
        return vl_fail(err, VALET_NOT_FOUND, "no_account",
                       wish->name.n ? "this account is not signed in"
                                    : "nobody is signed in");
    *ret = search.found;
    return VALET_OK;
}
