/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections that go from one member of a group to another: freshly accepted
 * ones to who has the fewest, and ones whose request is another member's
 * business. They travel as a message to the other loop; nobody waits and
 * nobody shares.
 */
#include "core/status.h"
#include "http/server_private.h"

struct move {
    struct vl_task task;
    struct vl_http_group *group;
    size_t to;
    struct vl_parcel *parcel;
    struct vl_client *client;
    struct vl_exchange *x; /* NULL: a new connection */
    struct vl_buf ahead;   /* came behind the request */
};

/* --- at the other end --- */

/* There is nobody any more. */
static void
lose(struct move *move)
{
    atomic_fetch_sub_explicit(&move->group->members[move->to].connections, 1,
                              memory_order_relaxed);
    vl_group_leave(move->group, move->client);
    vl_parcel_free(move->parcel);
    vl_buf_done(&move->ahead);
    if (move->x)
        vl_exchange_drop(move->x);
}

static void
go_on(struct vl_http_server *server, struct vl_stream *stream,
      struct move *move)
{
    struct vl_exchange *x = move->x;
    struct vl_connection *conn =
        vl_connection_new(server, stream, move->client);
    vl_list_add_last(&server->exchanges, &x->node);
    x->server = server;
    x->conn = conn;
    conn->x = x;
    conn->used = true;
    conn->state = VL_CONNECTION_ANSWERING;
    vl_connection_start(conn);
    vl_buf_done(&conn->ahead);
    conn->ahead = vl_buf_take(&move->ahead);
    vl_connection_bound(conn);
    server->site->handle(x, server->site->ctx);
}

static void
arrive(struct vl_task *task)
{
    struct move *move = VL_CONTAINER(task, struct move, task);
    struct vl_http_member *member = &move->group->members[move->to];
    struct vl_http_server *server = member->server;
    struct vl_stream *stream = NULL;
    if (server)
        stream = vl_stream_adopt(server->loop, move->parcel);
    if (server)
        move->parcel = NULL; /* it is the stream's, or closed */
    if (stream && server->draining && !move->x) {
        vl_stream_close(stream); /* nothing was asked yet */
        stream = NULL;
    }
    if (!stream) {
        lose(move);
    } else {
        vl_server_enter(server);
        if (move->x)
            go_on(server, stream, move);
        else
            vl_connection_begin(server, stream, move->client);
        vl_server_leave(server);
    }
    free(move);
}

static void
send(struct move *move)
{
    move->task.run = arrive;
    vl_loop_post(move->group->members[move->to].loop, &move->task);
}

/* --- at this end --- */

bool
vl_connection_give(struct vl_http_server *server, struct vl_stream *stream,
                   struct vl_client *client, size_t to)
{
    struct vl_parcel *parcel =
        vl_stream_detach(stream, (struct vl_str){NULL, 0});
    if (!parcel)
        return false;
    struct move *move = vl_alloc(sizeof *move);
    move->group = server->group;
    move->to = to;
    move->parcel = parcel;
    move->client = client;
    send(move);
    return true;
}

/* A client that cannot be sent on asks again, on a new connection. */
static void
refuse_move(struct vl_exchange *x)
{
    struct vl_reply reply = {.status = 503, .close = true};
    vl_reply_add(&reply, "Retry-After", VL_STR("0"));
    vl_exchange_reply(x, &reply);
}

static void
leave(struct vl_exchange *x)
{
    struct vl_connection *conn = x->conn;
    struct vl_http_server *server = x->server;
    struct vl_parcel *parcel = NULL;
    /* While all of us stop, the other one may have stopped already. */
    if (!server->draining)
        parcel = vl_stream_detach(conn->stream, (struct vl_str){NULL, 0});
    x->moves = false;
    if (!parcel) {
        refuse_move(x);
        return;
    }
    x->extra_count = 0; /* the next one decides anew */
    struct move *move = vl_alloc(sizeof *move);
    move->group = server->group;
    move->to = x->to;
    move->parcel = parcel;
    move->client = conn->client;
    move->x = x;
    move->ahead = vl_buf_take(&conn->ahead);
    atomic_fetch_add_explicit(&server->group->members[x->to].connections, 1,
                              memory_order_relaxed);
    vl_list_remove(&x->node);
    vl_list_remove(&x->notice);
    x->conn = NULL;
    x->server = NULL;
    conn->client = NULL; /* it goes along */
    conn->stream = NULL;
    conn->x = NULL;
    conn->state = VL_CONNECTION_CLOSING;
    vl_connection_wait_not(conn);
    vl_list_remove(&conn->due);
    vl_server_forget(conn);
    send(move);
}

void
vl_connection_depart(struct vl_connection *conn)
{
    /* What came behind the request goes along: it is put aside first. And the
     * answers before it are sent: on_drain comes here again. */
    if (conn->stream && conn->x && conn->x->moves && !conn->receiving &&
        vl_stream_waiting(conn->stream) == 0)
        leave(conn->x);
}

bool
vl_exchange_move(struct vl_exchange *x, size_t member)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_HANDLED && !x->moves);
    struct vl_http_server *server = x->server;
    if (!server || member >= server->group->member_count ||
        member == server->member)
        return false;
    if (!x->conn) { /* nobody waits for it */
        vl_exchange_drop(x);
        return true;
    }
    vl_server_enter(server);
    x->moves = true;
    x->to = member;
    x->on_close = x->on_drain = NULL;
    vl_connection_depart(x->conn);
    vl_server_leave(server);
    return true;
}
