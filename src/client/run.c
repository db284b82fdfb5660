/* SPDX-License-Identifier: Apache-2.0 */
#include "client/run.h"

#include "client/account.h"
#include "core/status.h"

/* --- its end --- */

static void
leave(struct vl_run *run)
{
    vl_engine_look(run->engine);
    vl_list_remove(&run->node);
    vl_authority_cancel(&run->wait);
    vl_acquire_abort(&run->acquire);
    vl_broker_abort(&run->broker);
    vl_sign_in_free(run->sign_in);
    run->call->run = NULL;
    vl_call_drop(run->call);
    free(run);
}

void
vl_run_abort(struct vl_run *run)
{
    leave(run);
}

static void
finish(struct vl_run *run, struct vl_note *note)
{
    struct vl_call *call = run->call;
    vl_call_hold(call);
    leave(run);
    vl_call_note(call, note);
    vl_call_drop(call);
}

/* A token for which the one at hand did not do takes its place: an API may have
 * refused the other one. */
static void
put_ready(struct vl_run *run, struct vl_auth_inside *inside,
          valet_source source)
{
    struct vl_ready *ready = run->engine->client->ready;
    const struct vl_client_request *request = &run->call->request;
    vl_engine_look(run->engine);
    if (request->renew || request->claims.n)
        vl_ready_empty(ready);
    if (source != VALET_SOURCE_BROKER) /* which is asked each time */
        vl_ready_put(ready, &run->call->key, inside);
}

void
vl_run_succeed(struct vl_run *run, const struct vl_cache_token *token,
               const struct vl_cache_account *account, valet_source source,
               const valet_error *unkept)
{
    struct vl_client *client = run->engine->client;
    struct vl_result_of what = {
        .access_token = vl_secret_reveal(&token->secret),
        .scopes = token->target,
        .tenant_id = token->realm,
        .expires_at = token->expires_on,
        .refresh_at = token->refresh_on,
        .source = source,
        .account_id = token->home_account_id,
        .not_kept = unkept ? unkept->message : NULL,
    };
    if (account) {
        what.account_id = account->home_account_id;
        what.username = account->username;
        what.name = account->name;
    }
    struct vl_auth_inside *inside = vl_result_new(&what);
    put_ready(run, inside, source);
    if (unkept)
        vl_client_log(&client->config, VALET_LOG_WARN,
                      "a token could not be kept: %s", unkept->message);
    vl_client_log(&client->config, VALET_LOG_INFO, "token from: %s",
                  valet_source_name(source));
    struct vl_note *note = vl_note_new(VL_NOTE_DONE);
    note->result = vl_result_give(inside, source);
    finish(run, note);
}

void
vl_run_fail(struct vl_run *run, const valet_entra_error *error)
{
    struct vl_note *note = vl_note_new(VL_NOTE_DONE);
    note->error = *error;
    VL_ASSERT(error->error.status != VALET_OK);
    vl_client_log(&run->engine->client->config, VALET_LOG_WARN,
                  "no token: %s (%s)", error->error.code,
                  valet_next_name(error->next));
    finish(run, note);
}

void
vl_run_fail_here(struct vl_run *run, valet_next next, const valet_error *why)
{
    valet_entra_error error = {
        .error = *why, .next = next, .retry_after_ms = -1};
    vl_run_fail(run, &error);
}

/* --- its beginning --- */

static void
go_on(struct vl_run *run)
{
    if (run->call->request.flow == VALET_FLOW_SIGN_IN)
        vl_sign_in_begin(run);
    else
        vl_silent_begin(run);
}

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_run *run = ctx;
    if (status != VALET_OK) {
        vl_run_fail_here(
            run, status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP,
            why);
        return;
    }
    if (!facts->tid[0]) {
        valet_error err;
        (void)vl_fail(&err, VALET_INVALID, "",
                      "the authority does not tell which tenant it is");
        vl_run_fail_here(run, VALET_NEXT_GIVE_UP, &err);
        return;
    }
    vl_realm_is(run->realm, facts->tid);
    go_on(run);
}

/*
 * The tenant to ask: what is asked for or configured; with "organizations" the
 * account's own. A sign-in may begin at "organizations", where there is no id,
 * and so may the broker, which then tells whose account it lends (@spec S-32);
 * else the tenant's documents tell it if it was given by its domain.
 */
static valet_status
choose_tenant(struct vl_run *run, struct vl_str *ret, valet_error *err)
{
    const struct vl_client_request *request = &run->call->request;
    const struct vl_account_wish wish = {.name = request->account};
    struct vl_cache_account account;
    *ret = request->tenant;
    if (!vl_instance_is_shared(&run->engine->client->config.instance) ||
        request->tenant.n || request->flow != VALET_FLOW_SILENT)
        return VALET_OK;
    valet_status status = vl_account_find(run->engine, &wish, &account, err);
    if (status != VALET_OK && strcmp(err->code, "no_account") == 0 &&
        request->methods)
        return VALET_OK;
    if (status == VALET_OK)
        *ret = account.realm;
    return status;
}

valet_next
vl_run_next_of(const valet_error *why)
{
    return why->status == VALET_NOT_FOUND &&
                   strcmp(why->code, "no_account") == 0
               ? VALET_NEXT_SIGN_IN
           : why->status == VALET_RETRY ? VALET_NEXT_RETRY
                                        : VALET_NEXT_GIVE_UP;
}

/* Who has signed out in another process is to be noticed before a token is
 * found. Only what asks for an account depends on it. */
static valet_status
prepare(struct vl_engine *engine, valet_flow flow, valet_error *err)
{
    VL_TRY(vl_engine_open(engine, err));
    valet_status status = vl_engine_refresh(engine, err);
    return flow == VALET_FLOW_SILENT ? status : VALET_OK;
}

void
vl_run_begin(struct vl_call *call)
{
    struct vl_engine *engine = call->client->engine;
    struct vl_run *run = vl_alloc(sizeof *run);
    valet_error err = {0};
    struct vl_str tenant;
    *run = (struct vl_run){
        .engine = engine,
        .call = call,
        .wait = {.ready = on_facts, .ctx = run},
    };
    call->run = run;
    vl_authority_wait_init(&run->wait);
    vl_list_add_last(&engine->runs, &run->node);
    if (prepare(engine, call->request.flow, &err) != VALET_OK ||
        choose_tenant(run, &tenant, &err) != VALET_OK) {
        vl_run_fail_here(run, vl_run_next_of(&err), &err);
        return;
    }
    run->realm = vl_realm_get(engine, tenant);
    if (run->realm->tenant_id[0] ||
        vl_instance_is_shared(&run->realm->instance))
        go_on(run);
    else
        vl_authority_get(run->realm->authority, &run->wait);
}

void
vl_run_opened(struct vl_run *run, const valet_error *error)
{
    if (run->sign_in)
        vl_sign_in_opened(run->sign_in, error);
}
