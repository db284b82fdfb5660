/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table from bytes to a pointer. Keys are copied, values are the
 * caller's. The hash is keyed (SipHash-2-4) with fresh random bytes per map,
 * so that strangers who choose the keys cannot make it slow. Look-ups take
 * the same time at a hundred and at a million entries.
 */
#ifndef VL_CORE_MAP_H
#define VL_CORE_MAP_H

#include "core/str.h"

struct vl_map_entry;

struct vl_map {
    struct vl_map_entry **buckets;
    size_t size;  /* entries */
    size_t width; /* buckets, a power of two */
    uint64_t key[2];
};

void vl_map_init(struct vl_map *map);
/* Frees the table, not the values. */
void vl_map_done(struct vl_map *map);

/* Puts or replaces; returns the value that was there before, or NULL. */
void *vl_map_put(struct vl_map *map, struct vl_str key, void *value);
/* NULL when there is none. */
void *vl_map_find(const struct vl_map *map, struct vl_str key);
/* Removes and returns the value; NULL when there was none. */
void *vl_map_take(struct vl_map *map, struct vl_str key);
size_t vl_map_size(const struct vl_map *map);
/* Calls `visit` for each entry; it must not change the map. */
void vl_map_each(const struct vl_map *map,
                 void (*visit)(struct vl_str key, void *value, void *ctx),
                 void *ctx);

#endif
