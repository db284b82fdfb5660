/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection's life: bytes in, the order of requests, and the end, which
 * has more ways than all the rest.
 */
#include "http/server_private.h"

static void
pause_reading(struct vl_connection *conn)
{
    if (conn->paused)
        return;
    conn->paused = true;
    vl_stream_pause(conn->stream);
}

static void
resume_reading(struct vl_connection *conn)
{
    if (!conn->paused)
        return;
    conn->paused = false;
    vl_stream_resume(conn->stream);
}

void
vl_connection_bound(struct vl_connection *conn)
{
    if (vl_buf_size(&conn->ahead) >= VL_AHEAD_HIGH)
        pause_reading(conn);
}

static void
read_ahead(struct vl_connection *conn, struct vl_str bytes)
{
    vl_buf_add(&conn->ahead, bytes);
    if (conn->ahead.failed)
        vl_connection_cut(conn); /* no memory */
    else
        vl_connection_bound(conn);
}

/* Nothing more comes, and nothing more is to be said. */
static void
end_if_ended(struct vl_connection *conn)
{
    if (conn->stream && conn->ended && conn->state == VL_CONNECTION_RECEIVING &&
        vl_buf_size(&conn->ahead) == 0)
        vl_connection_close(conn);
}

static void
discard(struct vl_connection *conn, size_t n)
{
    conn->discarded += n;
    if (conn->discarded > VL_LINGER_BYTES)
        vl_connection_cut(conn);
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct vl_connection *conn = ctx;
    struct vl_http_server *server = conn->server;
    vl_server_enter(server);
    if (conn->state == VL_CONNECTION_CLOSING) {
        discard(conn, bytes.n);
    } else {
        size_t used = 0;
        if (vl_buf_size(&conn->ahead) == 0)
            used = vl_connection_receive(conn, bytes);
        if (conn->stream && conn->state != VL_CONNECTION_CLOSING &&
            used < bytes.n)
            read_ahead(conn, vl_str_from(bytes, used));
        vl_connection_depart(conn);
    }
    vl_connection_wait(conn);
    vl_server_leave(server);
}

void
vl_connection_pump(struct vl_connection *conn)
{
    if (conn->state != VL_CONNECTION_RECEIVING)
        return;
    vl_auto(vl_buf) bytes = vl_buf_take(&conn->ahead);
    vl_buf_consume(&bytes, vl_connection_receive(conn, vl_buf_str(&bytes)));
    if (!conn->stream || conn->state == VL_CONNECTION_CLOSING)
        return;
    if (vl_buf_size(&bytes) > 0)
        conn->ahead = vl_buf_take(&bytes);
    if (vl_buf_size(&conn->ahead) < VL_AHEAD_HIGH)
        resume_reading(conn);
    vl_connection_depart(conn);
    end_if_ended(conn);
    vl_connection_wait(conn);
}

static void
on_end(valet_status status, void *ctx)
{
    struct vl_connection *conn = ctx;
    struct vl_http_server *server = conn->server;
    vl_server_enter(server);
    conn->ended = true;
    if (status != VALET_OK) {
        vl_connection_cut(conn);
    } else if (conn->state == VL_CONNECTION_ANSWERING) {
        /* It may have closed its direction only, and still read; a stream
         * without end is for nobody who leaves. */
        if (conn->x->stage == VL_EXCHANGE_STREAMED)
            vl_exchange_tell_close(conn->x);
    } else if (conn->state == VL_CONNECTION_CLOSING) {
        if (vl_stream_waiting(conn->stream) == 0)
            vl_connection_cut(conn);
    } else if (conn->x) {
        vl_connection_cut(conn); /* half a request */
    } else {
        end_if_ended(conn);
    }
    vl_server_leave(server);
}

static void
on_drain(void *ctx)
{
    struct vl_connection *conn = ctx;
    struct vl_http_server *server = conn->server;
    vl_server_enter(server);
    vl_connection_wait(conn);
    if (conn->state == VL_CONNECTION_CLOSING) {
        if (conn->ended)
            vl_connection_cut(conn);
    } else if (conn->state == VL_CONNECTION_RECEIVING) {
        vl_list_remove(&conn->due);
        vl_connection_pump(conn);
    } else if (conn->x->moves) {
        vl_connection_depart(conn);
    } else if (conn->x->stage == VL_EXCHANGE_STREAMED && conn->x->on_drain) {
        conn->x->on_drain(conn->x->ctx);
    }
    vl_server_leave(server);
}

static const struct vl_stream_events events = {
    .on_read = on_read, .on_end = on_end, .on_drain = on_drain};

struct vl_connection *
vl_connection_new(struct vl_http_server *server, struct vl_stream *stream,
                  struct vl_client *client)
{
    struct vl_connection *conn = vl_alloc(sizeof *conn);
    conn->server = server;
    conn->client = client;
    conn->stream = stream;
    conn->is_proxy = vl_http_is_proxy(&server->trust, vl_stream_peer(stream));
    conn->wait = VL_WAIT_NOTHING;
    vl_list_init(&conn->timed);
    vl_list_init(&conn->due);
    vl_list_init(&conn->all);
    /* Bounded by pausing: one read may come on top of the high mark. */
    conn->ahead = vl_buf_of_secret(16 * (size_t)VL_LIMIT_PAGE);
    vl_list_add_last(&server->connections, &conn->all);
    server->connection_count++;
    return conn;
}

void
vl_connection_start(struct vl_connection *conn)
{
    vl_stream_attach(conn->stream, &events, conn);
    vl_connection_wait(conn);
}

void
vl_connection_begin(struct vl_http_server *server, struct vl_stream *stream,
                    struct vl_client *client)
{
    if (server->tls)
        vl_stream_secure(stream, server->tls);
    vl_connection_start(vl_connection_new(server, stream, client));
}

void
vl_connection_write(struct vl_connection *conn, struct vl_str bytes)
{
    conn->written += bytes.n;
    vl_stream_write(conn->stream, bytes);
}

void
vl_connection_cut(struct vl_connection *conn)
{
    if (!conn->stream)
        return;
    struct vl_exchange *x = conn->x;
    vl_stream_close(conn->stream);
    conn->stream = NULL;
    conn->state = VL_CONNECTION_CLOSING;
    conn->x = NULL;
    vl_connection_wait_not(conn);
    vl_list_remove(&conn->due);
    vl_buf_done(&conn->ahead);
    vl_server_forget(conn);
    if (!x)
        return;
    x->conn = NULL;
    if (x->stage < VL_EXCHANGE_HANDLED || x->moves)
        vl_exchange_drop(x);
    else
        vl_exchange_tell_close(x); /* the last: it may do anything */
}

void
vl_connection_close(struct vl_connection *conn)
{
    conn->state = VL_CONNECTION_CLOSING;
    vl_list_remove(&conn->due);
    vl_buf_done(&conn->ahead);
    if (conn->ended && vl_stream_waiting(conn->stream) == 0) {
        vl_connection_cut(conn);
        return;
    }
    vl_stream_shutdown(conn->stream);
    resume_reading(conn);
    vl_connection_wait(conn);
}

void
vl_connection_answered(struct vl_connection *conn, bool keep)
{
    conn->x = NULL;
    conn->used = true;
    if (!keep || conn->server->draining) {
        vl_connection_close(conn);
        return;
    }
    conn->state = VL_CONNECTION_RECEIVING;
    if (conn->receiving)
        return; /* it goes on by itself */
    if (vl_buf_size(&conn->ahead) > 0) {
        vl_list_remove(&conn->due);
        vl_list_add_last(&conn->server->due, &conn->due);
        vl_timer_start(conn->server->soon, 0);
    } else {
        end_if_ended(conn);
    }
    vl_connection_wait(conn);
}
