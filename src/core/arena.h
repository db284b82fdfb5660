/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is freed all at once: one arena lives as long as one request.
 * Everything in it is zeroed at birth. Nothing allocated here may be kept by
 * something that outlives it: copy it out first.
 */
#ifndef VL_CORE_ARENA_H
#define VL_CORE_ARENA_H

#include "core/str.h"

struct vl_arena_chunk;

struct vl_arena {
    struct vl_arena_chunk *chunks;
    size_t used; /* bytes handed out, with what aligning them costs */
    size_t max;  /* of `used` */
};

struct vl_arena vl_arena_of(size_t max);
/* Wipes what was in it, frees; it is empty and usable again. */
void vl_arena_done(struct vl_arena *arena);
/* The same, but a little memory is kept for what comes next. */
void vl_arena_clear(struct vl_arena *arena);

/* NULL when the arena's maximum is reached or there is no memory. */
void *vl_arena_alloc(struct vl_arena *arena, size_t size);
/* A copy that ends in NUL (not counted); {NULL,0} when there is no room. */
struct vl_str vl_arena_dup(struct vl_arena *arena, struct vl_str s);
/* The same as C text; NULL when there is no room. */
const char *vl_arena_cstr(struct vl_arena *arena, struct vl_str s);

#endif
