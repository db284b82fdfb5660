/* SPDX-License-Identifier: Apache-2.0
 *
 * A remote MCP server as its client sees it: messages go out by HTTP and come
 * back as they come, over Streamable HTTP of every revision (@spec HT-20 …) or
 * the older HTTP+SSE. It knows HTTP, not MCP: which messages there are, what
 * they say and which era they are of is the caller's business; it only keeps
 * what the transport keeps (session, revision, streams, event ids).
 *
 * Contract of callbacks and threads: io/loop.h.
 */
#ifndef VL_REMOTE_REMOTE_H
#define VL_REMOTE_REMOTE_H

#include "http/fetch.h"

struct vl_remote;
struct vl_remote_call; /* one message that was sent, until its end */

/* 401, or 403 with a challenge; borrowed for the call. */
struct vl_remote_refusal {
    int status;
    const struct vl_headers *headers; /* WWW-Authenticate may come often */
    const struct vl_secret *sent;     /* what it refused; NULL: nothing */
};

/* Says whether the call may be tried again; exactly once for each authorize,
 * never before that returned; also if the call, or the remote, is gone by then.
 */
struct vl_remote_retry;
void vl_remote_retry(struct vl_remote_retry *retry, valet_status status,
                     const valet_error *err);

struct vl_remote_hooks {
    /* One message, or a batch, of the server's: JSON that vl_json_parse()
     * takes, on one line; borrowed. `call`: on whose answer it came; NULL: on
     * the listening stream, or by HTTP+SSE. */
    void (*message)(struct vl_str json, struct vl_remote_call *call, void *ctx);
    /* The token to send now; NULL: none. Borrowed until the hook's return is
     * used. It goes to this server's origin alone, never along a redirect
     * (@spec CL-16 CL-17). */
    const struct vl_secret *(*bearer)(void *ctx);
    /* Get (another) token, then vl_remote_retry(): VALET_OK tries once more,
     * everything else ends the call with this error. How often is the hook's
     * choice. */
    void (*authorize)(const struct vl_remote_refusal *refusal,
                      struct vl_remote_retry *retry, void *ctx);
    /* The listening stream, or that of HTTP+SSE, has ended for good. With
     * VALET_NOT_FOUND the session has ended, and is forgotten. NULL: nobody is
     * told. */
    void (*deaf)(const valet_error *err, void *ctx);
    void *ctx;
};

/* `url` is https, or http of this machine. All borrowed but for `url`. */
valet_status
vl_remote_new(struct vl_loop *loop, struct vl_fetcher *fetcher, const char *url,
              const struct vl_remote_hooks *hooks, struct vl_remote **ret,
              valet_error *err) VALET_CHECK;
/* Silently; with a session, DELETE is not sent: vl_remote_leave() does. */
void vl_remote_free(struct vl_remote *remote); /* NULL is fine */

/* How a call ended; borrowed. */
struct vl_remote_end {
    int http_status;    /* 0: there was no answer */
    bool session_ended; /* 404 (or 400) to a session that was good before:
                           it is forgotten (@spec HT-31) */
    /* Of a status that is no 2xx: what came, if it is one JSON value that
     * vl_json_parse() takes, on one line; else empty. It was not given to
     * `message`. */
    struct vl_str body;
};
/*
 * VALET_OK: a 2xx answer, and all of it was given to `message` (202: nothing
 * was). VALET_NOT_FOUND, VALET_DENIED, VALET_INVALID: 404, 401 and 403 after
 * all, another 4xx, 3xx. VALET_RETRY: could not be reached, broke off and could
 * not be resumed, 429, 5xx. VALET_LIMIT, VALET_INTERNAL: the answer is too
 * long, or no MCP. `err` is safe to show.
 */
typedef void
vl_remote_done(valet_status status, const struct vl_remote_end *end,
               const valet_error *err, void *ctx);

struct vl_remote_send {
    struct vl_str json; /* one message; copied */
    /* Besides Accept, Content-Type, Authorization, Mcp-Session-Id and
     * MCP-Protocol-Version; copied. */
    const struct vl_header *headers;
    size_t header_count;
    const char *version; /* MCP-Protocol-Version; NULL: that of the session
                            (vl_remote_set_version()), or none */
    /* It is `initialize`: the session of the answer is kept; or it is of an
     * era without sessions, and none is sent. */
    bool begins_session, is_stateless;
    /* A broken or ended event stream is taken up again by GET with
     * Last-Event-ID, after `retry`, a few times (2025-11-25; @spec HT-27). It
     * needs an event id, and the answer still to come: `is_answered` of the
     * caller says whether it has come; asked when the stream ends, and when
     * messages have come, since one that stays open afterwards is closed. */
    bool (*is_answered)(struct vl_remote_call *call, void *ctx);
    vl_remote_done *done;
    void *ctx; /* of done and is_answered */
};
/* With HTTP+SSE the call ends with the 202; its answer comes later, as all
 * messages. */
struct vl_remote_call *
vl_remote_send(struct vl_remote *remote, const struct vl_remote_send *send);
/* Closes its stream (of 2026-07-28 that is a cancellation), silences and frees;
 * *call becomes NULL. NULL is fine. */
void vl_remote_call_abort(struct vl_remote_call **call);
void *vl_remote_call_ctx(const struct vl_remote_call *call);

/* The revision that was agreed upon: sent from now on. A literal. */
void vl_remote_set_version(struct vl_remote *remote, const char *version);
bool vl_remote_has_session(const struct vl_remote *remote);
void vl_remote_forget_session(struct vl_remote *remote);
/* The stream on which a server of the older revisions speaks unasked: GET; it
 * is taken up again whenever it ends, until the session is forgotten or is
 * another one. 405 is fine: there is none. */
void vl_remote_listen(struct vl_remote *remote);
/* The older transport from now on: GET, and wait for `endpoint`, which has to
 * be of the same origin (2.4.4). `done` is as of a call. */
void vl_remote_use_http_sse(struct vl_remote *remote, vl_remote_done *done,
                            void *ctx);
bool vl_remote_is_http_sse(const struct vl_remote *remote);
/* DELETE of the session, if there is one, for at most `ms`; then `done`, once;
 * calls are aborted. */
void vl_remote_leave(struct vl_remote *remote, int64_t ms,
                     void (*done)(void *ctx), void *ctx);
/* Nothing more is read from the server until it is let go on: whoever gets the
 * messages is slow. */
void vl_remote_hold(struct vl_remote *remote, bool is_held);

#endif
