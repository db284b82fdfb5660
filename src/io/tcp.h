/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to io/: makers of streams from sockets.
 */
#ifndef VL_IO_TCP_H
#define VL_IO_TCP_H

#include "io/address.h"
#include "io/stream.h"

/* A stream on a connected socket, which it owns; NULL (and the socket closed)
 * when libuv refuses it. */
struct vl_stream *
vl_stream_of_socket(struct vl_loop *loop, int fd, const union vl_address *peer);
/* Small messages at once; a peer that vanished is noticed within minutes.
 * Accepted sockets inherit this from the one that listens. */
void vl_socket_tune(int fd);

#endif
