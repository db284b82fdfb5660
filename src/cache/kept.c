/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/kept.h"

valet_status
vl_cache_load(struct vl_cache *cache, struct vl_keep *keep, valet_error *err)
{
    vl_auto(vl_buf) document = vl_buf_of_secret(VL_LIMIT_KEEP);
    VL_TRY(vl_keep_read(keep, &document, err));
    return vl_cache_merge(cache, vl_buf_str(&document), err);
}

struct saving {
    struct vl_cache *cache;
    int64_t now;
};

static valet_status
merge_and_write(struct vl_str old, struct vl_buf *out, void *ctx,
                valet_error *err)
{
    const struct saving *saving = ctx;
    VL_TRY(vl_cache_merge(saving->cache, old, err));
    (void)vl_cache_sweep(saving->cache, saving->now);
    return vl_cache_write(saving->cache, out, err);
}

/* @spec S-29 S-31 */
valet_status
vl_cache_save(struct vl_cache *cache, struct vl_keep *keep, int64_t now,
              valet_error *err)
{
    struct saving saving = {cache, now};
    if (!vl_cache_is_changed(cache))
        return VALET_OK;
    VL_TRY(vl_keep_update(keep, merge_and_write, &saving, err));
    vl_cache_settle(cache);
    return VALET_OK;
}
