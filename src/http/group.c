/* SPDX-License-Identifier: Apache-2.0 */
#include "http/group.h"

#include "core/status.h"

struct vl_http_group *
vl_http_group_new(size_t members, const struct vl_http_limits *limits)
{
    struct vl_http_group *group =
        vl_alloc(sizeof *group + members * sizeof *group->members);
    VL_ASSERT(members > 0);
    group->limits = *limits;
    group->member_count = members;
    vl_map_init(&group->clients);
    VL_ASSERT(pthread_mutex_init(&group->lock, NULL) == 0);
    for (size_t i = 0; i < members; i++)
        atomic_init(&group->members[i].connections, 0);
    return group;
}

void
vl_http_group_close(struct vl_http_group *group)
{
    while (group->socket_count > 0)
        vl_socket_free(group->sockets[--group->socket_count]);
}

void
vl_http_group_free(struct vl_http_group *group)
{
    if (!group)
        return;
    vl_http_group_close(group);
    vl_map_done(&group->clients);
    (void)pthread_mutex_destroy(&group->lock);
    free(group);
}

valet_status
vl_http_group_listen(struct vl_http_group *group, const char *address,
                     unsigned port, unsigned *ret_port, valet_error *err)
{
    struct vl_socket *socket;
    if (group->socket_count == VL_LISTENERS_MAX)
        return vl_fail(err, VALET_LIMIT, "", "more than %d listen addresses",
                       VL_LISTENERS_MAX);
    VL_TRY(vl_socket_listen(address, port, &socket, err));
    group->sockets[group->socket_count++] = socket;
    if (ret_port)
        *ret_port = vl_socket_port(socket);
    return VALET_OK;
}

/* --- the census --- */

/* With the lock held. */
static struct vl_client *
admit(struct vl_http_group *group, const struct vl_peer_key *key, bool is_proxy)
{
    struct vl_client *client =
        vl_map_find(&group->clients, vl_peer_key_str(key));
    if (group->connection_count >= group->limits.connections)
        return NULL;
    if (client && !is_proxy &&
        client->connections >= group->limits.connections_per_address)
        return NULL;
    if (!client) {
        client = vl_alloc(sizeof *client);
        client->key = *key;
        client->connections = 0;
        (void)vl_map_put(&group->clients, vl_peer_key_str(key), client);
    }
    client->connections++;
    group->connection_count++;
    return client;
}

/* @spec S-64 */
struct vl_client *
vl_group_admit(struct vl_http_group *group, const char *peer, bool is_proxy)
{
    struct vl_peer_key key = vl_peer_key(peer);
    (void)pthread_mutex_lock(&group->lock);
    struct vl_client *client = admit(group, &key, is_proxy);
    (void)pthread_mutex_unlock(&group->lock);
    return client;
}

void
vl_group_leave(struct vl_http_group *group, struct vl_client *client)
{
    (void)pthread_mutex_lock(&group->lock);
    group->connection_count--;
    if (--client->connections == 0) {
        (void)vl_map_take(&group->clients, vl_peer_key_str(&client->key));
        free(client);
    }
    (void)pthread_mutex_unlock(&group->lock);
}

size_t
vl_group_choose(struct vl_http_group *group, size_t own)
{
    size_t best = own;
    size_t least = atomic_load_explicit(&group->members[own].connections,
                                        memory_order_relaxed);
    for (size_t i = 0; i < group->member_count; i++) {
        size_t there = atomic_load_explicit(&group->members[i].connections,
                                            memory_order_relaxed);
        /* One more or less is not worth the way. */
        if (there + 1 < least) {
            best = i;
            least = there;
        }
    }
    atomic_fetch_add_explicit(&group->members[best].connections, 1,
                              memory_order_relaxed);
    return best;
}
