/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the server: what the servers of several loops share. A group has
 * a member for each loop; a server on its own is a group of one.
 *
 *   - listening sockets, bound once, which all members accept from;
 *   - the census: how many connections there are, and from which addresses;
 *   - a way for a connection from one member to another (move.c).
 *
 * The census has a lock, held for a look-up, taken when a connection begins
 * and when it ends. Nothing of it is on the way of a request.
 */
#ifndef VL_HTTP_GROUP_H
#define VL_HTTP_GROUP_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/map.h"
#include "http/peer.h"
#include "http/server.h"

/* More addresses than a machine has networks. */
#define VL_LISTENERS_MAX 16

/* Connections of one address (of one /64 network for IPv6). */
struct vl_client {
    size_t connections;
    struct vl_peer_key key;
};

struct vl_http_member {
    struct vl_loop *loop;
    struct vl_http_server *server; /* of its thread; NULL: is gone */
    atomic_size_t connections;     /* there, or on their way there */
};

struct vl_http_group {
    struct vl_http_limits limits;
    struct vl_socket *sockets[VL_LISTENERS_MAX];
    size_t socket_count;
    pthread_mutex_t lock; /* of the next two */
    struct vl_map clients;
    size_t connection_count;
    size_t member_count;
    struct vl_http_member members[];
};

/* NULL when there are as many connections, or as many of this address (a
 * proxy's are those of many), as may be. From any member's thread, as the next
 * one. */
struct vl_client *
vl_group_admit(struct vl_http_group *group, const char *peer, bool is_proxy);
void vl_group_leave(struct vl_http_group *group, struct vl_client *client);
/* The member that shall have a connection that `own` has accepted: the one
 * with the fewest. It is counted there from now on. */
size_t vl_group_choose(struct vl_http_group *group, size_t own);

#endif
