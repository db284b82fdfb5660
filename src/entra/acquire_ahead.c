/* SPDX-License-Identifier: Apache-2.0
 *
 * Renewing ahead of time, behind the back of who asked: they have a token that
 * is good, and would wait for nothing (entra-wire 3, pain 6).
 */
#include "entra/acquire_inside.h"

/* While Entra cannot be reached the tokens at hand do; each try takes the turn
 * of others. A refusal is one person's, and is not sent again by throttle.h. */
#define PAUSE_MS 60000

static void
ended(const struct vl_cache_token *token, const valet_entra_error *error,
      const valet_error *unkept, void *ctx)
{
    struct vl_acquirer *acquirer = ctx;
    (void)token;
    (void)unkept;
    if (error && error->next == VALET_NEXT_RETRY)
        acquirer->ahead_failed_ms = vl_clock_now(acquirer->desk->clock);
    if (acquirer->ahead_ended)
        acquirer->ahead_ended(acquirer->ctx);
}

/* A clock that was set back ends the pause. */
static bool
is_resting(const struct vl_acquirer *acquirer)
{
    int64_t since =
        vl_clock_now(acquirer->desk->clock) - acquirer->ahead_failed_ms;
    return acquirer->ahead_failed_ms && since >= 0 && since < PAUSE_MS;
}

void
vl_acquire_ahead(const struct vl_acquire *like)
{
    struct vl_acquirer *acquirer = like->acquirer;
    struct vl_acquire_in in = {.home_account_id = vl_buf_str(&like->home),
                               .assertion = vl_buf_str(&like->assertion),
                               .scopes = vl_buf_str(&like->scopes)};
    if (is_resting(acquirer))
        return;
    VL_LIST_EACH (node, &acquirer->ahead)
        if (vl_acquire_is_same(
                VL_CONTAINER(node, struct vl_acquire, ahead_node), like))
            return;
    struct vl_acquire *ahead = vl_acquire_start(acquirer, &in, ended, acquirer);
    ahead->ahead = true;
    vl_list_add_last(&acquirer->ahead, &ahead->ahead_node);
}

void
vl_acquirer_done(struct vl_acquirer *acquirer)
{
    VL_LIST_EACH (node, &acquirer->ahead) {
        struct vl_acquire *ahead =
            VL_CONTAINER(node, struct vl_acquire, ahead_node);
        vl_acquire_abort(&ahead);
    }
}
