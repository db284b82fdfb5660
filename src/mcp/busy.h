/* SPDX-License-Identifier: Apache-2.0
 *
 * How many calls of one person a server has at work: over all sessions,
 * clients and URLs, for clients can be registered without end. Some who have
 * none are remembered: they are likely to come back.
 */
#ifndef VL_MCP_BUSY_H
#define VL_MCP_BUSY_H

#include "core/list.h"
#include "core/map.h"
#include "core/principal.h"

/* Of one person, with room for it; "" where nobody has signed in. */
#define VL_MCP_USER_KEY_SIZE (2 * VL_GUID_SIZE)
struct vl_str
vl_mcp_user_key(const struct vl_user *user, char room[VL_MCP_USER_KEY_SIZE]);

struct vl_mcp_busy; /* one person */

struct vl_mcp_people {
    struct vl_map by_user; /* struct vl_mcp_busy */
    /* Who has no calls any more, the latest last: most come back. */
    struct vl_list idle;
    size_t idle_count;
};

void vl_mcp_people_init(struct vl_mcp_people *people);
void vl_mcp_people_done(struct vl_mcp_people *people);
/* Those who have calls. */
size_t vl_mcp_people_busy(const struct vl_mcp_people *people);

/* One more; NULL when the person has `max` already. */
struct vl_mcp_busy *vl_mcp_busy_enter(struct vl_mcp_people *people,
                                      const struct vl_user *user, size_t max);
/* One less. NULL is fine. */
void vl_mcp_busy_leave(struct vl_mcp_people *people, struct vl_mcp_busy *busy);

#endif
