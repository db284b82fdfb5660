/* SPDX-License-Identifier: Apache-2.0 */
#include "core/arena.h"

#define CHUNK_SIZE 4000
#define ALIGNMENT  sizeof(max_align_t)

struct vl_arena_chunk {
    struct vl_arena_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

struct vl_arena
vl_arena_of(size_t max)
{
    return (struct vl_arena){.max = max};
}

void
vl_arena_done(struct vl_arena *arena)
{
    while (arena->chunks) {
        struct vl_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    arena->used = 0;
}

static struct vl_arena_chunk *
add_chunk(struct vl_arena *arena, size_t size)
{
    if (size < CHUNK_SIZE)
        size = CHUNK_SIZE;
    struct vl_arena_chunk *chunk = calloc(1, sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *
vl_arena_alloc(struct vl_arena *arena, size_t size)
{
    if (size > arena->max || arena->used > arena->max - size)
        return NULL;
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct vl_arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = add_chunk(arena, rounded);
    if (!chunk)
        return NULL;
    void *memory = (char *)chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += size;
    return memory;
}

struct vl_str
vl_arena_dup(struct vl_arena *arena, struct vl_str s)
{
    char *copy = vl_arena_alloc(arena, s.n + 1);
    if (!copy)
        return (struct vl_str){NULL, 0};
    if (s.n)
        memcpy(copy, s.p, s.n);
    return (struct vl_str){copy, s.n};
}

const char *
vl_arena_cstr(struct vl_arena *arena, struct vl_str s)
{
    return vl_arena_dup(arena, s).p;
}
