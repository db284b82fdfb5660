/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/busy.h"

struct vl_mcp_busy {
    struct vl_user user;
    size_t calls;
};

/* Both ids with their NUL between: it cannot be read in two ways. */
static struct vl_str
key_of(const struct vl_user *user, char room[2 * VL_GUID_SIZE])
{
    size_t n = strlen(user->tid) + 1, m = strlen(user->oid);
    memcpy(room, user->tid, n);
    memcpy(room + n, user->oid, m);
    return vl_str_of(room, n + m);
}

struct vl_mcp_busy *
vl_mcp_busy_enter(struct vl_map *people, const struct vl_user *user, size_t max)
{
    char room[2 * VL_GUID_SIZE];
    struct vl_str key = key_of(user, room);
    struct vl_mcp_busy *busy = vl_map_find(people, key);
    if (!busy) {
        busy = vl_alloc(sizeof *busy);
        busy->user = *user;
        (void)vl_map_put(people, key, busy);
    }
    if (busy->calls >= max)
        return NULL;
    busy->calls++;
    return busy;
}

void
vl_mcp_busy_leave(struct vl_map *people, struct vl_mcp_busy *busy)
{
    if (!busy || --busy->calls)
        return;
    char room[2 * VL_GUID_SIZE];
    (void)vl_map_take(people, key_of(&busy->user, room));
    free(busy);
}
