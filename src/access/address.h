/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: which addresses that a stranger names may be gone to, and
 * which resources he may speak for. Without I/O.
 */
#ifndef VL_ACCESS_ADDRESS_H
#define VL_ACCESS_ADDRESS_H

#include "http/url.h"

/* Real ones have 20 to 200 bytes. */
#define VL_ADDRESS_MAX 2048

/*
 * https of any host, or http of this machine; this machine only if the MCP
 * server is on it (@spec CL-19 CL-20). `what` is named in the error:
 * "its token_endpoint". VALET_DENIED.
 */
valet_status
vl_address_check(struct vl_str address, const char *what,
                 const struct vl_url *server, valet_error *err) VALET_CHECK;

/* Is the server that `server` names part of this resource (@spec CL-07): of the
 * same origin, and at or below its path? */
bool vl_resource_covers(struct vl_str resource, const struct vl_url *server);

#endif
