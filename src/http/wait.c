/* SPDX-License-Identifier: Apache-2.0
 *
 * Time-outs. One timer ticks for all connections: a deadline may be late by
 * one tick, and arming it costs two list operations.
 */
#include "core/sys.h"
#include "http/server_private.h"

#define TICK_MS     1000
#define TICK_MIN_MS 10

static int64_t
wait_ms(const struct vl_http_server *server, enum vl_wait wait)
{
    const int64_t ms[VL_WAIT_COUNT] = {
        [VL_WAIT_IDLE] = server->limits.idle_ms,
        [VL_WAIT_REQUEST] = server->limits.request_ms,
        [VL_WAIT_WRITE] = server->limits.write_ms,
        [VL_WAIT_LINGER] = VL_LINGER_MS,
    };
    return ms[wait];
}

int64_t
vl_server_tick_ms(const struct vl_http_limits *limits)
{
    /* A second, or finer when somebody has set finer limits. */
    int64_t least = limits->idle_ms;
    if (limits->request_ms < least)
        least = limits->request_ms;
    if (limits->write_ms < least)
        least = limits->write_ms;
    least /= 4;
    if (least > TICK_MS)
        return TICK_MS;
    return least < TICK_MIN_MS ? TICK_MIN_MS : least;
}

static void
keep_ticking(struct vl_http_server *server)
{
    if (server->ticking || !server->tick)
        return;
    server->ticking = true;
    vl_timer_start(server->tick, vl_server_tick_ms(&server->limits));
}

static void
arm(struct vl_connection *conn, enum vl_wait wait)
{
    struct vl_http_server *server = conn->server;
    vl_list_remove(&conn->timed);
    conn->wait = wait;
    if (wait == VL_WAIT_NOTHING)
        return;
    conn->deadline = vl_mono_now() + wait_ms(server, wait);
    conn->taken = conn->written - vl_stream_waiting(conn->stream);
    vl_list_add_last(&server->waits[wait], &conn->timed);
    keep_ticking(server);
}

static enum vl_wait
wait_of(const struct vl_connection *conn)
{
    bool waiting = vl_stream_waiting(conn->stream) > 0;
    if (conn->state == VL_CONNECTION_CLOSING)
        return waiting ? VL_WAIT_WRITE : VL_WAIT_LINGER;
    if (conn->state == VL_CONNECTION_ANSWERING || vl_buf_size(&conn->ahead))
        return waiting ? VL_WAIT_WRITE : VL_WAIT_NOTHING;
    if (conn->x || !conn->used)
        return VL_WAIT_REQUEST;
    return waiting ? VL_WAIT_WRITE : VL_WAIT_IDLE;
}

void
vl_connection_wait(struct vl_connection *conn)
{
    if (!conn->stream)
        return;
    enum vl_wait wait = wait_of(conn);
    /* Dripping bytes does not move a deadline. */
    if (wait != conn->wait)
        arm(conn, wait);
}

void
vl_connection_wait_not(struct vl_connection *conn)
{
    vl_list_remove(&conn->timed);
    conn->wait = VL_WAIT_NOTHING;
}

/* @spec S-64 */
/* The connection has waited long enough. */
static void
expire(struct vl_connection *conn)
{
    uint64_t taken = conn->written - vl_stream_waiting(conn->stream);
    /* Records of TLS wait with more bytes than were written: it may go down. */
    int64_t since = (int64_t)(taken - conn->taken);
    if (conn->wait == VL_WAIT_WRITE && since >= VL_LIMIT_WRITE_LEAST)
        arm(conn, VL_WAIT_WRITE); /* slow, but reading */
    else if (conn->wait == VL_WAIT_REQUEST && conn->x)
        vl_connection_refuse(conn, 408, "the request took too long");
    else
        vl_connection_cut(conn);
}

void
vl_server_tick(void *ctx)
{
    struct vl_http_server *server = ctx;
    vl_server_enter(server);
    int64_t now = vl_mono_now();
    for (size_t i = 0; i < VL_WAIT_COUNT; i++)
        while (!vl_list_is_empty(&server->waits[i])) {
            struct vl_connection *conn = VL_CONTAINER(
                server->waits[i].next, struct vl_connection, timed);
            if (conn->deadline > now)
                break;
            expire(conn);
        }
    server->ticking = false;
    if (server->connection_count > 0)
        keep_ticking(server);
    vl_server_leave(server);
}
