/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of one line each over two descriptors, as a program has them for
 * its standard input and output. They may be pipes, sockets, terminals,
 * files or /dev/null, one and the same, and shared with other processes: what
 * those see of them does not change (lines.c says how).
 *
 * Who does not read what we write is not read either: lines stop coming while
 * more than VL_LIMIT_STREAM_HIGH bytes wait.
 */
#ifndef VL_IO_LINES_H
#define VL_IO_LINES_H

#include "core/str.h"
#include "io/loop.h"

struct vl_lines;

struct vl_lines_hooks {
    /* A line without its end (LF or CRLF), never an empty one; borrowed until
     * the hook returns. The last one of the input may lack its end. */
    void (*line)(struct vl_str line, void *ctx);
    /* A line of more than the maximum began, and is dropped up to its end.
     * NULL: nobody is told. */
    void (*too_long)(void *ctx);
    /* Once: no lines come any more. `broken`: the output takes nothing any
     * more, or the input could not be read. Else the input is at its end, and
     * what is written still goes out. */
    void (*end)(bool broken, void *ctx);
    void *ctx;
};

/* The descriptors stay the caller's, who may close them at once: lines have
 * their own, which vl_lines_free() closes. A line holds at most `line_max`
 * bytes, its end not counted. */
valet_status vl_lines_new(struct vl_loop *loop, int in, int out,
                          size_t line_max, const struct vl_lines_hooks *hooks,
                          struct vl_lines **ret, valet_error *err) VALET_CHECK;
/*
 * Queues a line, which has no newline in it, and its newline. All that is
 * queued in one turn of the loop is written at once. False when more than
 * VL_LIMIT_STREAM_HIGH bytes wait. Once the output is broken, or after
 * vl_lines_finish(), it is dropped.
 */
bool vl_lines_write(struct vl_lines *lines, struct vl_str line);
size_t vl_lines_waiting(const struct vl_lines *lines);
/* Reads no more, calls no hook any more, and writes what waits for at most
 * `ms`; then `done`, once, with whether all was written. It is still to be
 * freed. */
void vl_lines_finish(struct vl_lines *lines, int64_t ms,
                     void (*done)(bool all, void *ctx), void *ctx);
/* At once, whatever waits. NULL is fine. */
void vl_lines_free(struct vl_lines *lines);

#endif
