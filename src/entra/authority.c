/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks is either answered with the facts at hand, a moment later by the
 * timer `settle`, or waits for the fetch under way. Document and keys are
 * fetched together and replace the old ones together.
 */
#include "entra/authority.h"

#include "core/status.h"

#define DAY_MS     86400000
#define PAUSE_MS   300000 /* between two fetches while we have facts */
#define FACTS_SIZE 16384
#define ATTEMPTS   3

struct vl_authority {
    struct vl_fetcher *fetcher;
    const struct vl_clock *clock;
    const struct vl_instance *instance;
    struct vl_timer *settle;
    struct vl_fetch *fetch; /* of the document or of the keys */
    struct vl_list content; /* are answered by `settle` */
    struct vl_list waiters; /* are answered by the end of the fetch */
    struct vl_arena arena;  /* of `facts` */
    struct vl_authority_facts facts;
    struct vl_arena new_arena; /* of `fresh`, while it is being fetched */
    struct vl_authority_facts fresh;
    int64_t fetched_ms; /* when `facts` were; 0: never */
    int64_t tried_ms;   /* when the last fetch was begun */
    valet_error last;   /* why the last fetch failed */
    bool *gone;         /* set when it is freed by a callback */
};

static void on_settle(void *ctx);

struct vl_authority *
vl_authority_new(struct vl_loop *loop, struct vl_fetcher *fetcher,
                 const struct vl_clock *clock,
                 const struct vl_instance *instance)
{
    struct vl_authority *authority = vl_alloc(sizeof *authority);
    authority->fetcher = fetcher;
    authority->clock = clock;
    authority->instance = instance;
    authority->settle = vl_timer_new(loop, on_settle, authority);
    vl_list_init(&authority->content);
    vl_list_init(&authority->waiters);
    authority->arena = vl_arena_of(FACTS_SIZE);
    authority->new_arena = vl_arena_of(FACTS_SIZE);
    return authority;
}

static void
remove_all(struct vl_list *list)
{
    VL_LIST_EACH (node, list)
        vl_list_remove(node);
}

void
vl_authority_free(struct vl_authority *authority)
{
    if (!authority)
        return;
    if (authority->gone)
        *authority->gone = true;
    remove_all(&authority->content);
    remove_all(&authority->waiters);
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

/* --- answering --- */

/* Answers all that are on the list now; a callback may wait anew, which is for
 * the next time, or free the authority. */
static void
answer_all(struct vl_authority *authority, struct vl_list *list)
{
    struct vl_list now;
    bool gone = false;
    const valet_error last = authority->last;
    vl_list_init(&now);
    VL_LIST_EACH (node, list) {
        vl_list_remove(node);
        vl_list_add_last(&now, node);
    }
    authority->gone = &gone;
    while (!gone && !vl_list_is_empty(&now)) {
        struct vl_authority_wait *wait =
            VL_CONTAINER(now.next, struct vl_authority_wait, node);
        vl_list_remove(&wait->node);
        if (have_facts(authority))
            wait->ready(VALET_OK, &authority->facts, NULL, wait->ctx);
        else
            wait->ready(last.status, NULL, &last, wait->ctx);
    }
    remove_all(&now);
    if (!gone)
        authority->gone = NULL;
}

static void
on_settle(void *ctx)
{
    struct vl_authority *authority = ctx;
    answer_all(authority, &authority->content);
}

/*
 * Stale facts are better than none: a failure only shows without them. What
 * came but could not be read may be a proxy's page: asking later may help;
 * what was read and is not ours stays refused.
 */
static void
give_up(struct vl_authority *authority, valet_status status,
        const valet_error *err)
{
    bool is_final = status == VALET_DENIED || status == VALET_INTERNAL;
    (void)vl_fail(&authority->last, is_final ? status : VALET_RETRY, "",
                  "%s: %s", authority->instance->host, err->message);
    answer_all(authority, &authority->waiters);
}

/* --- fetching --- */

static valet_status
check_answer(valet_status status, const struct vl_fetch_answer *answer,
             const char *what, const valet_error *why, valet_error *err)
{
    if (status != VALET_OK) /* VALET_INVALID: we would not even ask */
        return vl_fail(err,
                       status == VALET_INVALID ? VALET_INTERNAL : VALET_RETRY,
                       "", "cannot fetch the %s: %s", what,
                       why ? why->message : "no reason given");
    if (answer->status == 200)
        return VALET_OK;
    /* Entra's way to say that there is no such tenant is 400. */
    bool is_ours = answer->status >= 400 && answer->status < 500 &&
                   answer->status != 408 && answer->status != 429;
    return vl_fail(err, is_ours ? VALET_INTERNAL : VALET_RETRY, "",
                   "cannot fetch the %s: HTTP status %d", what, answer->status);
}

/* The fetched facts become the facts. */
static void
replace_facts(struct vl_authority *authority, struct vl_jwks *keys)
{
    vl_jwks_unref(authority->facts.keys);
    vl_arena_done(&authority->arena);
    authority->arena = authority->new_arena;
    authority->new_arena = vl_arena_of(FACTS_SIZE);
    authority->facts = authority->fresh;
    authority->facts.keys = keys;
    authority->fetched_ms = vl_clock_now(authority->clock);
}

static void
on_keys(valet_status status, const struct vl_fetch_answer *response,
        const valet_error *why, void *ctx)
{
    struct vl_authority *authority = ctx;
    valet_error err = {0};
    struct vl_jwks *keys = NULL;
    authority->fetch = NULL;
    status = check_answer(status, response, "signing keys", why, &err);
    if (status == VALET_OK)
        status = vl_jwks_parse(response->body, &keys, &err);
    if (status != VALET_OK) {
        give_up(authority, status, &err);
        return;
    }
    replace_facts(authority, keys);
    answer_all(authority, &authority->waiters);
}

static void
fetch_keys(struct vl_authority *authority)
{
    struct vl_fetch_request request = {.method = "GET",
                                       .url = authority->fresh.jwks_uri.p,
                                       .attempts = ATTEMPTS};
    authority->fetch =
        vl_fetch_start(authority->fetcher, &request, on_keys, authority);
}

static valet_status
read_document(struct vl_authority *authority, struct vl_str json,
              valet_error *err)
{
    return vl_authority_read(json, authority->instance, &authority->new_arena,
                             &authority->fresh, err);
}

static void
on_document(valet_status status, const struct vl_fetch_answer *response,
            const valet_error *why, void *ctx)
{
    struct vl_authority *authority = ctx;
    valet_error err = {0};
    authority->fetch = NULL;
    status = check_answer(status, response, "OpenID configuration", why, &err);
    if (status == VALET_OK)
        status = read_document(authority, response->body, &err);
    if (status == VALET_OK)
        fetch_keys(authority);
    else
        give_up(authority, status, &err);
}

static void
fetch_document(struct vl_authority *authority)
{
    vl_auto(vl_buf) url = vl_buf_of(2048);
    vl_buf_addf(&url, "%s/%s/v2.0/.well-known/openid-configuration",
                authority->instance->host, authority->instance->tenant);
    struct vl_fetch_request request = {
        .method = "GET", .url = vl_buf_cstr(&url), .attempts = ATTEMPTS};
    authority->fetch =
        vl_fetch_start(authority->fetcher, &request, on_document, authority);
}

/* Not before who asks for it has returned. */
static void
give_up_later(struct vl_authority *authority, const valet_error *err)
{
    (void)vl_fail(&authority->last, VALET_INTERNAL, "",
                  "the metadata given for %s: %s", authority->instance->host,
                  err->message);
    VL_LIST_EACH (node, &authority->waiters) {
        vl_list_remove(node);
        vl_list_add_last(&authority->content, node);
    }
    vl_timer_start(authority->settle, 0);
}

static void
fetch_what_is_missing(struct vl_authority *authority)
{
    const char *metadata = authority->instance->metadata;
    valet_error err = {0};
    authority->tried_ms = vl_clock_now(authority->clock);
    vl_arena_done(&authority->new_arena);
    if (!metadata)
        fetch_document(authority);
    else if (read_document(authority, vl_str_z(metadata), &err) == VALET_OK)
        fetch_keys(authority);
    else
        give_up_later(authority, &err);
}

/* --- asking --- */

/* A clock that was set back makes everything old. */
static bool
is_younger(int64_t now_ms, int64_t then_ms, int64_t than_ms)
{
    return now_ms >= then_ms && now_ms - then_ms < than_ms;
}

static void
wait_for(struct vl_authority *authority, struct vl_authority_wait *wait,
         int64_t max_age_ms)
{
    int64_t now = vl_clock_now(authority->clock);
    bool have = have_facts(authority);
    bool fresh = have && is_younger(now, authority->fetched_ms, max_age_ms);
    /* @spec S-15: nobody makes us hammer the authority, unknown keys and
     * failed fetches included. */
    bool pause = have && is_younger(now, authority->tried_ms, PAUSE_MS);
    VL_ASSERT(vl_list_is_empty(&wait->node));
    if (fresh || (pause && !authority->fetch)) {
        vl_list_add_last(&authority->content, &wait->node);
        vl_timer_start(authority->settle, 0);
        return;
    }
    vl_list_add_last(&authority->waiters, &wait->node);
    if (!authority->fetch)
        fetch_what_is_missing(authority);
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
    wait_for(authority, wait, 0);
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
