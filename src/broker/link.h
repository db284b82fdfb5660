/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to this room: the module and its connection, on our loop.
 */
#ifndef VL_BROKER_LINK_H
#define VL_BROKER_LINK_H

#include "broker/module.h"
#include "io/loop.h"

struct vl_broker_link {
    struct vl_loop *loop;
    const char *modules; /* borrowed: the folder */
    /* After each turn: calls back who was answered; may free us. `over`: there
     * is no connection any more. */
    void (*after)(bool over, void *ctx);
    void *ctx;
    const struct vl_broker_module *module; /* NULL until it is loaded */
    struct vl_broker_bus *bus;             /* NULL: not connected */
    struct vl_watch *watch;
    struct vl_timer *timer;
    bool is_woken; /* the timer is that of vl_broker_link_wake() */
};

void vl_broker_link_init(struct vl_broker_link *link);
/* Closes and frees all but the struct. */
void vl_broker_link_done(struct vl_broker_link *link);
/* Calls a method; connects before if need be. See struct vl_broker_module. */
valet_status
vl_broker_link_call(struct vl_broker_link *link, const char *method,
                    const char *correlation_id, const char *request,
                    vl_broker_reply *reply, void *ctx,
                    struct vl_broker_ask **ret, valet_error *err) VALET_CHECK;
/* `after` is called soon, from the loop. */
void vl_broker_link_wake(struct vl_broker_link *link);
/* Nobody is called back. No ask may be left. */
void vl_broker_link_close(struct vl_broker_link *link);

#endif
