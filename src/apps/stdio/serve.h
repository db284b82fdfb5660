/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet stdio`: the local server of our own tools.
 */
#ifndef VL_APPS_STDIO_SERVE_H
#define VL_APPS_STDIO_SERVE_H

#include "apps/stdio/lobby.h"

/* Until the client is gone, or a signal comes. `config` is borrowed. */
valet_status vl_stdio_serve(const struct vl_lobby_config *config,
                            valet_error *err) VALET_CHECK;

#endif
