/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ready.h"

#include <pthread.h>

#include "core/map.h"

/* Accounts and resources of one program are few; a service that acts for many
 * people starts over when the table is full. */
#define ENTRIES_MAX 1000

struct vl_ready {
    pthread_mutex_t lock;
    struct vl_map map;
    const struct vl_keep *keep; /* NULL: there is none */
    struct vl_keep_mark mark;   /* of what the tokens are of */
    int64_t looked_ms;          /* at the keep */
};

struct vl_ready *
vl_ready_new(void)
{
    struct vl_ready *ready = vl_alloc(sizeof *ready);
    VL_ASSERT(pthread_mutex_init(&ready->lock, NULL) == 0);
    vl_map_init(&ready->map);
    return ready;
}

static void
drop(struct vl_str key, void *value, void *ctx)
{
    (void)key;
    (void)ctx;
    vl_result_drop(value);
}

/* With the lock held. */
static void
empty(struct vl_ready *ready)
{
    vl_map_each(&ready->map, drop, NULL);
    vl_map_done(&ready->map);
    vl_map_init(&ready->map);
}

void
vl_ready_free(struct vl_ready *ready)
{
    if (!ready)
        return;
    empty(ready);
    vl_map_done(&ready->map);
    (void)pthread_mutex_destroy(&ready->lock);
    free(ready);
}

/* An empty text is wrong, and not what NULL is. */
static bool
add(struct vl_ready_key *key, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if ((text && !n) || n + 1 > VL_READY_KEY_MAX - key->n)
        return false;
    if (n)
        memcpy(key->bytes + key->n, text, n);
    key->n += n;
    key->bytes[key->n++] = '\0';
    return true;
}

/* Nothing in it but what the key is made of? */
static bool
is_plain(const valet_request *request)
{
    for (size_t i = 0; i < VL_COUNT(request->later); i++)
        if (request->later[i])
            return false;
    return request->flow <= VALET_FLOW_APP &&
           request->flow != VALET_FLOW_SIGN_IN && request->scopes &&
           !request->claims && !request->renew && !request->assertion &&
           !request->methods && !request->login_hint && !request->domain_hint &&
           !request->prompt && !request->timeout_s && !request->tell &&
           !request->open;
}

void
vl_ready_key(const valet_request *request, struct vl_ready_key *ret)
{
    ret->n = 0;
    if (!is_plain(request))
        return;
    ret->bytes[ret->n++] = (char)request->flow;
    bool fits = add(ret, request->account) && add(ret, request->tenant);
    for (const char *const *scope = request->scopes; fits && *scope; scope++)
        fits = add(ret, *scope);
    if (!fits)
        ret->n = 0;
}

void
vl_ready_follow(struct vl_ready *ready, const struct vl_keep *keep)
{
    (void)pthread_mutex_lock(&ready->lock);
    ready->keep = keep;
    ready->mark = vl_keep_known(keep);
    ready->looked_ms = 0;
    (void)pthread_mutex_unlock(&ready->lock);
}

/* @spec S-29: somebody may have signed out in another process. With the lock
 * held. */
static void
look(struct vl_ready *ready, int64_t now_ms)
{
    if (!ready->keep || ready->looked_ms == now_ms)
        return;
    ready->looked_ms = now_ms;
    if (!vl_keep_is_same(vl_keep_now(ready->keep), ready->mark))
        empty(ready);
}

struct vl_auth_inside *
vl_ready_find(struct vl_ready *ready, const struct vl_ready_key *key,
              int64_t now_ms)
{
    if (!key->n)
        return NULL;
    (void)pthread_mutex_lock(&ready->lock);
    look(ready, now_ms);
    struct vl_auth_inside *found =
        vl_map_find(&ready->map, vl_str_of(key->bytes, key->n));
    if (found && vl_result_is_fresh(found, now_ms / 1000))
        found = vl_result_hold(found);
    else
        found = NULL;
    (void)pthread_mutex_unlock(&ready->lock);
    return found;
}

void
vl_ready_put(struct vl_ready *ready, const struct vl_ready_key *key,
             struct vl_auth_inside *inside)
{
    if (!key->n)
        return;
    (void)pthread_mutex_lock(&ready->lock);
    if (vl_map_size(&ready->map) >= ENTRIES_MAX)
        empty(ready);
    vl_result_drop(vl_map_put(&ready->map, vl_str_of(key->bytes, key->n),
                              vl_result_hold(inside)));
    (void)pthread_mutex_unlock(&ready->lock);
}

void
vl_ready_empty(struct vl_ready *ready)
{
    (void)pthread_mutex_lock(&ready->lock);
    empty(ready);
    (void)pthread_mutex_unlock(&ready->lock);
}
