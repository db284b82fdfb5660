/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to io/: what a stream is made of, and makers of streams from
 * sockets.
 */
#ifndef VL_IO_TCP_H
#define VL_IO_TCP_H

#include "core/buf.h"
#include "io/address.h"
#include "io/handle.h"
#include "io/stream.h"

struct vl_stream {
    struct vl_handle handle;
    uv_tcp_t uv;
    struct vl_loop *loop;
    const struct vl_stream_events *events; /* NULL before it is attached */
    void *ctx;
    struct vl_sender *sender; /* NULL while nothing waits to be sent */
    struct vl_kept *kept;     /* NULL unless something was read too early */
    struct vl_secure *secure; /* TLS; NULL when it is plain */
    bool paused;
    bool ended;  /* on_end was called, or is not wanted */
    bool broken; /* sending has failed: what is written is dropped */
    bool shut;   /* our direction is closed, or will be when all is sent */
    char peer[INET6_ADDRSTRLEN];
};

/* A stream on a connected socket, which it owns, without its peer; NULL (and
 * the socket closed) when libuv refuses it. */
struct vl_stream *vl_stream_of_socket(struct vl_loop *loop, int fd);
/* Takes what goes to on_read, by the loop, before anything that is read:
 * `bytes` as they are, after them `raw`, which came from the socket. */
void vl_stream_keep(struct vl_stream *stream, struct vl_buf *bytes);
void vl_stream_keep_raw(struct vl_stream *stream, struct vl_buf *raw);
/* Appends copies of what is kept, or being delivered just now. */
void vl_stream_kept(const struct vl_stream *stream, struct vl_buf *bytes,
                    struct vl_buf *raw);

/* Below TLS: to the socket as it is. */
void vl_stream_send(struct vl_stream *stream, struct vl_str bytes);
void vl_stream_shut(struct vl_stream *stream);
/* Tells the owner, once. */
void vl_stream_end(struct vl_stream *stream, valet_status status);

/* tls.c: TLS on a stream. */
void vl_secure_receive(struct vl_stream *stream, struct vl_str raw);
void vl_secure_write(struct vl_secure *secure, struct vl_str bytes);
void vl_secure_shutdown(struct vl_secure *secure);
/* Written, but not given to the socket yet. */
size_t vl_secure_waiting(const struct vl_secure *secure);
/* What vl_secure_receive() got and has not decrypted yet. */
struct vl_str vl_secure_undecrypted(const struct vl_secure *secure);
/* To another stream, or into a parcel (NULL). */
void vl_secure_move(struct vl_secure *secure, struct vl_stream *to);
void vl_secure_free(struct vl_secure *secure); /* NULL is fine */

/* Small messages at once; a peer that vanished is noticed within minutes.
 * Accepted sockets inherit this from the one that listens. */
void vl_socket_tune(int fd);

#endif
