/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the cache. Every one looks at all entries: a person's cache has
 * some dozens, and is bounded (VL_LIMIT_CACHE_ENTRIES).
 */
#include "cache/inside.h"

static bool
is_same_host(const struct vl_cache *cache, struct vl_str a, struct vl_str b)
{
    return vl_str_ieq(vl_cache_environment(cache, a),
                      vl_cache_environment(cache, b));
}

/* --- tokens --- */

struct search {
    const struct vl_cache *cache;
    enum vl_cache_kind kind;
    const struct vl_cache_token *wanted;
    int64_t now, skew; /* access tokens */
};

/* An assertion tells by itself whose token it was exchanged for; a token
 * without a person is the application's own all the same. */
static bool
is_whose(const struct vl_cache_token *t, const struct vl_cache_token *w)
{
    bool anybody = w->user_assertion_hash.n && !w->home_account_id.n;
    return vl_str_eq(t->user_assertion_hash, w->user_assertion_hash) &&
           (anybody ? t->home_account_id.n > 0
                    : vl_str_ieq(t->home_account_id, w->home_account_id));
}

/* What holds for tokens of every kind. */
static bool
is_ours(const struct search *search, const struct vl_cache_token *t)
{
    const struct vl_cache_token *w = search->wanted;
    bool family = search->kind == VL_CACHE_REFRESH_TOKEN && w->family_id.n;
    return is_whose(t, w) &&
           is_same_host(search->cache, t->environment, w->environment) &&
           (family ? vl_str_ieq(t->family_id, w->family_id)
                   : vl_str_ieq(t->client_id, w->client_id));
}

static bool
is_scheme(const struct vl_cache_token *t, const struct vl_cache_token *w)
{
    bool both =
        vl_cache_is_bearer(t->token_type) && vl_cache_is_bearer(w->token_type);
    return (both || vl_str_ieq(t->token_type, w->token_type)) &&
           vl_str_eq(t->key_id, w->key_id) &&
           vl_str_eq(t->extension, w->extension);
}

/* MSAL for JavaScript rounds the time, so its tokens may come from half a
 * second ahead. */
#define ROUNDING_S 1

/* A clock that was put back makes tokens look fresher than they are: one from
 * the future is not believed. */
static bool
is_alive(const struct search *search, const struct vl_cache_token *t)
{
    return t->cached_at <= search->now + ROUNDING_S &&
           t->expires_on > search->now &&
           t->expires_on - search->now > search->skew;
}

static bool
is_wanted(const struct search *search, const struct vl_cache_token *t)
{
    if (!is_ours(search, t))
        return false;
    if (search->kind == VL_CACHE_REFRESH_TOKEN)
        return true;
    if (!vl_str_ieq(t->realm, search->wanted->realm))
        return false;
    return search->kind == VL_CACHE_ID_TOKEN ||
           (is_scheme(t, search->wanted) && is_alive(search, t) &&
            vl_cache_scopes_cover(t->target, search->wanted->target));
}

/* The newest one; of several without a time the last. */
static bool
find_token(const struct search *search, struct vl_cache_token *ret)
{
    int64_t newest = -1;
    VL_LIST_EACH (it, &search->cache->content.entries) {
        const struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!entry->known || entry->kind != search->kind ||
            entry->stamp < newest)
            continue;
        const struct vl_cache_token fields = vl_cache_fields(entry);
        if (!is_wanted(search, &fields))
            continue;
        newest = entry->stamp;
        *ret = fields;
    }
    return newest >= 0;
}

bool
vl_cache_find_access(const struct vl_cache *cache,
                     const struct vl_cache_token *wanted, int64_t now,
                     int64_t skew, struct vl_cache_token *ret)
{
    const struct search search = {cache, VL_CACHE_ACCESS_TOKEN, wanted, now,
                                  skew};
    return find_token(&search, ret);
}

bool
vl_cache_find_refresh(const struct vl_cache *cache,
                      const struct vl_cache_token *wanted,
                      struct vl_cache_token *ret)
{
    const struct search search = {cache, VL_CACHE_REFRESH_TOKEN, wanted, 0, 0};
    return find_token(&search, ret);
}

bool
vl_cache_find_id_token(const struct vl_cache *cache,
                       const struct vl_cache_token *wanted,
                       struct vl_cache_token *ret)
{
    const struct search search = {cache, VL_CACHE_ID_TOKEN, wanted, 0, 0};
    return find_token(&search, ret);
}

bool
vl_cache_find_app(const struct vl_cache *cache, struct vl_str environment,
                  struct vl_str client_id, struct vl_cache_app *ret)
{
    int64_t newest = -1;
    VL_LIST_EACH (it, &cache->content.entries) {
        const struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!entry->known || entry->kind != VL_CACHE_APP ||
            entry->stamp < newest)
            continue;
        const struct vl_cache_token fields = vl_cache_fields(entry);
        if (!vl_str_ieq(fields.client_id, client_id) ||
            !is_same_host(cache, fields.environment, environment))
            continue;
        newest = entry->stamp;
        *ret = (struct vl_cache_app){fields.environment, fields.client_id,
                                     fields.family_id};
    }
    return newest >= 0;
}

/* --- people --- */

/* home_account_id = uid "." utid: is the realm the utid? */
static bool
is_at_home(const struct vl_cache_account *account)
{
    struct vl_str home = account->home_account_id;
    struct vl_str utid = vl_str_from(home, vl_str_index(home, '.') + 1);
    return utid.n && vl_str_ieq(utid, account->realm);
}

bool
vl_cache_find_account(const struct vl_cache *cache,
                      struct vl_str home_account_id, struct vl_str environment,
                      struct vl_str realm, struct vl_cache_account *ret)
{
    bool found = false;
    VL_LIST_EACH (it, &cache->content.entries) {
        const struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!entry->known || entry->kind != VL_CACHE_ACCOUNT)
            continue;
        const struct vl_cache_account a = vl_cache_account_fields(entry);
        if (!vl_str_ieq(a.home_account_id, home_account_id) ||
            !is_same_host(cache, a.environment, environment))
            continue;
        bool best = realm.n ? vl_str_ieq(a.realm, realm) : is_at_home(&a);
        if (!best && (realm.n || found))
            continue;
        *ret = a;
        found = true;
        if (best)
            break;
    }
    return found;
}

void
vl_cache_each_account(const struct vl_cache *cache, struct vl_str environment,
                      bool (*visit)(const struct vl_cache_account *account,
                                    void *ctx),
                      void *ctx)
{
    VL_LIST_EACH (it, &cache->content.entries) {
        const struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!entry->known || entry->kind != VL_CACHE_ACCOUNT)
            continue;
        const struct vl_cache_account a = vl_cache_account_fields(entry);
        if (environment.n && !is_same_host(cache, a.environment, environment))
            continue;
        /* A person has an entry for each tenant: the one that would be found
         * without naming a tenant stands for all. */
        struct vl_cache_account best = {.realm = {NULL, 0}};
        bool found = vl_cache_find_account(cache, a.home_account_id,
                                           a.environment, best.realm, &best);
        if (found && best.home_account_id.p == a.home_account_id.p &&
            !visit(&a, ctx))
            return;
    }
}
