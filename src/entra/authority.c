/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/authority.h"

#include "core/status.h"

#define DAY_MS       86400000
#define KEY_PAUSE_MS 300000 /* between two fetches for an unknown key id */
#define FACTS_SIZE   16384

struct vl_authority {
    struct vl_fetcher *fetcher;
    const struct vl_clock *clock;
    const char *host;
    const char *tenant;
    struct vl_timer *settle; /* answers waiters when nothing is fetched */
    struct vl_fetch *fetch;  /* of the document or of the keys */
    struct vl_list waiters;
    struct vl_arena arena; /* of `facts` */
    struct vl_authority_facts facts;
    struct vl_arena new_arena; /* of `fresh`, while it is being fetched */
    struct vl_authority_facts fresh;
    int64_t fetched_ms; /* 0: never */
    valet_error last;   /* why the last fetch failed */
};

static void answer_waiters(void *ctx);
static void fetch_document(struct vl_authority *authority);

struct vl_authority *
vl_authority_new(struct vl_loop *loop, struct vl_fetcher *fetcher,
                 const struct vl_clock *clock, const char *host,
                 const char *tenant)
{
    struct vl_authority *authority = vl_alloc(sizeof *authority);
    authority->fetcher = fetcher;
    authority->clock = clock;
    authority->host = host;
    authority->tenant = tenant;
    authority->settle = vl_timer_new(loop, answer_waiters, authority);
    vl_list_init(&authority->waiters);
    authority->arena = vl_arena_of(FACTS_SIZE);
    authority->new_arena = vl_arena_of(FACTS_SIZE);
    return authority;
}

void
vl_authority_free(struct vl_authority *authority)
{
    if (!authority)
        return;
    VL_LIST_EACH (node, &authority->waiters)
        vl_list_remove(node);
    vl_fetch_abort(&authority->fetch);
    vl_timer_free(authority->settle);
    vl_jwks_unref(authority->facts.keys);
    vl_arena_done(&authority->arena);
    vl_arena_done(&authority->new_arena);
    free(authority);
}

static bool
have_facts(const struct vl_authority *authority)
{
    return authority->facts.keys != NULL;
}

/* Answers everybody who waited when it was called; a callback may wait anew. */
static void
answer_waiters(void *ctx)
{
    struct vl_authority *authority = ctx;
    struct vl_list now;
    vl_list_init(&now);
    VL_LIST_EACH (node, &authority->waiters) {
        vl_list_remove(node);
        vl_list_add_last(&now, node);
    }
    while (!vl_list_is_empty(&now)) {
        struct vl_authority_wait *wait =
            VL_CONTAINER(now.next, struct vl_authority_wait, node);
        vl_list_remove(&wait->node);
        if (have_facts(authority))
            wait->ready(VALET_OK, &authority->facts, NULL, wait->ctx);
        else
            wait->ready(authority->last.status, NULL, &authority->last,
                        wait->ctx);
    }
}

/* Stale facts are better than none: a failure only shows without them. */
static void
give_up(struct vl_authority *authority, const valet_error *err)
{
    authority->last = *err;
    if (authority->last.status == VALET_OK)
        authority->last.status = VALET_RETRY;
    answer_waiters(authority);
}

static valet_status
check_answer(valet_status status, const struct vl_fetch_answer *answer,
             const char *what, const valet_error *why, valet_error *err)
{
    if (status != VALET_OK)
        return vl_fail(err, VALET_RETRY, "", "cannot fetch the %s: %s", what,
                       why ? why->message : "no reason given");
    if (answer->status != 200)
        return vl_fail(err, VALET_RETRY, "",
                       "cannot fetch the %s: HTTP status %d", what,
                       answer->status);
    return VALET_OK;
}

static void
on_keys(valet_status status, const struct vl_fetch_answer *answer,
        const valet_error *why, void *ctx)
{
    struct vl_authority *authority = ctx;
    valet_error err = {0};
    struct vl_jwks *keys = NULL;
    authority->fetch = NULL;
    if (check_answer(status, answer, "signing keys", why, &err) != VALET_OK ||
        vl_jwks_parse(answer->body, &keys, &err) != VALET_OK) {
        give_up(authority, &err);
        return;
    }
    vl_jwks_unref(authority->facts.keys);
    vl_arena_done(&authority->arena);
    authority->arena = authority->new_arena;
    authority->new_arena = vl_arena_of(FACTS_SIZE);
    authority->facts = authority->fresh;
    authority->facts.keys = keys;
    authority->fetched_ms = vl_clock_now(authority->clock);
    answer_waiters(authority);
}

static void
fetch_keys(struct vl_authority *authority)
{
    struct vl_fetch_request request = {
        .method = "GET", .url = authority->fresh.jwks_uri.p, .attempts = 3};
    authority->fetch =
        vl_fetch_start(authority->fetcher, &request, on_keys, authority);
}

static void
on_document(valet_status status, const struct vl_fetch_answer *answer,
            const valet_error *why, void *ctx)
{
    struct vl_authority *authority = ctx;
    valet_error err = {0};
    authority->fetch = NULL;
    if (check_answer(status, answer, "OpenID configuration", why, &err) !=
            VALET_OK ||
        vl_authority_read(answer->body, authority->host, authority->tenant,
                          &authority->new_arena, &authority->fresh,
                          &err) != VALET_OK) {
        give_up(authority, &err);
        return;
    }
    fetch_keys(authority);
}

static void
fetch_document(struct vl_authority *authority)
{
    vl_auto(vl_buf) url = vl_buf_of(2048);
    vl_buf_addf(&url, "%s/%s/v2.0/.well-known/openid-configuration",
                authority->host, authority->tenant);
    vl_arena_done(&authority->new_arena);
    struct vl_fetch_request request = {
        .method = "GET", .url = vl_buf_cstr(&url), .attempts = 3};
    authority->fetch =
        vl_fetch_start(authority->fetcher, &request, on_document, authority);
}

static void
wait_for(struct vl_authority *authority, struct vl_authority_wait *wait,
         int64_t max_age_ms)
{
    int64_t age = vl_clock_now(authority->clock) - authority->fetched_ms;
    vl_list_add_last(&authority->waiters, &wait->node);
    if (authority->fetch)
        return;
    if (have_facts(authority) && age < max_age_ms)
        vl_timer_start(authority->settle, 0);
    else
        fetch_document(authority);
}

void
vl_authority_get(struct vl_authority *authority, struct vl_authority_wait *wait)
{
    wait_for(authority, wait, DAY_MS);
}

void
vl_authority_get_new_keys(struct vl_authority *authority,
                          struct vl_authority_wait *wait)
{
    wait_for(authority, wait, KEY_PAUSE_MS);
}

void
vl_authority_wait_init(struct vl_authority_wait *wait)
{
    vl_list_init(&wait->node);
}

void
vl_authority_cancel(struct vl_authority_wait *wait)
{
    vl_list_remove(&wait->node);
}
