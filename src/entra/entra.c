/* SPDX-License-Identifier: Apache-2.0
 *
 * The three operations of an identity provider, for Entra ID. Each is a small
 * object on the provider's list: it waits for the tenant's facts, perhaps
 * sends one form to the token endpoint, calls back and frees itself.
 */
#include "entra/entra.h"

#include "core/status.h"
#include "entra/authority.h"
#include "entra/id_token.h"
#include "entra/token_answer.h"
#include "http/url.h"
#include "jose/jwt.h"

struct vl_entra {
    struct vl_idp idp; /* first: an idp is cast to its provider */
    const struct vl_entra_config *config;
    const struct vl_clock *clock;
    struct vl_fetcher *fetcher;
    struct vl_authority *authority;
    struct vl_list operations;
};

struct operation {
    struct vl_list node;
    struct vl_entra *entra;
    struct vl_authority_wait wait;
    struct vl_fetch *fetch;
    struct vl_buf in; /* begin: the query so far; redeem: the nonce */
    struct vl_secret form;
    /* redeem: what came back, while the keys are fetched anew */
    struct vl_json answer;
    struct vl_idp_tokens tokens;
    struct vl_str id_token; /* slice of `answer` */
    bool asked_for_new_keys;
    vl_idp_begin_done *begun;
    vl_idp_redeem_done *redeemed;
    vl_idp_refresh_done *refreshed;
    void *ctx;
};

static void
operation_free(struct operation *op)
{
    vl_list_remove(&op->node);
    vl_authority_cancel(&op->wait);
    vl_fetch_abort(&op->fetch);
    vl_buf_done(&op->in);
    vl_secret_done(&op->form);
    vl_json_done(&op->answer);
    vl_idp_tokens_done(&op->tokens);
    free(op);
}

static struct operation *
operation_new(struct vl_idp *idp, void *ctx)
{
    struct operation *op = vl_alloc(sizeof *op);
    op->entra = (struct vl_entra *)(void *)idp;
    op->ctx = ctx;
    op->in = vl_buf_of_secret(VL_LIMIT_TARGET);
    vl_list_init(&op->node);
    vl_list_add_last(&op->entra->operations, &op->node);
    vl_authority_wait_init(&op->wait);
    op->wait.ctx = op;
    return op;
}

/* --- begin: where to send the browser --- */

static void
on_facts_for_begin(valet_status status, const struct vl_authority_facts *facts,
                   const valet_error *err, void *ctx)
{
    struct operation *op = ctx;
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_TARGET);
    if (status == VALET_OK) {
        vl_buf_add(&url, facts->authorization_endpoint);
        vl_buf_addc(&url, '?');
        vl_buf_add(&url, vl_buf_str(&op->in));
    }
    op->begun(status, vl_buf_str(&url), err, op->ctx);
    operation_free(op);
}

/* @spec S-80: everything in this URL is ours or configured; nothing of the
 * client's request is passed on, its `resource` and scopes least of all. */
static void
begin(struct vl_idp *idp, const struct vl_idp_begin *in,
      vl_idp_begin_done *done, void *ctx)
{
    struct operation *op = operation_new(idp, ctx);
    const struct vl_entra_config *config = op->entra->config;
    op->begun = done;
    vl_form_add(&op->in, "client_id", vl_str_z(config->client_id));
    vl_form_add(&op->in, "response_type", VL_STR("code"));
    vl_form_add(&op->in, "response_mode", VL_STR("query"));
    vl_form_add(&op->in, "redirect_uri", vl_str_z(config->redirect_uri));
    vl_form_add(&op->in, "scope", vl_str_z(config->scopes));
    vl_form_add(&op->in, "state", in->state);
    vl_form_add(&op->in, "nonce", in->nonce);
    vl_form_add(&op->in, "code_challenge", in->code_challenge);
    vl_form_add(&op->in, "code_challenge_method", VL_STR("S256"));
    op->wait.ready = on_facts_for_begin;
    vl_authority_get(op->entra->authority, &op->wait);
}

/* --- one form to the token endpoint --- */

/* Adds who we are (@spec S-56: in the body of a back-channel request only). */
static void
authenticate(struct operation *op, struct vl_buf *form)
{
    const struct vl_entra_config *config = op->entra->config;
    vl_form_add(form, "client_id", vl_str_z(config->client_id));
    vl_form_add(form, "client_secret", vl_secret_reveal(config->client_secret));
    op->form = vl_secret_of(vl_buf_str(form));
}

static void
send_form(struct operation *op, const struct vl_authority_facts *facts,
          unsigned attempts, vl_fetch_done *done)
{
    struct vl_fetch_request request = {
        .method = "POST",
        .url = facts->token_endpoint.p,
        .form = vl_secret_reveal(&op->form),
        .attempts = attempts,
    };
    op->fetch = vl_fetch_start(op->entra->fetcher, &request, done, op);
}

/* Turns a fetch's outcome into tokens in `op`. */
static valet_status
take_answer(struct operation *op, valet_status status,
            const struct vl_fetch_answer *answer, const valet_error *why,
            valet_error *err)
{
    op->fetch = NULL;
    if (status != VALET_OK)
        return vl_fail(err, VALET_RETRY, "", "cannot reach Entra ID: %s",
                       why ? why->message : "no reason given");
    return vl_token_answer_read(answer, vl_clock_now(op->entra->clock),
                                &op->answer, &op->tokens, &op->id_token, err);
}

/* --- redeem: a code for tokens and a person --- */

static void
redeem_failed(struct operation *op, valet_status status, const valet_error *err)
{
    op->redeemed(status, NULL, NULL, err, op->ctx);
    operation_free(op);
}

static void
on_facts_for_person(valet_status status, const struct vl_authority_facts *facts,
                    const valet_error *why, void *ctx)
{
    struct operation *op = ctx;
    struct vl_entra *entra = op->entra;
    struct vl_idp_person person = {0};
    valet_error err = {0};
    vl_auto(vl_json) claims = {NULL};
    if (status != VALET_OK) {
        redeem_failed(op, status, why);
        return;
    }
    status = vl_jwt_verify(op->id_token, facts->keys, &claims, &err);
    /* @spec S-15: an unknown key id is looked up again, once. */
    if (status == VALET_NOT_FOUND && !op->asked_for_new_keys) {
        op->asked_for_new_keys = true;
        vl_authority_get_new_keys(entra->authority, &op->wait);
        return;
    }
    struct vl_id_token_rules rules = {
        .issuer = facts->issuer,
        .client_id = vl_str_z(entra->config->client_id),
        .tid = vl_str_z(facts->tid),
        .nonce = vl_buf_str(&op->in),
        .now_ms = vl_clock_now(entra->clock),
    };
    if (status == VALET_OK)
        status = vl_id_token_check(claims.root, &rules, &person, &err);
    if (status != VALET_OK) {
        redeem_failed(op, VALET_DENIED, &err);
        return;
    }
    op->redeemed(VALET_OK, &person, &op->tokens, NULL, op->ctx);
    operation_free(op);
}

static void
on_redeemed(valet_status status, const struct vl_fetch_answer *answer,
            const valet_error *why, void *ctx)
{
    struct operation *op = ctx;
    valet_error err = {0};
    status = take_answer(op, status, answer, why, &err);
    if (status != VALET_OK) {
        redeem_failed(op, status, &err);
        return;
    }
    op->wait.ready = on_facts_for_person;
    vl_authority_get(op->entra->authority, &op->wait);
}

static void
on_facts_for_redeem(valet_status status, const struct vl_authority_facts *facts,
                    const valet_error *err, void *ctx)
{
    struct operation *op = ctx;
    if (status != VALET_OK)
        redeem_failed(op, status, err);
    else /* a code works once: never sent twice */
        send_form(op, facts, 1, on_redeemed);
}

static void
redeem(struct vl_idp *idp, const struct vl_idp_redeem *in,
       vl_idp_redeem_done *done, void *ctx)
{
    struct operation *op = operation_new(idp, ctx);
    const struct vl_entra_config *config = op->entra->config;
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_FORM_BODY);
    op->redeemed = done;
    vl_buf_add(&op->in, in->nonce);
    vl_form_add(&form, "grant_type", VL_STR("authorization_code"));
    vl_form_add(&form, "code", in->code);
    vl_form_add(&form, "redirect_uri", vl_str_z(config->redirect_uri));
    vl_form_add(&form, "code_verifier", vl_secret_reveal(in->code_verifier));
    vl_form_add(&form, "scope", vl_str_z(config->scopes));
    authenticate(op, &form);
    op->wait.ready = on_facts_for_redeem;
    vl_authority_get(op->entra->authority, &op->wait);
}

/* --- refresh --- */

static void
on_refreshed(valet_status status, const struct vl_fetch_answer *answer,
             const valet_error *why, void *ctx)
{
    struct operation *op = ctx;
    valet_error err = {0};
    status = take_answer(op, status, answer, why, &err);
    if (status != VALET_OK)
        op->refreshed(status, NULL, &err, op->ctx);
    else
        op->refreshed(VALET_OK, &op->tokens, NULL, op->ctx);
    operation_free(op);
}

static void
on_facts_for_refresh(valet_status status,
                     const struct vl_authority_facts *facts,
                     const valet_error *err, void *ctx)
{
    struct operation *op = ctx;
    if (status != VALET_OK) {
        op->refreshed(status, NULL, err, op->ctx);
        operation_free(op);
        return;
    }
    /* Entra's old refresh token stays valid, so asking again is safe. */
    send_form(op, facts, 3, on_refreshed);
}

static void
refresh(struct vl_idp *idp, const struct vl_upstream_token *token,
        vl_idp_refresh_done *done, void *ctx)
{
    struct operation *op = operation_new(idp, ctx);
    vl_auto(vl_buf) form = vl_buf_of_secret(2 * VL_LIMIT_UPSTREAM_TOKEN);
    op->refreshed = done;
    vl_form_add(&form, "grant_type", VL_STR("refresh_token"));
    vl_form_add(&form, "refresh_token", vl_secret_reveal(&token->secret));
    vl_form_add(&form, "scope", vl_str_z(op->entra->config->scopes));
    authenticate(op, &form);
    op->wait.ready = on_facts_for_refresh;
    vl_authority_get(op->entra->authority, &op->wait);
}

static const struct vl_idp_ops operations = {
    .name = "Microsoft Entra ID",
    .begin = begin,
    .redeem = redeem,
    .refresh = refresh,
};

struct vl_entra *
vl_entra_new(struct vl_loop *loop, struct vl_fetcher *fetcher,
             const struct vl_clock *clock, const struct vl_entra_config *config)
{
    struct vl_entra *entra = vl_alloc(sizeof *entra);
    entra->idp.ops = &operations;
    entra->config = config;
    entra->clock = clock;
    entra->fetcher = fetcher;
    entra->authority = vl_authority_new(
        loop, fetcher, clock, config->authority_host, config->tenant_id);
    vl_list_init(&entra->operations);
    return entra;
}

void
vl_entra_free(struct vl_entra *entra)
{
    if (!entra)
        return;
    VL_LIST_EACH (node, &entra->operations)
        operation_free(VL_CONTAINER(node, struct operation, node));
    vl_authority_free(entra->authority);
    free(entra);
}

struct vl_idp *
vl_entra_idp(struct vl_entra *entra)
{
    return &entra->idp;
}
