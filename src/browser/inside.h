/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to browser/: what its files and their tests share.
 */
#ifndef VL_BROWSER_INSIDE_H
#define VL_BROWSER_INSIDE_H

#include "http/server.h"

/* A browser opens six to a host; the rest is for strangers, who could fill
 * fewer and turn the redirect away. */
#define VL_LOOPBACK_CONNECTIONS 128

/* Listens on both loopbacks. VALET_CONFLICT: another has the port of one, and
 * the server may have it of the other. */
valet_status
vl_loopback_listen(struct vl_http_server *server, unsigned port,
                   unsigned *ret_port, valet_error *err) VALET_CHECK;

#endif
