/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections and listeners over TCP. One may speak TLS: io/tls.h.
 */
#ifndef VL_IO_STREAM_H
#define VL_IO_STREAM_H

#include "core/str.h"
#include "io/loop.h"

struct vl_stream;

struct vl_stream_events {
    /* Bytes have come, borrowed for the call. */
    void (*on_read)(struct vl_str bytes, void *ctx);
    /* The peer closed (VALET_OK) or the connection broke. Called once; close
     * the stream from here or later. */
    void (*on_end)(valet_status status, void *ctx);
    /* What was waiting to be sent is sent, or (only after on_end) will never
     * be. May be NULL. */
    void (*on_drain)(void *ctx);
};

/* The events and ctx are borrowed and outlive the stream. Reading starts. */
void vl_stream_attach(struct vl_stream *stream,
                      const struct vl_stream_events *events, void *ctx);
/*
 * Sends a copy of `bytes`: at once what the kernel takes, the rest when it
 * can. The caller watches vl_stream_waiting() and stops producing above its
 * high mark; on_drain tells when the queue has emptied.
 */
void vl_stream_write(struct vl_stream *stream, struct vl_str bytes);
size_t vl_stream_waiting(const struct vl_stream *stream);
void vl_stream_pause(struct vl_stream *stream);
void vl_stream_resume(struct vl_stream *stream);
/* Sends what is waiting, then closes our direction; reading goes on. */
void vl_stream_shutdown(struct vl_stream *stream);
/* At once and silently; the memory is freed by the loop. */
void vl_stream_close(struct vl_stream *stream);
/* The same, and the peer learns that the connection broke. */
void vl_stream_reset(struct vl_stream *stream);
/* The peer's address without its port, such as "127.0.0.1"; borrowed. */
const char *vl_stream_peer(const struct vl_stream *stream);
/* Is the peer on this machine? It comes from a loopback, or from the address
 * that it has connected to, which the kernel takes from nobody else. */
bool vl_stream_is_local(const struct vl_stream *stream);

/*
 * A connection on its way to another loop, hence to another thread. It belongs
 * to whoever holds it; nobody reads or writes meanwhile.
 */
struct vl_parcel;
/* So much that was read may go with a connection. */
#define VL_STREAM_UNREAD_MAX ((size_t)1024 * 1024)
/*
 * Takes a stream off its loop: it is closed as by vl_stream_close(), its
 * connection lives on in the parcel. `unread` are bytes that on_read got and
 * that whoever adopts it shall get again, first. From on_read or at any other
 * time. NULL, and the stream is as before, when something waits to be sent,
 * when a direction has ended, when `unread` is too much, or when the process
 * has no descriptor left.
 */
struct vl_parcel *
vl_stream_detach(struct vl_stream *stream, struct vl_str unread);
/* On the thread of `loop`. Consumes the parcel. NULL when libuv refuses it,
 * and the connection is closed. */
struct vl_stream *
vl_stream_adopt(struct vl_loop *loop, struct vl_parcel *parcel);
/* Closes a connection that nobody adopts. NULL is fine. */
void vl_parcel_free(struct vl_parcel *parcel);

/*
 * A listening socket, watched by the loops of several threads. An IPv6 address
 * takes IPv6 alone, except "::", which stands for both. A taken port is
 * VALET_CONFLICT here, not later; port 0 takes a free one.
 */
struct vl_socket;
valet_status
vl_socket_listen(const char *address, unsigned port, struct vl_socket **ret,
                 valet_error *err) VALET_CHECK;
unsigned vl_socket_port(const struct vl_socket *socket);
/* It is closed when the last listener that watches it is closed as well. From
 * any thread; NULL is fine. */
void vl_socket_free(struct vl_socket *socket);

struct vl_listener;
/*
 * Accepts from a shared socket, one connection a turn of the loop: whoever is
 * busy leaves the next one to the others. `on_accept` owns the stream it gets.
 * On the thread of `loop`, while the socket is not freed.
 */
struct vl_listener *
vl_listener_watch(struct vl_loop *loop, struct vl_socket *socket,
                  void (*on_accept)(struct vl_stream *stream, void *ctx),
                  void *ctx);
/* The same for one loop that has the address to itself. */
valet_status
vl_listener_open(struct vl_loop *loop, const char *address, unsigned port,
                 void (*on_accept)(struct vl_stream *stream, void *ctx),
                 void *ctx, struct vl_listener **ret,
                 valet_error *err) VALET_CHECK;
unsigned vl_listener_port(const struct vl_listener *listener);
/* No new connections; those that exist live on. NULL is fine. */
void vl_listener_close(struct vl_listener *listener);

struct vl_connecting;

/* Connects to a numeric address. One callback: the stream, or NULL. `ret`, for
 * vl_connecting_abort(), is gone with it; NULL: it is not given up. */
valet_status
vl_stream_connect(struct vl_loop *loop, const char *address, unsigned port,
                  void (*done)(struct vl_stream *stream, void *ctx), void *ctx,
                  struct vl_connecting **ret, valet_error *err) VALET_CHECK;
/* Silences and closes it; *at becomes NULL. NULL is fine. */
void vl_connecting_abort(struct vl_connecting **at);

#endif
