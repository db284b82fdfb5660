/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to client/: what a client is made of.
 */
#ifndef VL_CLIENT_CLIENT_H
#define VL_CLIENT_CLIENT_H

#include <pthread.h>

#include "client/call.h"
#include "client/config.h"
#include "client/ready.h"

struct vl_engine;

struct vl_client {
    struct vl_client_config config;
    const struct vl_clock *clock;
    struct vl_ready *ready;
    pthread_mutex_t lock;     /* of what follows, and of calls' notes */
    struct vl_engine *engine; /* NULL until something needs it */
    struct vl_list blocked;   /* calls of threads that wait */
    struct vl_list due;       /* calls with notes to dispatch */
    struct vl_list started;   /* the other ones of the event loop's form */
    int event_fd;             /* -1: never asked for */
};

/* With a clock of the test's. */
valet_status
vl_client_new(const valet_client_options *options, const struct vl_clock *clock,
              valet_client **ret, valet_error *err) VALET_CHECK;
/* Begins the engine if it has not begun. */
valet_status
vl_client_start(struct vl_client *client, valet_error *err) VALET_CHECK;

#endif
