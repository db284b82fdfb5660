/* SPDX-License-Identifier: Apache-2.0 */
#include "client/sign_in.h"

#include "client/account.h"
#include "core/status.h"
#include "entra/scopes.h"

/* In the order in which they are tried (@spec S-27). */
static const struct vl_method *const methods[] = {
    &vl_method_broker,
    &vl_method_browser,
    &vl_method_device,
};

/* --- its end --- */

static void
stop_method(struct vl_sign_in *sign_in)
{
    if (sign_in->method)
        sign_in->method->free(sign_in->at_work);
    sign_in->method = NULL;
    sign_in->at_work = NULL;
}

void
vl_sign_in_free(struct vl_sign_in *sign_in)
{
    if (!sign_in)
        return;
    stop_method(sign_in);
    vl_timer_free(sign_in->deadline);
    vl_buf_done(&sign_in->scopes);
    vl_buf_done(&sign_in->login_hint);
    free(sign_in);
}

void
vl_sign_in_refused(struct vl_sign_in *sign_in, const valet_entra_error *error)
{
    vl_run_fail(sign_in->run, error);
}

static void
on_deadline(void *ctx)
{
    struct vl_sign_in *sign_in = ctx;
    valet_error err;
    (void)vl_fail(&err, VALET_DENIED, "timeout",
                  "nobody signed in within the time for it");
    vl_run_fail_here(sign_in->run, VALET_NEXT_SIGN_IN, &err);
}

/* --- one method after the other --- */

static void
tell_failed(struct vl_sign_in *sign_in, const struct vl_method *method,
            const valet_error *why)
{
    struct vl_call *call = sign_in->run->call;
    vl_client_log(&call->client->config, VALET_LOG_INFO, "no sign-in by %s: %s",
                  method->name, why->message);
    if (!call->request.tell)
        return;
    struct vl_note *note = vl_note_new(VL_NOTE_TELL);
    note->method = method->bit;
    vl_buf_addz(&note->failed, why->message);
    vl_call_note(call, note);
}

/* False: it cannot be used, and it is told why. */
static bool
try_method(struct vl_sign_in *sign_in, const struct vl_method *method)
{
    valet_error why = {.status = VALET_OK};
    sign_in->left &= ~method->bit;
    if (method->begin(sign_in, &sign_in->at_work, &why) == VALET_OK) {
        sign_in->method = method;
        return true;
    }
    sign_in->failed = why;
    tell_failed(sign_in, method, &why);
    return false;
}

/* @spec S-27 S-28: which one served is logged; a forced one says why it did
 * not. */
static void
try_next(struct vl_sign_in *sign_in)
{
    for (size_t i = 0; i < VL_COUNT(methods); i++)
        if ((sign_in->left & methods[i]->bit) &&
            try_method(sign_in, methods[i]))
            return;
    valet_error why = sign_in->failed;
    if (!sign_in->run->call->request.forced)
        (void)vl_fail(&why, VALET_NOT_FOUND, "no_method",
                      "there is no way to sign in here; last: %s",
                      sign_in->failed.message);
    vl_run_fail_here(sign_in->run, VALET_NEXT_GIVE_UP, &why);
}

void
vl_sign_in_unusable(struct vl_sign_in *sign_in, const valet_error *why)
{
    const struct vl_method *method = sign_in->method;
    sign_in->failed = *why;
    stop_method(sign_in);
    tell_failed(sign_in, method, &sign_in->failed);
    try_next(sign_in);
}

void
vl_sign_in_tell(struct vl_sign_in *sign_in, enum vl_note_kind kind,
                struct vl_str url, struct vl_str user_code, int64_t expires_ms)
{
    struct vl_note *note = vl_note_new(kind);
    note->method = sign_in->method->bit;
    vl_buf_add(&note->url, url);
    vl_buf_add(&note->user_code, user_code);
    note->expires_at =
        (expires_ms < sign_in->deadline_ms ? expires_ms
                                           : sign_in->deadline_ms) /
        1000;
    vl_call_note(sign_in->run->call, note);
}

void
vl_sign_in_opened(struct vl_sign_in *sign_in, const valet_error *error)
{
    if (sign_in->method && sign_in->method->opened)
        sign_in->method->opened(sign_in->at_work, error);
}

/* --- what came --- */

/* @spec S-22 S-30: somebody of a tenant that may, and the one who was meant. */
static valet_status
check_person(const struct vl_sign_in *sign_in,
             const struct vl_idp_person *person, const char *home,
             valet_error *err)
{
    const struct vl_run *run = sign_in->run;
    const struct vl_client_config *config = &run->engine->client->config;
    struct vl_str meant = run->call->request.account,
                  tenant = vl_str_z(person->user.tid);
    if (!vl_client_config_allows(config, tenant))
        return vl_fail(err, VALET_DENIED, "other_tenant",
                       "the person is of a tenant that is not allowed");
    if (meant.n && !vl_str_ieq(meant, vl_str_z(home)) &&
        !vl_str_ieq(meant, person->username))
        return vl_fail(err, VALET_DENIED, "other_account",
                       "another account has signed in than the one asked for");
    return VALET_OK;
}

static valet_status
remember(struct vl_sign_in *sign_in, const struct vl_idp_person *person,
         const struct vl_token_answer *answer, char home[VL_HOME_ACCOUNT_SIZE],
         valet_error *err)
{
    struct vl_engine *engine = sign_in->run->engine;
    const struct vl_client *client = engine->client;
    struct vl_remember what = {
        .environment =
            vl_cache_environment(engine->cache, vl_engine_host(engine)),
        .client_id = vl_str_z(client->config.client_id),
        .tenant_id = vl_str_z(person->user.tid),
        .scopes = sign_in->run->call->request.scopes,
        .answer = answer,
        .person = person,
    };
    VL_TRY(vl_remember_home(&what, home, err));
    VL_TRY(check_person(sign_in, person, home, err));
    return vl_remember(engine->cache, &what, vl_clock_now(client->clock), NULL,
                       err);
}

void
vl_sign_in_worked(struct vl_sign_in *sign_in,
                  const struct vl_idp_person *person,
                  const struct vl_token_answer *answer)
{
    struct vl_run *run = sign_in->run;
    char home[VL_HOME_ACCOUNT_SIZE];
    valet_error err = {0}, unkept = {0};
    if (remember(sign_in, person, answer, home, &err) != VALET_OK) {
        vl_run_fail_here(run, VALET_NEXT_SIGN_IN, &err);
        return;
    }
    bool kept = vl_engine_save(run->engine, &unkept) == VALET_OK;
    struct vl_cache_token token = {
        .realm = vl_str_z(person->user.tid),
        .target = answer->scope.n ? answer->scope : run->call->request.scopes,
        .secret = answer->tokens.access.secret,
        .expires_on = answer->tokens.expires_ms / 1000,
        .refresh_on = answer->refresh_ms / 1000,
    };
    struct vl_cache_account account = {.home_account_id = vl_str_z(home),
                                       .username = person->username,
                                       .name = person->name};
    vl_run_succeed(run, &token, &account, sign_in->method->source,
                   kept ? NULL : &unkept);
}

/* --- its beginning --- */

/* With an account, its name is where to begin; the id of one that is not known
 * here is no name that Entra would know. */
static void
write_hint(struct vl_sign_in *sign_in)
{
    const struct vl_client_request *request = &sign_in->run->call->request;
    const struct vl_account_wish wish = {.name = request->account};
    struct vl_cache_account account;
    struct vl_str hint = request->login_hint;
    if (!hint.n && request->account.n) {
        hint = request->account;
        if (vl_account_find(sign_in->run->engine, &wish, &account, NULL) ==
            VALET_OK)
            hint = account.username;
        else if (vl_account_tenant(hint).n)
            hint = (struct vl_str){NULL, 0};
    }
    vl_buf_add(&sign_in->login_hint, hint);
}

/* Nobody is asked to sign in where it could not be kept. */
static bool
check_place(struct vl_run *run)
{
    valet_error err = {0};
    struct vl_keep *keep = run->engine->keep;
    if (!keep || vl_keep_check(keep, &err) == VALET_OK)
        return true;
    vl_run_fail_here(run, vl_run_next_of(&err), &err);
    return false;
}

void
vl_sign_in_begin(struct vl_run *run)
{
    const struct vl_client_request *request = &run->call->request;
    if (!check_place(run))
        return;
    struct vl_sign_in *sign_in = vl_alloc(sizeof *sign_in);
    *sign_in = (struct vl_sign_in){
        .run = run,
        .left = request->methods,
        .scopes = vl_buf_of(2 * VL_LIMIT_SCOPE),
        .login_hint = vl_buf_of(VL_CLIENT_TEXT_MAX),
        .deadline_ms =
            vl_clock_now(run->engine->client->clock) + request->timeout_ms,
        .deadline = vl_timer_new(run->engine->loop, on_deadline, sign_in),
    };
    run->sign_in = sign_in;
    vl_scopes_write(&sign_in->scopes, request->scopes, VL_SCOPES_SIGN_IN);
    write_hint(sign_in);
    vl_timer_start(sign_in->deadline, request->timeout_ms);
    try_next(sign_in);
}
