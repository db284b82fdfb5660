/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of what serves on a loop of its own: it runs until SIGTERM or
 * SIGINT, or until somebody says so; then what is under way may end. After a
 * second signal it ends at once.
 */
#ifndef VL_IO_LIFE_H
#define VL_IO_LIFE_H

#include "io/loop.h"

struct vl_life {
    struct vl_loop *loop; /* borrowed */
    /* Lets what runs end, then calls `done`, once. */
    void (*drain)(void (*done)(void *done_ctx), void *done_ctx, void *ctx);
    void *ctx;
    bool ending;
};

/* The two signals are the loop's until it is freed. `life` is borrowed until
 * then. */
valet_status vl_life_watch(struct vl_life *life, valet_error *err) VALET_CHECK;
/* On the loop's thread, while the loop runs. */
void vl_life_end(struct vl_life *life);
/* The same, for who keeps it as a callback: `ctx` is the life. Said again, it
 * changes nothing: those who say it need not know of each other. */
void vl_life_stop(void *ctx);

#endif
