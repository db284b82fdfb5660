/* SPDX-License-Identifier: Apache-2.0
 *
 * A TCP connection on libuv, plain or with TLS on it (tls.c). What the kernel
 * does not take at once waits in two buffers: one that libuv is sending, and
 * one that collects what comes meanwhile and is sent next, in one piece. Both
 * exist only while something waits, so an idle connection is this struct and
 * nothing else.
 */
#include "io/stream.h"

#include <unistd.h>

#include <netinet/tcp.h>

#include "core/buf.h"
#include "core/status.h"
#include "io/handle.h"
#include "io/network.h"
#include "io/tcp.h"

/* Callers stop at their own high mark; this only keeps sums from wrapping. */
#define QUEUE_MAX (SIZE_MAX / 4)

struct vl_sender {
    uv_write_t req;
    struct vl_buf sending; /* libuv's until its callback */
    struct vl_buf queue;
};

/* What goes to on_read before anything is read from the socket. */
struct vl_kept {
    struct vl_buf bytes;
    struct vl_buf raw; /* before that: what is still to be decrypted */
    struct vl_timer *soon;
};

void
vl_socket_tune(int fd)
{
    int on = 1, idle = 60, every = 30, count = 4;
    /* They only tune: a socket without them still works. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* --- life --- */

static void
close_handle(struct vl_handle *handle)
{
    vl_stream_close(VL_CONTAINER(handle, struct vl_stream, handle));
}

static struct vl_stream *
make_stream(struct vl_loop *loop)
{
    struct vl_stream *stream = vl_alloc(sizeof *stream);
    memset(stream, 0, sizeof *stream);
    stream->loop = loop;
    VL_ASSERT(uv_tcp_init(&loop->uv, &stream->uv) == 0);
    vl_handle_own(&stream->handle, (uv_handle_t *)&stream->uv, close_handle);
    return stream;
}

struct vl_stream *
vl_stream_of_socket(struct vl_loop *loop, int fd)
{
    struct vl_stream *stream = make_stream(loop);
    if (uv_tcp_open(&stream->uv, fd) == 0)
        return stream;
    (void)close(fd);
    vl_stream_close(stream);
    return NULL;
}

static void
free_sender(struct vl_stream *stream)
{
    if (!stream->sender)
        return;
    vl_buf_done(&stream->sender->sending);
    vl_buf_done(&stream->sender->queue);
    free(stream->sender);
    stream->sender = NULL;
}

static void
free_kept(struct vl_stream *stream)
{
    if (!stream->kept)
        return;
    vl_buf_done(&stream->kept->bytes);
    vl_buf_done(&stream->kept->raw);
    vl_timer_free(stream->kept->soon);
    free(stream->kept);
    stream->kept = NULL;
}

static void
on_closed(uv_handle_t *uv)
{
    struct vl_stream *stream = uv->data;
    free_sender(stream);
    free(stream);
}

void
vl_stream_close(struct vl_stream *stream)
{
    uv_handle_t *uv = (uv_handle_t *)&stream->uv;
    if (uv_is_closing(uv))
        return;
    stream->ended = true;
    free_kept(stream);
    vl_secure_free(stream->secure);
    stream->secure = NULL;
    uv_close(uv, on_closed);
}

void
vl_stream_reset(struct vl_stream *stream)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&stream->uv, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    vl_stream_close(stream);
}

static bool
is_closed(const struct vl_stream *stream)
{
    return uv_is_closing((const uv_handle_t *)&stream->uv) != 0;
}

const char *
vl_stream_peer(const struct vl_stream *stream)
{
    return stream->peer;
}

bool
vl_stream_is_local(const struct vl_stream *stream)
{
    union vl_address own = {0};
    int size = sizeof own;
    char text[INET6_ADDRSTRLEN];
    if (vl_address_is_loopback(stream->peer))
        return true;
    if (uv_tcp_getsockname(&stream->uv, &own.any, &size) != 0)
        return false;
    vl_address_text(&own, text);
    return text[0] && strcmp(text, stream->peer) == 0;
}

/* --- receiving --- */

void
vl_stream_end(struct vl_stream *stream, valet_status status)
{
    /* Before it is attached nobody can be told: reading will tell again. */
    if (stream->ended || !stream->events)
        return;
    stream->ended = true;
    (void)uv_read_stop((uv_stream_t *)&stream->uv);
    stream->events->on_end(status, stream->ctx);
}

static void
give_buffer(uv_handle_t *uv, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct vl_stream *stream = uv->data;
    *ret = uv_buf_init(stream->loop->read, VL_IO_READ_SIZE);
}

static void
receive(struct vl_stream *stream, struct vl_str bytes)
{
    if (stream->secure)
        vl_secure_receive(stream, bytes);
    else
        stream->events->on_read(bytes, stream->ctx);
}

static void
on_read(uv_stream_t *uv, ssize_t n, const uv_buf_t *buf)
{
    struct vl_stream *stream = uv->data;
    if (n > 0)
        receive(stream, vl_str_of(buf->base, (size_t)n));
    if (n >= 0)
        return;
    stream->broken = stream->broken || n != UV_EOF;
    /* With TLS the end is in the stream: whoever cuts the connection must not
     * make half a message look whole. */
    vl_stream_end(stream,
                  n == UV_EOF && !stream->secure ? VALET_OK : VALET_RETRY);
}

/* False when whoever got them wants no more now. */
static bool
deliver(struct vl_stream *stream, struct vl_buf *kept, bool is_raw)
{
    vl_auto(vl_buf) bytes = vl_buf_take(kept);
    if (vl_buf_size(&bytes) == 0)
        return true;
    if (is_raw)
        receive(stream, vl_buf_str(&bytes));
    else
        stream->events->on_read(vl_buf_str(&bytes), stream->ctx);
    return !stream->paused && !stream->ended;
}

static void
deliver_kept(void *ctx)
{
    struct vl_stream *stream = ctx;
    if (!deliver(stream, &stream->kept->bytes, false) ||
        !deliver(stream, &stream->kept->raw, true))
        return;
    free_kept(stream);
    vl_stream_resume(stream);
}

static struct vl_kept *
make_kept(struct vl_stream *stream)
{
    if (stream->kept)
        return stream->kept;
    stream->kept = vl_alloc(sizeof *stream->kept);
    stream->kept->bytes = vl_buf_of_secret(VL_STREAM_UNREAD_MAX);
    stream->kept->raw = vl_buf_of_secret(VL_STREAM_UNREAD_MAX);
    stream->kept->soon = vl_timer_new(stream->loop, deliver_kept, stream);
    return stream->kept;
}

void
vl_stream_keep(struct vl_stream *stream, struct vl_buf *bytes)
{
    if (vl_buf_size(bytes) > 0)
        make_kept(stream)->bytes = vl_buf_take(bytes);
}

void
vl_stream_keep_raw(struct vl_stream *stream, struct vl_buf *raw)
{
    if (vl_buf_size(raw) > 0)
        make_kept(stream)->raw = vl_buf_take(raw);
}

void
vl_stream_kept(const struct vl_stream *stream, struct vl_buf *bytes,
               struct vl_buf *raw)
{
    if (stream->kept)
        vl_buf_add(bytes, vl_buf_str(&stream->kept->bytes));
    if (stream->kept)
        vl_buf_add(raw, vl_buf_str(&stream->kept->raw));
    if (stream->secure)
        vl_buf_add(raw, vl_secure_undecrypted(stream->secure));
}

void
vl_stream_attach(struct vl_stream *stream,
                 const struct vl_stream_events *events, void *ctx)
{
    stream->events = events;
    stream->ctx = ctx;
    vl_stream_resume(stream);
}

void
vl_stream_pause(struct vl_stream *stream)
{
    stream->paused = true;
    if (stream->kept)
        vl_timer_stop(stream->kept->soon);
    (void)uv_read_stop((uv_stream_t *)&stream->uv);
}

void
vl_stream_resume(struct vl_stream *stream)
{
    stream->paused = false;
    if (stream->ended || !stream->events)
        return;
    if (stream->kept)
        vl_timer_start(stream->kept->soon, 0);
    else
        (void)uv_read_start((uv_stream_t *)&stream->uv, give_buffer, on_read);
}

/* --- sending --- */

static void
on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    free(req);
}

static void
shut_now(struct vl_stream *stream)
{
    uv_shutdown_t *req = vl_alloc(sizeof *req);
    if (uv_shutdown(req, (uv_stream_t *)&stream->uv, on_shutdown) != 0)
        free(req); /* the peer was faster */
}

/*
 * Sending is over. The socket is shut so that reading comes to its end too:
 * a gap in what we sent must not look like a whole message.
 */
static void
break_off(struct vl_stream *stream)
{
    uv_os_fd_t fd;
    stream->broken = true;
    if (uv_fileno((uv_handle_t *)&stream->uv, &fd) == 0)
        (void)shutdown(fd, SHUT_RDWR);
}

static void on_written(uv_write_t *req, int status);

/* Hands the collected bytes to libuv, which reports by on_written(). */
static void
send_queue(struct vl_stream *stream)
{
    struct vl_sender *sender = stream->sender;
    vl_buf_done(&sender->sending);
    sender->sending = vl_buf_take(&sender->queue);
    struct vl_str s = vl_buf_str(&sender->sending);
    uv_buf_t buf = {.base = sender->sending.p, .len = s.n};
    sender->req.data = stream;
    int rc =
        uv_write(&sender->req, (uv_stream_t *)&stream->uv, &buf, 1, on_written);
    VL_ASSERT(rc == 0);
}

static void
on_written(uv_write_t *req, int status)
{
    struct vl_stream *stream = req->data;
    if (is_closed(stream))
        return;
    stream->broken = stream->broken || status != 0;
    if (!stream->broken && vl_buf_size(&stream->sender->queue)) {
        send_queue(stream);
        return;
    }
    free_sender(stream);
    if (stream->shut && !stream->broken)
        shut_now(stream);
    /* Who has heard the end already and waits for the rest to be sent has to
     * hear that it will not be. */
    if (stream->broken && !stream->ended)
        vl_stream_end(stream, VALET_RETRY);
    else if (stream->events && stream->events->on_drain &&
             vl_stream_waiting(stream) == 0)
        stream->events->on_drain(stream->ctx);
}

static void
enqueue(struct vl_stream *stream, struct vl_str bytes)
{
    bool first = stream->sender == NULL;
    if (first) {
        stream->sender = vl_alloc(sizeof *stream->sender);
        /* Answers carry tokens: what waited is wiped. */
        stream->sender->sending = vl_buf_of_secret(QUEUE_MAX);
        stream->sender->queue = vl_buf_of_secret(QUEUE_MAX);
    }
    struct vl_buf *queue = &stream->sender->queue;
    vl_buf_add(queue, bytes);
    if (queue->failed)
        break_off(stream); /* no memory; the write in flight reports it */
    if (first)
        send_queue(stream);
}

void
vl_stream_send(struct vl_stream *stream, struct vl_str bytes)
{
    if (stream->broken)
        return;
    if (!stream->sender) {
        char *base = (char *)(uintptr_t)bytes.p; /* libuv does not write */
        uv_buf_t buf = {.base = base, .len = bytes.n};
        int n = uv_try_write((uv_stream_t *)&stream->uv, &buf, 1);
        /* A failure shows again, and asynchronously, in uv_write(). */
        if (n > 0)
            bytes = vl_str_from(bytes, (size_t)n);
    }
    if (bytes.n)
        enqueue(stream, bytes);
}

void
vl_stream_write(struct vl_stream *stream, struct vl_str bytes)
{
    if (bytes.n == 0 || stream->broken || stream->shut || is_closed(stream))
        return;
    if (stream->secure)
        vl_secure_write(stream->secure, bytes);
    else
        vl_stream_send(stream, bytes);
}

size_t
vl_stream_waiting(const struct vl_stream *stream)
{
    size_t n = stream->secure ? vl_secure_waiting(stream->secure) : 0;
    if (!stream->sender)
        return n;
    return n +
           uv_stream_get_write_queue_size((const uv_stream_t *)&stream->uv) +
           vl_buf_size(&stream->sender->queue);
}

void
vl_stream_shut(struct vl_stream *stream)
{
    if (stream->shut || stream->broken)
        return;
    stream->shut = true;
    if (!stream->sender)
        shut_now(stream);
}

void
vl_stream_shutdown(struct vl_stream *stream)
{
    if (stream->shut || stream->broken || is_closed(stream))
        return;
    if (stream->secure)
        vl_secure_shutdown(stream->secure);
    else
        vl_stream_shut(stream);
}

/* --- connecting --- */

struct vl_connecting {
    uv_connect_t req;
    void (*done)(struct vl_stream *stream, void *ctx);
    void *ctx;
    struct vl_stream *stream;
};

static void
on_connected(uv_connect_t *req, int status)
{
    struct vl_connecting *c = VL_CONTAINER(req, struct vl_connecting, req);
    struct vl_connecting now = *c;
    free(c);
    if (is_closed(now.stream))
        return; /* it was given up, or the loop is being freed */
    uv_os_fd_t fd;
    if (status == 0 && uv_fileno((uv_handle_t *)&now.stream->uv, &fd) == 0)
        vl_socket_tune(fd);
    if (status != 0)
        vl_stream_close(now.stream);
    now.done(status == 0 ? now.stream : NULL, now.ctx);
}

valet_status
vl_stream_connect(struct vl_loop *loop, const char *address, unsigned port,
                  void (*done)(struct vl_stream *stream, void *ctx), void *ctx,
                  struct vl_connecting **ret, valet_error *err)
{
    union vl_address peer;
    VL_TRY(vl_address_parse(address, port, &peer, err));
    struct vl_connecting *c = vl_alloc(sizeof *c);
    c->done = done;
    c->ctx = ctx;
    c->stream = make_stream(loop);
    vl_address_text(&peer, c->stream->peer);
    int rc = uv_tcp_connect(&c->req, &c->stream->uv, &peer.any, on_connected);
    if (rc != 0) {
        vl_stream_close(c->stream);
        free(c);
        return vl_fail(err, VALET_RETRY, "", "cannot connect to %s: %s",
                       address, uv_strerror(rc));
    }
    if (ret)
        *ret = c;
    return VALET_OK;
}

void
vl_connecting_abort(struct vl_connecting **at)
{
    struct vl_connecting *c = *at;
    *at = NULL;
    if (c)
        vl_stream_close(c->stream);
}
