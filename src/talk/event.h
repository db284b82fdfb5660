/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events (HTML Living Standard, 9.2.6): the bytes of one event,
 * and the head of an answer that is a stream of them.
 */
#ifndef VL_TALK_EVENT_H
#define VL_TALK_EVENT_H

#include "http/server.h"
#include "talk/inside.h"

/* No event: bytes that readers skip. */
extern const struct vl_str vl_mcp_comment;

struct vl_mcp_event {
    const char *id;   /* NULL: none */
    const char *name; /* NULL: none, which readers take for "message" */
    struct vl_str data;
    int64_t retry_ms; /* when to come back; 0: not said */
};
/* In the endpoint's frame buffer, until the next one. The data is on one line:
 * so is all JSON of ours, since the writer escapes breaks. */
struct vl_str vl_mcp_event_write(struct vl_mcp_endpoint *endpoint,
                                 const struct vl_mcp_event *event);
/* Starts the stream, with these bytes as its first. `session` is NULL or a new
 * one's id. */
void vl_mcp_events_start(struct vl_exchange *x, struct vl_str first,
                         const char *session);

#endif
