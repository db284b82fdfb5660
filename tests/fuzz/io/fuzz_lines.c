/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes in pieces of any size, with pauses: the lines that arrive, and
 * those that are dropped, are those of a model that sees all bytes at once.
 */
#define _GNU_SOURCE /* pipe2 */
#include <unistd.h>

#include <fcntl.h>

#include "core/buf.h"
#include "io/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (1u << 20)

struct run {
    struct vl_loop *loop;
    struct vl_timer *soon;
    struct vl_lines *lines;
    struct vl_buf said; /* each line and its newline; '\n' alone: dropped */
    size_t line_max;
    bool ended;
};

static void
note_line(struct vl_str line, void *ctx)
{
    struct run *run = ctx;
    VL_ASSERT(!run->ended && line.n);
    vl_buf_add(&run->said, line);
    vl_buf_addc(&run->said, '\n');
}

static void
note_too_long(void *ctx)
{
    struct run *run = ctx;
    vl_buf_addc(&run->said, '\n');
}

static void
note_end(bool broken, void *ctx)
{
    struct run *run = ctx;
    VL_ASSERT(!broken && !run->ended);
    run->ended = true;
}

static void
expect(const struct run *run, struct vl_str rest, struct vl_buf *out)
{
    while (rest.n) {
        size_t at = vl_str_index(rest, '\n');
        struct vl_str line = vl_str_head(rest, at);
        rest = vl_str_from(rest, at + 1);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0)
            continue;
        if (line.n <= run->line_max)
            vl_buf_add(out, line);
        vl_buf_addc(out, '\n');
    }
}

/* It always runs, so that no step waits for ever. */
static void
tick(void *ctx)
{
    struct run *run = ctx;
    vl_timer_start(run->soon, 1);
}

static void
feed(struct run *run, struct vl_str bytes, size_t piece, int to)
{
    run->soon = vl_timer_new(run->loop, tick, run);
    tick(run);
    while (bytes.n) {
        struct vl_str head = vl_str_head(bytes, piece);
        ssize_t n = write(to, head.p, head.n);
        if (n > 0)
            bytes = vl_str_from(bytes, (size_t)n);
        vl_loop_step(run->loop);
    }
    (void)close(to);
    while (!run->ended)
        vl_loop_step(run->loop);
    vl_timer_free(run->soon);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    int ends[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    VL_ASSERT(pipe2(ends, O_CLOEXEC) == 0 && null >= 0);
    struct run run = {.said = vl_buf_of(OUT_MAX), .line_max = data[0]};
    size_t piece = 1 + data[1] % 32u * (1 + data[1] / 32u);
    const struct vl_lines_hooks hooks = {note_line, note_too_long, note_end,
                                         &run};
    struct vl_str bytes = vl_str_of(data + 2, size - 2);
    VL_ASSERT(vl_loop_new(&run.loop, NULL) == VALET_OK);
    VL_ASSERT(vl_lines_new(run.loop, ends[0], null, run.line_max, &hooks,
                           &run.lines, NULL) == VALET_OK);
    feed(&run, bytes, piece, ends[1]);
    vl_auto(vl_buf) wanted = vl_buf_of(OUT_MAX);
    expect(&run, bytes, &wanted);
    VL_ASSERT(vl_str_eq(vl_buf_str(&run.said), vl_buf_str(&wanted)));
    vl_buf_done(&run.said);
    vl_lines_free(run.lines);
    vl_loop_free(run.loop);
    (void)close(ends[0]);
    (void)close(null);
    return 0;
}
