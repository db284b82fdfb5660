/* SPDX-License-Identifier: Apache-2.0
 *
 * The tool GetUserDetailsFromGraph: who is signed in, as Microsoft Graph knows
 * them (@spec S-40 S-41 S-44 S-46 S-47).
 */
#ifndef VL_APPS_STDIO_USER_TOOL_H
#define VL_APPS_STDIO_USER_TOOL_H

#include "apps/stdio/lobby.h"
#include "valet/mcp.h"

struct vl_user_tool;

/* Adds it to the server. The lobby is borrowed, and need not be ready before
 * the first call. */
valet_status vl_user_tool_new(valet_mcp_server *server, struct vl_lobby *lobby,
                              const char *select, struct vl_user_tool **ret,
                              valet_error *err) VALET_CHECK;
/* Lets go of what it kept of calls that wait; before the lobby is closed. */
void vl_user_tool_end(struct vl_user_tool *tool);
/* After the server. NULL is fine. */
void vl_user_tool_free(struct vl_user_tool *tool);

#endif
