/* SPDX-License-Identifier: Apache-2.0
 *
 * A bucket is one number: the moment at which it will be full again. Time is
 * counted in steps of 1/burst millisecond, so that a token costs exactly
 * `per_ms` steps and nothing is lost by rounding.
 *
 * The buckets also stand in a heap with the fullest on top: a full bucket says
 * the same as none and is dropped on the way; and when the table is full, the
 * one whose loss gives the least away goes. Somebody who uses up his bucket
 * can therefore not get a new one by inventing other keys.
 */
#include "guard/limit.h"

#include <pthread.h>

#include "core/map.h"

/* Keeps the arithmetic far from the end of 63 bits, even after centuries. */
#define BURST_MAX  1000000u
#define PER_MS_MAX (INT64_C(366) * 86400000)
/* Old buckets dropped at each turn: more than are made, so the heap shrinks. */
#define DROP_AT_ONCE 2

struct bucket {
    int64_t full_at; /* in steps since `start` */
    size_t at;       /* place in the heap */
    size_t key_size;
    char key[];
};

struct vl_limiter {
    pthread_mutex_t lock; /* of what follows */
    const struct vl_clock *clock;
    int64_t start, burst, per_ms;
    size_t max_keys, count;
    struct bucket **heap;
    size_t room;
    struct vl_map map;
};

struct vl_limiter *
vl_limiter_new(unsigned burst, int64_t per_ms, size_t max_keys,
               const struct vl_clock *clock)
{
    VL_ASSERT(burst > 0 && burst <= BURST_MAX);
    VL_ASSERT(per_ms > 0 && per_ms <= PER_MS_MAX);
    VL_ASSERT(max_keys > 0);
    struct vl_limiter *limiter = vl_alloc(sizeof *limiter);
    limiter->clock = clock;
    limiter->start = vl_clock_now(clock);
    limiter->burst = burst;
    limiter->per_ms = per_ms;
    limiter->max_keys = max_keys;
    vl_map_init(&limiter->map);
    VL_ASSERT(pthread_mutex_init(&limiter->lock, NULL) == 0);
    return limiter;
}

void
vl_limiter_free(struct vl_limiter *limiter)
{
    if (!limiter)
        return;
    for (size_t i = 0; i < limiter->count; i++)
        free(limiter->heap[i]);
    free(limiter->heap);
    vl_map_done(&limiter->map);
    (void)pthread_mutex_destroy(&limiter->lock);
    free(limiter);
}

static void
place(struct vl_limiter *limiter, size_t at, struct bucket *bucket)
{
    limiter->heap[at] = bucket;
    bucket->at = at;
}

/* Lets a bucket rise to where its parent is no less full. */
static void
sift_up(struct vl_limiter *limiter, struct bucket *bucket)
{
    size_t at = bucket->at;
    while (at > 0) {
        struct bucket *parent = limiter->heap[(at - 1) / 2];
        if (parent->full_at <= bucket->full_at)
            break;
        place(limiter, at, parent);
        at = (at - 1) / 2;
    }
    place(limiter, at, bucket);
}

static void
sift_down(struct vl_limiter *limiter, struct bucket *bucket)
{
    size_t at = bucket->at;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= limiter->count)
            break;
        if (child + 1 < limiter->count &&
            limiter->heap[child + 1]->full_at < limiter->heap[child]->full_at)
            child++;
        if (limiter->heap[child]->full_at >= bucket->full_at)
            break;
        place(limiter, at, limiter->heap[child]);
        at = child;
    }
    place(limiter, at, bucket);
}

static void
drop_fullest(struct vl_limiter *limiter)
{
    struct bucket *top = limiter->heap[0];
    (void)vl_map_take(&limiter->map, vl_str_of(top->key, top->key_size));
    struct bucket *last = limiter->heap[--limiter->count];
    if (limiter->count) {
        place(limiter, 0, last);
        sift_down(limiter, last);
    }
    free(top);
}

static void
make_room(struct vl_limiter *limiter)
{
    if (limiter->count == limiter->max_keys)
        drop_fullest(limiter);
    if (limiter->count < limiter->room)
        return;
    size_t room = limiter->room ? limiter->room * 2 : 64;
    struct bucket **heap = vl_alloc(room * sizeof(struct bucket *));
    if (limiter->count)
        memcpy(heap, limiter->heap, limiter->count * sizeof(struct bucket *));
    free(limiter->heap);
    limiter->heap = heap;
    limiter->room = room;
}

static struct bucket *
add(struct vl_limiter *limiter, struct vl_str key, int64_t now)
{
    make_room(limiter);
    struct bucket *bucket = vl_alloc(sizeof *bucket + key.n);
    bucket->full_at = now;
    bucket->key_size = key.n;
    if (key.n)
        memcpy(bucket->key, key.p, key.n);
    bucket->at = limiter->count++;
    sift_up(limiter, bucket);
    (void)vl_map_put(&limiter->map, key, bucket);
    return bucket;
}

/* With the lock held. */
static bool
take(struct vl_limiter *limiter, struct vl_str key, int64_t *ret_wait_ms)
{
    int64_t now =
        (vl_clock_now(limiter->clock) - limiter->start) * limiter->burst;
    for (int i = 0; i < DROP_AT_ONCE && limiter->count; i++)
        if (limiter->heap[0]->full_at <= now)
            drop_fullest(limiter);
    struct bucket *bucket = vl_map_find(&limiter->map, key);
    if (!bucket)
        bucket = add(limiter, key, now);
    int64_t empty = now + limiter->burst * limiter->per_ms;
    if (bucket->full_at < now)
        bucket->full_at = now;
    /* The clock was put back: emptier than empty there is not. */
    if (bucket->full_at > empty)
        bucket->full_at = empty;
    int64_t missing = bucket->full_at + limiter->per_ms - empty;
    if (missing <= 0)
        bucket->full_at += limiter->per_ms;
    sift_up(limiter, bucket);
    sift_down(limiter, bucket);
    if (missing > 0 && ret_wait_ms)
        *ret_wait_ms = (missing + limiter->burst - 1) / limiter->burst;
    return missing <= 0;
}

/* @spec S-100 W-29 */
bool
vl_limiter_take(struct vl_limiter *limiter, struct vl_str key,
                int64_t *ret_wait_ms)
{
    (void)pthread_mutex_lock(&limiter->lock);
    bool taken = take(limiter, key, ret_wait_ms);
    (void)pthread_mutex_unlock(&limiter->lock);
    return taken;
}
