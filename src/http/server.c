/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners, the books of connections, and the server's end.
 */
#include "core/status.h"
#include "http/server_private.h"

/* --- ways in and out --- */

void
vl_server_enter(struct vl_http_server *server)
{
    server->depth++;
}

static void
destroy(struct vl_http_server *server)
{
    VL_LIST_EACH (node, &server->spare) {
        struct vl_exchange *x = VL_CONTAINER(node, struct vl_exchange, node);
        x->server = NULL;
        vl_exchange_drop(x);
    }
    if (server->owns_group)
        vl_http_group_free(server->group);
    vl_buf_done(&server->out);
    free(server);
}

void
vl_server_leave(struct vl_http_server *server)
{
    if (--server->depth > 0)
        return;
    VL_LIST_EACH (node, &server->graves)
        free(VL_CONTAINER(node, struct vl_connection, all));
    vl_list_init(&server->graves);
    if (server->dead)
        destroy(server);
}

/* --- the books --- */

void
vl_server_forget(struct vl_connection *conn)
{
    struct vl_http_server *server = conn->server;
    if (conn->client)
        vl_group_leave(server->group, conn->client);
    conn->client = NULL;
    atomic_fetch_sub_explicit(
        &server->group->members[server->member].connections, 1,
        memory_order_relaxed);
    vl_list_remove(&conn->all);
    vl_list_add_last(&server->graves, &conn->all);
    if (--server->connection_count == 0 && server->draining && server->drain)
        vl_timer_start(server->drain, 0);
}

/* The kernel takes so little at once; nobody waits for the rest. With TLS
 * there is nobody to tell before the handshake. */
static void
turn_away(struct vl_http_server *server, struct vl_stream *stream, int status,
          const char *why)
{
    if (!server->tls)
        vl_stream_write(stream, vl_server_refusal(server, status, why));
    vl_http_wipe(&server->out); /* the next answer begins afresh */
    vl_stream_close(stream);
}

/* To the member that has the fewest; here, if it cannot go there. */
static void
place(struct vl_http_server *server, struct vl_stream *stream,
      struct vl_client *client)
{
    struct vl_http_group *group = server->group;
    size_t member = vl_group_choose(group, server->member);
    if (member != server->member) {
        if (vl_connection_give(server, stream, client, member))
            return;
        atomic_fetch_sub_explicit(&group->members[member].connections, 1,
                                  memory_order_relaxed);
        atomic_fetch_add_explicit(&group->members[server->member].connections,
                                  1, memory_order_relaxed);
    }
    vl_connection_begin(server, stream, client);
}

/* @spec S-96: in the clear only from this machine, or from a proxy. */
static bool
may_connect(struct vl_http_server *server, const struct vl_stream *stream,
            bool is_proxy)
{
    const struct vl_http_trust *trust = &server->trust;
    if (!trust->proxies_only || is_proxy || vl_stream_is_local(stream))
        return true;
    if (trust->refused)
        trust->refused(vl_stream_peer(stream), "not_a_proxy", trust->ctx);
    return false;
}

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    struct vl_http_server *server = ctx;
    vl_server_enter(server);
    const char *peer = vl_stream_peer(stream);
    bool is_proxy = vl_http_is_proxy(&server->trust, peer);
    bool may = may_connect(server, stream, is_proxy);
    struct vl_client *client =
        may ? vl_group_admit(server->group, peer, is_proxy) : NULL;
    if (client)
        place(server, stream, client);
    else if (may)
        turn_away(server, stream, 503, "there are too many connections");
    else
        turn_away(server, stream, 403, "this server is behind a proxy");
    vl_server_leave(server);
}

/* --- life --- */

static void
run_soon(void *ctx)
{
    struct vl_http_server *server = ctx;
    vl_server_enter(server);
    while (!vl_list_is_empty(&server->notices)) {
        struct vl_list *node = server->notices.next;
        vl_list_remove(node);
        vl_exchange_tell_close(VL_CONTAINER(node, struct vl_exchange, notice));
    }
    while (!vl_list_is_empty(&server->due)) {
        struct vl_list *node = server->due.next;
        vl_list_remove(node);
        vl_connection_pump(VL_CONTAINER(node, struct vl_connection, due));
    }
    vl_server_leave(server);
}

static void
cut_all(struct vl_http_server *server)
{
    while (!vl_list_is_empty(&server->connections))
        vl_connection_cut(
            VL_CONTAINER(server->connections.next, struct vl_connection, all));
}

static void
end_drain(void *ctx)
{
    struct vl_http_server *server = ctx;
    vl_server_enter(server);
    cut_all(server);
    void (*drained)(void *) = server->drained;
    server->drained = NULL;
    if (server->drain)
        vl_timer_stop(server->drain); /* the last cut has set it again */
    if (drained)
        drained(server->drained_ctx);
    vl_server_leave(server);
}

static struct vl_http_server *
make(struct vl_loop *loop, const struct vl_http_site *site,
     struct vl_http_group *group, size_t member)
{
    struct vl_http_server *server = vl_alloc(sizeof *server);
    server->loop = loop;
    server->site = site;
    server->group = group;
    server->member = member;
    server->limits = group->limits;
    /* A head and a small body; see reply.c. */
    server->out = vl_buf_of_secret(4 * VL_LIMIT_PAGE);
    server->date_second = -1;
    struct vl_list *const lists[] = {&server->connections, &server->exchanges,
                                     &server->spare,       &server->due,
                                     &server->notices,     &server->graves};
    for (size_t i = 0; i < VL_COUNT(lists); i++)
        vl_list_init(lists[i]);
    for (size_t i = 0; i < VL_WAIT_COUNT; i++)
        vl_list_init(&server->waits[i]);
    server->tick = vl_timer_new(loop, vl_server_tick, server);
    server->soon = vl_timer_new(loop, run_soon, server);
    server->drain = vl_timer_new(loop, end_drain, server);
    group->members[member].loop = loop;
    group->members[member].server = server;
    return server;
}

static void
watch(struct vl_http_server *server, struct vl_socket *socket)
{
    server->listeners[server->listener_count++] =
        vl_listener_watch(server->loop, socket, on_accept, server);
}

struct vl_http_server *
vl_http_server_join(struct vl_http_group *group, size_t member,
                    struct vl_loop *loop, const struct vl_http_site *site)
{
    VL_ASSERT(member < group->member_count && !group->members[member].server);
    struct vl_http_server *server = make(loop, site, group, member);
    for (size_t i = 0; i < group->socket_count; i++)
        watch(server, group->sockets[i]);
    return server;
}

struct vl_http_server *
vl_http_server_new(struct vl_loop *loop, const struct vl_http_site *site,
                   const struct vl_http_limits *limits)
{
    struct vl_http_server *server =
        make(loop, site, vl_http_group_new(1, limits), 0);
    server->owns_group = true;
    return server;
}

void
vl_http_server_secure(struct vl_http_server *server, struct vl_tls *tls)
{
    server->tls = tls;
}

void
vl_http_server_trust(struct vl_http_server *server,
                     const struct vl_http_trust *trust)
{
    server->trust = *trust;
}

valet_status
vl_http_server_listen(struct vl_http_server *server, const char *address,
                      unsigned port, unsigned *ret_port, valet_error *err)
{
    struct vl_http_group *group = server->group;
    VL_TRY(vl_http_group_listen(group, address, port, ret_port, err));
    watch(server, group->sockets[group->socket_count - 1]);
    return VALET_OK;
}

static void
close_listeners(struct vl_http_server *server)
{
    while (server->listener_count > 0)
        vl_listener_close(server->listeners[--server->listener_count]);
    if (server->owns_group)
        vl_http_group_close(server->group);
}

/*
 * Ends a connection whose request, if any, has not come whole: the peer asks
 * again elsewhere, and who sends slowly cannot hold the end up. Its last
 * answer is still sent.
 */
static void
end_unasked(struct vl_connection *conn)
{
    if (conn->state != VL_CONNECTION_RECEIVING || conn->receiving)
        return;
    if (vl_stream_waiting(conn->stream) == 0) {
        vl_connection_cut(conn);
        return;
    }
    if (conn->x)
        vl_exchange_drop(conn->x);
    conn->x = NULL;
    vl_connection_close(conn);
}

void
vl_http_server_drain(struct vl_http_server *server, int64_t ms,
                     void (*done)(void *ctx), void *ctx)
{
    vl_server_enter(server);
    close_listeners(server);
    server->draining = true;
    server->drained = done;
    server->drained_ctx = ctx;
    VL_LIST_EACH (node, &server->connections)
        end_unasked(VL_CONTAINER(node, struct vl_connection, all));
    vl_timer_start(server->drain, server->connection_count ? ms : 0);
    vl_server_leave(server);
}

void
vl_http_server_free(struct vl_http_server *server)
{
    if (!server || server->dead)
        return;
    vl_server_enter(server);
    server->dead = true;
    server->drained = NULL;
    server->group->members[server->member].server = NULL;
    close_listeners(server);
    cut_all(server);
    /* Who still has an exchange keeps it; it is freed when answered. */
    VL_LIST_EACH (node, &server->exchanges) {
        struct vl_exchange *x = VL_CONTAINER(node, struct vl_exchange, node);
        vl_list_remove(&x->node);
        vl_list_remove(&x->notice);
        x->server = NULL;
    }
    struct vl_timer **const timers[] = {&server->tick, &server->soon,
                                        &server->drain};
    for (size_t i = 0; i < VL_COUNT(timers); i++) {
        vl_timer_free(*timers[i]);
        *timers[i] = NULL;
    }
    vl_server_leave(server);
}
