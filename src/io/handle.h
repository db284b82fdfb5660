/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to io/: what every object on a loop has in common. Its libuv handle
 * lives inside it, `data` of the handle points to the object, and the object
 * begins with struct vl_handle. So vl_loop_free() can close what it meets
 * without knowing what it is. Memory is freed in libuv's closing callback,
 * never before: libuv still reads the handle until then.
 */
#ifndef VL_IO_HANDLE_H
#define VL_IO_HANDLE_H

#include <uv.h>

#include "io/loop.h"

/* One read of a socket; shared by all streams of the loop, so that an idle
 * connection holds no buffer. */
#define VL_IO_READ_SIZE 65536
/* The content of a TLS record (RFC 8446 section 5.1). */
#define VL_IO_PLAIN_SIZE 16384

struct vl_handle {
    /* Closes the object silently; safe to call when it is closing already. */
    void (*close)(struct vl_handle *handle);
};

struct vl_loop {
    uv_loop_t uv;
    struct vl_handle wake_handle;
    uv_async_t wake;
    uv_mutex_t lock; /* of first and last: the only shared members */
    struct vl_task *first, *last;
    bool firing;  /* inside the callback of a timer */
    unsigned hot; /* timers that were started with 0 there, in this round */
    struct vl_handle cool_handle;
    uv_prepare_t cool; /* the round is over; runs only while it is hot */
    char read[VL_IO_READ_SIZE];
    char plain[VL_IO_PLAIN_SIZE];
};

/* Registers `object` as the owner of `uv`. */
void vl_handle_own(struct vl_handle *object, uv_handle_t *uv,
                   void (*close)(struct vl_handle *handle));
/* Closes `uv` unless it is closing; its object is freed with it. */
void vl_handle_close(uv_handle_t *uv);

#endif
