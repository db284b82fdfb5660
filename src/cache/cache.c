/* SPDX-License-Identifier: Apache-2.0
 *
 * The cache as a whole, and its changes.
 */
#include "cache/cache.h"

#include "cache/inside.h"
#include "core/status.h"

struct vl_cache *
vl_cache_new(const struct vl_cache_cloud *clouds)
{
    struct vl_cache *cache = vl_alloc(sizeof *cache);
    vl_cache_content_init(&cache->content);
    vl_list_init(&cache->gone);
    cache->clouds = clouds;
    return cache;
}

void
vl_cache_free(struct vl_cache *cache)
{
    if (!cache)
        return;
    vl_cache_content_done(&cache->content);
    vl_cache_forget_gone(&cache->gone);
    free(cache);
}

struct vl_str
vl_cache_environment(const struct vl_cache *cache, struct vl_str host)
{
    return vl_cache_preferred(cache->clouds, host);
}

valet_status
vl_cache_read(struct vl_cache *cache, struct vl_str document, valet_error *err)
{
    struct vl_cache_content content;
    vl_cache_content_init(&content);
    VL_TRY(vl_cache_content_read(cache->clouds, document, &content, err));
    vl_cache_content_move(&cache->content, &content);
    vl_cache_forget_gone(&cache->gone);
    return VALET_OK;
}

bool
vl_cache_is_changed(const struct vl_cache *cache)
{
    if (!vl_list_is_empty(&cache->gone))
        return true;
    VL_LIST_EACH (it, &cache->content.entries) {
        if (vl_cache_entry_at(it)->changed)
            return true;
    }
    return false;
}

void
vl_cache_settle(struct vl_cache *cache)
{
    vl_cache_forget_gone(&cache->gone);
    VL_LIST_EACH (it, &cache->content.entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        entry->changed = entry->renewed = false;
    }
}

/* --- what was removed --- */

static void
free_gone(struct vl_cache_gone *gone)
{
    vl_list_remove(&gone->node);
    vl_secret_done(&gone->text);
    vl_buf_done(&gone->environment);
    free(gone);
}

void
vl_cache_forget_gone(struct vl_list *gone)
{
    VL_LIST_EACH (it, gone) {
        free_gone(VL_CONTAINER(it, struct vl_cache_gone, node));
    }
}

static void
remember_gone(struct vl_list *list, enum vl_cache_loss loss, struct vl_str text,
              struct vl_str environment, int64_t at)
{
    struct vl_cache_gone *gone = vl_alloc(sizeof *gone);
    *gone = (struct vl_cache_gone){
        .loss = loss,
        .text = vl_secret_of(text),
        .environment = vl_buf_of(VL_LIMIT_CACHE),
        .at = at,
    };
    vl_buf_add(&gone->environment, environment);
    vl_list_init(&gone->node);
    vl_list_add_last(list, &gone->node);
}

static bool
is_of_account(const struct vl_cache_entry *entry,
              const struct vl_cache_cloud *clouds, struct vl_str home,
              struct vl_str preferred)
{
    if (!entry->known || entry->kind == VL_CACHE_APP)
        return false;
    const struct vl_cache_token fields = vl_cache_fields(entry);
    struct vl_str own = vl_cache_preferred(clouds, fields.environment);
    return vl_str_ieq(fields.home_account_id, home) &&
           vl_str_ieq(own, preferred);
}

bool
vl_cache_is_gone(const struct vl_cache_gone *gone,
                 const struct vl_cache_cloud *clouds,
                 const struct vl_cache_entry *entry)
{
    struct vl_str text = vl_secret_reveal(&gone->text);
    if (!entry->known)
        return false;
    if (gone->loss == VL_CACHE_LOST_SECRET) {
        const struct vl_cache_token fields = vl_cache_fields(entry);
        return entry->kind == VL_CACHE_REFRESH_TOKEN &&
               vl_secret_eq(&fields.secret, &gone->text);
    }
    if (entry->stamp > gone->at)
        return false;
    if (gone->loss == VL_CACHE_LOST_IDENTITY)
        return vl_str_eq(vl_buf_str(&entry->identity), text);
    return is_of_account(entry, clouds, text, vl_buf_str(&gone->environment));
}

static int64_t
latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- putting --- */

static bool
is_same(const struct vl_cache_entry *a, const struct vl_cache_entry *b)
{
    return a->known &&
           vl_str_eq(vl_buf_str(&a->identity), vl_buf_str(&b->identity));
}

/* Two access tokens that differ in their scopes, and have one in common. */
static bool
is_rival(const struct vl_cache_entry *a, const struct vl_cache_entry *b)
{
    if (!a->known || a->kind != VL_CACHE_ACCESS_TOKEN || a->kind != b->kind)
        return false;
    struct vl_str x = vl_str_head(vl_buf_str(&a->identity), a->base);
    struct vl_str y = vl_str_head(vl_buf_str(&b->identity), b->base);
    return vl_str_eq(x, y) && vl_cache_scopes_meet(vl_cache_fields(a).target,
                                                   vl_cache_fields(b).target);
}

static bool
has_key_of(const struct vl_cache_entry *a, const struct vl_cache_entry *b)
{
    return a->kind == b->kind &&
           vl_str_eq(vl_buf_str(&a->key), vl_buf_str(&b->key));
}

/* @spec S-29 */
valet_status
vl_cache_enter(struct vl_cache_content *content, struct vl_cache_entry *entry,
               bool newer_stay, struct vl_list *gone, valet_error *err)
{
    bool describes =
        entry->kind == VL_CACHE_ACCOUNT || entry->kind == VL_CACHE_APP;
    VL_LIST_EACH (it, &content->entries) {
        struct vl_cache_entry *old = vl_cache_entry_at(it);
        bool same = is_same(old, entry);
        bool rival = !same && is_rival(old, entry) &&
                     !(newer_stay && old->stamp > entry->stamp);
        /* One object cannot have two members of one key. */
        if (!same && !rival && !has_key_of(old, entry))
            continue;
        /* A token is new altogether; a person is the same person, about whom
         * another library may know more. */
        if (same && describes)
            VL_TRY(vl_cache_entry_inherit(entry, old, err));
        /* What is replaced knowingly is older, whatever its writer's clock
         * said: a merge must not find it to be the newer one. */
        if (!newer_stay && same)
            entry->stamp = latest(old->stamp, entry->stamp);
        if (rival && gone)
            remember_gone(gone, VL_CACHE_LOST_IDENTITY,
                          vl_buf_str(&old->identity), VL_STR(""),
                          latest(old->stamp, entry->stamp));
        vl_cache_remove_entry(content, old);
    }
    if (content->count == VL_LIMIT_CACHE_ENTRIES)
        return vl_fail(err, VALET_LIMIT, "", "the token cache is full");
    vl_list_remove(&entry->node);
    vl_list_add_last(&content->entries, &entry->node);
    content->count++;
    return VALET_OK;
}

bool
vl_cache_has_account(const struct vl_cache_content *content,
                     const struct vl_cache_cloud *clouds, struct vl_str home,
                     struct vl_str environment)
{
    struct vl_str preferred = vl_cache_preferred(clouds, environment);
    VL_LIST_EACH (it, &content->entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (entry->kind == VL_CACHE_ACCOUNT &&
            is_of_account(entry, clouds, home, preferred))
            return true;
    }
    return false;
}

/* --- removing --- */

bool
vl_cache_remove_account(struct vl_cache *cache, struct vl_str home_account_id,
                        struct vl_str environment, int64_t now)
{
    struct vl_str preferred = vl_cache_preferred(cache->clouds, environment);
    bool found = false;
    VL_LIST_EACH (it, &cache->content.entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!is_of_account(entry, cache->clouds, home_account_id, preferred))
            continue;
        found = true;
        /* Seconds are rounded up by some: it is removed all the same. */
        now = latest(now, entry->stamp);
        vl_cache_remove_entry(&cache->content, entry);
    }
    /* Though nothing is known of it here, another process may have put it. */
    remember_gone(&cache->gone, VL_CACHE_LOST_ACCOUNT, home_account_id,
                  preferred, now);
    return found;
}

void
vl_cache_remove_refresh(struct vl_cache *cache, const struct vl_secret *secret,
                        int64_t now)
{
    if (vl_secret_is_empty(secret))
        return;
    remember_gone(&cache->gone, VL_CACHE_LOST_SECRET, vl_secret_reveal(secret),
                  VL_STR(""), now);
    const struct vl_cache_gone *gone =
        VL_CONTAINER(cache->gone.prev, struct vl_cache_gone, node);
    VL_LIST_EACH (it, &cache->content.entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (vl_cache_is_gone(gone, cache->clouds, entry))
            vl_cache_remove_entry(&cache->content, entry);
    }
}

size_t
vl_cache_sweep(struct vl_cache *cache, int64_t now)
{
    size_t count = 0;
    VL_LIST_EACH (it, &cache->content.entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!entry->known || entry->kind != VL_CACHE_ACCESS_TOKEN)
            continue;
        const struct vl_cache_token fields = vl_cache_fields(entry);
        int64_t end = fields.extended_expires_on > fields.expires_on
                          ? fields.extended_expires_on
                          : fields.expires_on;
        if (end == 0 || end > now)
            continue;
        vl_cache_remove_entry(&cache->content, entry);
        count++;
    }
    return count;
}
