/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for a descriptor on a loop wants O_NONBLOCK, which belongs to the
 * open file description: a shell that shares its terminal with us, and the
 * `cat` behind us in a pipe, would have it too and fail. So, by what it is:
 *
 *   pipe, terminal   opened once more by its name in /proc: a description of
 *                    our own
 *   socket           cannot be opened; each call says that it does not wait
 *   file, /dev/null  nothing to wait for: read a piece a turn of the loop
 *   else             (a named pipe, or no /proc) O_NONBLOCK is set, and taken
 *                    back at the end
 *
 * Memory: one line at most, what a read brought while too much waits to be
 * written, and the queue.
 */
#include "io/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/status.h"
#include "io/handle.h"

/* Callers stop at the high mark; this only keeps sums from wrapping. */
#define QUEUE_MAX (SIZE_MAX / 4)
/* A queue that was longer gives its memory back when it is empty. */
#define QUEUE_KEPT 65536

struct channel {
    int fd; /* of our own */
    bool is_socket;
    bool restores;          /* O_NONBLOCK is ours to take back */
    struct vl_watch *watch; /* NULL: nothing to wait for */
    int watched;
};

struct vl_lines {
    struct vl_handle handle;
    uv_idle_t turn; /* active while there is something to do without waiting */
    struct vl_loop *loop;
    struct channel in, out;
    struct vl_lines_hooks hooks;
    size_t line_max;
    struct vl_buf part;  /* the beginning of a line */
    struct vl_buf kept;  /* read, and not looked at yet */
    struct vl_buf queue; /* to be written */
    bool skipping;       /* up to the end of a line that is too long */
    bool busy;           /* settle() comes anyway */
    bool blocked;        /* the output takes nothing now */
    bool broken;         /* the output, for ever */
    bool over;           /* the input is at its end, or cannot be read: */
    bool failed;
    bool ended;    /* hooks.end was called, or is not to be called */
    bool finished; /* vl_lines_finish() was called */
    struct vl_timer *deadline;
    void (*done)(bool all, void *ctx);
    void *done_ctx;
};

/* --- descriptors --- */

/* Is opening it once more the same thing again? */
static bool
can_reopen(int fd, int access, const struct stat *st)
{
    struct statfs fs;
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE, number;
    if (mode != O_RDWR && mode != access)
        return false;
    /* A named pipe whose writers have gone would never tell its end. */
    if (S_ISFIFO(st->st_mode))
        return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
    /* To open the master of a terminal makes another terminal. */
    return isatty(fd) && ioctl(fd, TIOCGPTN, &number) != 0;
}

static int
own_descriptor(int fd, int access, const struct stat *st)
{
    char name[32];
    int own = -1;
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (can_reopen(fd, access, st))
        own = open(name, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    /* Else a second number: a loop watches each but once, and the input may
     * be the output. */
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static valet_status
open_channel(struct channel *channel, int fd, int access, valet_error *err)
{
    struct stat st;
    *channel = (struct channel){.fd = -1};
    if (fstat(fd, &st) == 0)
        channel->fd = own_descriptor(fd, access, &st);
    if (channel->fd < 0)
        return vl_fail(err, VALET_INVALID, "", "cannot use descriptor %d: %s",
                       fd, strerror(errno));
    channel->is_socket = S_ISSOCK(st.st_mode);
    return VALET_OK;
}

static void
watch_channel(struct channel *channel, struct vl_loop *loop,
              void (*fire)(int events, void *ctx), void *ctx)
{
    int flags = fcntl(channel->fd, F_GETFL);
    channel->watch = vl_watch_new(loop, channel->fd, fire, ctx);
    if (!channel->watch || flags < 0 || (flags & O_NONBLOCK))
        return;
    /* libuv has set it. */
    if (channel->is_socket)
        (void)fcntl(channel->fd, F_SETFL, flags);
    else
        channel->restores = true;
}

static void
set_channel(struct channel *channel, int events)
{
    if (!channel->watch || channel->watched == events)
        return;
    channel->watched = events;
    vl_watch_set(channel->watch, events);
}

static void
close_channel(struct channel *channel)
{
    vl_watch_free(channel->watch);
    channel->watch = NULL;
    if (channel->restores)
        (void)fcntl(channel->fd, F_SETFL,
                    fcntl(channel->fd, F_GETFL) & ~O_NONBLOCK);
    if (channel->fd >= 0)
        (void)close(channel->fd);
    channel->fd = -1;
}

static ssize_t
receive_some(const struct channel *channel, char *room, size_t size)
{
    ssize_t n;
    do {
        n = channel->is_socket ? recv(channel->fd, room, size, MSG_DONTWAIT)
                               : read(channel->fd, room, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t
send_some(const struct channel *channel, struct vl_str s)
{
    ssize_t n;
    do {
        n = channel->is_socket
                ? send(channel->fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL)
                : write(channel->fd, s.p, s.n);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* --- what is to be done, and when --- */

static bool
is_closed(const struct vl_lines *lines)
{
    return uv_is_closing((const uv_handle_t *)&lines->turn) != 0;
}

static bool
takes_lines(const struct vl_lines *lines)
{
    return !is_closed(lines) && !lines->over && !lines->ended &&
           !lines->broken && vl_buf_size(&lines->queue) <= VL_LIMIT_STREAM_HIGH;
}

static bool
tells_end(const struct vl_lines *lines)
{
    return !lines->ended && (lines->broken || lines->over);
}

static void on_turn(uv_idle_t *turn);

static void
arrange(struct vl_lines *lines)
{
    if (is_closed(lines) || lines->busy)
        return;
    bool reads = takes_lines(lines);
    bool has_kept = vl_buf_size(&lines->kept) > 0;
    bool has_queue = vl_buf_size(&lines->queue) > 0;
    set_channel(&lines->in, reads && !has_kept ? VL_WATCH_READ : 0);
    set_channel(&lines->out, lines->blocked ? VL_WATCH_WRITE : 0);
    if ((reads && (has_kept || !lines->in.watch)) ||
        (has_queue && !lines->blocked) || tells_end(lines) ||
        (!has_queue && lines->done))
        (void)uv_idle_start(&lines->turn, on_turn);
    else
        (void)uv_idle_stop(&lines->turn);
}

/* --- writing --- */

static void
break_output(struct vl_lines *lines)
{
    lines->broken = true;
    lines->blocked = false;
    vl_buf_done(&lines->queue);
}

static void
flush(struct vl_lines *lines)
{
    while (vl_buf_size(&lines->queue) > 0 && !lines->blocked) {
        ssize_t n = send_some(&lines->out, vl_buf_str(&lines->queue));
        if (n > 0)
            vl_buf_consume(&lines->queue, (size_t)n);
        else if (n == 0 || errno != EAGAIN || !lines->out.watch)
            break_output(lines);
        /* It took a part: the rest would only hear EAGAIN. */
        lines->blocked = lines->out.watch && vl_buf_size(&lines->queue) > 0;
    }
    if (vl_buf_size(&lines->queue) == 0 && lines->queue.cap > QUEUE_KEPT)
        vl_buf_done(&lines->queue);
}

static void
finish(struct vl_lines *lines, bool all)
{
    void (*done)(bool all, void *ctx) = lines->done;
    lines->done = NULL;
    vl_timer_free(lines->deadline);
    lines->deadline = NULL;
    done(all, lines->done_ctx);
}

/* Ends each turn: writes what it brought, and tells what that came to. */
static void
settle(struct vl_lines *lines)
{
    if (is_closed(lines))
        return;
    flush(lines);
    if (tells_end(lines)) {
        lines->ended = true;
        lines->hooks.end(lines->broken || lines->failed, lines->hooks.ctx);
    }
    if (!is_closed(lines) && lines->done && vl_buf_size(&lines->queue) == 0)
        finish(lines, !lines->broken);
    lines->busy = false;
    arrange(lines);
}

static void
on_writable(int events, void *ctx)
{
    struct vl_lines *lines = ctx;
    (void)events;
    lines->busy = true;
    lines->blocked = false;
    settle(lines);
}

/* @spec ST-01 */
bool
vl_lines_write(struct vl_lines *lines, struct vl_str line)
{
    VL_ASSERT(!vl_str_has(line, '\n'));
    if (lines->broken || lines->finished || is_closed(lines))
        return true;
    vl_buf_add(&lines->queue, line);
    vl_buf_addc(&lines->queue, '\n');
    if (lines->queue.failed)
        break_output(lines); /* half a line must not go out */
    arrange(lines);
    return vl_buf_size(&lines->queue) <= VL_LIMIT_STREAM_HIGH;
}

size_t
vl_lines_waiting(const struct vl_lines *lines)
{
    return vl_buf_size(&lines->queue);
}

/* --- reading --- */

static void
drop_line(struct vl_lines *lines)
{
    if (lines->hooks.too_long)
        lines->hooks.too_long(lines->hooks.ctx);
}

static void
give_line(struct vl_lines *lines, struct vl_str line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n > lines->line_max)
        drop_line(lines);
    else if (line.n)
        lines->hooks.line(line, lines->hooks.ctx);
}

static void
add_part(struct vl_lines *lines, struct vl_str piece)
{
    if (lines->skipping)
        return;
    vl_buf_add(&lines->part, piece);
    if (!lines->part.failed)
        return;
    vl_buf_done(&lines->part);
    lines->skipping = true;
    drop_line(lines);
}

/* The line is the callee's, so that hooks may free whatever they want. */
static void
give_part(struct vl_lines *lines)
{
    vl_auto(vl_buf) line = vl_buf_take(&lines->part);
    give_line(lines, vl_buf_str(&line));
}

/* Takes what there is of one line, and says how much that was. */
static size_t
take_line(struct vl_lines *lines, struct vl_str bytes)
{
    size_t at = vl_str_index(bytes, '\n');
    struct vl_str piece = vl_str_head(bytes, at);
    bool is_one = !lines->skipping && vl_buf_size(&lines->part) == 0;
    if (at == bytes.n) {
        add_part(lines, piece);
        return at;
    }
    if (is_one) {
        give_line(lines, piece);
        return at + 1;
    }
    add_part(lines, piece);
    if (!lines->skipping)
        give_part(lines);
    lines->skipping = false;
    return at + 1;
}

/* Between two lines: more of them only if the answers get out. */
static bool
goes_on(struct vl_lines *lines)
{
    if (vl_buf_size(&lines->queue) > VL_LIMIT_STREAM_HIGH && !is_closed(lines))
        flush(lines);
    return takes_lines(lines);
}

static void
take_chunk(struct vl_lines *lines, struct vl_str chunk)
{
    while (chunk.n && goes_on(lines))
        chunk = vl_str_from(chunk, take_line(lines, chunk));
    if (chunk.n && !is_closed(lines))
        vl_buf_add(&lines->kept, chunk);
    /* Without memory there would be a gap in what comes after. */
    if (lines->kept.failed)
        lines->over = lines->failed = true;
}

static void
take_kept(struct vl_lines *lines)
{
    while (vl_buf_size(&lines->kept) > 0 && goes_on(lines))
        vl_buf_consume(&lines->kept,
                       take_line(lines, vl_buf_str(&lines->kept)));
    if (vl_buf_size(&lines->kept) == 0)
        vl_buf_done(&lines->kept);
}

static void
take_end(struct vl_lines *lines, bool failed)
{
    lines->over = true;
    lines->failed = failed;
    if (!failed && vl_buf_size(&lines->part) > 0)
        give_part(lines);
}

static void
read_some(struct vl_lines *lines)
{
    char *room = lines->loop->read;
    ssize_t n = receive_some(&lines->in, room, VL_IO_READ_SIZE);
    if (n > 0)
        take_chunk(lines, vl_str_of(room, (size_t)n));
    else if (n == 0 || errno != EAGAIN)
        take_end(lines, n < 0);
}

static void
on_readable(int events, void *ctx)
{
    struct vl_lines *lines = ctx;
    (void)events;
    lines->busy = true;
    if (takes_lines(lines))
        read_some(lines);
    settle(lines);
}

static void
on_turn(uv_idle_t *turn)
{
    struct vl_lines *lines = turn->data;
    lines->busy = true;
    take_kept(lines);
    if (!lines->in.watch && vl_buf_size(&lines->kept) == 0 && goes_on(lines))
        read_some(lines);
    settle(lines);
}

/* --- life --- */

static void
on_deadline(void *ctx)
{
    struct vl_lines *lines = ctx;
    flush(lines); /* it may not have been tried yet */
    finish(lines, !lines->broken && vl_buf_size(&lines->queue) == 0);
}

void
vl_lines_finish(struct vl_lines *lines, int64_t ms,
                void (*done)(bool all, void *ctx), void *ctx)
{
    VL_ASSERT(!lines->finished);
    lines->finished = lines->ended = true;
    lines->done = done;
    lines->done_ctx = ctx;
    lines->deadline = vl_timer_new(lines->loop, on_deadline, lines);
    vl_timer_start(lines->deadline, ms);
    arrange(lines);
}

/* Not before: a hook that frees us may still look at its line. */
static void
on_closed(uv_handle_t *turn)
{
    struct vl_lines *lines = turn->data;
    vl_buf_done(&lines->part);
    vl_buf_done(&lines->kept);
    vl_buf_done(&lines->queue);
    free(lines);
}

void
vl_lines_free(struct vl_lines *lines)
{
    if (!lines || is_closed(lines))
        return;
    vl_timer_free(lines->deadline);
    close_channel(&lines->in);
    close_channel(&lines->out);
    uv_close((uv_handle_t *)&lines->turn, on_closed);
}

static void
close_handle(struct vl_handle *handle)
{
    vl_lines_free(VL_CONTAINER(handle, struct vl_lines, handle));
}

valet_status
vl_lines_new(struct vl_loop *loop, int in, int out, size_t line_max,
             const struct vl_lines_hooks *hooks, struct vl_lines **ret,
             valet_error *err)
{
    struct channel reads, writes;
    VL_TRY(open_channel(&reads, in, O_RDONLY, err));
    valet_status status = open_channel(&writes, out, O_WRONLY, err);
    if (status != VALET_OK) {
        close_channel(&reads);
        return status;
    }
    struct vl_lines *lines = vl_alloc(sizeof *lines);
    *lines = (struct vl_lines){.loop = loop,
                               .in = reads,
                               .out = writes,
                               .hooks = *hooks,
                               .line_max = line_max};
    /* Messages may carry tokens. The part may end in a CR that does not count.
     */
    lines->part = vl_buf_of_secret(line_max + 1);
    lines->kept = vl_buf_of_secret(VL_IO_READ_SIZE);
    lines->queue = vl_buf_of_secret(QUEUE_MAX);
    VL_ASSERT(uv_idle_init(&loop->uv, &lines->turn) == 0);
    vl_handle_own(&lines->handle, (uv_handle_t *)&lines->turn, close_handle);
    watch_channel(&lines->in, loop, on_readable, lines);
    watch_channel(&lines->out, loop, on_writable, lines);
    arrange(lines);
    *ret = lines;
    return VALET_OK;
}
