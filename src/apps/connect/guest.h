/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of our own for the bridge: says what clients say first, so that a
 * server that wants a sign-in asks for it. Clients give `initialize` up after a
 * minute or so; this one waits as long as the person needs.
 *
 * Contract of callbacks and threads: io/loop.h.
 */
#ifndef VL_APPS_CONNECT_GUEST_H
#define VL_APPS_CONNECT_GUEST_H

#include "io/loop.h"

struct vl_connect_guest;

struct vl_connect_guest_config {
    struct vl_loop *loop;
    /* A token is known. Some servers want one for what they do alone, not for
     * `initialize`: while there is none, they are asked for their tools. */
    bool (*has_token)(void *ctx);
    /* Once. NULL: the server has answered; else why it has not, which may be
     * the server's words. */
    void (*done)(const char *why, void *ctx);
    void *ctx;
};

valet_status vl_connect_guest_new(const struct vl_connect_guest_config *config,
                                  struct vl_connect_guest **ret,
                                  valet_error *err) VALET_CHECK;
/* For the bridge: both its input and its output; the guest's own. */
int vl_connect_guest_fd(const struct vl_connect_guest *guest);
/* After the bridge. NULL is fine. */
void vl_connect_guest_free(struct vl_connect_guest *guest);

#endif
