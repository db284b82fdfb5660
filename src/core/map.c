/* SPDX-License-Identifier: Apache-2.0 */
#include "core/map.h"

#include "core/sys.h"

#define FIRST_WIDTH 16

struct vl_map_entry {
    struct vl_map_entry *next;
    uint64_t hash;
    void *value;
    size_t n;
    char key[];
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

/* SipHash-2-4 (Aumasson, Bernstein 2012), words in host order. */
static uint64_t
sip_hash(const uint64_t key[2], struct vl_str s)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    size_t at = 0;
    for (; s.n - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, s.p + at, 8);
        sip_word(v, word);
    }
    uint64_t last = (uint64_t)s.n << 56;
    for (size_t i = 0; at + i < s.n; i++)
        last |= (uint64_t)(unsigned char)s.p[at + i] << (8 * i);
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
vl_map_init(struct vl_map *map)
{
    *map = (struct vl_map){0};
    vl_random(map->key, sizeof map->key);
}

void
vl_map_done(struct vl_map *map)
{
    for (size_t i = 0; i < map->width; i++)
        while (map->buckets[i]) {
            struct vl_map_entry *entry = map->buckets[i];
            map->buckets[i] = entry->next;
            free(entry);
        }
    free(map->buckets);
    map->buckets = NULL;
    map->size = map->width = 0;
}

static struct vl_map_entry **
slot_of(const struct vl_map *map, struct vl_str key, uint64_t hash)
{
    struct vl_map_entry **slot = &map->buckets[hash & (map->width - 1)];
    while (*slot && !((*slot)->hash == hash &&
                      vl_str_eq(vl_str_of((*slot)->key, (*slot)->n), key)))
        slot = &(*slot)->next;
    return slot;
}

static void
widen(struct vl_map *map)
{
    size_t width = map->width ? map->width * 2 : FIRST_WIDTH;
    struct vl_map_entry **buckets = vl_alloc(width * sizeof *buckets);
    for (size_t i = 0; i < map->width; i++)
        while (map->buckets[i]) {
            struct vl_map_entry *entry = map->buckets[i];
            map->buckets[i] = entry->next;
            entry->next = buckets[entry->hash & (width - 1)];
            buckets[entry->hash & (width - 1)] = entry;
        }
    free(map->buckets);
    map->buckets = buckets;
    map->width = width;
}

void *
vl_map_put(struct vl_map *map, struct vl_str key, void *value)
{
    if (map->size >= map->width)
        widen(map);
    uint64_t hash = sip_hash(map->key, key);
    struct vl_map_entry **slot = slot_of(map, key, hash);
    if (*slot) {
        void *old = (*slot)->value;
        (*slot)->value = value;
        return old;
    }
    struct vl_map_entry *entry = vl_alloc(sizeof *entry + key.n);
    entry->hash = hash;
    entry->value = value;
    entry->n = key.n;
    if (key.n)
        memcpy(entry->key, key.p, key.n);
    *slot = entry;
    map->size++;
    return NULL;
}

void *
vl_map_find(const struct vl_map *map, struct vl_str key)
{
    if (map->size == 0)
        return NULL;
    struct vl_map_entry *entry = *slot_of(map, key, sip_hash(map->key, key));
    return entry ? entry->value : NULL;
}

void *
vl_map_take(struct vl_map *map, struct vl_str key)
{
    if (map->size == 0)
        return NULL;
    struct vl_map_entry **slot = slot_of(map, key, sip_hash(map->key, key));
    struct vl_map_entry *entry = *slot;
    if (!entry)
        return NULL;
    void *value = entry->value;
    *slot = entry->next;
    free(entry);
    map->size--;
    return value;
}

size_t
vl_map_size(const struct vl_map *map)
{
    return map->size;
}

void
vl_map_each(const struct vl_map *map,
            void (*visit)(struct vl_str key, void *value, void *ctx), void *ctx)
{
    for (size_t i = 0; i < map->width; i++)
        for (struct vl_map_entry *e = map->buckets[i]; e; e = e->next)
            visit(vl_str_of(e->key, e->n), e->value, ctx);
}
