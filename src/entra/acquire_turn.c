/* SPDX-License-Identifier: Apache-2.0
 *
 * Who renews, who waits, and who is told.
 */
#include "entra/acquire_inside.h"

/* Renewals for one and the same, or of what is kept in one place, would do the
 * same twice or wait for each other's turn. */
static bool
is_in_the_way(const struct vl_acquire *a, const struct vl_acquire *b)
{
    return a->acquirer->keep ||
           (vl_str_eq(vl_buf_str(&a->home), vl_buf_str(&b->home)) &&
            vl_str_eq(vl_buf_str(&a->hash), vl_buf_str(&b->hash)));
}

/* Those who waited look whether it was theirs, too. */
static void
give_turn(struct vl_acquire *acquire)
{
    vl_keep_turn_done(&acquire->turn);
    if (!acquire->renewing)
        return;
    acquire->renewing = false;
    VL_LIST_EACH (node, &acquire->acquirer->waiting) {
        struct vl_acquire *next = VL_CONTAINER(node, struct vl_acquire, node);
        if (!is_in_the_way(acquire, next))
            continue;
        vl_list_remove(&next->node);
        vl_timer_start(next->timer, 0);
    }
}

void
vl_acquire_leave(struct vl_acquire *acquire)
{
    vl_list_remove(&acquire->node);
    vl_list_remove(&acquire->ahead_node);
    vl_grant_abort(&acquire->grant);
    vl_timer_free(acquire->timer);
    acquire->timer = NULL;
    give_turn(acquire);
}

void
vl_acquire_release(struct vl_acquire *acquire)
{
    vl_buf_done(&acquire->home);
    vl_buf_done(&acquire->scopes);
    vl_buf_done(&acquire->claims);
    vl_buf_done(&acquire->hash);
    vl_buf_done(&acquire->assertion);
    vl_secret_done(&acquire->used);
    free(acquire);
}

/* The token is the cache's, or has texts of ours: they outlive the callback,
 * which may free what we stand on. */
void
vl_acquire_tell(struct vl_acquire *acquire, const struct vl_cache_token *token,
                const valet_entra_error *error, const valet_error *unkept)
{
    vl_acquire_leave(acquire);
    acquire->done(token, error, unkept, acquire->ctx);
    vl_acquire_release(acquire);
}

bool
vl_acquire_is_same(const struct vl_acquire *a, const struct vl_acquire *b)
{
    return a->renew == b->renew &&
           vl_str_eq(vl_buf_str(&a->home), vl_buf_str(&b->home)) &&
           vl_str_eq(vl_buf_str(&a->hash), vl_buf_str(&b->hash)) &&
           vl_str_eq(vl_buf_str(&a->scopes), vl_buf_str(&b->scopes)) &&
           vl_str_eq(vl_buf_str(&a->claims), vl_buf_str(&b->claims));
}

/* Those who waited for the same thing would fail in the same way, one after
 * the other; and where the cache does not do, each would have the same renewed.
 * A callback may abort the next ones. */
void
vl_acquire_tell_all(struct vl_acquire *acquire,
                    const struct vl_cache_token *token,
                    const valet_entra_error *error, const valet_error *unkept)
{
    struct vl_list same;
    vl_list_init(&same);
    VL_LIST_EACH (node, &acquire->acquirer->waiting) {
        struct vl_acquire *other = VL_CONTAINER(node, struct vl_acquire, node);
        if (acquire->renewing && vl_acquire_is_same(acquire, other)) {
            vl_list_remove(node);
            vl_list_add_last(&same, node);
        }
    }
    vl_acquire_leave(acquire);
    acquire->done(token, error, unkept, acquire->ctx);
    while (!vl_list_is_empty(&same))
        vl_acquire_tell(VL_CONTAINER(same.next, struct vl_acquire, node), token,
                        error, unkept);
    vl_acquire_release(acquire);
}

static bool
has_to_wait(const struct vl_acquire *acquire)
{
    VL_LIST_EACH (node, &acquire->acquirer->renewing)
        if (is_in_the_way(VL_CONTAINER(node, struct vl_acquire, node), acquire))
            return true;
    return false;
}

bool
vl_acquire_enter(struct vl_acquire *acquire)
{
    struct vl_acquirer *acquirer = acquire->acquirer;
    acquire->renewing = !has_to_wait(acquire);
    vl_list_add_last(acquire->renewing ? &acquirer->renewing
                                       : &acquirer->waiting,
                     &acquire->node);
    return acquire->renewing;
}
