/* SPDX-License-Identifier: Apache-2.0
 *
 * What users got, each for themselves alone (@spec S-100): profiles for as
 * long as the configuration says, refusals for moments, so that a loop does not
 * hammer. It is about people: all of it is wiped when it is dropped.
 */
#include "entra/graph_inside.h"

struct memory {
    struct vl_list node; /* the one not asked for longest first */
    struct vl_graph_key key;
    int64_t since_ms, until_ms;
    valet_status status;
    valet_error err;
    int http;
    char request_id[64];
    struct vl_buf json;
    /* A refusal is of one token; another may do. */
    bool is_of_token;
    unsigned char token[VL_SHA256_SIZE];
};

struct vl_graph_key
vl_graph_key_of(struct vl_str user, struct vl_str select)
{
    struct vl_graph_key key;
    vl_sha256(user, key.user);
    vl_sha256(select, key.select);
    return key;
}

void
vl_graph_memory_init(struct vl_graph_memory *memory, int64_t ttl_ms)
{
    memory->ttl_ms = ttl_ms;
    memory->size = 0;
    vl_map_init(&memory->map);
    vl_list_init(&memory->entries);
}

static void
drop(struct vl_graph_memory *memory, struct memory *entry)
{
    (void)vl_map_take(&memory->map, vl_graph_key_str(&entry->key));
    vl_list_remove(&entry->node);
    memory->size -= vl_buf_size(&entry->json);
    vl_buf_done(&entry->json);
    vl_wipe(entry, sizeof *entry);
    free(entry);
}

static struct memory *
first_of(const struct vl_graph_memory *memory)
{
    return VL_CONTAINER(memory->entries.next, struct memory, node);
}

void
vl_graph_memory_done(struct vl_graph_memory *memory)
{
    while (!vl_list_is_empty(&memory->entries))
        drop(memory, first_of(memory));
    vl_map_done(&memory->map);
    vl_map_init(&memory->map);
}

void
vl_graph_memory_forget(struct vl_graph_memory *memory,
                       const unsigned char user[VL_SHA256_SIZE])
{
    VL_LIST_EACH (node, &memory->entries) {
        struct memory *entry = VL_CONTAINER(node, struct memory, node);
        if (memcmp(entry->key.user, user, VL_SHA256_SIZE) == 0)
            drop(memory, entry);
    }
}

/* With a clock that was put back nothing is known of its age. */
static bool
is_fresh(const struct memory *entry, int64_t now_ms)
{
    return now_ms >= entry->since_ms && now_ms < entry->until_ms;
}

bool
vl_graph_memory_sweep(struct vl_graph_memory *memory, int64_t now_ms)
{
    VL_LIST_EACH (node, &memory->entries) {
        struct memory *entry = VL_CONTAINER(node, struct memory, node);
        if (!is_fresh(entry, now_ms))
            drop(memory, entry);
    }
    return !vl_list_is_empty(&memory->entries);
}

/* --- asked --- */

static bool
is_for(const struct memory *entry, const struct vl_secret *token)
{
    unsigned char hash[VL_SHA256_SIZE];
    if (!entry->is_of_token)
        return true;
    vl_sha256(vl_secret_reveal(token), hash);
    return memcmp(hash, entry->token, sizeof hash) == 0;
}

bool
vl_graph_memory_find(struct vl_graph_memory *memory,
                     const struct vl_graph_key *key,
                     const struct vl_secret *token, int64_t now_ms,
                     struct vl_graph_outcome *ret, struct vl_buf *json)
{
    struct memory *entry = vl_map_find(&memory->map, vl_graph_key_str(key));
    if (!entry)
        return false;
    if (!is_fresh(entry, now_ms)) {
        drop(memory, entry);
        return false;
    }
    if (!is_for(entry, token))
        return false;
    vl_list_remove(&entry->node);
    vl_list_add_last(&memory->entries, &entry->node);
    vl_buf_add(json, vl_buf_str(&entry->json));
    *ret = (struct vl_graph_outcome){.status = entry->status,
                                     .err = entry->err,
                                     .http = entry->http,
                                     .answer = {.json = vl_buf_str(json),
                                                .remembered = true,
                                                .retry_after_ms = -1,
                                                .claims = ""}};
    memcpy(ret->answer.request_id, entry->request_id, sizeof entry->request_id);
    if (entry->status == VALET_RETRY)
        ret->answer.retry_after_ms = entry->until_ms - now_ms;
    return true;
}

/* --- told --- */

/* How long this outcome is good; 0: not at all. */
static int64_t
lifetime(const struct vl_graph_memory *memory,
         const struct vl_graph_outcome *outcome)
{
    int64_t most = 0;
    if (outcome->status == VALET_OK)
        most = memory->ttl_ms;
    else if (outcome->http == 403 || outcome->http == 404)
        most = VL_GRAPH_REFUSED_MS;
    else if (outcome->status == VALET_RETRY &&
             outcome->answer.retry_after_ms > 0)
        most = outcome->answer.retry_after_ms < VL_GRAPH_HELD_MS
                   ? outcome->answer.retry_after_ms
                   : VL_GRAPH_HELD_MS;
    return most < memory->ttl_ms ? most : memory->ttl_ms;
}

static void
make_room(struct vl_graph_memory *memory, size_t size)
{
    while (vl_map_size(&memory->map) >= VL_GRAPH_MEMORY_USERS ||
           (memory->size + size > VL_GRAPH_MEMORY_SIZE &&
            !vl_list_is_empty(&memory->entries)))
        drop(memory, first_of(memory));
}

static void
keep(struct vl_graph_memory *memory, struct memory *entry)
{
    struct memory *old =
        vl_map_find(&memory->map, vl_graph_key_str(&entry->key));
    if (old)
        drop(memory, old);
    make_room(memory, vl_buf_size(&entry->json));
    memory->size += vl_buf_size(&entry->json);
    vl_list_init(&entry->node);
    vl_list_add_last(&memory->entries, &entry->node);
    (void)vl_map_put(&memory->map, vl_graph_key_str(&entry->key), entry);
}

/* A host that is busy takes nothing back of what it said. */
static bool
has_better(const struct vl_graph_memory *memory, const struct vl_graph_key *key,
           int64_t now_ms, const struct vl_graph_outcome *outcome)
{
    const struct memory *old = vl_map_find(&memory->map, vl_graph_key_str(key));
    return outcome->status == VALET_RETRY && old && old->status == VALET_OK &&
           is_fresh(old, now_ms);
}

/* @spec W-24 */
void
vl_graph_memory_note(struct vl_graph_memory *memory,
                     const struct vl_graph_key *key,
                     const struct vl_secret *token, int64_t now_ms,
                     const struct vl_graph_outcome *outcome)
{
    int64_t ms = lifetime(memory, outcome);
    struct vl_str json = outcome->answer.json;
    if (outcome->answer.token_refused)
        vl_graph_memory_forget(memory, key->user);
    if (ms <= 0 || json.n > VL_GRAPH_MEMORY_ONE ||
        has_better(memory, key, now_ms, outcome))
        return;
    struct memory *entry = vl_alloc(sizeof *entry);
    entry->key = *key;
    entry->since_ms = now_ms;
    entry->until_ms = now_ms + ms;
    entry->status = outcome->status;
    entry->err = outcome->err;
    entry->http = outcome->http;
    memcpy(entry->request_id, outcome->answer.request_id,
           sizeof entry->request_id);
    entry->json = vl_buf_of_secret(json.n);
    vl_buf_add(&entry->json, json);
    entry->is_of_token = outcome->http == 403 || outcome->http == 404;
    if (entry->is_of_token)
        vl_sha256(vl_secret_reveal(token), entry->token);
    keep(memory, entry);
}
