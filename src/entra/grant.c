/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/grant.h"

#include "core/status.h"
#include "entra/failure.h"
#include "http/url.h"

/* A token and an assertion, escaped, and the rest. */
#define FORM_MAX (4 * (VL_LIMIT_UPSTREAM_TOKEN + VL_LIMIT_JWT))

struct vl_grant {
    const struct vl_grant_desk *desk;
    struct vl_authority_wait wait;
    struct vl_fetch *fetch;
    struct vl_buf form; /* as it was given: what makes requests identical */
    unsigned attempts;
    vl_grant_done *done;
    void *ctx;
};

static void
release(struct vl_grant *grant)
{
    vl_authority_cancel(&grant->wait);
    vl_fetch_abort(&grant->fetch);
    vl_buf_done(&grant->form);
    free(grant);
}

/* The callback may free what we stand on: it comes last. */
static void
refuse(struct vl_grant *grant, const valet_entra_error *error)
{
    vl_grant_done *done = grant->done;
    void *ctx = grant->ctx;
    release(grant);
    done(NULL, error, ctx);
}

/* A fault of ours, or of the authority's documents, that no answer of the
 * token endpoint tells of. */
static void
refuse_before(struct vl_grant *grant, valet_status status,
              const valet_error *why)
{
    valet_entra_error error;
    vl_failure_of_network(why, &error);
    if (why)
        error.error = *why;
    error.error.status = status;
    error.next = status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP;
    refuse(grant, &error);
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *why, void *ctx)
{
    struct vl_grant *grant = ctx;
    struct vl_throttle *throttle = grant->desk->throttle;
    vl_auto(vl_json) document = {NULL};
    struct vl_token_answer tokens = {.extended_ms = 0};
    valet_entra_error error;
    grant->fetch = NULL;
    if (status != VALET_OK) {
        vl_failure_of_network(why, &error);
        refuse(grant, &error);
        return;
    }
    if (!vl_token_answer_take(answer, vl_clock_now(grant->desk->clock),
                              &document, &tokens, &error)) {
        vl_throttle_note(throttle, vl_buf_str(&grant->form), &error);
        refuse(grant, &error);
        return;
    }
    vl_throttle_clear(throttle, vl_buf_str(&grant->form));
    vl_grant_done *done = grant->done;
    void *to = grant->ctx;
    release(grant);
    done(&tokens, NULL, to);
    vl_idp_tokens_done(&tokens.tokens);
}

static valet_status
write_form(const struct vl_grant *grant, const struct vl_authority_facts *facts,
           struct vl_buf *out, valet_error *err)
{
    const struct vl_grant_desk *desk = grant->desk;
    VL_TRY(vl_buf_check(&grant->form, err));
    vl_buf_add(out, vl_buf_str(&grant->form));
    return vl_client_auth_add(desk->auth, vl_str_z(desk->client_id),
                              facts->token_endpoint, vl_clock_now(desk->clock),
                              out, err);
}

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_grant *grant = ctx;
    const struct vl_grant_desk *desk = grant->desk;
    vl_auto(vl_buf) form = vl_buf_of_secret(FORM_MAX);
    valet_error err = {0};
    if (status == VALET_OK) {
        status = write_form(grant, facts, &form, &err);
        why = &err;
    }
    if (status != VALET_OK) {
        refuse_before(grant, status, why);
        return;
    }
    struct vl_fetch_request request = {.method = "POST",
                                       .url = facts->token_endpoint.p,
                                       .form = vl_buf_str(&form),
                                       .attempts = grant->attempts};
    grant->fetch = vl_fetch_start(desk->fetcher, &request, on_answer, grant);
}

/* In place of asking for the facts: nothing is sent. */
static void
on_held(valet_status status, const struct vl_authority_facts *facts,
        const valet_error *why, void *ctx)
{
    struct vl_grant *grant = ctx;
    valet_entra_error error;
    if (vl_throttle_holds(grant->desk->throttle, vl_buf_str(&grant->form),
                          &error))
        refuse(grant, &error);
    else
        on_facts(status, facts, why, ctx);
}

struct vl_grant *
vl_grant_start(const struct vl_grant_desk *desk, struct vl_str form,
               unsigned attempts, vl_grant_done *done, void *ctx)
{
    struct vl_grant *grant = vl_alloc(sizeof *grant);
    grant->desk = desk;
    grant->form = vl_buf_of_secret(FORM_MAX);
    vl_buf_add(&grant->form, form);
    grant->attempts = attempts;
    grant->done = done;
    grant->ctx = ctx;
    vl_authority_wait_init(&grant->wait);
    grant->wait.ready = on_held;
    grant->wait.ctx = grant;
    vl_authority_get(desk->authority, &grant->wait);
    return grant;
}

void
vl_grant_abort(struct vl_grant **grant)
{
    if (*grant)
        release(*grant);
    *grant = NULL;
}
