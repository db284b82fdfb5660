/* SPDX-License-Identifier: Apache-2.0 */
#include "core/arena.h"

#define CHUNK_SIZE 4000
#define ALIGNMENT  _Alignof(max_align_t)

/* Beyond `used` the bytes are zero. */
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

/* Requests carry tokens and people's data: nothing of it stays behind. */
static void
wipe(struct vl_arena_chunk *chunk)
{
    explicit_bzero(chunk->bytes, chunk->used);
    chunk->used = 0;
}

/* Down to the first chunk, or to nothing. */
static void
free_chunks(struct vl_arena *arena, bool keep_first)
{
    while (arena->chunks && (arena->chunks->next || !keep_first)) {
        struct vl_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        wipe(chunk);
        free(chunk);
    }
    arena->used = 0;
}

void
vl_arena_done(struct vl_arena *arena)
{
    free_chunks(arena, false);
}

void
vl_arena_clear(struct vl_arena *arena)
{
    free_chunks(arena, true);
    if (arena->chunks && arena->chunks->size > CHUNK_SIZE)
        vl_arena_done(arena);
    else if (arena->chunks)
        wipe(arena->chunks);
}

static struct vl_arena_chunk *
add_chunk(struct vl_arena *arena, size_t size)
{
    size_t whole;
    if (size < CHUNK_SIZE)
        size = CHUNK_SIZE;
    if (__builtin_add_overflow(size, sizeof(struct vl_arena_chunk), &whole))
        return NULL;
    struct vl_arena_chunk *chunk = calloc(1, whole);
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
    /* Every piece has an address of its own, and none is free of charge. */
    size_t rounded;
    if (__builtin_add_overflow(size ? size : 1, ALIGNMENT - 1, &rounded))
        return NULL;
    rounded = rounded / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->max || arena->used > arena->max - rounded)
        return NULL;
    struct vl_arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = add_chunk(arena, rounded);
    if (!chunk)
        return NULL;
    void *memory = (char *)chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memory;
}

struct vl_str
vl_arena_dup(struct vl_arena *arena, struct vl_str s)
{
    char *copy = s.n < arena->max ? vl_arena_alloc(arena, s.n + 1) : NULL;
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
