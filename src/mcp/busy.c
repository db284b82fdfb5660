/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/busy.h"

/* People who are remembered without calls. */
#define IDLE_MAX 64

struct vl_mcp_busy {
    struct vl_user user;
    size_t calls;
    struct vl_list in_idle;
};

/* Both ids with their NUL between: it cannot be read in two ways. */
struct vl_str
vl_mcp_user_key(const struct vl_user *user, char room[VL_MCP_USER_KEY_SIZE])
{
    size_t n = strlen(user->tid) + 1, m = strlen(user->oid);
    memcpy(room, user->tid, n);
    memcpy(room + n, user->oid, m);
    if (n + m == 1)
        return VL_STR("");
    return vl_str_of(room, n + m);
}

void
vl_mcp_people_init(struct vl_mcp_people *people)
{
    vl_map_init(&people->by_user);
    vl_list_init(&people->idle);
    people->idle_count = 0;
}

static void
forget_oldest(struct vl_mcp_people *people)
{
    char room[VL_MCP_USER_KEY_SIZE];
    struct vl_mcp_busy *busy =
        VL_CONTAINER(people->idle.next, struct vl_mcp_busy, in_idle);
    vl_list_remove(&busy->in_idle);
    people->idle_count--;
    (void)vl_map_take(&people->by_user, vl_mcp_user_key(&busy->user, room));
    free(busy);
}

void
vl_mcp_people_done(struct vl_mcp_people *people)
{
    while (people->idle_count)
        forget_oldest(people);
    vl_map_done(&people->by_user);
}

size_t
vl_mcp_people_busy(const struct vl_mcp_people *people)
{
    return vl_map_size(&people->by_user) - people->idle_count;
}

static struct vl_mcp_busy *
remember(struct vl_mcp_people *people, const struct vl_user *user,
         struct vl_str key)
{
    struct vl_mcp_busy *busy = vl_alloc(sizeof *busy);
    busy->user = *user;
    vl_list_add_last(&people->idle, &busy->in_idle);
    people->idle_count++;
    (void)vl_map_put(&people->by_user, key, busy);
    return busy;
}

struct vl_mcp_busy *
vl_mcp_busy_enter(struct vl_mcp_people *people, const struct vl_user *user,
                  size_t max)
{
    char room[VL_MCP_USER_KEY_SIZE];
    struct vl_str key = vl_mcp_user_key(user, room);
    struct vl_mcp_busy *busy = vl_map_find(&people->by_user, key);
    if (!busy)
        busy = remember(people, user, key);
    if (busy->calls >= max)
        return NULL;
    if (busy->calls++ == 0) {
        vl_list_remove(&busy->in_idle);
        people->idle_count--;
    }
    return busy;
}

void
vl_mcp_busy_leave(struct vl_mcp_people *people, struct vl_mcp_busy *busy)
{
    if (!busy || --busy->calls)
        return;
    vl_list_add_last(&people->idle, &busy->in_idle);
    if (++people->idle_count > IDLE_MAX)
        forget_oldest(people);
}
