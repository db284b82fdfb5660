/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting. The socket is ours and libuv only watches it: libuv's own accept
 * loop spins while the process has no descriptor left, ours pauses.
 */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/status.h"
#include "io/handle.h"
#include "io/tcp.h"

/* So many at a time, then other sockets get their turn. */
#define ACCEPT_AT_ONCE 32
/* Without descriptors or memory we look again after this. */
#define ACCEPT_PAUSE_MS 100

/* Listeners of several threads hold one socket; nothing of it changes. */
struct vl_socket {
    atomic_uint holders;
    int fd;
    unsigned port;
};

struct vl_listener {
    struct vl_handle handle;
    uv_poll_t uv;
    struct vl_loop *loop;
    struct vl_timer *pause; /* made when first needed */
    void (*on_accept)(struct vl_stream *stream, void *ctx);
    void *ctx;
    struct vl_socket *socket; /* NULL when closed */
    int at_once;
};

static void on_ready(uv_poll_t *uv, int status, int events);

static void
go_on(void *ctx)
{
    struct vl_listener *listener = ctx;
    (void)uv_poll_start(&listener->uv, UV_READABLE, on_ready);
}

static void
pause_accepting(struct vl_listener *listener)
{
    (void)uv_poll_stop(&listener->uv);
    if (!listener->pause)
        listener->pause = vl_timer_new(listener->loop, go_on, listener);
    vl_timer_start(listener->pause, ACCEPT_PAUSE_MS);
}

/* False when there is nobody to accept for now. */
static bool
accept_one(struct vl_listener *listener)
{
    union vl_address peer = {0};
    socklen_t size = sizeof peer;
    int fd = accept4(listener->socket->fd, &peer.any, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        /* Interrupted, or the peer left while it was waiting. */
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
            return true;
        if (errno != EAGAIN)
            pause_accepting(listener);
        return false;
    }
    struct vl_stream *stream = vl_stream_of_socket(listener->loop, fd);
    if (!stream)
        return true;
    vl_address_text(&peer, stream->peer);
    listener->on_accept(stream, listener->ctx);
    return true;
}

static void
on_ready(uv_poll_t *uv, int status, int events)
{
    (void)events;
    struct vl_listener *listener = VL_CONTAINER(uv, struct vl_listener, uv);
    if (status < 0) {
        pause_accepting(listener);
        return;
    }
    /* on_accept may close the listener; its memory lives until the loop's
     * next turn. */
    for (int i = 0; i < listener->at_once && listener->socket; i++)
        if (!accept_one(listener))
            return;
}

static void
close_listener(struct vl_handle *handle)
{
    vl_listener_close(VL_CONTAINER(handle, struct vl_listener, handle));
}

void
vl_listener_close(struct vl_listener *listener)
{
    if (!listener || !listener->socket)
        return;
    vl_timer_free(listener->pause);
    vl_handle_close((uv_handle_t *)&listener->uv);
    vl_socket_free(listener->socket);
    listener->socket = NULL;
}

unsigned
vl_listener_port(const struct vl_listener *listener)
{
    return listener->socket->port;
}

static struct vl_listener *
watch(struct vl_loop *loop, struct vl_socket *socket, int at_once,
      void (*on_accept)(struct vl_stream *stream, void *ctx), void *ctx)
{
    struct vl_listener *listener = vl_alloc(sizeof *listener);
    listener->loop = loop;
    listener->pause = NULL;
    listener->on_accept = on_accept;
    listener->ctx = ctx;
    listener->socket = socket;
    listener->at_once = at_once;
    VL_ASSERT(uv_poll_init(&loop->uv, &listener->uv, socket->fd) == 0);
    vl_handle_own(&listener->handle, (uv_handle_t *)&listener->uv,
                  close_listener);
    go_on(listener);
    return listener;
}

struct vl_listener *
vl_listener_watch(struct vl_loop *loop, struct vl_socket *socket,
                  void (*on_accept)(struct vl_stream *stream, void *ctx),
                  void *ctx)
{
    (void)atomic_fetch_add(&socket->holders, 1);
    return watch(loop, socket, 1, on_accept, ctx);
}

valet_status
vl_listener_open(struct vl_loop *loop, const char *address, unsigned port,
                 void (*on_accept)(struct vl_stream *stream, void *ctx),
                 void *ctx, struct vl_listener **ret, valet_error *err)
{
    struct vl_socket *socket;
    VL_TRY(vl_socket_listen(address, port, &socket, err));
    *ret = watch(loop, socket, ACCEPT_AT_ONCE, on_accept, ctx);
    return VALET_OK;
}

/* --- the socket --- */

/* A listening socket, or -1 with errno. */
static int
listen_on(const union vl_address *address, bool ipv6_only)
{
    int family = address->any.sa_family, on = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    vl_socket_tune(fd);
    /* Not SO_REUSEPORT: a second server on our port has to fail. */
    bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              (!ipv6_only || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
                                        sizeof on) == 0) &&
              bind(fd, &address->any, vl_address_size(address)) == 0 &&
              listen(fd, SOMAXCONN) == 0;
    if (ok)
        return fd;
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

static unsigned
port_of(int fd)
{
    union vl_address own = {0};
    socklen_t size = sizeof own;
    VL_ASSERT(getsockname(fd, &own.any, &size) == 0);
    return vl_address_port(&own);
}

valet_status
vl_socket_listen(const char *address, unsigned port, struct vl_socket **ret,
                 valet_error *err)
{
    union vl_address own;
    VL_TRY(vl_address_parse(address, port, &own, err));
    bool is_v6 = own.any.sa_family == AF_INET6;
    /* Only "::" stands for both families; else 127.0.0.1 and ::1 are two. */
    bool only = is_v6 && !IN6_IS_ADDR_UNSPECIFIED(&own.v6.sin6_addr);
    int fd = listen_on(&own, only);
    if (fd < 0)
        return vl_fail(
            err, errno == EADDRINUSE ? VALET_CONFLICT : VALET_INTERNAL, "",
            "cannot listen on %s%s%s:%u: %s", is_v6 ? "[" : "", address,
            is_v6 ? "]" : "", port,
            errno == EADDRINUSE ? "address already in use" : strerror(errno));
    struct vl_socket *listening = vl_alloc(sizeof *listening);
    atomic_init(&listening->holders, 1);
    listening->fd = fd;
    listening->port = port_of(fd);
    *ret = listening;
    return VALET_OK;
}

unsigned
vl_socket_port(const struct vl_socket *socket)
{
    return socket->port;
}

void
vl_socket_free(struct vl_socket *socket)
{
    if (!socket || atomic_fetch_sub(&socket->holders, 1) != 1)
        return;
    (void)close(socket->fd);
    free(socket);
}
