/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/grant.h"

#include "core/status.h"
#include "entra/failure.h"
#include "http/url.h"

struct vl_grant {
    const struct vl_grant_desk *desk;
    struct vl_authority_wait wait;
    struct vl_fetch *fetch;
    struct vl_buf form; /* as it was given */
    struct vl_buf key;  /* what makes requests identical */
    bool too_long;
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
    vl_buf_done(&grant->key);
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
    if (!vl_token_answer_read(answer, vl_clock_now(grant->desk->clock),
                              &document, &tokens, &error)) {
        if (throttle)
            vl_throttle_note(throttle, vl_buf_str(&grant->key), &error);
        refuse(grant, &error);
        return;
    }
    if (throttle)
        vl_throttle_clear(throttle, vl_buf_str(&grant->key));
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
    if (grant->too_long)
        return vl_fail(err, VALET_LIMIT, "",
                       "the request to Entra ID would be too long");
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
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
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

/* Where it goes, who asks with which secret, and for what: but no assertion,
 * which is another each time. */
static void
write_key(struct vl_grant *grant, const struct vl_authority_facts *facts)
{
    const struct vl_grant_desk *desk = grant->desk;
    vl_buf_add(&grant->key, facts->token_endpoint);
    vl_buf_addc(&grant->key, '\n');
    vl_buf_addz(&grant->key, desk->client_id);
    vl_buf_addc(&grant->key, '\n');
    if (desk->auth->kind == VL_AUTH_SECRET)
        vl_buf_add(&grant->key, vl_secret_reveal(desk->auth->secret));
    vl_buf_addc(&grant->key, '\n');
    vl_buf_add(&grant->key, vl_buf_str(&grant->form));
}

/* In place of sending it. */
static void
on_held(valet_status status, const struct vl_authority_facts *facts,
        const valet_error *why, void *ctx)
{
    struct vl_grant *grant = ctx;
    valet_entra_error error;
    struct vl_throttle *throttle = grant->desk->throttle;
    if (status == VALET_OK)
        write_key(grant, facts);
    if (status == VALET_OK && throttle &&
        vl_throttle_holds(throttle, vl_buf_str(&grant->key), &error))
        refuse(grant, &error);
    else
        on_facts(status, facts, why, ctx);
}

struct vl_grant *
vl_grant_start(const struct vl_grant_desk *desk, const struct vl_buf *form,
               unsigned attempts, vl_grant_done *done, void *ctx)
{
    struct vl_grant *grant = vl_alloc(sizeof *grant);
    grant->desk = desk;
    grant->form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
    vl_buf_add(&grant->form, vl_buf_str(form));
    /* Half a form could mean something else than the whole. */
    grant->too_long = vl_buf_check(form, NULL) != VALET_OK ||
                      vl_buf_check(&grant->form, NULL) != VALET_OK;
    grant->key = vl_buf_of_secret(2 * VL_LIMIT_GRANT_FORM);
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
