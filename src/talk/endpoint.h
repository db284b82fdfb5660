/* SPDX-License-Identifier: Apache-2.0
 *
 * One MCP server over Streamable HTTP (2025-03-26 to 2026-07-28) at one URL,
 * and over HTTP+SSE (2024-11-05) at two. The caller has checked Host, Origin
 * and the bearer token already, for this very request (@spec RS-19); the
 * endpoint never asks who somebody is, it is told. Sessions belong to a
 * principal: user, client and token family (@spec SB-21 SB-23); another's
 * session id is answered like one that does not exist.
 */
#ifndef VL_TALK_ENDPOINT_H
#define VL_TALK_ENDPOINT_H

#include "core/principal.h"
#include "core/sys.h"
#include "crypto/keyring.h"
#include "http/server.h"
#include "valet/mcp.h"

struct vl_mcp_endpoint;

/* What happened, for the audit trail. Borrowed for the call. */
enum vl_mcp_happening { /* "tool": whatever a handler answers for */
                        VL_MCP_SESSION_OPENED,
                        VL_MCP_SESSION_CLOSED,
                        VL_MCP_SESSION_HIJACK, /* an id of somebody else's
                                                  session was used */
                        VL_MCP_TOOL_DENIED,
                        VL_MCP_TOOL_STARTED,
                        VL_MCP_TOOL_ENDED,
                        VL_MCP_TOOL_CANCELLED,
};

struct vl_mcp_note {
    enum vl_mcp_happening what;
    const struct vl_principal *principal;
    const char *tool;       /* or prompt, or resource; or NULL */
    const char *permission; /* what the tool needs */
    /* A stable code: SESSION_CLOSED as in vl_mcp_session_end(); TOOL_DENIED
     * "insufficient_scope"; SESSION_HIJACK "not_the_owner"; TOOL_CANCELLED
     * "client", "session_end", "time_out" or "shutdown"; TOOL_ENDED
     * "tool_error" or "login_required" if it failed, "input_required" if it
     * will be called again. */
    const char *reason;
    const char *peer;
    const char *correlation;
    bool failed; /* TOOL_ENDED with isError */
    int64_t ms;  /* TOOL_ENDED */
};

struct vl_mcp_hooks {
    /* May the principal use what needs this permission? */
    bool (*may)(const struct vl_principal *principal, const char *permission,
                void *ctx);
    /* Answers 403 insufficient_scope (@spec RS-11), naming the permission. */
    void (*refuse)(struct vl_exchange *x, const char *permission, void *ctx);
    /* Answers 401: the sign-in behind this token has ended (@spec S-08). */
    void (*login)(struct vl_exchange *x, void *ctx);
    /* NULL: nobody listens. */
    void (*note)(const struct vl_mcp_note *note, void *ctx);
    /* Sends a request, unanswered, to the worker with this number; false when
     * there is none. NULL: there is one worker. */
    bool (*hand_over)(struct vl_exchange *x, unsigned home, void *ctx);
    void *ctx;
};

/* Server, hooks and clock are borrowed and outlive the endpoint. `home` is the
 * number of the worker it is on, below 256: its sessions carry it. */
struct vl_mcp_endpoint *
vl_mcp_endpoint_new(struct vl_mcp_server *server,
                    const struct vl_mcp_hooks *hooks, struct vl_loop *loop,
                    const struct vl_clock *clock, unsigned home);
/* What seals a requestState: shared with whoever else may get the retry, which
 * is who serves the same resource (its URL, below VL_MCP_STATE_RESOURCE).
 * Borrowed. Without one it is a ring of the endpoint's own. */
void
vl_mcp_endpoint_seal_with(struct vl_mcp_endpoint *endpoint,
                          const struct vl_keyring *ring, const char *resource);
/* Ends all sessions; calls under way are cancelled and their results
 * dropped. */
void vl_mcp_endpoint_free(struct vl_mcp_endpoint *endpoint);

/* The loop has ended, and who calls goes on in its place: calls are finished on
 * this thread from now on. Before anything is freed that tools wait for. */
void vl_mcp_endpoint_take_over(struct vl_mcp_endpoint *endpoint);
/* Closes the streams that would stay open; what runs goes on. */
void vl_mcp_endpoint_drain(struct vl_mcp_endpoint *endpoint);

/* Answers one request (any method) of this principal, which is copied. */
typedef void
vl_mcp_endpoint_handler(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                        const struct vl_principal *principal);
/* Streamable HTTP. */
vl_mcp_endpoint_handler vl_mcp_endpoint_handle;
/* HTTP+SSE: the stream, whose `endpoint` event names "/message", and the
 * address that messages are posted to. */
vl_mcp_endpoint_handler vl_mcp_endpoint_handle_sse;
vl_mcp_endpoint_handler vl_mcp_endpoint_handle_message;
/* Ends the sessions of a token family (revoked, signed out). */
void vl_mcp_endpoint_end_family(struct vl_mcp_endpoint *endpoint,
                                const char *session);
/* For built-in tools: who calls. Borrowed until the call is finished. */
const struct vl_principal *
vl_mcp_call_principal(const struct vl_mcp_call *call);

#endif
