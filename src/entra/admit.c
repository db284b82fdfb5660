/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/admit.h"

#include "core/status.h"

/* The texts of an answer: all were in one body. */
#define TEXTS_MAX (2 * VL_LIMIT_FETCH_BODY)

struct vl_admit {
    struct vl_identify *identify;
    struct vl_arena arena;         /* of the answer's texts; wiped */
    struct vl_token_answer answer; /* owns its tokens */
    vl_admit_done *done;
    void *ctx;
};

static void
release(struct vl_admit *admit)
{
    vl_identify_abort(&admit->identify);
    vl_idp_tokens_done(&admit->answer.tokens);
    vl_arena_done(&admit->arena);
    free(admit);
}

static void
on_person(valet_status status, const struct vl_idp_person *person,
          const valet_error *why, void *ctx)
{
    struct vl_admit *admit = ctx;
    admit->identify = NULL;
    if (status == VALET_OK) {
        admit->done(person, &admit->answer, NULL, admit->ctx);
    } else {
        valet_entra_error error = {
            .error = *why,
            .next =
                status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP,
            .retry_after_ms = -1,
        };
        error.error.status = status;
        admit->done(NULL, NULL, &error, admit->ctx);
    }
    release(admit);
}

/* A text without room is empty: then it proves nobody. */
static void
move(struct vl_admit *admit, struct vl_token_answer *answer)
{
    struct vl_str *const texts[] = {
        &admit->answer.id_token, &admit->answer.scope,
        &admit->answer.client_info, &admit->answer.family_id};
    admit->answer = *answer;
    answer->tokens = (struct vl_idp_tokens){.expires_ms = 0};
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        *texts[i] = texts[i]->n ? vl_arena_dup(&admit->arena, *texts[i])
                                : (struct vl_str){NULL, 0};
}

struct vl_admit *
vl_admit_start(const struct vl_grant_desk *desk, const struct vl_admit_in *in,
               struct vl_token_answer *answer, vl_admit_done *done, void *ctx)
{
    struct vl_admit *admit = vl_alloc(sizeof *admit);
    *admit = (struct vl_admit){
        .arena = vl_arena_of(TEXTS_MAX), .done = done, .ctx = ctx};
    move(admit, answer);
    struct vl_identify_in who = {.authority = desk->authority,
                                 .clock = desk->clock,
                                 .client_id = desk->client_id,
                                 .id_token = admit->answer.id_token,
                                 .nonce = in->nonce,
                                 .no_nonce = in->no_nonce};
    admit->identify = vl_identify_start(&who, on_person, admit);
    return admit;
}

void
vl_admit_abort(struct vl_admit **admit)
{
    if (*admit)
        release(*admit);
    *admit = NULL;
}
