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
    struct vl_buf unread, raw;
    struct vl_secure *secure; /* TLS goes with it */
    char peer[INET6_ADDRSTRLEN];
};

static bool
can_move(const struct vl_stream *stream)
{
    return !stream->ended && !stream->broken && !stream->shut &&
           vl_stream_waiting(stream) == 0;
}

struct vl_parcel *
vl_stream_detach(struct vl_stream *stream, struct vl_str unread)
{
    uv_os_fd_t fd;
    if (!can_move(stream) || uv_fileno((uv_handle_t *)&stream->uv, &fd) != 0)
        return NULL;
    struct vl_parcel *parcel = vl_alloc(sizeof *parcel);
    parcel->fd = -1;
    parcel->secure = NULL;
    parcel->unread = vl_buf_of_secret(VL_STREAM_UNREAD_MAX);
    parcel->raw = vl_buf_of_secret(VL_STREAM_UNREAD_MAX);
    vl_buf_add(&parcel->unread, unread);
    vl_stream_kept(stream, &parcel->unread, &parcel->raw);
    if (!parcel->unread.failed && !parcel->raw.failed)
        parcel->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (parcel->fd < 0) {
        vl_parcel_free(parcel);
        return NULL;
    }
    memcpy(parcel->peer, stream->peer, sizeof parcel->peer);
    parcel->secure = stream->secure;
    stream->secure = NULL;
    if (parcel->secure)
        vl_secure_move(parcel->secure, NULL);
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
        vl_stream_keep_raw(stream, &parcel->raw);
    }
    if (stream && parcel->secure) {
        vl_secure_move(parcel->secure, stream);
        parcel->secure = NULL;
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
    vl_buf_done(&parcel->raw);
    vl_secure_free(parcel->secure);
    if (parcel->fd >= 0)
        (void)close(parcel->fd);
    free(parcel);
}
