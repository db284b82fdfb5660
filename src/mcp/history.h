/* SPDX-License-Identifier: Apache-2.0
 *
 * What was sent on the event streams of a session, for a client that lost one
 * and asks for the rest by Last-Event-ID (@spec HT-24 HT-25 HT-26). An event's
 * id is "STREAM-NUMBER"; both count from 1, so an id is of one stream alone.
 * All sessions of an endpoint share one budget: the oldest events go first.
 */
#ifndef VL_MCP_HISTORY_H
#define VL_MCP_HISTORY_H

#include "core/list.h"
#include "core/str.h"

/* "4294967295-4294967295" */
#define VL_MCP_EVENT_ID_SIZE 22

struct vl_mcp_event_id {
    unsigned stream, number;
};
bool vl_mcp_event_id_parse(struct vl_str text, struct vl_mcp_event_id *ret);
void vl_mcp_event_id_write(struct vl_mcp_event_id id,
                           char ret[VL_MCP_EVENT_ID_SIZE]);

struct vl_mcp_history {
    struct vl_list events;
    size_t size;      /* bytes of all, with what keeping them costs */
    unsigned streams; /* of POSTs, begun so far */
    unsigned gets;    /* streams of GETs, likewise */
};

/* What the histories of one endpoint hold together. */
struct vl_mcp_archive {
    struct vl_list events; /* the oldest first */
    size_t size;
};

void vl_mcp_history_init(struct vl_mcp_history *history);
void vl_mcp_history_done(struct vl_mcp_history *history);
void vl_mcp_archive_init(struct vl_mcp_archive *archive);

/* Keeps a copy of one message, unless it alone is too long; `now` is
 * vl_mono_now(). */
void
vl_mcp_history_keep(struct vl_mcp_history *history,
                    struct vl_mcp_archive *archive, struct vl_mcp_event_id id,
                    struct vl_str json, int64_t now);
/* Calls `send` for what came after `last` on its stream, in order. */
void vl_mcp_history_replay(const struct vl_mcp_history *history,
                           struct vl_mcp_event_id last,
                           void (*send)(struct vl_mcp_event_id id,
                                        struct vl_str json, void *ctx),
                           void *ctx);
/* Drops what was kept before this moment. */
void vl_mcp_archive_sweep(struct vl_mcp_archive *archive, int64_t before);

#endif
