/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in by the system's browser, which comes back to a port of ours.
 */
#include <stdlib.h>

#include "browser/loopback.h"
#include "browser/open.h"
#include "client/sign_in.h"
#include "core/status.h"
#include "entra/code.h"

struct work {
    struct vl_sign_in *sign_in;
    struct vl_loopback *loopback;
    struct vl_opening *opening;
    struct vl_code *code;
};

static const char *
read_env(const char *name)
{
    return getenv(name);
}

static void
on_opened(const valet_error *error, void *ctx)
{
    struct work *work = ctx;
    work->opening = NULL;
    if (error)
        vl_sign_in_unusable(work->sign_in, error);
}

/* The caller has opened it, or could not; or says so of a browser that ended
 * after the person came back from it. */
static void
opened(void *at_work, const valet_error *error)
{
    struct work *work = at_work;
    if (error->status != VALET_OK && work->loopback)
        vl_sign_in_unusable(work->sign_in, error);
}

/* The address of the authority is not shown: ours works once, and has none of
 * the sign-in's secrets in it (browser/loopback.h). */
static void
on_ready(struct vl_str url, void *ctx)
{
    struct work *work = ctx;
    struct vl_sign_in *sign_in = work->sign_in;
    const struct vl_client_request *request = &sign_in->run->call->request;
    const char *start;
    valet_error err;
    if (vl_loopback_send_to(work->loopback, url, &start, &err) != VALET_OK) {
        vl_sign_in_unusable(sign_in, &err);
        return;
    }
    vl_sign_in_tell(sign_in, VL_NOTE_TELL, vl_str_z(start),
                    (struct vl_str){NULL, 0}, sign_in->deadline_ms);
    if (request->open)
        vl_sign_in_tell(sign_in, VL_NOTE_OPEN, vl_str_z(start),
                        (struct vl_str){NULL, 0}, sign_in->deadline_ms);
    else if (vl_browser_open(sign_in->run->engine->loop, read_env,
                             vl_str_z(start), on_opened, work, &work->opening,
                             &err) != VALET_OK)
        vl_sign_in_unusable(sign_in, &err);
}

static void
on_redirect(const struct vl_redirect *redirect, void *ctx)
{
    struct work *work = ctx;
    const struct vl_code_redirect came = {
        .code = redirect->code,
        .error = redirect->error,
        .description = redirect->description,
        .suberror = redirect->suberror,
    };
    vl_opening_abort(&work->opening);
    vl_code_redirected(work->code, &came);
    vl_loopback_close(&work->loopback);
}

static void
on_person(const struct vl_idp_person *person, struct vl_token_answer *answer,
          const valet_entra_error *error, void *ctx)
{
    struct work *work = ctx;
    work->code = NULL;
    if (error)
        vl_sign_in_refused(work->sign_in, error);
    else
        vl_sign_in_worked(work->sign_in, person, answer);
}

/* @spec S-28: with an opener of its own the caller knows better. */
static valet_status
check_screen(const struct vl_client_request *request, valet_error *err)
{
    if (request->open || vl_browser_has_screen(read_env))
        return VALET_OK;
    return vl_fail(err, VALET_NOT_FOUND, "",
                   "there is no screen here to show a browser on");
}

static valet_status
begin(struct vl_sign_in *sign_in, void **ret, valet_error *err)
{
    struct vl_run *run = sign_in->run;
    const struct vl_client_request *request = &run->call->request;
    VL_TRY(check_screen(request, err));
    struct work *work = vl_alloc(sizeof *work);
    *work = (struct work){.sign_in = sign_in};
    valet_status status = vl_loopback_open(run->engine->loop, on_redirect, work,
                                           &work->loopback, err);
    if (status != VALET_OK) {
        free(work);
        return status;
    }
    struct vl_code_in in = {
        .redirect_uri = vl_str_z(vl_loopback_redirect_uri(work->loopback)),
        .state = vl_loopback_state(work->loopback),
        .scopes = request->scopes,
        .prompt = request->prompt,
        .login_hint = vl_buf_str(&sign_in->login_hint),
        .domain_hint = request->domain_hint,
        .claims = request->claims,
    };
    /* Entra refuses a login hint beside it. */
    if (vl_str_eqz(in.prompt, "select_account"))
        in.login_hint = (struct vl_str){NULL, 0};
    work->code = vl_code_start(&run->realm->desk, run->engine->loop, &in,
                               on_ready, on_person, work);
    *ret = work;
    return VALET_OK;
}

static void
release(void *at_work)
{
    struct work *work = at_work;
    vl_opening_abort(&work->opening);
    vl_code_abort(&work->code);
    vl_loopback_close(&work->loopback);
    free(work);
}

const struct vl_method vl_method_browser = {
    .bit = VALET_METHOD_BROWSER,
    .name = "browser",
    .source = VALET_SOURCE_BROWSER,
    .begin = begin,
    .free = release,
    .opened = opened,
};
