/* SPDX-License-Identifier: Apache-2.0
 *
 * "127.0.0.1:3001", "localhost:3001", "[::1]:3001", ":0": where a program
 * listens. The same form is taken by `listen:` in a file, by --listen
 * and by valet_mcp_serve_local_http().
 */
#ifndef VL_IO_LISTEN_H
#define VL_IO_LISTEN_H

#include "core/str.h"

#define VL_LISTEN_HOST_SIZE 46 /* of the longest IPv6 address */

struct vl_listen {
    /* Numeric, or "localhost": both loopbacks. Also for ":PORT", so that
     * nobody opens a port to the world by writing less. */
    char host[VL_LISTEN_HOST_SIZE];
    unsigned port; /* 0 takes a free one */
    bool is_loopback;
};

/* VALET_INVALID with a sentence that says what to write. */
valet_status vl_listen_parse(struct vl_str text, struct vl_listen *ret,
                             valet_error *err) VALET_CHECK;

#endif
