/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/acquire.h"

#include "cache/kept.h"
#include "core/enc.h"
#include "core/status.h"
#include "crypto/digest.h"
#include "entra/acquire_form.h"
#include "entra/acquire_inside.h"
#include "entra/claims.h"
#include "entra/remember.h"

/* Entra's old refresh token stays valid, so asking again is safe. */
#define ATTEMPTS 3
/* Who has the turn of the keep is done after this: the authority's document,
 * its keys and the token, each with its attempts. Then two renewals are better
 * than none. */
#define TURN_MAX_MS   (3 * VL_LIMIT_FETCH_MS + 10000)
#define TURN_PAUSE_MS 20
#define TEXT_MAX      (VL_LIMIT_SCOPE + 64)
#define HASH_SIZE     43 /* base64url of SHA-256 */

static int64_t
now_ms(const struct vl_acquire *acquire)
{
    return vl_clock_now(acquire->acquirer->desk->clock);
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
        .realm = acquirer->tenant_id,
        .target = vl_buf_str(&acquire->scopes),
        .user_assertion_hash = vl_buf_str(&acquire->hash),
    };
}

static bool
find(const struct vl_acquire *acquire, struct vl_cache_token *ret)
{
    struct vl_cache_token want = wanted(acquire);
    return vl_cache_find_access(acquire->acquirer->cache, &want,
                                now_ms(acquire) / 1000, VL_ACQUIRE_SKEW_S, ret);
}

/* Gives a token that is there, if one will do; one that is to be renewed ahead
 * of time does, but not for its own renewal. */
static bool
give_cached(struct vl_acquire *acquire)
{
    struct vl_cache_token token;
    if (acquire->renew || vl_buf_size(&acquire->claims) ||
        !find(acquire, &token))
        return false;
    bool is_due =
        token.refresh_on && now_ms(acquire) / 1000 >= token.refresh_on;
    if (is_due && acquire->ahead)
        return false;
    if (is_due)
        vl_acquire_ahead(acquire);
    vl_acquire_tell(acquire, &token, NULL, NULL);
    return true;
}

static void
fail_here(struct vl_acquire *acquire, valet_next next, const valet_error *why)
{
    valet_entra_error error = {
        .error = *why, .next = next, .retry_after_ms = -1};
    vl_acquire_tell_all(acquire, NULL, &error, NULL);
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
    (void)vl_cache_sweep(acquirer->cache, now_ms(acquire) / 1000);
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
    if (error->next == VALET_NEXT_SIGN_IN &&
        strcmp(error->suberror, "bad_token") == 0 &&
        !vl_secret_is_empty(&acquire->used)) {
        vl_cache_remove_refresh(acquire->acquirer->cache, &acquire->used,
                                now_ms(acquire) / 1000);
        (void)save(acquire, NULL); /* else it is refused once more */
    }
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
        forget(acquire, error);
        vl_acquire_tell_all(acquire, NULL, error, NULL);
        return;
    }
    struct vl_remember what = {.environment = token.environment,
                               .client_id = token.client_id,
                               .tenant_id = token.realm,
                               .scopes = token.target,
                               .answer = answer,
                               .home_account_id = token.home_account_id,
                               .user_assertion_hash =
                                   token.user_assertion_hash};
    char home[VL_HOME_ACCOUNT_SIZE] = "";
    valet_status status = vl_remember(acquire->acquirer->cache, &what,
                                      now_ms(acquire), home, &err);
    if (save(acquire, &unkept) == VALET_OK)
        unkept = err; /* the cache did not take it */
    /* Who signed out meanwhile is not signed in again. */
    if (token.home_account_id.n && !is_signed_in(acquire)) {
        (void)nobody(&err);
        fail_here(acquire, VALET_NEXT_SIGN_IN, &err);
        return;
    }
    if (status == VALET_DENIED) {
        fail_here(acquire, VALET_NEXT_GIVE_UP, &err);
        return;
    }
    token.secret = answer->tokens.access.secret;
    token.expires_on = answer->tokens.expires_ms / 1000;
    token.refresh_on = answer->refresh_ms / 1000;
    token.home_account_id = vl_str_z(home);
    if (answer->scope.n)
        token.target = answer->scope;
    vl_acquire_tell_all(acquire, &token, NULL,
                        unkept.status == VALET_OK ? NULL : &unkept);
}

static valet_status
write_form(struct vl_acquire *acquire, struct vl_buf *form, valet_error *err)
{
    struct vl_cache_token refresh, want = wanted(acquire);
    struct vl_acquire_form what = {.scopes = want.target};
    if (want.user_assertion_hash.n) {
        what.assertion = vl_buf_str(&acquire->assertion);
    } else if (want.home_account_id.n) {
        if (!vl_cache_find_refresh(acquire->acquirer->cache, &want, &refresh))
            return nobody(err);
        acquire->used = vl_secret_of(vl_secret_reveal(&refresh.secret));
        what.refresh_token = vl_secret_reveal(&acquire->used);
    }
    vl_acquire_form_write(&what, form);
    return vl_claims_add(vl_buf_str(&acquire->claims),
                         acquire->acquirer->desk->capabilities, form, err);
}

static void
renew(struct vl_acquire *acquire)
{
    valet_error err = {0};
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
    valet_status status = write_form(acquire, &form, &err);
    if (status != VALET_OK)
        fail_here(acquire,
                  status == VALET_DENIED ? VALET_NEXT_SIGN_IN
                                         : VALET_NEXT_GIVE_UP,
                  &err);
    else
        acquire->grant = vl_grant_start(acquire->acquirer->desk, &form,
                                        ATTEMPTS, on_tokens, acquire);
}

/* --- the order of things --- */

/* With the turn: another process may have renewed it while we waited. */
static void
look_again(struct vl_acquire *acquire)
{
    valet_error err = {0};
    valet_status status = load(acquire, &err);
    if (status != VALET_OK)
        fail_here(acquire,
                  status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP,
                  &err);
    else if (!give_cached(acquire))
        renew(acquire);
}

static void
take_turn(struct vl_acquire *acquire)
{
    struct vl_keep *keep = acquire->acquirer->keep;
    valet_error err = {0};
    valet_status status =
        keep ? vl_keep_turn_try(keep, &acquire->turn, &err) : VALET_OK;
    if (status == VALET_RETRY && vl_mono_now() < acquire->turn_until)
        vl_timer_start(acquire->timer, TURN_PAUSE_MS);
    else if (status == VALET_OK || status == VALET_RETRY)
        look_again(acquire);
    else
        fail_here(acquire, VALET_NEXT_GIVE_UP, &err);
}

static valet_status
check(const struct vl_acquire *acquire, valet_error *err)
{
    VL_TRY(vl_buf_check(&acquire->home, err));
    VL_TRY(vl_buf_check(&acquire->scopes, err));
    VL_TRY(vl_buf_check(&acquire->assertion, err));
    return vl_buf_check(&acquire->claims, err);
}

static void
look(void *ctx)
{
    struct vl_acquire *acquire = ctx;
    valet_entra_error error = {.next = VALET_NEXT_GIVE_UP,
                               .retry_after_ms = -1};
    if (acquire->renewing) {
        take_turn(acquire);
    } else if (check(acquire, &error.error) != VALET_OK) {
        vl_acquire_tell(acquire, NULL, &error, NULL);
    } else if (!give_cached(acquire) && vl_acquire_enter(acquire)) {
        acquire->turn_until = vl_mono_now() + TURN_MAX_MS;
        take_turn(acquire);
    }
}

void
vl_acquirer_init(struct vl_acquirer *acquirer)
{
    vl_list_init(&acquirer->waiting);
    vl_list_init(&acquirer->renewing);
    vl_list_init(&acquirer->ahead);
    acquirer->ahead_failed_ms = 0;
}

static struct vl_buf
copy(struct vl_str text, size_t max)
{
    struct vl_buf buf = vl_buf_of(max);
    vl_buf_add(&buf, text);
    return buf;
}

/* As MSAL writes it, so that its libraries and we find each other's. */
static struct vl_buf
hash_of(struct vl_str assertion)
{
    unsigned char hash[VL_SHA256_SIZE];
    struct vl_buf buf = vl_buf_of(HASH_SIZE);
    vl_sha256(assertion, hash);
    if (assertion.n)
        vl_enc_base64url(&buf, vl_str_of(hash, sizeof hash));
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
    acquire->scopes = copy(in->scopes, TEXT_MAX);
    acquire->claims = copy(in->claims, VL_LIMIT_CLAIMS);
    acquire->assertion = vl_buf_of_secret(VL_LIMIT_UPSTREAM_TOKEN);
    vl_buf_add(&acquire->assertion, in->assertion);
    acquire->hash = hash_of(in->assertion);
    acquire->renew = in->renew;
    acquire->done = done;
    acquire->ctx = ctx;
    vl_list_init(&acquire->node);
    vl_list_init(&acquire->ahead_node);
    vl_timer_start(acquire->timer, 0);
    return acquire;
}

void
vl_acquire_abort(struct vl_acquire **acquire)
{
    if (*acquire) {
        vl_acquire_leave(*acquire);
        vl_acquire_release(*acquire);
    }
    *acquire = NULL;
}
