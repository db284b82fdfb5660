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
    struct vl_kept *kept;     /* NULL unless it was adopted with bytes */
    bool paused;
    bool ended;  /* on_end was called, or is not wanted */
    bool broken; /* sending has failed: what is written is dropped */
    bool shut;   /* our direction is closed, or will be when all is sent */
    char peer[INET6_ADDRSTRLEN];
};

/* A stream on a connected socket, which it owns, without its peer; NULL (and
 * the socket closed) when libuv refuses it. */
struct vl_stream *vl_stream_of_socket(struct vl_loop *loop, int fd);
/* Takes `bytes`: on_read gets them, by the loop, before what is read. Before
 * the stream is attached. */
void vl_stream_keep(struct vl_stream *stream, struct vl_buf *bytes);
struct vl_str vl_stream_kept(const struct vl_stream *stream);
/* Small messages at once; a peer that vanished is noticed within minutes.
 * Accepted sockets inherit this from the one that listens. */
void vl_socket_tune(int fd);

#endif
