/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in with a code that is typed on another device.
 */
#include "client/sign_in.h"
#include "core/status.h"
#include "entra/device.h"
#include "entra/person.h"

struct work {
    struct vl_sign_in *sign_in;
    struct vl_device *device;
    struct vl_person *person;
};

static void
on_person(const struct vl_idp_person *person, struct vl_token_answer *answer,
          const valet_entra_error *error, void *ctx)
{
    struct work *work = ctx;
    work->person = NULL;
    if (error)
        vl_sign_in_refused(work->sign_in, error);
    else
        vl_sign_in_worked(work->sign_in, person, answer);
}

static void
on_tokens(struct vl_token_answer *answer, const valet_entra_error *error,
          void *ctx)
{
    struct work *work = ctx;
    const struct vl_person_in in = {.desk = &work->sign_in->run->realm->desk,
                                    .answer = answer,
                                    .no_nonce = true};
    work->device = NULL;
    if (error)
        vl_sign_in_refused(work->sign_in, error);
    else
        work->person = vl_person_start(&in, on_person, work);
}

static void
show(const struct vl_device_prompt *prompt, void *ctx)
{
    struct work *work = ctx;
    vl_sign_in_tell(work->sign_in, VL_NOTE_TELL, prompt->verification_uri,
                    prompt->user_code, prompt->expires_ms);
}

static valet_status
begin(struct vl_sign_in *sign_in, void **ret, valet_error *err)
{
    struct vl_run *run = sign_in->run;
    if (!run->call->request.tell)
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "nobody is there to be shown the code");
    struct work *work = vl_alloc(sizeof *work);
    *work = (struct work){.sign_in = sign_in};
    work->device = vl_device_start(
        &run->realm->desk, run->engine->loop, vl_buf_str(&sign_in->scopes),
        run->call->request.claims, show, on_tokens, work);
    *ret = work;
    return VALET_OK;
}

static void
release(void *at_work)
{
    struct work *work = at_work;
    vl_device_abort(&work->device);
    vl_person_abort(&work->person);
    free(work);
}

const struct vl_method vl_method_device = {
    .bit = VALET_METHOD_DEVICE_CODE,
    .name = "device code",
    .source = VALET_SOURCE_DEVICE_CODE,
    .begin = begin,
    .free = release,
};
