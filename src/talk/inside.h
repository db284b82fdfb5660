/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of one endpoint share (endpoint.c is its life; one per server
 * and URL). The way of a request:
 *
 *     streamable.c  rules of Streamable HTTP
 *     http_sse.c    rules of HTTP+SSE
 *     arrival.c     what both ask of a request
 *     dispatch.c    methods                      (one per message)
 *     call.c        a tool at work               (one per tools/call)
 *     post.c        who is waiting for answers   (one per POST)
 *     stream.c      a stream that stays open     (at most one per session)
 */
#ifndef VL_TALK_INSIDE_H
#define VL_TALK_INSIDE_H

#include "mcp/catalog.h"
#include "mcp/rpc.h"
#include "mcp/task.h"
#include "mcp/thread.h"
#include "talk/endpoint.h"
#include "talk/session.h"

/* One answer, or one batch of answers. */
#define VL_MCP_ANSWER_MAX (8 * 1024 * 1024)
/* A buffer for reuse that grew beyond this is given back. */
#define VL_MCP_KEEP_MAX 65536
/* @spec HT-40: a tool that has not answered by then is given up, progress or
 * not. */
#define VL_MCP_CALL_MS 300000
/* How often is looked for sessions and calls that are too old, and for streams
 * whose token has expired. */
#define VL_MCP_SWEEP_MS 15000
#define VL_MCP_TEND_MS  1000
/* A call that takes longer than this begins its stream: so that its client can
 * come back for the answer, and no proxy in between gives up. */
#define VL_MCP_PRIME_MS 2000
/* Elements of a batch. */
#define VL_MCP_BATCH_MAX 64

/* Where a transport that has but one client writes what is for it. */
struct vl_mcp_line {
    void (*write)(struct vl_str json, void *ctx);
    bool (*is_slow)(void *ctx); /* what can be left out is */
    bool (*is_full)(void *ctx); /* what would make it grow is left out */
    void *ctx;
};

struct vl_mcp_endpoint {
    struct vl_mcp_server *server;
    const struct vl_mcp_hooks *hooks;
    const struct vl_clock *clock;
    struct vl_mcp_sessions sessions;
    struct vl_mcp_catalog catalog;
    const struct vl_keyring *ring; /* vl_mcp_endpoint_ring() */
    const char *resource;          /* for which it is sealed; or NULL */
    struct vl_keyring *own_ring;   /* the same, if nobody gave one */
    struct vl_mcp_gate *gate;      /* to this thread */
    struct vl_mcp_watcher watcher; /* of the server's changes */
    struct vl_mcp_line line;       /* of stdio */
    struct vl_list calls;          /* at work, the oldest first */
    struct vl_list spare_calls;    /* that have ended, for those to come */
    size_t spare_count;
    struct vl_list listeners; /* subscriptions/listen */
    struct vl_mcp_tasks tasks;
    struct vl_list streams;
    struct vl_list missed; /* sessions that have to be told something yet */
    struct vl_mcp_archive archive;
    struct vl_timer *sweeper;
    int64_t sweeping_ms; /* it runs with this; 0: it does not */
    bool closing;
    bool draining; /* nothing begins that stays open */
    /* For what is handed to the HTTP server (which copies) at once. */
    struct vl_buf scratch, frame;
};

/* What seals requestState. One of the endpoint's own is made when it is first
 * needed: a server that asks nothing back does without OpenSSL, which takes 2
 * MB of memory when it is begun. */
const struct vl_keyring *vl_mcp_endpoint_ring(struct vl_mcp_endpoint *endpoint);
/* The scratch buffer, emptied. */
struct vl_buf *vl_mcp_scratch(struct vl_mcp_endpoint *endpoint);
/* Starts the sweeper, if it is not running, or too slowly. */
void vl_mcp_endpoint_wake(struct vl_mcp_endpoint *endpoint);
/* What it does, each time: gives up and forgets what is too old. */
void vl_mcp_endpoint_sweep(struct vl_mcp_endpoint *endpoint);
void vl_mcp_endpoint_note(const struct vl_mcp_endpoint *endpoint,
                          const struct vl_mcp_note *note);
void vl_mcp_endpoint_note_session(const struct vl_mcp_endpoint *endpoint,
                                  enum vl_mcp_happening what,
                                  const struct vl_principal *principal,
                                  const char *reason, const char *peer);

#endif
