/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/acquire.h"

#include "core/status.h"
#include "entra/cache_keep.h"
#include "entra/remember.h"
#include "http/url.h"
#include "keep/turn.h"
#include "oauth/scope.h"

/* Entra's old refresh token stays valid, so asking again is safe. */
#define ATTEMPTS  3
#define TEXT_MAX  (VL_LIMIT_SCOPE + 64)
#define CLAIM_MAX 2048

struct vl_acquire {
    struct vl_list node; /* among those that wait */
    struct vl_acquirer *acquirer;
    struct vl_timer *timer; /* brings us back from the loop */
    struct vl_grant *grant;
    struct vl_keep_turn turn;
    struct vl_buf home, tenant, scopes, claims;
    struct vl_secret used; /* the refresh token that was sent */
    bool renew;
    vl_acquire_done *done;
    void *ctx;
};

static int64_t
now_ms(const struct vl_acquire *acquire)
{
    return vl_clock_now(acquire->acquirer->desk->clock);
}

/* Those who waited look whether it was theirs, too. */
static void
give_turn(struct vl_acquire *acquire)
{
    struct vl_acquirer *acquirer = acquire->acquirer;
    vl_keep_turn_done(&acquire->turn);
    if (acquirer->renewing != acquire)
        return;
    acquirer->renewing = NULL;
    VL_LIST_EACH (node, &acquirer->waiting) {
        struct vl_acquire *next = VL_CONTAINER(node, struct vl_acquire, node);
        vl_list_remove(&next->node);
        vl_timer_start(next->timer, 0);
    }
}

/* Nothing happens to it any more. */
static void
leave(struct vl_acquire *acquire)
{
    vl_list_remove(&acquire->node);
    vl_grant_abort(&acquire->grant);
    vl_timer_free(acquire->timer);
    acquire->timer = NULL;
    give_turn(acquire);
}

static void
release(struct vl_acquire *acquire)
{
    vl_buf_done(&acquire->home);
    vl_buf_done(&acquire->tenant);
    vl_buf_done(&acquire->scopes);
    vl_buf_done(&acquire->claims);
    vl_secret_done(&acquire->used);
    free(acquire);
}

/* The token is the cache's, or has texts of ours: they outlive the callback,
 * which may free what we stand on. */
static void
finish(struct vl_acquire *acquire, const struct vl_cache_token *token,
       const valet_entra_error *error, const valet_error *unkept)
{
    leave(acquire);
    acquire->done(token, error, unkept, acquire->ctx);
    release(acquire);
}

static void
fail(struct vl_acquire *acquire, valet_next next, const valet_error *why)
{
    valet_entra_error error = {
        .error = *why, .next = next, .retry_after_ms = -1};
    finish(acquire, NULL, &error, NULL);
}

/* --- the cache --- */

static struct vl_cache_token
wanted(const struct vl_acquire *acquire)
{
    const struct vl_acquirer *acquirer = acquire->acquirer;
    return (struct vl_cache_token){
        .home_account_id = vl_buf_str(&acquire->home),
        .environment = vl_cache_environment(acquirer->cache, acquirer->host),
        .client_id = vl_str_z(acquirer->desk->client_id),
        .realm = vl_buf_str(&acquire->tenant),
        .target = vl_buf_str(&acquire->scopes),
    };
}

static bool
find(const struct vl_acquire *acquire, struct vl_cache_token *ret)
{
    struct vl_cache_token want = wanted(acquire);
    return vl_cache_find_access(acquire->acquirer->cache, &want,
                                now_ms(acquire) / 1000, VL_ACQUIRE_SKEW_S, ret);
}

/* One that is there, and need not be renewed ahead of time either. */
static bool
find_good(const struct vl_acquire *acquire, struct vl_cache_token *ret)
{
    return !acquire->renew && vl_buf_size(&acquire->claims) == 0 &&
           find(acquire, ret) &&
           (!ret->refresh_on || now_ms(acquire) / 1000 < ret->refresh_on);
}

static valet_status
load(const struct vl_acquire *acquire, valet_error *err)
{
    const struct vl_acquirer *acquirer = acquire->acquirer;
    return acquirer->keep ? vl_cache_load(acquirer->cache, acquirer->keep, err)
                          : VALET_OK;
}

static valet_status
save(const struct vl_acquire *acquire, valet_error *err)
{
    const struct vl_acquirer *acquirer = acquire->acquirer;
    if (acquirer->keep)
        return vl_cache_save(acquirer->cache, acquirer->keep,
                             now_ms(acquire) / 1000, err);
    vl_cache_settle(acquirer->cache);
    return VALET_OK;
}

/* In another process they may have signed out meanwhile. */
static bool
is_signed_in(const struct vl_acquire *acquire)
{
    struct vl_cache_account account;
    struct vl_cache_token want = wanted(acquire);
    return vl_cache_find_account(acquire->acquirer->cache, want.home_account_id,
                                 want.environment, (struct vl_str){NULL, 0},
                                 &account);
}

static valet_status
nobody(valet_error *err)
{
    return vl_fail(err, VALET_DENIED, "no_tokens",
                   "nobody is signed in with this account");
}

/* --- a new one --- */

/* Entra says that this refresh token will never do again. */
static void
forget(struct vl_acquire *acquire, const valet_entra_error *error)
{
    if (strcmp(error->suberror, "bad_token") == 0 &&
        !vl_secret_is_empty(&acquire->used)) {
        vl_cache_remove_refresh(acquire->acquirer->cache, &acquire->used,
                                now_ms(acquire) / 1000);
        (void)save(acquire, NULL); /* else it is refused once more */
    }
}

/* A token that was to be renewed ahead of time is still good. */
static void
refused(struct vl_acquire *acquire, const valet_entra_error *error)
{
    struct vl_cache_token token;
    forget(acquire, error);
    if (!acquire->renew && vl_buf_size(&acquire->claims) == 0 &&
        error->next == VALET_NEXT_RETRY && find(acquire, &token))
        finish(acquire, &token, NULL, NULL);
    else
        finish(acquire, NULL, error, NULL);
}

static void
on_tokens(struct vl_token_answer *answer, const valet_entra_error *error,
          void *ctx)
{
    struct vl_acquire *acquire = ctx;
    struct vl_cache_token token = wanted(acquire);
    valet_error err = {0}, unkept = {0};
    acquire->grant = NULL;
    if (error) {
        refused(acquire, error);
        return;
    }
    struct vl_remember what = {.environment = token.environment,
                               .client_id = token.client_id,
                               .tenant_id = token.realm,
                               .scopes = token.target,
                               .answer = answer,
                               .home_account_id = token.home_account_id};
    valet_status status = vl_remember(acquire->acquirer->cache, &what,
                                      now_ms(acquire), NULL, &err);
    if (status != VALET_OK) {
        /* Who signed out meanwhile is not signed in again. */
        fail(acquire,
             status == VALET_NOT_FOUND ? VALET_NEXT_SIGN_IN
                                       : VALET_NEXT_GIVE_UP,
             &err);
        return;
    }
    bool kept = save(acquire, &unkept) == VALET_OK;
    if (token.home_account_id.n && !is_signed_in(acquire)) {
        (void)nobody(&err);
        fail(acquire, VALET_NEXT_SIGN_IN, &err);
        return;
    }
    token.secret = answer->tokens.access.secret;
    token.expires_on = answer->tokens.expires_ms / 1000;
    if (answer->scope.n)
        token.target = answer->scope;
    finish(acquire, &token, NULL, kept ? NULL : &unkept);
}

static bool
is_of_resource(struct vl_str scope)
{
    return !vl_str_eqz(scope, "openid") && !vl_str_eqz(scope, "profile") &&
           !vl_str_eqz(scope, "offline_access");
}

/* Without these there would be no next refresh token. */
static void
add_scopes(struct vl_str scopes, struct vl_buf *form)
{
    vl_auto(vl_buf) all = vl_buf_of(TEXT_MAX);
    vl_scope_filter(&all, scopes, is_of_resource);
    vl_buf_addz(&all, vl_buf_size(&all) ? " " : "");
    vl_buf_addz(&all, "openid profile offline_access");
    vl_form_add(form, "scope", vl_buf_str(&all));
}

static void
add_claims(const struct vl_acquire *acquire, struct vl_buf *form)
{
    if (vl_buf_size(&acquire->claims))
        vl_form_add(form, "claims", vl_buf_str(&acquire->claims));
}

static valet_status
write_form(struct vl_acquire *acquire, struct vl_buf *form, valet_error *err)
{
    struct vl_cache_token refresh, want = wanted(acquire);
    if (!want.home_account_id.n) {
        vl_form_add(form, "grant_type", VL_STR("client_credentials"));
        vl_form_add(form, "scope", want.target);
        add_claims(acquire, form);
        return VALET_OK;
    }
    if (!vl_cache_find_refresh(acquire->acquirer->cache, &want, &refresh))
        return nobody(err);
    acquire->used = vl_secret_of(vl_secret_reveal(&refresh.secret));
    vl_form_add(form, "grant_type", VL_STR("refresh_token"));
    vl_form_add(form, "client_info", VL_STR("1"));
    vl_form_add(form, "refresh_token", vl_secret_reveal(&refresh.secret));
    add_scopes(want.target, form);
    add_claims(acquire, form);
    return VALET_OK;
}

static void
renew(struct vl_acquire *acquire)
{
    valet_error err = {0};
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
    if (write_form(acquire, &form, &err) != VALET_OK)
        fail(acquire, VALET_NEXT_SIGN_IN, &err);
    else
        acquire->grant = vl_grant_start(acquire->acquirer->desk, &form,
                                        ATTEMPTS, on_tokens, acquire);
}

/* --- the order of things --- */

/* With the turn: another process may have renewed it while we waited. */
static void
look_again(struct vl_acquire *acquire)
{
    struct vl_acquirer *acquirer = acquire->acquirer;
    struct vl_cache_token token;
    valet_error err = {0};
    valet_status status = VALET_OK;
    acquirer->renewing = acquire;
    if (acquirer->keep)
        status = vl_keep_turn_take(acquirer->keep, &acquire->turn, &err);
    /* Who has it holds it longer than a renewal takes: two renewals are better
     * than none. */
    if (status == VALET_OK || status == VALET_RETRY)
        status = load(acquire, &err);
    if (status != VALET_OK)
        fail(acquire,
             status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP,
             &err);
    else if (find_good(acquire, &token))
        finish(acquire, &token, NULL, NULL);
    else
        renew(acquire);
}

static void
look(void *ctx)
{
    struct vl_acquire *acquire = ctx;
    struct vl_acquirer *acquirer = acquire->acquirer;
    struct vl_cache_token token;
    valet_error err = {0};
    if (vl_buf_check(&acquire->home, &err) != VALET_OK ||
        vl_buf_check(&acquire->tenant, &err) != VALET_OK ||
        vl_buf_check(&acquire->scopes, &err) != VALET_OK ||
        vl_buf_check(&acquire->claims, &err) != VALET_OK)
        fail(acquire, VALET_NEXT_GIVE_UP, &err);
    else if (find_good(acquire, &token))
        finish(acquire, &token, NULL, NULL);
    else if (acquirer->renewing)
        vl_list_add_last(&acquirer->waiting, &acquire->node);
    else
        look_again(acquire);
}

void
vl_acquirer_init(struct vl_acquirer *acquirer)
{
    vl_list_init(&acquirer->waiting);
    acquirer->renewing = NULL;
}

static struct vl_buf
copy(struct vl_str text, size_t max)
{
    struct vl_buf buf = vl_buf_of(max);
    vl_buf_add(&buf, text);
    return buf;
}

struct vl_acquire *
vl_acquire_start(struct vl_acquirer *acquirer, const struct vl_acquire_in *in,
                 vl_acquire_done *done, void *ctx)
{
    struct vl_acquire *acquire = vl_alloc(sizeof *acquire);
    acquire->acquirer = acquirer;
    acquire->timer = vl_timer_new(acquirer->loop, look, acquire);
    acquire->turn = VL_KEEP_NO_TURN;
    acquire->home = copy(in->home_account_id, VL_HOME_ACCOUNT_SIZE);
    acquire->tenant = copy(in->tenant_id, TEXT_MAX);
    acquire->scopes = copy(in->scopes, TEXT_MAX);
    acquire->claims = copy(in->claims, CLAIM_MAX);
    acquire->renew = in->renew;
    acquire->done = done;
    acquire->ctx = ctx;
    vl_list_init(&acquire->node);
    vl_timer_start(acquire->timer, 0);
    return acquire;
}

void
vl_acquire_abort(struct vl_acquire **acquire)
{
    if (*acquire) {
        leave(*acquire);
        release(*acquire);
    }
    *acquire = NULL;
}
