/* SPDX-License-Identifier: Apache-2.0 */
#include "access/answer.h"
#include "access/proof.h"
#include "core/status.h"
#include "http/url.h"

/* A token and an assertion, escaped, and the rest. */
#define FORM_MAX (4 * (VL_LIMIT_UPSTREAM_TOKEN + VL_LIMIT_JWT))

struct vl_redeem {
    struct vl_fetch *fetch;
    struct vl_timer *timer; /* of a refusal before the request */
    struct vl_site site;    /* its issuer, for sentences */
    valet_error refused;
    vl_redeem_done *done;
    void *ctx;
};

static void
release(struct vl_redeem *op)
{
    vl_fetch_abort(&op->fetch);
    vl_timer_free(op->timer);
    vl_site_done(&op->site);
    free(op);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_redeem *op, enum vl_redeem_advice advice,
       struct vl_access_tokens *tokens, const valet_error *err)
{
    vl_redeem_done *done = op->done;
    void *ctx = op->ctx;
    valet_error why = *err;
    release(op);
    done(advice, tokens, advice == VL_REDEEM_FINE ? NULL : &why, ctx);
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *err, void *ctx)
{
    struct vl_redeem *op = ctx;
    vl_auto(vl_access_tokens) tokens = {.scope = NULL};
    valet_error why = {0};
    op->fetch = NULL;
    if (status != VALET_OK) {
        finish(op, status == VALET_RETRY ? VL_REDEEM_AGAIN : VL_REDEEM_GIVE_UP,
               &tokens, err);
        return;
    }
    enum vl_redeem_advice advice =
        vl_token_read(&op->site, answer->status, answer->body,
                      vl_clock_now(&vl_clock_system) / 1000, &tokens, &why);
    finish(op, advice, &tokens, &why);
}

static void
on_timer(void *ctx)
{
    struct vl_redeem *op = ctx;
    struct vl_access_tokens tokens = {.scope = NULL};
    valet_error err = op->refused;
    finish(op, VL_REDEEM_GIVE_UP, &tokens, &err);
}

/* --- the request --- */

static void
add_grant(const struct vl_redeem_in *in, struct vl_buf *form)
{
    switch (in->grant) {
    case VL_GRANT_CODE:
        vl_form_add(form, "grant_type", VL_STR("authorization_code"));
        vl_form_add(form, "code", in->code);
        vl_form_add(form, "code_verifier", vl_secret_reveal(in->verifier));
        vl_form_add(form, "redirect_uri", vl_str_z(in->redirect_uri));
        return;
    case VL_GRANT_REFRESH:
        vl_form_add(form, "grant_type", VL_STR("refresh_token"));
        vl_form_add(form, "refresh_token", vl_secret_reveal(in->refresh));
        break;
    case VL_GRANT_CLIENT_CREDENTIALS: /* @spec EX-02 EX-04 */
        vl_form_add(form, "grant_type", VL_STR("client_credentials"));
        break;
    }
    if (in->scope && in->scope[0])
        vl_form_add(form, "scope", vl_str_z(in->scope));
}

/* A code and a refresh token work once: an answer that was lost may have been
 * given, and asking again with the same one looks like a theft of it. */
static unsigned
count_attempts(enum vl_access_grant grant)
{
    return grant == VL_GRANT_CLIENT_CREDENTIALS ? 3 : 1;
}

static valet_status
send_request(struct vl_redeem *op, struct vl_fetcher *fetcher,
             const struct vl_redeem_in *in, valet_error *err)
{
    vl_auto(vl_buf) form = vl_buf_of_secret(FORM_MAX);
    vl_auto(vl_buf) header = vl_buf_of_secret(2 * VL_PROOF_HEADER_MAX);
    add_grant(in, &form);
    /* @spec CL-07; entra.h */
    if (in->site->resource && !in->site->is_entra)
        vl_form_add(&form, "resource", vl_str_z(in->site->resource));
    VL_TRY(vl_proof_add(in->site, in->client, &form, &header, err));
    VL_TRY(vl_buf_check(&form, err));
    struct vl_fetch_request request = {
        .method = "POST",
        .url = in->site->token_endpoint,
        .headers = {{VL_STR("Accept"), VL_STR("application/json")},
                    {VL_STR("Authorization"), vl_buf_str(&header)}},
        .header_count = vl_buf_size(&header) ? 2 : 1,
        .form = vl_buf_str(&form),
        .only_public = in->site->only_public,
        .attempts = count_attempts(in->grant),
    };
    op->fetch = vl_fetch_start(fetcher, &request, on_answer, op);
    return VALET_OK;
}

struct vl_redeem *
vl_redeem_start(struct vl_loop *loop, struct vl_fetcher *fetcher,
                const struct vl_redeem_in *in, vl_redeem_done *done, void *ctx)
{
    struct vl_redeem *op = vl_alloc(sizeof *op);
    *op = (struct vl_redeem){.done = done, .ctx = ctx};
    vl_site_init(&op->site);
    op->site.issuer =
        vl_arena_cstr(&op->site.arena, vl_str_z(in->site->issuer));
    if (send_request(op, fetcher, in, &op->refused) != VALET_OK) {
        op->timer = vl_timer_new(loop, on_timer, op);
        vl_timer_start(op->timer, 0);
    }
    return op;
}

void
vl_redeem_abort(struct vl_redeem **op)
{
    if (*op)
        release(*op);
    *op = NULL;
}
