/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/code.h"

#include "core/sys.h"
#include "entra/authorize.h"
#include "entra/claims.h"
#include "entra/failure.h"
#include "entra/scopes.h"
#include "http/url.h"
#include "oauth/pkce.h"

struct vl_code {
    const struct vl_grant_desk *desk;
    struct vl_timer *later; /* brings a refusal back from the loop */
    struct vl_authority_wait wait;
    struct vl_grant *grant;
    struct vl_person *person;
    struct vl_buf query; /* of the URL */
    struct vl_buf form;  /* of the exchange: all but the code */
    char nonce[VL_RANDOM_TEXT_SIZE];
    bool waiting;      /* for the redirect */
    valet_error wrong; /* about what was asked for; VALET_OK: nothing */
    valet_entra_error refusal;
    vl_code_ready *ready;
    vl_person_done *done;
    void *ctx;
};

static void
release(struct vl_code *code)
{
    vl_authority_cancel(&code->wait);
    vl_grant_abort(&code->grant);
    vl_person_abort(&code->person);
    vl_timer_free(code->later);
    vl_buf_done(&code->query);
    vl_buf_done(&code->form);
    vl_wipe(code, sizeof *code);
    free(code);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_code *code, const struct vl_idp_person *person,
       struct vl_token_answer *answer, const valet_entra_error *error)
{
    vl_person_done *done = code->done;
    void *ctx = code->ctx;
    release(code);
    done(person, answer, error, ctx);
}

/* --- the code for tokens --- */

static void
on_person(const struct vl_idp_person *person, struct vl_token_answer *answer,
          const valet_entra_error *error, void *ctx)
{
    struct vl_code *code = ctx;
    code->person = NULL;
    finish(code, person, answer, error);
}

static void
on_tokens(struct vl_token_answer *answer, const valet_entra_error *error,
          void *ctx)
{
    struct vl_code *code = ctx;
    code->grant = NULL;
    if (error) {
        finish(code, NULL, NULL, error);
        return;
    }
    code->person =
        vl_person_start(&(struct vl_person_in){.desk = code->desk,
                                               .answer = answer,
                                               .nonce = vl_str_z(code->nonce)},
                        on_person, code);
}

static void
on_refused(void *ctx)
{
    struct vl_code *code = ctx;
    valet_entra_error refusal = code->refusal;
    finish(code, NULL, NULL, &refusal);
}

void
vl_code_redirected(struct vl_code *code,
                   const struct vl_code_redirect *redirect)
{
    VL_ASSERT(code->waiting);
    code->waiting = false;
    if (!redirect->code.n) {
        vl_failure_of_redirect(redirect->error, redirect->description,
                               redirect->suberror, &code->refusal);
        vl_timer_start(code->later, 0);
        return;
    }
    vl_form_add(&code->form, "code", redirect->code);
    /* A code works once: it is never sent twice. */
    code->grant = vl_grant_start(code->desk, &code->form, 1, on_tokens, code);
}

/* --- the way to the browser --- */

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_code *code = ctx;
    valet_error err = {0};
    vl_auto(vl_buf) url = vl_buf_of_secret(VL_LIMIT_SIGN_IN_URL);
    if (status == VALET_OK) {
        err = code->wrong;
        status = err.status;
        if (status == VALET_OK)
            status = vl_buf_check(&code->form, &err);
        if (status == VALET_OK)
            status = vl_authorize_url(facts, &code->query, &url, &err);
        why = &err;
    }
    if (status != VALET_OK) {
        valet_entra_error error;
        vl_failure_of_ours(why, &error);
        finish(code, NULL, NULL, &error);
        return;
    }
    code->waiting = true;
    code->ready(vl_buf_str(&url), code->ctx);
}

static void
write_query(struct vl_code *code, const struct vl_code_in *in,
            struct vl_str scopes, struct vl_str claims,
            const struct vl_secret *verifier)
{
    char challenge[VL_PKCE_CHALLENGE_SIZE];
    vl_pkce_challenge(verifier, challenge);
    vl_authorize_write(&code->query,
                       &(struct vl_authorize){
                           .client_id = vl_str_z(code->desk->client_id),
                           .response_mode = "form_post",
                           .redirect_uri = in->redirect_uri,
                           .scope = scopes,
                           .state = in->state,
                           .nonce = vl_str_z(code->nonce),
                           .code_challenge = vl_str_z(challenge),
                           .prompt = in->prompt,
                           .login_hint = in->login_hint,
                           .domain_hint = in->domain_hint,
                           .claims = claims,
                           .client_info = true,
                       });
}

static void
write_form(struct vl_code *code, const struct vl_code_in *in,
           struct vl_str scopes, struct vl_str claims,
           const struct vl_secret *verifier)
{
    struct vl_buf *form = &code->form;
    vl_form_add(form, "grant_type", VL_STR("authorization_code"));
    vl_form_add(form, "client_info", VL_STR("1"));
    vl_form_add(form, "redirect_uri", in->redirect_uri);
    vl_form_add(form, "code_verifier", vl_secret_reveal(verifier));
    vl_form_add(form, "scope", scopes);
    if (claims.n)
        vl_form_add(form, "claims", claims);
}

/* @spec S-33: verifier, nonce and state are of this sign-in alone. Claims that
 * are none show when the authority is known. */
static void
prepare(struct vl_code *code, const struct vl_code_in *in)
{
    vl_auto(vl_buf) claims = vl_buf_of(VL_CLAIMS_MERGED_MAX);
    vl_auto(vl_buf) scopes = vl_buf_of(in->scopes.n + sizeof VL_SCOPES_SIGN_IN);
    vl_auto(vl_secret) verifier = vl_pkce_new_verifier();
    code->query = vl_buf_of_secret(VL_LIMIT_SIGN_IN_URL);
    code->form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
    vl_random_text(code->nonce);
    vl_scopes_write(&scopes, in->scopes, VL_SCOPES_SIGN_IN);
    code->wrong.status = vl_claims_merge(in->claims, code->desk->capabilities,
                                         &claims, &code->wrong);
    write_query(code, in, vl_buf_str(&scopes), vl_buf_str(&claims), &verifier);
    write_form(code, in, vl_buf_str(&scopes), vl_buf_str(&claims), &verifier);
}

struct vl_code *
vl_code_start(const struct vl_grant_desk *desk, struct vl_loop *loop,
              const struct vl_code_in *in, vl_code_ready *ready,
              vl_person_done *done, void *ctx)
{
    struct vl_code *code = vl_alloc(sizeof *code);
    code->desk = desk;
    code->later = vl_timer_new(loop, on_refused, code);
    code->ready = ready;
    code->done = done;
    code->ctx = ctx;
    prepare(code, in);
    vl_authority_wait_init(&code->wait);
    code->wait.ready = on_facts;
    code->wait.ctx = code;
    vl_authority_get(desk->authority, &code->wait);
    return code;
}

void
vl_code_abort(struct vl_code **code)
{
    if (*code)
        release(*code);
    *code = NULL;
}
