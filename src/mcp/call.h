/* SPDX-License-Identifier: Apache-2.0
 *
 * One tools/call at work. It belongs to the tool until valet_mcp_finish();
 * nobody else frees it. That it was cancelled, that its session ended or that
 * the client hung up only means that nobody waits for the result any more
 * (@spec HT-20: a lost connection alone does not even cancel).
 */
#ifndef VL_MCP_CALL_H
#define VL_MCP_CALL_H

#include "mcp/busy.h"
#include "mcp/post.h"

/* An argument text after it was written anew. */
#define VL_MCP_ARGUMENTS_MAX (2 * 1024 * 1024)
/* Addresses with a scope id fit. */
#define VL_MCP_PEER_SIZE 64

struct vl_mcp_call {
    struct vl_list in_session, in_endpoint;
    struct vl_mcp_endpoint *endpoint; /* NULL: it has been freed */
    struct vl_mcp_session *session;   /* NULL: it has ended */
    struct vl_mcp_post *post;         /* NULL: nobody waits */
    struct vl_mcp_busy *busy;
    const struct vl_mcp_tool *tool;
    struct vl_principal principal;
    enum vl_mcp_version version;
    char correlation[VL_UUID_SIZE];
    char peer[VL_MCP_PEER_SIZE];
    struct vl_buf id, arguments; /* JSON */
    struct vl_buf token;         /* of progress: JSON, or empty */
    int64_t started;             /* vl_mono_now() */
    double progress;
    bool cancelled;
    void (*on_cancel)(struct vl_mcp_call *call, void *ctx);
    void *cancel_ctx;
};

/* What a call is made of; all borrowed. */
struct vl_mcp_call_order {
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_session *session;
    struct vl_mcp_post *post; /* the call takes over one hold of it */
    const struct vl_mcp_tool *tool;
    const struct vl_principal *principal;
    struct vl_rpc_id id;
    const struct json_t *arguments, *token; /* or NULL */
};

/* VALET_LIMIT when the arguments are too long, VALET_RETRY when the person has
 * too many calls at work: then nothing has happened and the hold is still the
 * caller's. Otherwise the tool runs, and may have
 * finished (and the exchange be answered) when this returns. */
valet_status
vl_mcp_call_start(const struct vl_mcp_call_order *order) VALET_CHECK;
/* The `content` of a result: one text. */
void vl_mcp_call_add_content(struct vl_json_out *out, const char *text);
/* One at work with this id, or NULL. */
struct vl_mcp_call *
vl_mcp_call_find(const struct vl_mcp_session *session, struct vl_rpc_id id);

enum vl_mcp_cancel {
    VL_MCP_CANCEL_BY_CLIENT,
    VL_MCP_CANCEL_SESSION_ENDED,
    VL_MCP_CANCEL_TOO_LATE,
    VL_MCP_CANCEL_CLOSING,
};
/* Answers whoever waits and tells the tool, which may finish it at once. */
void vl_mcp_call_cancel(struct vl_mcp_call *call, enum vl_mcp_cancel why);
/* Keeps the connections of all calls at work alive. */
void vl_mcp_calls_tend(struct vl_mcp_endpoint *endpoint);
/* Gives up what was started before this moment of vl_mono_now(). */
void vl_mcp_call_sweep(struct vl_mcp_endpoint *endpoint, int64_t before);
/* Cancels all of a session that ends. */
void vl_mcp_call_leave_session(struct vl_mcp_session *session);
/* Cancels all of an endpoint that is freed, and lets go of it. */
void vl_mcp_call_leave_endpoint(struct vl_mcp_endpoint *endpoint);

#endif
