/* SPDX-License-Identifier: Apache-2.0 */
#include "io/life.h"

#include <signal.h>

static void
over(void *ctx)
{
    struct vl_life *life = ctx;
    vl_loop_stop(life->loop);
}

void
vl_life_end(struct vl_life *life)
{
    if (life->ending) {
        vl_loop_stop(life->loop);
        return;
    }
    life->ending = true;
    life->drain(over, life, life->ctx);
}

void
vl_life_stop(void *ctx)
{
    struct vl_life *life = ctx;
    if (!life->ending)
        vl_life_end(life);
}

static void
on_signal(int signal, void *ctx)
{
    (void)signal;
    vl_life_end(ctx);
}

valet_status
vl_life_watch(struct vl_life *life, valet_error *err)
{
    VL_TRY(vl_loop_on_signal(life->loop, SIGTERM, on_signal, life, err));
    return vl_loop_on_signal(life->loop, SIGINT, on_signal, life, err);
}
