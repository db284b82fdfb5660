/* SPDX-License-Identifier: Apache-2.0
 *
 * The flows that ask nobody: silent, client credentials, on-behalf-of. All of
 * them look into the cache first, and are one exchange if it has nothing.
 */
#include "client/account.h"
#include "client/run.h"
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

static void
on_acquired(const struct vl_cache_token *token, const valet_entra_error *error,
            const valet_error *unkept, void *ctx)
{
    struct vl_run *run = ctx;
    struct vl_cache_account account;
    run->acquire = NULL;
    if (error) {
        vl_run_fail(run, error);
        return;
    }
    bool known =
        token->home_account_id.n &&
        vl_cache_find_account(run->engine->cache, token->home_account_id,
                              token->environment, token->realm, &account);
    vl_run_succeed(run, token, known ? &account : NULL, source_of(run, token),
                   unkept);
}

static valet_status
find_account(struct vl_run *run, valet_error *err)
{
    struct vl_cache_account account;
    if (run->call->request.flow != VALET_FLOW_SILENT)
        return VALET_OK;
    VL_TRY(vl_account_find(run->engine, run->call->request.account,
                           vl_str_z(run->realm->tenant_id), &account, err));
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
    if (find_account(run, &err) != VALET_OK) {
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
