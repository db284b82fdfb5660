/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in by the identity broker, which shows windows of its own.
 */
#include "client/by_broker.h"
#include "client/sign_in.h"

struct work {
    struct vl_sign_in *sign_in;
    struct vl_broker_call *call;
};

/*
 * What the person decided, and a network that is down, hold for every way to
 * sign in. That it is not there, may not be talked to, does not answer, does
 * not know this application or authority, or makes no sense, says nothing about
 * the others.
 */
static bool
is_about_the_broker(const valet_entra_error *error)
{
    switch (error->error.status) {
    case VALET_DENIED: /* by the bus, unless it is the person's to go on */
        return error->next != VALET_NEXT_SIGN_IN;
    case VALET_RETRY: /* without a code it is the broker that is silent */
        return error->error.code[0] == '\0';
    default:
        return true;
    }
}

static void
on_acquired(const struct vl_broker_token *token, const valet_entra_error *error,
            void *ctx)
{
    struct work *work = ctx;
    work->call = NULL;
    if (!error)
        vl_by_broker_succeed(work->sign_in->run, token);
    else if (is_about_the_broker(error) &&
             !work->sign_in->run->call->request.forced)
        vl_sign_in_unusable(work->sign_in, &error->error);
    else
        vl_by_broker_refuse(work->sign_in->run, error);
}

static valet_status
begin(struct vl_sign_in *sign_in, void **ret, valet_error *err)
{
    struct work *work = vl_alloc(sizeof *work);
    const struct vl_by_broker how = {
        .interactive = true,
        .account = sign_in->run->call->request.account,
        .login_hint = vl_buf_str(&sign_in->login_hint),
    };
    (void)err;
    *work = (struct work){.sign_in = sign_in};
    work->call = vl_by_broker_ask(sign_in->run, &how, on_acquired, work);
    *ret = work;
    return VALET_OK;
}

static void
release(void *at_work)
{
    struct work *work = at_work;
    vl_broker_abort(&work->call);
    free(work);
}

const struct vl_method vl_method_broker = {
    .bit = VALET_METHOD_BROKER,
    .name = "broker",
    .source = VALET_SOURCE_BROKER,
    .begin = begin,
    .free = release,
};
