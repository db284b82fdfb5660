/* SPDX-License-Identifier: Apache-2.0
 *
 * How many calls of one person a server has at work: over all sessions,
 * clients and URLs, for clients can be registered without end. Made with the
 * first call, gone with the last.
 */
#ifndef VL_MCP_BUSY_H
#define VL_MCP_BUSY_H

#include "core/map.h"
#include "core/principal.h"

struct vl_mcp_busy;

/* One more; NULL when the person has `max` already. */
struct vl_mcp_busy *vl_mcp_busy_enter(struct vl_map *people,
                                      const struct vl_user *user, size_t max);
/* One less. NULL is fine. */
void vl_mcp_busy_leave(struct vl_map *people, struct vl_mcp_busy *busy);

#endif
