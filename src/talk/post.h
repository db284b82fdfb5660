/* SPDX-License-Identifier: Apache-2.0
 *
 * One message (or batch) that waits for answers: it gathers them and decides
 * how they go out. Each part that still owes something holds the post; with
 * the last hold given back it answers, and is gone.
 *
 * Over Streamable HTTP it is a POST, answered as JSON or as an event stream
 * (@spec HT-18 HT-48). Up to 2025-11-25 what goes out on the stream is numbered
 * and kept in the session's history: a client that lost its connection comes
 * back with a GET, and the post goes on there (@spec HT-26). From 2026-07-28 on
 * a lost connection takes the request back (@spec HT-62 HT-63); so does one
 * that the client has closed in its direction alone, as most do who leave, if
 * it is not answered within about a second.
 *
 * A post of HTTP+SSE answers on the stream of its session. Its exchange only
 * waits to be told that the message was accepted. One of stdio has no exchange.
 *
 *     post.c         its life and its end
 *     post_stream.c  what goes out before; a stream that is lost, and found
 *     reply.c        answers without a post
 */
#ifndef VL_TALK_POST_H
#define VL_TALK_POST_H

#include "mcp/accept.h"
#include "talk/event.h"

enum vl_mcp_way {
    VL_MCP_WAY_SESSION,   /* Streamable HTTP up to 2025-11-25 */
    VL_MCP_WAY_STATELESS, /* Streamable HTTP from 2026-07-28 on */
    VL_MCP_WAY_SSE,
    VL_MCP_WAY_LINES,
};

struct vl_mcp_post {
    struct vl_mcp_endpoint *endpoint;
    enum vl_mcp_way way;
    struct vl_exchange *x; /* NULL: answered (SSE), hung up (SESSION), LINES */
    struct vl_mcp_session *session; /* NULL: STATELESS */
    struct vl_list in_session;      /* as soon as it is a stream */
    struct vl_mcp_event_id last;    /* event that was sent */
    size_t holds;
    bool batch;
    struct vl_mcp_accept accept;
    bool streaming;   /* the head of a stream is out */
    int64_t spoke_ms; /* vl_mono_now() of the last bytes on it */
    bool stalled;     /* the client reads too slowly */
    int refusal;      /* HTTP status instead of answers, or 0 */
    int status;       /* of the answer, if it goes out as JSON */
    /* STATELESS: the client has hung up. */
    void (*on_gone)(void *ctx);
    void *gone_ctx;
    struct vl_buf answers; /* of a batch, with commas between */
};

/* All with one hold. The session lives as long as anybody may answer. */
struct vl_mcp_post *
vl_mcp_post_new(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                struct vl_mcp_session *session, struct vl_mcp_accept accept,
                bool batch);
struct vl_mcp_post *
vl_mcp_post_new_stateless(struct vl_mcp_endpoint *endpoint,
                          struct vl_exchange *x, struct vl_mcp_accept accept);
struct vl_mcp_post *
vl_mcp_post_new_line(struct vl_mcp_endpoint *endpoint,
                     struct vl_mcp_session *session, bool batch);
/* Of HTTP+SSE, with a second hold that is given back by
 * vl_mcp_post_accept(): it answers 202, unless somebody took the exchange. */
struct vl_mcp_post *
vl_mcp_post_new_sse(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                    struct vl_mcp_session *session);
void vl_mcp_post_accept(struct vl_mcp_post *post);
void vl_mcp_post_hold(struct vl_mcp_post *post);
/* Gives a hold back together with an answer, which is copied; an empty one
 * means that there is nothing to say. */
void vl_mcp_post_answer(struct vl_mcp_post *post, struct vl_str json);
/* The same with an error that HTTP has a status for. */
void vl_mcp_post_answer_status(struct vl_mcp_post *post, int status,
                               struct vl_str json);
/* Gives a hold back; all will be answered with this HTTP status if that is
 * still possible. */
void vl_mcp_post_fail(struct vl_mcp_post *post, int status);
/* May the exchange still be answered by somebody else, whole? Then the post
 * is gone for the caller, who has the only hold. */
bool vl_mcp_post_is_untouched(const struct vl_mcp_post *post);
struct vl_exchange *vl_mcp_post_take_exchange(struct vl_mcp_post *post);
/* The client's address; "" when it has none. */
const char *vl_mcp_post_peer(const struct vl_mcp_post *post);
/* Who hears that the client of a STATELESS post has hung up; it still has to
 * be answered. */
void vl_mcp_post_watch(struct vl_mcp_post *post, void (*on_gone)(void *ctx),
                       void *ctx);
/* Has the client of a STATELESS post left without anybody being told? */
bool vl_mcp_post_is_left(const struct vl_mcp_post *post);
/* @spec HT-27: ends the connection, for the client to come back; false when
 * it could not. */
bool vl_mcp_post_hang_up(struct vl_mcp_post *post, int64_t retry_ms);
/* Keeps the connection of a call alive that is at work since `began_ms`:
 * begins the stream if it takes long, speaks up when it was quiet. */
void vl_mcp_post_tend(struct vl_mcp_post *post, int64_t began_ms);
/* Goes on with a stream on another exchange, after the event `last`. */
void vl_mcp_post_resume(struct vl_mcp_post *post, struct vl_exchange *x,
                        struct vl_mcp_event_id last);
/* The one of the session whose stream has this number; NULL when there is
 * none, or it has ended. */
struct vl_mcp_post *
vl_mcp_post_find(const struct vl_mcp_session *session, unsigned stream);
/* A stream of what was kept of one that has ended. False, and `x` untouched,
 * when there is nothing after `last`. */
bool vl_mcp_post_replay(struct vl_mcp_endpoint *endpoint,
                        struct vl_mcp_session *session, struct vl_exchange *x,
                        struct vl_mcp_event_id last);
/* The session ends: nobody can come back for its streams. */
void vl_mcp_post_leave_session(struct vl_mcp_session *session);
/* Would vl_mcp_post_send() send something? */
bool vl_mcp_post_can_send(const struct vl_mcp_post *post);
/* A message on the way to the answer: begins a stream if need be. */
void vl_mcp_post_send(struct vl_mcp_post *post, struct vl_str json);
/* The same, once it could be sent to, with one that must not be left out when
 * those before it were many; false when there is no room for it. */
bool
vl_mcp_post_insist(struct vl_mcp_post *post, struct vl_str json) VALET_CHECK;

#endif
