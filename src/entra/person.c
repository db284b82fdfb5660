/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/person.h"

#include "entra/failure.h"
#include "entra/identify.h"

struct vl_person {
    struct vl_identify *identify;
    struct vl_arena texts; /* of the answer */
    struct vl_token_answer answer;
    vl_person_done *done;
    void *ctx;
};

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_person *person, const struct vl_idp_person *who,
       const valet_entra_error *error)
{
    struct vl_person ended = *person;
    free(person);
    ended.done(who, error ? NULL : &ended.answer, error, ended.ctx);
    vl_idp_tokens_done(&ended.answer.tokens);
    vl_arena_done(&ended.texts);
}

static void
on_person(valet_status status, const struct vl_idp_person *who,
          const valet_error *why, void *ctx)
{
    valet_entra_error error;
    if (status == VALET_OK) {
        finish(ctx, who, NULL);
        return;
    }
    vl_failure_of_ours(why, &error);
    finish(ctx, NULL, &error);
}

/* What has no room is absent, and then the id token proves nobody. */
static void
keep(struct vl_person *person, struct vl_token_answer *answer)
{
    struct vl_str *const texts[] = {
        &person->answer.id_token, &person->answer.scope,
        &person->answer.client_info, &person->answer.family_id};
    person->answer = *answer;
    answer->tokens = (struct vl_idp_tokens){.expires_ms = 0};
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        if (texts[i]->n)
            *texts[i] = vl_arena_dup(&person->texts, *texts[i]);
}

struct vl_person *
vl_person_start(const struct vl_person_in *in, vl_person_done *done, void *ctx)
{
    struct vl_person *person = vl_alloc(sizeof *person);
    person->texts = vl_arena_of(VL_LIMIT_FETCH_BODY + 64);
    person->done = done;
    person->ctx = ctx;
    keep(person, in->answer);
    struct vl_identify_in what = {.authority = in->desk->authority,
                                  .clock = in->desk->clock,
                                  .client_id = in->desk->client_id,
                                  .id_token = person->answer.id_token,
                                  .nonce = in->nonce,
                                  .no_nonce = in->no_nonce};
    person->identify = vl_identify_start(&what, on_person, person);
    return person;
}

void
vl_person_abort(struct vl_person **person)
{
    if (!*person)
        return;
    vl_identify_abort(&(*person)->identify);
    vl_idp_tokens_done(&(*person)->answer.tokens);
    vl_arena_done(&(*person)->texts);
    free(*person);
    *person = NULL;
}
