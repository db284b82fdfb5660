/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/identify.h"

#include "core/status.h"
#include "entra/id_token.h"
#include "jose/jwt.h"

struct vl_identify {
    struct vl_authority *authority;
    const struct vl_clock *clock;
    const char *client_id;
    struct vl_authority_wait wait;
    struct vl_buf id_token, nonce;
    bool no_nonce;
    bool asked_for_new_keys;
    vl_identify_done *done;
    void *ctx;
};

static void
release(struct vl_identify *identify)
{
    vl_authority_cancel(&identify->wait);
    vl_buf_done(&identify->id_token);
    vl_buf_done(&identify->nonce);
    free(identify);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_identify *identify, valet_status status,
       const struct vl_idp_person *person, const valet_error *why)
{
    vl_identify_done *done = identify->done;
    void *ctx = identify->ctx;
    release(identify);
    done(status, person, why, ctx);
}

/* VALET_NOT_FOUND: signed with a key we do not know. The slices in `ret` are
 * of `ret_claims`. */
static valet_status
check(const struct vl_identify *identify,
      const struct vl_authority_facts *facts, struct vl_json *ret_claims,
      struct vl_idp_person *ret, valet_error *err)
{
    struct vl_str token = vl_buf_str(&identify->id_token);
    struct vl_id_token_rules rules = {
        .issuer = facts->issuer,
        .client_id = vl_str_z(identify->client_id),
        .tid = vl_str_z(facts->tid),
        .tenants = facts->tenants,
        .nonce = vl_buf_str(&identify->nonce),
        .no_nonce = identify->no_nonce,
        .now_ms = vl_clock_now(identify->clock),
    };
    VL_TRY(vl_buf_check(&identify->id_token, err));
    VL_TRY(vl_buf_check(&identify->nonce, err));
    if (!token.n)
        return vl_fail(err, VALET_DENIED, "invalid_id_token",
                       "Entra ID sent no id token");
    VL_TRY(vl_jwt_verify_key(token, facts->keys, ret_claims, &rules.key_issuer,
                             err));
    return vl_id_token_check(ret_claims->root, &rules, ret, err);
}

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_identify *identify = ctx;
    struct vl_idp_person person = {0};
    valet_error err = {0};
    vl_auto(vl_json) claims = {NULL};
    if (status != VALET_OK) {
        finish(identify, status, NULL, why);
        return;
    }
    status = check(identify, facts, &claims, &person, &err);
    if (status == VALET_NOT_FOUND && !identify->asked_for_new_keys) {
        identify->asked_for_new_keys = true;
        vl_authority_get_new_keys(identify->authority, &identify->wait);
        return;
    }
    err.status = VALET_DENIED;
    if (status == VALET_OK)
        finish(identify, VALET_OK, &person, NULL);
    else
        finish(identify, VALET_DENIED, NULL, &err);
}

struct vl_identify *
vl_identify_start(const struct vl_identify_in *in, vl_identify_done *done,
                  void *ctx)
{
    struct vl_identify *identify = vl_alloc(sizeof *identify);
    identify->authority = in->authority;
    identify->clock = in->clock;
    identify->client_id = in->client_id;
    identify->id_token = vl_buf_of_secret(VL_LIMIT_JWT);
    vl_buf_add(&identify->id_token, in->id_token);
    identify->nonce = vl_buf_of_secret(VL_LIMIT_TARGET);
    vl_buf_add(&identify->nonce, in->nonce);
    identify->no_nonce = in->no_nonce;
    identify->done = done;
    identify->ctx = ctx;
    vl_authority_wait_init(&identify->wait);
    identify->wait.ready = on_facts;
    identify->wait.ctx = identify;
    vl_authority_get(identify->authority, &identify->wait);
    return identify;
}

void
vl_identify_abort(struct vl_identify **identify)
{
    if (*identify)
        release(*identify);
    *identify = NULL;
}
