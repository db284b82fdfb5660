/* SPDX-License-Identifier: Apache-2.0
 *
 * An event stream in one piece and in pieces that the input chooses: the same
 * events, the same end, and nothing longer than its maximum.
 */
#include "http/event_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX     ((size_t)200)
#define OUT_MAX ((size_t)1 << 20)

struct run {
    struct vl_buf *out;
    bool stopped;
};

static bool
note(const struct vl_event *event, void *ctx)
{
    struct run *run = ctx;
    struct vl_buf *out = run->out;
    VL_ASSERT(event->name.n && event->name.n <= MAX && event->data.n <= MAX &&
              event->id.n <= MAX);
    VL_ASSERT(!vl_str_has(event->id, '\0') && !vl_str_has(event->data, '\r'));
    VL_ASSERT(vl_str_is_utf8(event->data));
    vl_buf_add(out, event->name);
    vl_buf_addc(out, '|');
    vl_buf_add(out, event->data);
    vl_buf_addc(out, '|');
    vl_buf_add(out, event->id);
    vl_buf_addz(out, event->has_id ? "+\r" : "-\r");
    run->stopped = vl_str_eqz(event->name, "last");
    return !run->stopped;
}

/* In a piece of `first` bytes, and then of `step`, until an event is the last
 * that is wanted. */
static void
run(struct vl_str stream, size_t first, size_t step, struct vl_buf *out)
{
    struct vl_event_reader reader;
    struct run run = {out, false};
    valet_status status = VALET_OK;
    vl_event_reader_init(&reader, MAX);
    for (size_t n = first; stream.n && status == VALET_OK && !run.stopped;) {
        status = vl_event_reader_take(&reader, vl_str_head(stream, n), note,
                                      &run, NULL);
        stream = vl_str_from(stream, n);
        n = step;
    }
    vl_buf_addf(out, "%d %lld ", (int)status, (long long)reader.retry_ms);
    vl_buf_add(out, vl_buf_str(&reader.id));
    vl_event_reader_done(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 2, 3, 7, 64};
    vl_auto(vl_buf) whole = vl_buf_of(OUT_MAX);
    if (size == 0 || size > 65536)
        return 0;
    struct vl_str stream = vl_str_of(data + 1, size - 1);
    run(stream, SIZE_MAX, 1, &whole);
    for (size_t i = 0; i < VL_COUNT(steps); i++) {
        vl_auto(vl_buf) pieces = vl_buf_of(OUT_MAX);
        run(stream, data[0], steps[i], &pieces);
        VL_ASSERT(vl_str_eq(vl_buf_str(&whole), vl_buf_str(&pieces)));
    }
    return 0;
}
