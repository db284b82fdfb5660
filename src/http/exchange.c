/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchanges: taken from the spare ones, given back wiped, and what the site
 * may ask them.
 */
#include "core/secret.h"
#include "http/server_private.h"

void
vl_http_wipe(struct vl_buf *buf)
{
    /* vl_buf_clear() would wipe all the memory; only this much was used. */
    if (buf->p)
        vl_wipe(buf->p, buf->n);
    buf->off = buf->n = 0;
    buf->failed = false;
}

static struct vl_intake *
make_intake(void)
{
    struct vl_intake *intake = vl_alloc(sizeof *intake);
    intake->in = vl_buf_of_secret(VL_LIMIT_HEAD);
    intake->arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    return intake;
}

static void
free_intake(struct vl_exchange *x)
{
    if (!x->intake)
        return;
    vl_arena_done(&x->intake->arena);
    vl_buf_done(&x->intake->in);
    free(x->intake);
    x->intake = NULL;
}

static struct vl_exchange *
make(void)
{
    struct vl_exchange *x = vl_alloc(sizeof *x);
    x->intake = make_intake();
    vl_list_init(&x->node);
    vl_list_init(&x->notice);
    return x;
}

struct vl_exchange *
vl_exchange_take(struct vl_connection *conn)
{
    struct vl_http_server *server = conn->server;
    struct vl_exchange *x;
    if (vl_list_is_empty(&server->spare)) {
        x = make();
    } else {
        x = VL_CONTAINER(server->spare.next, struct vl_exchange, node);
        vl_list_remove(&x->node);
        server->spare_count--;
    }
    vl_list_add_last(&server->exchanges, &x->node);
    x->server = server;
    x->conn = conn;
    x->stage = VL_EXCHANGE_HEAD;
    x->keep = x->bodiless = x->chunked = x->told = x->moves = false;
    x->cut_short = false;
    x->on_close = x->on_drain = NULL;
    x->ctx = NULL;
    x->body_max = 0;
    x->extra_count = 0;
    /* The last slice may reach beyond the longest head. */
    x->intake->in.max = 2 * (size_t)VL_LIMIT_HEAD;
    struct vl_str peer = vl_str_z(vl_stream_peer(conn->stream));
    VL_ASSERT(peer.n < sizeof x->peer);
    memcpy(x->peer, peer.p, peer.n + 1);
    vl_parser_init(&x->intake->parser, VL_PARSE_REQUEST);
    return x;
}

void
vl_exchange_drop(struct vl_exchange *x)
{
    struct vl_http_server *server = x->server;
    vl_list_remove(&x->node);
    vl_list_remove(&x->notice);
    x->conn = NULL;
    x->stage = VL_EXCHANGE_SPARE;
    if (!server || server->dead || !x->intake ||
        server->spare_count == VL_SPARE_EXCHANGES) {
        free_intake(x);
        free(x);
        return;
    }
    vl_arena_clear(&x->intake->arena);
    if (x->intake->in.cap > VL_SPARE_BUFFER)
        vl_buf_done(&x->intake->in);
    else
        vl_http_wipe(&x->intake->in);
    /* The one used last is the next: it is still in the caches. */
    vl_list_add_last(server->spare.next, &x->node);
    server->spare_count++;
}

void
vl_exchange_tell_close(struct vl_exchange *x)
{
    if (x->told || !x->on_close)
        return;
    x->told = true;
    x->on_close(x->ctx);
}

void
vl_exchange_tell_close_soon(struct vl_exchange *x)
{
    if (x->told || !x->on_close || !x->server || x->server->dead ||
        !vl_exchange_is_closed(x))
        return;
    vl_list_remove(&x->notice);
    vl_list_add_last(&x->server->notices, &x->notice);
    vl_timer_start(x->server->soon, 0);
}

const struct vl_http_request *
vl_exchange_request(const struct vl_exchange *x)
{
    VL_ASSERT(x->intake);
    return &x->intake->request;
}

const char *
vl_exchange_peer(const struct vl_exchange *x)
{
    return x->peer;
}

void
vl_exchange_forget_request(struct vl_exchange *x)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_STREAMED);
    free_intake(x);
}

struct vl_arena *
vl_exchange_arena(struct vl_exchange *x)
{
    VL_ASSERT(x->intake);
    return &x->intake->arena;
}

size_t
vl_exchange_waiting(const struct vl_exchange *x)
{
    return x->conn ? vl_stream_waiting(x->conn->stream) : 0;
}

bool
vl_exchange_is_closed(const struct vl_exchange *x)
{
    return !x->conn || (x->conn->ended && x->stage == VL_EXCHANGE_STREAMED);
}

bool
vl_exchange_is_left(const struct vl_exchange *x)
{
    return !x->conn || x->conn->ended;
}

void
vl_exchange_watch(struct vl_exchange *x, void (*on_close)(void *ctx),
                  void (*on_drain)(void *ctx), void *ctx)
{
    x->on_close = on_close;
    x->on_drain = on_drain;
    x->ctx = ctx;
    vl_exchange_tell_close_soon(x);
}

void
vl_exchange_cut_short(struct vl_exchange *x)
{
    x->cut_short = true;
    x->keep = false;
}

void
vl_exchange_reset(struct vl_exchange *x)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_HANDLED);
    struct vl_connection *conn = x->conn;
    struct vl_http_server *server = x->server;
    if (!conn) {
        vl_exchange_drop(x);
        return;
    }
    vl_server_enter(server);
    vl_exchange_drop(x);
    conn->x = NULL;
    vl_stream_reset(conn->stream);
    vl_connection_cut(conn);
    vl_server_leave(server);
}
