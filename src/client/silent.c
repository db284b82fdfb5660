/* SPDX-License-Identifier: Apache-2.0
 *
 * The flows that ask nobody: silent, client credentials, on-behalf-of. All of
 * them look into the cache first, and are one exchange if it has nothing. Of
 * who signed in by the broker, the broker has the rest.
 */
#include "client/account.h"
#include "client/by_broker.h"
#include "core/status.h"

static valet_source
source_of(const struct vl_run *run, const struct vl_cache_token *token)
{
    if (token->cached_at)
        return VALET_SOURCE_CACHE;
    switch (run->call->request.flow) {
    case VALET_FLOW_APP:
        return VALET_SOURCE_APP;
    case VALET_FLOW_ON_BEHALF_OF:
        return VALET_SOURCE_ON_BEHALF_OF;
    default:
        return VALET_SOURCE_REFRESH;
    }
}

/* --- by the broker --- */

/* Who signed out meanwhile, here or in another process, is not signed in again
 * because the broker still knows them. */
static bool
is_signed_in(const struct vl_run *run)
{
    struct vl_engine *engine = run->engine;
    struct vl_cache_account account;
    return vl_cache_find_account(
        engine->cache, vl_str_z(run->home),
        vl_cache_environment(engine->cache, vl_engine_host(engine)),
        (struct vl_str){NULL, 0}, &account);
}

static void
on_brokered(const struct vl_broker_token *token, const valet_entra_error *error,
            void *ctx)
{
    struct vl_run *run = ctx;
    valet_error err;
    run->broker = NULL;
    if (!error && run->home[0] && !is_signed_in(run)) {
        (void)vl_fail(&err, VALET_DENIED, "no_tokens",
                      "this account is not signed in any more");
        vl_run_fail_here(run, VALET_NEXT_SIGN_IN, &err);
    } else if (!error) {
        vl_by_broker_succeed(run, token);
    } else if (error->error.status == VALET_NOT_FOUND) {
        (void)vl_fail(&err, VALET_DENIED, "no_tokens",
                      "nobody is signed in, and there is no broker");
        vl_run_fail_here(run, VALET_NEXT_SIGN_IN, &err);
    } else {
        vl_by_broker_refuse(run, error);
    }
}

static void
ask_broker(struct vl_run *run, struct vl_str account)
{
    const struct vl_by_broker how = {.account = account};
    run->broker = vl_by_broker_ask(run, &how, on_brokered, run);
}

/* The account is signed in, but not with a refresh token of ours. */
static bool
may_be_the_brokers(const struct vl_run *run, const valet_entra_error *error)
{
    return run->call->request.flow == VALET_FLOW_SILENT &&
           run->engine->client->config.kind == VALET_CLIENT_PUBLIC &&
           strcmp(error->error.code, "no_tokens") == 0 && is_signed_in(run);
}

/* --- by ourselves --- */

static void
on_acquired(const struct vl_cache_token *token, const valet_entra_error *error,
            const valet_error *unkept, void *ctx)
{
    struct vl_run *run = ctx;
    struct vl_cache_account account;
    run->acquire = NULL;
    if (error) {
        if (may_be_the_brokers(run, error))
            ask_broker(run, vl_str_z(run->home));
        else
            vl_run_fail(run, error);
        return;
    }
    const struct vl_cache *cache = run->engine->cache;
    struct vl_str home = token->home_account_id, any = {NULL, 0};
    /* A guest may be known by their home alone. */
    bool known =
        home.n &&
        (vl_cache_find_account(cache, home, token->environment, token->realm,
                               &account) ||
         vl_cache_find_account(cache, home, token->environment, any, &account));
    vl_run_succeed(run, token, known ? &account : NULL, source_of(run, token),
                   unkept);
}

static valet_status
find_account(struct vl_run *run, valet_error *err)
{
    const struct vl_client_request *request = &run->call->request;
    const struct vl_account_wish wish = {
        .name = request->account,
        .tenant_id = vl_str_z(run->realm->tenant_id),
        .anywhere = request->tenant.n > 0,
    };
    struct vl_cache_account account;
    if (request->flow != VALET_FLOW_SILENT)
        return VALET_OK;
    VL_TRY(vl_account_find(run->engine, &wish, &account, err));
    if (account.home_account_id.n >= sizeof run->home)
        return vl_fail(err, VALET_LIMIT, "", "the account's id is too long");
    (void)snprintf(run->home, sizeof run->home, VL_STR_FMT,
                   VL_STR_ARG(account.home_account_id));
    return VALET_OK;
}

void
vl_silent_begin(struct vl_run *run)
{
    const struct vl_client_request *request = &run->call->request;
    valet_error err = {0};
    if (!run->realm->tenant_id[0]) { /* nobody's: "organizations" */
        ask_broker(run, request->account);
        return;
    }
    if (find_account(run, &err) != VALET_OK) {
        if (strcmp(err.code, "no_account") == 0 && request->methods)
            ask_broker(run, request->account);
        else
            vl_run_fail_here(run, vl_run_next_of(&err), &err);
        return;
    }
    struct vl_acquire_in in = {.home_account_id = vl_str_z(run->home),
                               .assertion = request->assertion,
                               .scopes = request->scopes,
                               .claims = request->claims,
                               .renew = request->renew};
    run->acquire =
        vl_acquire_start(&run->realm->acquirer, &in, on_acquired, run);
}
