/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/throttle.h"

#include "core/list.h"
#include "core/map.h"
#include "crypto/digest.h"

/* More different requests than a program has. */
#define ENTRIES_MAX 1000
/* Without a Retry-After, and as the longest that is believed (entra-wire
 * 1.7). */
#define HOLD_MS     60000
#define HOLD_MAX_MS 3600000
/* Only the person, or an administrator, can change the answer; a program that
 * asks in a loop is the reason for AADSTS50196. */
#define REFUSED_MS   60000
#define REQUEST_LOOP 50196

struct entry {
    struct vl_list node; /* the oldest first */
    unsigned char key[VL_SHA256_SIZE];
    int64_t until_ms;
    valet_entra_error error;
};

struct vl_throttle {
    const struct vl_clock *clock;
    struct vl_map map;
    struct vl_list entries;
};

struct vl_throttle *
vl_throttle_new(const struct vl_clock *clock)
{
    struct vl_throttle *throttle = vl_alloc(sizeof *throttle);
    throttle->clock = clock;
    vl_map_init(&throttle->map);
    vl_list_init(&throttle->entries);
    return throttle;
}

static struct vl_str
key_of(const unsigned char hash[VL_SHA256_SIZE])
{
    return vl_str_of(hash, VL_SHA256_SIZE);
}

static void
drop(struct vl_throttle *throttle, struct entry *entry)
{
    (void)vl_map_take(&throttle->map, key_of(entry->key));
    vl_list_remove(&entry->node);
    free(entry);
}

void
vl_throttle_free(struct vl_throttle *throttle)
{
    if (!throttle)
        return;
    VL_LIST_EACH (node, &throttle->entries)
        drop(throttle, VL_CONTAINER(node, struct entry, node));
    vl_map_done(&throttle->map);
    free(throttle);
}

static struct entry *
find(struct vl_throttle *throttle, struct vl_str request,
     unsigned char ret_hash[VL_SHA256_SIZE])
{
    vl_sha256(request, ret_hash);
    return vl_map_find(&throttle->map, key_of(ret_hash));
}

/* 0: at once. What is the program's own fault is told each time: it does not
 * reach Entra often, and its author is looking. */
static int64_t
hold_ms(const valet_entra_error *error)
{
    if (error->retry_after_ms > 0)
        return error->retry_after_ms < HOLD_MAX_MS ? error->retry_after_ms
                                                   : HOLD_MAX_MS;
    if (error->http_status == 429 || error->http_status >= 500)
        return HOLD_MS;
    bool refused =
        error->http_status >= 400 &&
        (error->next == VALET_NEXT_SIGN_IN || error->next == VALET_NEXT_ADMIN ||
         error->aadsts == REQUEST_LOOP);
    return refused ? REFUSED_MS : 0;
}

bool
vl_throttle_holds(struct vl_throttle *throttle, struct vl_str request,
                  valet_entra_error *ret)
{
    unsigned char hash[VL_SHA256_SIZE];
    struct entry *entry = find(throttle, request, hash);
    int64_t now = vl_clock_now(throttle->clock);
    if (!entry)
        return false;
    /* A clock that was put back must not hold for ever. */
    if (now >= entry->until_ms || entry->until_ms - now > HOLD_MAX_MS) {
        drop(throttle, entry);
        return false;
    }
    *ret = entry->error;
    ret->retry_after_ms = entry->until_ms - now;
    return true;
}

void
vl_throttle_note(struct vl_throttle *throttle, struct vl_str request,
                 const valet_entra_error *error)
{
    unsigned char hash[VL_SHA256_SIZE];
    struct entry *entry = find(throttle, request, hash);
    int64_t hold = hold_ms(error);
    if (entry)
        drop(throttle, entry);
    if (hold <= 0)
        return;
    if (vl_map_size(&throttle->map) >= ENTRIES_MAX)
        drop(throttle,
             VL_CONTAINER(throttle->entries.next, struct entry, node));
    entry = vl_alloc(sizeof *entry);
    memcpy(entry->key, hash, sizeof hash);
    entry->until_ms = vl_clock_now(throttle->clock) + hold;
    entry->error = *error;
    vl_list_init(&entry->node);
    vl_list_add_last(&throttle->entries, &entry->node);
    (void)vl_map_put(&throttle->map, key_of(entry->key), entry);
}

void
vl_throttle_clear(struct vl_throttle *throttle, struct vl_str request)
{
    unsigned char hash[VL_SHA256_SIZE];
    struct entry *entry = find(throttle, request, hash);
    if (entry)
        drop(throttle, entry);
}
