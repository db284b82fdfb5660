/* SPDX-License-Identifier: Apache-2.0
 *
 * The token cache and the place where it is kept: reading it, and writing
 * changes so that two processes at once lose nothing. Both calls may block
 * (on a disk, on the Secret Service, on another process that writes): on a
 * loop they belong on io/work.h's thread.
 */
#ifndef VL_CACHE_KEPT_H
#define VL_CACHE_KEPT_H

#include "cache/cache.h"
#include "keep/keep.h"

/* Brings the cache up to what is kept; changes made here stay. */
valet_status vl_cache_load(struct vl_cache *cache, struct vl_keep *keep,
                           valet_error *err) VALET_CHECK;
/*
 * Merges the changes into what is kept by now and writes it, all under the
 * keep's lock; expired access tokens are left out. Nothing changed: nothing
 * is written. When it fails, the changes are still there to be saved.
 */
valet_status vl_cache_save(struct vl_cache *cache, struct vl_keep *keep,
                           int64_t now, valet_error *err) VALET_CHECK;

#endif
