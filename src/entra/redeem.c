/* SPDX-License-Identifier: Apache-2.0
 *
 * A code for tokens and a person: facts, the form to the token endpoint, facts
 * again (they may have changed meanwhile), and once more with new keys if the
 * id token was signed with one we do not know.
 */
#include "core/status.h"
#include "entra/id_token.h"
#include "entra/operation.h"
#include "http/url.h"
#include "jose/jwt.h"

/* A code and its verifier, escaped, and the rest. */
#define FORM_MAX (4 * VL_LIMIT_TARGET)

static void
fail(struct vl_entra_op *op, valet_status status, const valet_error *why)
{
    valet_error err = *why;
    err.status = status;
    vl_entra_op_leave(op);
    op->redeemed(status, NULL, NULL, &err, op->ctx);
    vl_entra_op_free(op);
}

static void
succeed(struct vl_entra_op *op, const struct vl_idp_person *person)
{
    vl_entra_op_leave(op);
    op->redeemed(VALET_OK, person, &op->tokens, NULL, op->ctx);
    vl_entra_op_free(op);
}

/* VALET_NOT_FOUND: signed with a key we do not know. The slices in `ret` are
 * of `ret_claims`. */
static valet_status
identify(const struct vl_entra_op *op, const struct vl_authority_facts *facts,
         struct vl_json *ret_claims, struct vl_idp_person *ret,
         valet_error *err)
{
    struct vl_id_token_rules rules = {
        .issuer = facts->issuer,
        .client_id = vl_str_z(op->entra->config->client_id),
        .tid = vl_str_z(facts->tid),
        .nonce = vl_buf_str(&op->in),
        .now_ms = vl_clock_now(op->entra->clock),
    };
    if (!op->id_token.n)
        return vl_fail(err, VALET_DENIED, "invalid_id_token",
                       "Entra ID sent no id token");
    VL_TRY(vl_jwt_verify_key(op->id_token, facts->keys, ret_claims,
                             &rules.key_issuer, err));
    return vl_id_token_check(ret_claims->root, &rules, ret, err);
}

static void
on_facts_for_person(valet_status status, const struct vl_authority_facts *facts,
                    const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    struct vl_idp_person person = {0};
    valet_error err = {0};
    vl_auto(vl_json) claims = {NULL};
    if (status != VALET_OK) {
        fail(op, status, why);
        return;
    }
    status = identify(op, facts, &claims, &person, &err);
    /* @spec S-15: an unknown key id is looked up again, once. */
    if (status == VALET_NOT_FOUND && !op->asked_for_new_keys) {
        op->asked_for_new_keys = true;
        vl_authority_get_new_keys(op->entra->authority, &op->wait);
        return;
    }
    if (status != VALET_OK)
        fail(op, VALET_DENIED, &err);
    else
        succeed(op, &person);
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    valet_error err = {0};
    status = vl_entra_op_take(op, status, answer, why, &err);
    if (status != VALET_OK)
        fail(op, status, &err);
    else
        vl_entra_op_get_facts(op, on_facts_for_person);
}

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_entra_op *op = ctx;
    valet_error err = {0};
    if (status != VALET_OK) {
        fail(op, status, why);
        return;
    }
    /* A code works once: it is never sent twice. */
    status = vl_entra_op_send(op, facts, 1, on_answer, &err);
    /* Only the code can be that long, and it is not one of Entra's. */
    if (status != VALET_OK)
        fail(op, VALET_DENIED, &err);
}

void
vl_entra_redeem(struct vl_idp *idp, const struct vl_idp_redeem *in,
                vl_idp_redeem_done *done, void *ctx)
{
    struct vl_entra_op *op = vl_entra_op_new(idp, ctx);
    const struct vl_entra_config *config = op->entra->config;
    vl_auto(vl_buf) form = vl_buf_of_secret(FORM_MAX);
    op->redeemed = done;
    vl_buf_add(&op->in, in->nonce);
    vl_form_add(&form, "grant_type", VL_STR("authorization_code"));
    vl_form_add(&form, "code", in->code);
    vl_form_add(&form, "redirect_uri", vl_str_z(config->redirect_uri));
    vl_form_add(&form, "code_verifier", vl_secret_reveal(in->code_verifier));
    vl_form_add(&form, "scope", vl_str_z(config->scopes));
    vl_entra_op_set_form(op, &form);
    vl_entra_op_get_facts(op, on_facts);
}
