/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/keys.h"

#include <pthread.h>

#include "core/status.h"

/* After the first failure; doubled by each further one. */
#define FIRST_WAIT_MS 1000

struct vl_keys {
    const struct vl_rules *rules;
    const struct vl_clock *clock;
    pthread_mutex_t lock; /* of all that follows; never held over a fetch */
    pthread_cond_t arrived;
    struct vl_jwks *set; /* NULL: none yet */
    int64_t fetched_ms;  /* when `set` was */
    int64_t asked_ms;    /* when a fetch for an unknown key began */
    bool asked;
    int64_t failed_ms; /* when the last fetch failed */
    unsigned failures; /* in a row */
    valet_error last;  /* why the last one did */
    bool busy;         /* a thread is fetching */
    bool wanted;       /* somebody who could not wait needs newer keys */
};

struct vl_keys *
vl_keys_new(const struct vl_rules *rules, const struct vl_clock *clock)
{
    struct vl_keys *keys = vl_alloc(sizeof *keys);
    *keys = (struct vl_keys){.rules = rules, .clock = clock};
    VL_ASSERT(pthread_mutex_init(&keys->lock, NULL) == 0);
    VL_ASSERT(pthread_cond_init(&keys->arrived, NULL) == 0);
    return keys;
}

void
vl_keys_free(struct vl_keys *keys)
{
    vl_jwks_unref(keys->set);
    (void)pthread_cond_destroy(&keys->arrived);
    (void)pthread_mutex_destroy(&keys->lock);
    free(keys);
}

/* --- with the lock held --- */

static int64_t
age(const struct vl_keys *keys)
{
    return vl_clock_now(keys->clock) - keys->fetched_ms;
}

/* Stale keys are better than none, for a while: who took the issuer's place
 * or cut us off would else keep a withdrawn key alive. */
static bool
is_usable(const struct vl_keys *keys)
{
    return keys->set && age(keys) < keys->rules->stale_ms;
}

static bool
is_old(const struct vl_keys *keys)
{
    return !keys->set || age(keys) >= keys->rules->refresh_ms;
}

static bool
is_resting(const struct vl_keys *keys)
{
    int64_t wait = keys->rules->pause_ms;
    if (keys->failures == 0)
        return false;
    if (keys->failures <= 12 && (FIRST_WAIT_MS << (keys->failures - 1)) < wait)
        wait = FIRST_WAIT_MS << (keys->failures - 1);
    return vl_clock_now(keys->clock) - keys->failed_ms < wait;
}

/* May an unknown key make us ask? */
static bool
may_ask(const struct vl_keys *keys)
{
    return !is_resting(keys) &&
           (!keys->asked || vl_clock_now(keys->clock) - keys->asked_ms >=
                                keys->rules->pause_ms);
}

static void
take_answer(struct vl_keys *keys, valet_status status, struct vl_jwks *set,
            const valet_error *why)
{
    if (status != VALET_OK) {
        keys->failures += keys->failures < 100;
        keys->failed_ms = vl_clock_now(keys->clock);
        keys->last = *why;
        return;
    }
    vl_jwks_unref(keys->set);
    keys->set = set;
    keys->fetched_ms = vl_clock_now(keys->clock);
    keys->failures = 0;
    keys->wanted = false;
}

/* Lets go of the lock while it waits for the issuer. */
static void
fetch(struct vl_keys *keys)
{
    struct vl_jwks *set = NULL;
    valet_error err = {0};
    keys->busy = true;
    VL_ASSERT(pthread_mutex_unlock(&keys->lock) == 0);
    valet_status status = vl_keys_fetch(keys->rules, &set, &err);
    VL_ASSERT(pthread_mutex_lock(&keys->lock) == 0);
    take_answer(keys, status, set, &err);
    keys->busy = false;
    VL_ASSERT(pthread_cond_broadcast(&keys->arrived) == 0);
}

/* Fetches, or waits for the thread that does. */
static void
fetch_or_wait(struct vl_keys *keys)
{
    if (!keys->busy) {
        fetch(keys);
        return;
    }
    while (keys->busy)
        VL_ASSERT(pthread_cond_wait(&keys->arrived, &keys->lock) == 0);
}

static valet_status
give(const struct vl_keys *keys, struct vl_jwks **ret, valet_error *err)
{
    if (!is_usable(keys))
        return vl_fail(err, VALET_RETRY, "", "%s",
                       keys->last.message[0] ? keys->last.message
                                             : "the keys are not there yet");
    *ret = vl_jwks_ref(keys->set);
    return VALET_OK;
}

static valet_status
get(struct vl_keys *keys, bool may_wait, struct vl_jwks **ret, valet_error *err)
{
    /* One thread pays for the refresh; the others go on with what is usable. */
    bool fetches =
        is_old(keys) && !is_resting(keys) && !(keys->busy && is_usable(keys));
    if (fetches && may_wait)
        fetch_or_wait(keys);
    return give(keys, ret, err);
}

static valet_status
get_newer(struct vl_keys *keys, const struct vl_jwks *than, bool may_wait,
          struct vl_jwks **ret, valet_error *err)
{
    if (keys->set != than)
        return give(keys, ret, err);
    if (keys->busy || may_ask(keys)) {
        if (!may_wait) {
            keys->wanted = true;
            return vl_fail(err, VALET_RETRY, "",
                           "the key is unknown and newer ones are to be "
                           "fetched");
        }
        if (!keys->busy) {
            keys->asked = true;
            keys->asked_ms = vl_clock_now(keys->clock);
        }
        fetch_or_wait(keys);
    }
    /* The key may be among those we could not get. */
    if (keys->failures)
        return vl_fail(err, VALET_RETRY, "", "%s", keys->last.message);
    return give(keys, ret, err);
}

static valet_status
refresh(struct vl_keys *keys, valet_error *err)
{
    struct vl_jwks *set = NULL;
    if (keys->wanted && !keys->busy && may_ask(keys)) {
        keys->asked = true;
        keys->asked_ms = vl_clock_now(keys->clock);
        fetch(keys);
    }
    VL_TRY(get(keys, true, &set, err));
    vl_jwks_unref(set);
    return VALET_OK;
}

/* --- from outside --- */

bool
vl_keys_are_there(struct vl_keys *keys)
{
    VL_ASSERT(pthread_mutex_lock(&keys->lock) == 0);
    bool there = keys->set != NULL;
    VL_ASSERT(pthread_mutex_unlock(&keys->lock) == 0);
    return there;
}

valet_status
vl_keys_get(struct vl_keys *keys, bool may_wait, struct vl_jwks **ret,
            valet_error *err)
{
    VL_ASSERT(pthread_mutex_lock(&keys->lock) == 0);
    valet_status status = get(keys, may_wait, ret, err);
    VL_ASSERT(pthread_mutex_unlock(&keys->lock) == 0);
    return status;
}

valet_status
vl_keys_get_newer(struct vl_keys *keys, const struct vl_jwks *than,
                  bool may_wait, struct vl_jwks **ret, valet_error *err)
{
    VL_ASSERT(pthread_mutex_lock(&keys->lock) == 0);
    valet_status status = get_newer(keys, than, may_wait, ret, err);
    VL_ASSERT(pthread_mutex_unlock(&keys->lock) == 0);
    return status;
}

valet_status
vl_keys_refresh(struct vl_keys *keys, valet_error *err)
{
    VL_ASSERT(pthread_mutex_lock(&keys->lock) == 0);
    valet_status status = refresh(keys, err);
    VL_ASSERT(pthread_mutex_unlock(&keys->lock) == 0);
    return status;
}
