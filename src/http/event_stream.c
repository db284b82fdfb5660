/* SPDX-License-Identifier: Apache-2.0 */
#include "http/event_stream.h"

#include "core/status.h"

/* What one long event needed is not kept for the short ones after it. */
#define KEPT 65536

typedef bool tell(const struct vl_event *event, void *ctx);

void
vl_event_reader_init(struct vl_event_reader *reader, size_t max)
{
    *reader = (struct vl_event_reader){
        .id = vl_buf_of(max),
        .retry_ms = -1,
        .line = vl_buf_of(max),
        .data = vl_buf_of(max),
        .name = vl_buf_of(max),
        .next_id = vl_buf_of(max),
    };
}

void
vl_event_reader_done(struct vl_event_reader *reader)
{
    vl_buf_done(&reader->id);
    vl_buf_done(&reader->line);
    vl_buf_done(&reader->data);
    vl_buf_done(&reader->name);
    vl_buf_done(&reader->next_id);
}

static void
empty(struct vl_buf *buf)
{
    if (buf->cap > KEPT)
        vl_buf_done(buf);
    vl_buf_clear(buf);
}

static void
begin_event(struct vl_event_reader *reader)
{
    empty(&reader->data);
    vl_buf_clear(&reader->name);
    reader->has_data = reader->has_id = false;
}

void
vl_event_reader_restart(struct vl_event_reader *reader)
{
    begin_event(reader);
    empty(&reader->line);
    reader->after_cr = reader->began = false;
}

/* --- fields --- */

static void
set(struct vl_buf *buf, struct vl_str value)
{
    vl_buf_clear(buf);
    vl_buf_add(buf, value);
}

static void
add_data(struct vl_event_reader *reader, struct vl_str value)
{
    if (reader->has_data)
        vl_buf_addc(&reader->data, '\n');
    vl_buf_add(&reader->data, value);
    reader->has_data = true;
}

/* Digits alone; what no timer can wait for is the longest that one can. */
static void
set_retry(struct vl_event_reader *reader, struct vl_str value)
{
    uint64_t ms = INT32_MAX;
    for (size_t i = 0; i < value.n; i++)
        if (!vl_is_digit(value.p[i]))
            return;
    if (value.n == 0)
        return;
    if (!vl_str_u64(value, INT32_MAX, &ms))
        ms = INT32_MAX;
    reader->retry_ms = (int64_t)ms;
}

static void
take_field(struct vl_event_reader *reader, struct vl_str line)
{
    size_t colon = vl_str_index(line, ':');
    struct vl_str name = vl_str_head(line, colon);
    struct vl_str value = vl_str_from(line, colon + 1);
    if (vl_str_starts(value, VL_STR(" ")))
        value = vl_str_from(value, 1);
    if (vl_str_eqz(name, "data")) {
        add_data(reader, value);
    } else if (vl_str_eqz(name, "event")) {
        set(&reader->name, value);
    } else if (vl_str_eqz(name, "id") && !vl_str_has(value, '\0')) {
        set(&reader->next_id, value);
        reader->has_id = true;
    } else if (vl_str_eqz(name, "retry")) {
        set_retry(reader, value);
    }
}

/* --- events --- */

/* False when no more are wanted. */
static bool
end_event(struct vl_event_reader *reader, tell *event, void *ctx)
{
    if (reader->has_id)
        set(&reader->id, vl_buf_str(&reader->next_id));
    struct vl_event e = {
        .name = vl_buf_size(&reader->name) ? vl_buf_str(&reader->name)
                                           : VL_STR("message"),
        .data = vl_buf_str(&reader->data),
        .id = vl_buf_str(&reader->id),
        .has_id = reader->has_id,
    };
    if ((reader->has_data || reader->has_id) && !event(&e, ctx))
        return false;
    begin_event(reader);
    return true;
}

/* *ret_more: as event() says. */
static valet_status
take_line(struct vl_event_reader *reader, struct vl_str line, tell *event,
          void *ctx, bool *ret_more, valet_error *err)
{
    if (!reader->began && vl_str_starts(line, VL_STR("\xef\xbb\xbf")))
        line = vl_str_from(line, 3);
    reader->began = true;
    *ret_more = true;
    if (!vl_str_is_utf8(line))
        return vl_fail(err, VALET_INVALID, "", "the event stream is no UTF-8");
    if (line.n == 0)
        *ret_more = end_event(reader, event, ctx);
    else if (line.p[0] != ':')
        take_field(reader, line);
    if (*ret_more && reader->data.failed)
        return vl_fail(err, VALET_LIMIT, "", "an event is too long");
    return VALET_OK;
}

/* Of the first CR or LF, or s.n. */
static size_t
find_end(struct vl_str s)
{
    return vl_str_index(vl_str_head(s, vl_str_index(s, '\n')), '\r');
}

valet_status
vl_event_reader_take(struct vl_event_reader *reader, struct vl_str bytes,
                     bool (*event)(const struct vl_event *event, void *ctx),
                     void *ctx, valet_error *err)
{
    bool more = true;
    while (more && bytes.n) {
        if (reader->after_cr && bytes.p[0] == '\n') {
            reader->after_cr = false;
            bytes = vl_str_from(bytes, 1);
            continue;
        }
        reader->after_cr = false;
        size_t end = find_end(bytes);
        struct vl_str line = vl_str_head(bytes, end);
        /* Most lines come whole, and are read where they are. */
        bool is_whole = end < bytes.n && vl_buf_size(&reader->line) == 0;
        if (!is_whole)
            vl_buf_add(&reader->line, line);
        if (reader->line.failed || line.n > reader->line.max)
            return vl_fail(err, VALET_LIMIT, "",
                           "a line of the event stream is too long");
        if (end == bytes.n)
            return VALET_OK;
        reader->after_cr = bytes.p[end] == '\r';
        bytes = vl_str_from(bytes, end + 1);
        struct vl_buf joined = {.max = 0};
        if (!is_whole) {
            joined = vl_buf_take(&reader->line);
            line = vl_buf_str(&joined);
        }
        valet_status status = take_line(reader, line, event, ctx, &more, err);
        vl_buf_done(&joined);
        VL_TRY(status);
    }
    return VALET_OK;
}
