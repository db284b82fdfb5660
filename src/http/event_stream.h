/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading an event stream (server-sent events; WHATWG HTML, "9.2.6
 * Interpreting an event stream"), as it comes in pieces.
 */
#ifndef VL_HTTP_EVENT_STREAM_H
#define VL_HTTP_EVENT_STREAM_H

#include "core/buf.h"

/* Borrowed for the call. */
struct vl_event {
    struct vl_str name; /* "message" where none was said */
    struct vl_str data; /* lines joined by LF, without the last one */
    struct vl_str id; /* the last one that was said on this stream, or empty */
    bool has_id;      /* it was said in this event */
};

/* To be read: `id` and `retry_ms`. */
struct vl_event_reader {
    struct vl_buf id; /* of the last event that was complete, and said one */
    int64_t retry_ms; /* the last one that was said; -1: none was */
    struct vl_buf line, data, name, next_id; /* half read */
    bool has_data, has_id, after_cr, began;
};

/* No line, and no event's data, has more than `max` bytes. */
void vl_event_reader_init(struct vl_event_reader *reader, size_t max);
void vl_event_reader_done(struct vl_event_reader *reader);
/* A new connection of the same stream: what is half read is forgotten, `id`
 * and `retry_ms` stay. */
void vl_event_reader_restart(struct vl_event_reader *reader);
/*
 * Calls `event` for each event that is complete, with or without data (one
 * with an id alone is how a server begins a stream that can be resumed), until
 * it returns false: then the rest is not read, and the reader, which may be
 * gone, not touched. VALET_LIMIT: a line or its data is too long,
 * VALET_INVALID: no UTF-8; the stream cannot be read any further.
 */
valet_status
vl_event_reader_take(struct vl_event_reader *reader, struct vl_str bytes,
                     bool (*event)(const struct vl_event *event, void *ctx),
                     void *ctx, valet_error *err) VALET_CHECK;

#endif
