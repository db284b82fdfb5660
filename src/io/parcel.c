/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection on its way from one loop to another. libuv closes the
 * descriptor with its handle, so the parcel holds a second one.
 */
#include <fcntl.h>
#include <unistd.h>

#include "io/tcp.h"

struct vl_parcel {
    int fd;
    struct vl_buf unread;
    char peer[INET6_ADDRSTRLEN];
};

struct vl_parcel *
vl_stream_detach(struct vl_stream *stream, struct vl_str unread)
{
    uv_os_fd_t fd;
    if (stream->ended || stream->broken || stream->shut || stream->sender ||
        uv_fileno((uv_handle_t *)&stream->uv, &fd) != 0)
        return NULL;
    struct vl_buf bytes = vl_buf_of_secret(VL_STREAM_UNREAD_MAX);
    vl_buf_add(&bytes, unread);
    vl_buf_add(&bytes, vl_stream_kept(stream));
    int copy = bytes.failed ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        vl_buf_done(&bytes);
        return NULL;
    }
    struct vl_parcel *parcel = vl_alloc(sizeof *parcel);
    parcel->fd = copy;
    parcel->unread = bytes;
    memcpy(parcel->peer, stream->peer, sizeof parcel->peer);
    vl_stream_close(stream);
    return parcel;
}

struct vl_stream *
vl_stream_adopt(struct vl_loop *loop, struct vl_parcel *parcel)
{
    struct vl_stream *stream = vl_stream_of_socket(loop, parcel->fd);
    parcel->fd = -1; /* the stream's, or closed */
    if (stream) {
        memcpy(stream->peer, parcel->peer, sizeof stream->peer);
        vl_stream_keep(stream, &parcel->unread);
    }
    vl_parcel_free(parcel);
    return stream;
}

void
vl_parcel_free(struct vl_parcel *parcel)
{
    if (!parcel)
        return;
    vl_buf_done(&parcel->unread);
    if (parcel->fd >= 0)
        (void)close(parcel->fd);
    free(parcel);
}
