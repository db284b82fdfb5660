/* SPDX-License-Identifier: Apache-2.0
 *
 * By a refresh token. Its rotation has to bear a lost answer: the connection
 * may break after the authorization server has given the next one, so it is
 * asked once more with the same, before a person is.
 */
#include "access/inside.h"

#define AGAIN_MS 1000

static void ask_again(struct vl_access_work *work);

/* @spec CL-13: by the client that it was given to. */
static bool
find_client(struct vl_access_work *work)
{
    const struct vl_access *access = work->access;
    const char *id = access->tokens.client_id;
    vl_access_client_done(&work->client);
    if (!id)
        return false;
    if (vl_access_client_given(access, &work->client) &&
        strcmp(work->client.id, id) == 0)
        return true;
    vl_access_client_done(&work->client);
    return vl_access_client_kept(access, id, &work->client);
}

/* Never behind anybody's back: ahead of time there is no sign-in. */
static void
give_up(struct vl_access_work *work, const valet_error *err)
{
    if (work->is_ahead)
        vl_access_work_failed(work, err);
    else
        vl_access_work_discover(work);
}

static void
on_tokens(enum vl_redeem_advice advice, struct vl_access_tokens *tokens,
          const valet_error *err, void *ctx)
{
    struct vl_access_work *work = ctx;
    struct vl_access *access = work->access;
    work->redeem = NULL;
    work->has_renewed = advice != VL_REDEEM_AGAIN;
    switch (advice) {
    case VL_REDEEM_FINE:
        vl_access_take(access, tokens, VL_ACCESS_RENEWED, NULL,
                       work->client.id);
        vl_access_work_done(work);
        return;
    case VL_REDEEM_AGAIN:
        if (work->is_second)
            vl_access_work_failed(work, err);
        else
            vl_access_work_later(work, AGAIN_MS, ask_again);
        return;
    case VL_REDEEM_SIGN_IN:
        vl_access_drop_refresh(access);
        break;
    case VL_REDEEM_REGISTER:
        if (work->client.is_registered)
            vl_access_drop_client(access, work->client.id);
        break;
    case VL_REDEEM_GIVE_UP:
        break;
    }
    give_up(work, err);
}

static void
start(struct vl_access_work *work)
{
    struct vl_access *access = work->access;
    const char *asked = access->tokens.asked;
    work->redeem = vl_redeem_start(
        access->loop, access->fetcher,
        &(struct vl_redeem_in){
            .site = &access->site,
            .client = &work->client,
            .grant = VL_GRANT_REFRESH,
            .refresh = &access->tokens.tokens.refresh,
            /* Entra ID would choose an API by itself. */
            .scope = access->site.is_entra && asked ? asked : "",
        },
        on_tokens, work);
}

static void
ask_again(struct vl_access_work *work)
{
    work->is_second = true;
    start(work);
}

void
vl_access_renew(struct vl_access_work *work)
{
    if (find_client(work)) {
        start(work);
        return;
    }
    valet_error err = {0};
    (void)vl_fail(&err, VALET_DENIED, "",
                  "the client of the refresh token is not known any more");
    work->has_renewed = true;
    give_up(work, &err);
}
