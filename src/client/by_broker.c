/* SPDX-License-Identifier: Apache-2.0 */
#include "client/by_broker.h"

#include "client/account.h"
#include "client/place.h"
#include "core/status.h"
#include "entra/claims.h"
#include "entra/failure.h"

static struct vl_broker *
get_broker(struct vl_engine *engine)
{
    vl_auto(vl_buf) modules = vl_buf_of(VL_CLIENT_TEXT_MAX);
    if (!engine->broker) {
        vl_place_modules(&engine->client->config, &modules);
        engine->broker = vl_broker_new(engine->loop, vl_buf_cstr(&modules));
    }
    return engine->broker;
}

struct vl_broker_call *
vl_by_broker_ask(struct vl_run *run, const struct vl_by_broker *how,
                 vl_broker_acquired *done, void *ctx)
{
    const struct vl_client_request *request = &run->call->request;
    vl_auto(vl_buf) authority = vl_buf_of(2 * VL_CLIENT_TEXT_MAX);
    vl_auto(vl_buf) claims = vl_buf_of(VL_CLAIMS_MERGED_MAX);
    /* Each was checked: the challenge with the request, ours at birth. */
    VL_ASSERT(vl_claims_merge(request->claims, run->realm->desk.capabilities,
                              &claims, NULL) == VALET_OK);
    vl_buf_addf(&authority, "%s/%s", run->realm->instance.host,
                run->realm->tenant);
    struct vl_broker_in in = {
        .interactive = how->interactive,
        .authority = vl_buf_str(&authority),
        .client_id = vl_str_z(run->realm->desk.client_id),
        .scopes = request->scopes,
        .account = how->account,
        .claims = vl_buf_str(&claims),
        .login_hint = how->login_hint,
        .domain_hint = request->domain_hint,
        .prompt = request->prompt,
        .timeout_ms = request->timeout_ms,
    };
    return vl_broker_acquire(get_broker(run->engine), &in, done, ctx);
}

/* @spec S-22: which tenant it is, is a question that has to be answered. */
static valet_status
check_tenant(const struct vl_run *run, const struct vl_broker_account *account,
             valet_error *err)
{
    const struct vl_realm *realm = run->realm;
    bool is_asked = realm->tenant_id[0] &&
                    vl_str_ieq(account->tenant_id, vl_str_z(realm->tenant_id));
    if (is_asked || (vl_instance_is_shared(&realm->instance) &&
                     vl_client_config_allows(&run->engine->client->config,
                                             account->tenant_id)))
        return VALET_OK;
    return vl_fail(err, VALET_DENIED, "other_tenant",
                   "the broker's account is of another tenant");
}

/* Who is asked for silently was found in the cache. */
static bool
is_remembered(const struct vl_run *run, const struct vl_cache_account *account)
{
    const struct vl_engine *engine = run->engine;
    struct vl_cache_account old;
    return run->home[0] && !vl_cache_is_changed(engine->cache) &&
           vl_cache_find_account(engine->cache, account->home_account_id,
                                 account->environment, account->realm, &old) &&
           vl_str_eq(old.username, account->username) &&
           vl_str_eq(old.name, account->name);
}

/* With nothing but the account in the cache, the next silent call knows whom
 * to ask the broker for. */
static valet_status
remember(const struct vl_run *run, const struct vl_broker_account *who,
         valet_error *err)
{
    struct vl_engine *engine = run->engine;
    struct vl_str home = who->home_account_id;
    struct vl_cache_account account = {
        .home_account_id = home,
        .environment =
            vl_cache_environment(engine->cache, vl_engine_host(engine)),
        .realm = who->tenant_id,
        .local_account_id = vl_str_head(home, vl_str_index(home, '.')),
        .username = who->username,
        .name = who->name,
    };
    if (is_remembered(run, &account))
        return VALET_OK;
    VL_TRY(vl_cache_put_account(engine->cache, &account,
                                vl_clock_now(engine->client->clock) / 1000,
                                err));
    return vl_engine_save(engine, err);
}

void
vl_by_broker_succeed(struct vl_run *run, const struct vl_broker_token *token)
{
    const struct vl_broker_account *who = &token->account;
    struct vl_cache_account account = {.home_account_id = who->home_account_id,
                                       .username = who->username,
                                       .name = who->name};
    struct vl_cache_token given = {
        .home_account_id = who->home_account_id,
        .realm = who->tenant_id,
        .target = token->scopes.n ? token->scopes : run->call->request.scopes,
        .secret = token->access,
        .expires_on = token->expires_ms / 1000,
    };
    valet_error err = {0}, unkept = {0};
    if (check_tenant(run, who, &err) != VALET_OK) {
        vl_run_fail_here(run, VALET_NEXT_SIGN_IN, &err);
        return;
    }
    bool kept = remember(run, who, &unkept) == VALET_OK;
    vl_run_succeed(run, &given, &account, VALET_SOURCE_BROKER,
                   kept ? NULL : &unkept);
}

void
vl_by_broker_refuse(struct vl_run *run, const valet_entra_error *error)
{
    valet_entra_error judged = *error;
    (void)vl_failure_by_number(error->aadsts, &judged.next);
    vl_run_fail(run, &judged);
}
