/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes from a server, made into messages: an event stream, or one JSON
 * value. Without a network: bytes in, messages out.
 */
#ifndef VL_REMOTE_ANSWER_H
#define VL_REMOTE_ANSWER_H

#include "http/event_stream.h"

/* One message, or batch: all that a server of ours would answer, and so all
 * that is believed of another. */
#define VL_REMOTE_MESSAGE_MAX ((size_t)8 * 1024 * 1024)

struct vl_answer;

struct vl_answer_sink {
    /* JSON on one line; borrowed. */
    void (*message)(struct vl_str json, void *ctx);
    /* Every event, before its message if it has one. NULL: nobody is told. */
    void (*event)(const struct vl_event *event, void *ctx);
    /* A message that is none is passed over; else it is the end. */
    bool is_lenient;
    void *ctx;
};

/* One after the other, for whoever has to resume: what the last event stream
 * said about that (id, retry) stays known. */
struct vl_answer *vl_answer_new(const struct vl_answer_sink *sink);
/* Also from its own sink. NULL is fine. */
void vl_answer_free(struct vl_answer *answer);

enum vl_answer_kind {
    VL_ANSWER_NOTHING, /* whatever comes is not looked at */
    VL_ANSWER_JSON,
    VL_ANSWER_EVENTS,
    VL_ANSWER_OTHER, /* fine only if nothing comes */
    VL_ANSWER_KIND_COUNT
};
/* Of a 2xx; the type is {NULL,0} where none was said. */
enum vl_answer_kind vl_answer_kind_of(int status, struct vl_str content_type);
void vl_answer_begin(struct vl_answer *answer, enum vl_answer_kind kind);
/*
 * Both: VALET_CANCELLED when the answer was freed meanwhile: then nothing of
 * its owner may be touched. VALET_LIMIT: a message is too long;
 * VALET_INTERNAL: it is none.
 */
valet_status vl_answer_take(struct vl_answer *answer, struct vl_str bytes,
                            valet_error *err) VALET_CHECK;
valet_status
vl_answer_end(struct vl_answer *answer, valet_error *err) VALET_CHECK;

/* The id to resume with, borrowed; empty: there is none that can be sent. */
struct vl_str vl_answer_last_id(const struct vl_answer *answer);
/* How long the server wants to be left alone before; -1: it did not say. */
int64_t vl_answer_retry_ms(const struct vl_answer *answer);
/* What was known of an event stream is forgotten. */
void vl_answer_forget(struct vl_answer *answer);

/*
 * One JSON object, or array, on one line: of `text` itself if it is on one,
 * else written anew into `scratch`. VALET_INTERNAL: it is none.
 */
valet_status vl_message_line(struct vl_str text, struct vl_buf *scratch,
                             struct vl_str *ret, valet_error *err) VALET_CHECK;

#endif
