/* SPDX-License-Identifier: Apache-2.0
 *
 * Our changes on top of a document that another process may have written:
 * all that it has, less what was removed here, and then what was put here, as
 * if it were put now. The rule is in cache.h; ADR 9 says why.
 */
#include "cache/inside.h"

/* Is there something that another process wrote after ours? */
static bool
is_outdated(const struct vl_cache_content *theirs,
            const struct vl_cache_entry *entry)
{
    VL_LIST_EACH (it, &theirs->entries) {
        const struct vl_cache_entry *other = vl_cache_entry_at(it);
        if (other->known && other->stamp > entry->stamp &&
            vl_str_eq(vl_buf_str(&other->identity),
                      vl_buf_str(&entry->identity)))
            return true;
    }
    return false;
}

static bool
has_lost_account(const struct vl_cache *cache,
                 const struct vl_cache_content *theirs,
                 const struct vl_cache_entry *entry)
{
    if (!entry->renewed)
        return false;
    const struct vl_cache_token fields = vl_cache_fields(entry);
    return !vl_cache_has_account(theirs, cache->clouds, fields.home_account_id,
                                 fields.environment);
}

static void
drop_gone(const struct vl_cache *cache, struct vl_cache_content *theirs)
{
    VL_LIST_EACH (it, &theirs->entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        VL_LIST_EACH (g, &cache->gone) {
            const struct vl_cache_gone *gone =
                VL_CONTAINER(g, struct vl_cache_gone, node);
            if (vl_cache_is_gone(gone, cache->clouds, entry)) {
                vl_cache_remove_entry(theirs, entry);
                break;
            }
        }
    }
}

/* A copy that shares the JSON: when something fails half-way, the cache is as
 * it was. */
static valet_status
enter_copy(const struct vl_cache *cache, struct vl_cache_content *theirs,
           const struct vl_cache_entry *entry, valet_error *err)
{
    struct vl_json doc = vl_json_share(entry->doc.root);
    struct vl_cache_entry *copy = NULL;
    VL_TRY(vl_cache_entry_new(cache->clouds, entry->kind,
                              vl_buf_str(&entry->key), &doc, &copy, err));
    copy->changed = true;
    copy->renewed = entry->renewed;
    copy->stamp = entry->stamp;
    valet_status status = vl_cache_enter(theirs, copy, true, NULL, err);
    if (status != VALET_OK)
        vl_cache_entry_free(copy);
    return status;
}

/* Accounts first: tokens that were renewed ask for them. */
static valet_status
enter_changes(const struct vl_cache *cache, struct vl_cache_content *theirs,
              bool accounts, valet_error *err)
{
    VL_LIST_EACH (it, &cache->content.entries) {
        const struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (!entry->changed || (entry->kind == VL_CACHE_ACCOUNT) != accounts ||
            is_outdated(theirs, entry) ||
            has_lost_account(cache, theirs, entry))
            continue;
        VL_TRY(enter_copy(cache, theirs, entry, err));
    }
    return VALET_OK;
}

/* @spec S-29 */
valet_status
vl_cache_merge(struct vl_cache *cache, struct vl_str document, valet_error *err)
{
    struct vl_cache_content theirs;
    vl_cache_content_init(&theirs);
    VL_TRY(vl_cache_content_read(cache->clouds, document, &theirs, err));
    drop_gone(cache, &theirs);
    valet_status status = enter_changes(cache, &theirs, true, err);
    if (status == VALET_OK)
        status = enter_changes(cache, &theirs, false, err);
    if (status != VALET_OK) {
        vl_cache_content_done(&theirs);
        return status;
    }
    vl_cache_content_move(&cache->content, &theirs);
    cache->merges++;
    return VALET_OK;
}

unsigned
vl_cache_merges(const struct vl_cache *cache)
{
    return cache->merges;
}
