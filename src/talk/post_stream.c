/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes out for a post before its end, and what becomes of it when the
 * connection is lost, or given up.
 */
#include "talk/post_inside.h"
#include "talk/stream.h"

/* --- who reads --- */

static void
resume_sending(void *ctx)
{
    struct vl_mcp_post *post = ctx;
    post->stalled = false;
}

static void
notice_gone(void *ctx)
{
    struct vl_mcp_post *post = ctx;
    if (post->on_gone)
        post->on_gone(post->gone_ctx);
}

void
vl_mcp_post_watch(struct vl_mcp_post *post, void (*on_gone)(void *ctx),
                  void *ctx)
{
    post->on_gone = on_gone;
    post->gone_ctx = ctx;
    if (post->way == VL_MCP_WAY_STATELESS)
        vl_exchange_watch(post->x, notice_gone, resume_sending, post);
}

bool
vl_mcp_post_is_left(const struct vl_mcp_post *post)
{
    return post->way == VL_MCP_WAY_STATELESS && vl_exchange_is_left(post->x);
}

/* --- writing --- */

bool
vl_mcp_post_can_send(const struct vl_mcp_post *post)
{
    switch (post->way) {
    case VL_MCP_WAY_LINES:
        return !post->endpoint->line.is_slow(post->endpoint->line.ctx);
    case VL_MCP_WAY_SSE:
        return post->session->stream &&
               !vl_mcp_stream_is_slow(post->session->stream);
    default:
        return post->accept.events && !post->stalled && !post->refusal;
    }
}

/* The next event, in the frame buffer; kept, if it can be asked for again. */
static struct vl_str
number_event(struct vl_mcp_post *post, struct vl_str json)
{
    char id[VL_MCP_EVENT_ID_SIZE];
    struct vl_mcp_endpoint *endpoint = post->endpoint;
    struct vl_mcp_event event = {.name = "message", .data = json};
    if (post->way == VL_MCP_WAY_SESSION) {
        post->last.number++;
        vl_mcp_history_keep(&post->session->history, &endpoint->archive,
                            post->last, json, vl_mono_now());
        vl_mcp_endpoint_wake(endpoint);
        vl_mcp_event_id_write(post->last, id);
        event.id = id;
    }
    return vl_mcp_event_write(endpoint, &event);
}

/* From here on one of a session can be lost and found. */
static void
become_stream(struct vl_mcp_post *post)
{
    if (post->way == VL_MCP_WAY_STATELESS)
        return;
    post->last.stream = ++post->session->history.streams;
    vl_list_add_last(&post->session->posts, &post->in_session);
    vl_exchange_watch(post->x, NULL, resume_sending, post);
}

/* The first bytes go out with the head; without a connection they are just
 * kept. */
static void
write_stream(struct vl_mcp_post *post, struct vl_str bytes)
{
    post->spoke_ms = vl_mono_now();
    if (post->streaming && post->x)
        post->stalled = !vl_exchange_write(post->x, bytes);
    else if (!post->streaming)
        vl_mcp_events_start(post->x, bytes, NULL);
    post->streaming = true;
}

void
vl_mcp_post_write(struct vl_mcp_post *post, struct vl_str json)
{
    switch (post->way) {
    case VL_MCP_WAY_LINES:
        post->endpoint->line.write(json, post->endpoint->line.ctx);
        return;
    case VL_MCP_WAY_SSE:
        if (post->session->stream)
            vl_mcp_stream_send(post->session->stream, json);
        return;
    default:
        if (!post->streaming)
            become_stream(post);
        write_stream(post, number_event(post, json));
    }
}

/* @spec HT-27: an event without a message, whose id a client can come back
 * with. Readers of older revisions would take it for a broken one, and to those
 * of newer ones there is nothing to come back to. */
static void
begin_stream(struct vl_mcp_post *post, int64_t retry_ms)
{
    char id[VL_MCP_EVENT_ID_SIZE];
    struct vl_mcp_event event = {.id = id, .retry_ms = retry_ms};
    become_stream(post);
    vl_mcp_event_id_write(post->last, id);
    bool primes = post->way == VL_MCP_WAY_SESSION &&
                  post->session->peer.version >= VL_MCP_2025_11_25;
    write_stream(post, primes ? vl_mcp_event_write(post->endpoint, &event)
                              : vl_mcp_comment);
}

void
vl_mcp_post_tend(struct vl_mcp_post *post, int64_t began_ms)
{
    int64_t now = vl_mono_now();
    if (post->way > VL_MCP_WAY_STATELESS || post->refusal ||
        !post->accept.events || !post->x || vl_exchange_is_closed(post->x))
        return;
    if (!post->streaming && now - began_ms >= VL_MCP_PRIME_MS)
        begin_stream(post, 0);
    else if (post->streaming && vl_exchange_waiting(post->x) == 0 &&
             now - post->spoke_ms >= VL_LIMIT_STREAM_QUIET_MS)
        write_stream(post, vl_mcp_comment);
}

/* @spec HT-19 */
void
vl_mcp_post_send(struct vl_mcp_post *post, struct vl_str json)
{
    if (vl_mcp_post_can_send(post))
        vl_mcp_post_write(post, json);
}

static bool
is_full(const struct vl_mcp_post *post)
{
    const struct vl_exchange *x = post->x;
    switch (post->way) {
    case VL_MCP_WAY_LINES:
        return post->endpoint->line.is_full(post->endpoint->line.ctx);
    case VL_MCP_WAY_SSE:
        if (!post->session->stream)
            return true;
        x = post->session->stream->x;
        break;
    default:
        break;
    }
    return x && vl_exchange_waiting(x) >= VL_LIMIT_STREAM_MOST;
}

bool
vl_mcp_post_insist(struct vl_mcp_post *post, struct vl_str json)
{
    if (is_full(post))
        return false;
    vl_mcp_post_write(post, json);
    return true;
}

/* --- lost and found --- */

bool
vl_mcp_post_hang_up(struct vl_mcp_post *post, int64_t retry_ms)
{
    if (post->way != VL_MCP_WAY_SESSION || post->batch || !post->x ||
        post->session->peer.version < VL_MCP_2025_11_25 ||
        !vl_mcp_post_can_send(post))
        return false;
    if (post->streaming) {
        char id[VL_MCP_EVENT_ID_SIZE];
        vl_mcp_event_id_write(post->last, id);
        write_stream(
            post, vl_mcp_event_write(
                      post->endpoint,
                      &(struct vl_mcp_event){.id = id, .retry_ms = retry_ms}));
    } else {
        begin_stream(post, retry_ms);
    }
    vl_exchange_watch(post->x, NULL, NULL, NULL);
    vl_exchange_finish(post->x);
    post->x = NULL;
    post->stalled = false;
    return true;
}

struct vl_mcp_post *
vl_mcp_post_find(const struct vl_mcp_session *session, unsigned stream)
{
    VL_LIST_EACH (it, &session->posts) {
        struct vl_mcp_post *post =
            VL_CONTAINER(it, struct vl_mcp_post, in_session);
        if (post->last.stream == stream)
            return post;
    }
    return NULL;
}

struct replay {
    struct vl_mcp_endpoint *endpoint;
    struct vl_exchange *x;
    bool started;
};

static void
replay_event(struct vl_mcp_event_id id, struct vl_str json, void *ctx)
{
    struct replay *replay = ctx;
    char text[VL_MCP_EVENT_ID_SIZE];
    vl_mcp_event_id_write(id, text);
    struct vl_str event = vl_mcp_event_write(
        replay->endpoint,
        &(struct vl_mcp_event){.id = text, .name = "message", .data = json});
    if (replay->started)
        (void)vl_exchange_write(replay->x, event);
    else
        vl_mcp_events_start(replay->x, event, NULL);
    replay->started = true;
}

bool
vl_mcp_post_replay(struct vl_mcp_endpoint *endpoint,
                   struct vl_mcp_session *session, struct vl_exchange *x,
                   struct vl_mcp_event_id last)
{
    struct replay replay = {endpoint, x, false};
    vl_mcp_history_replay(&session->history, last, replay_event, &replay);
    return replay.started;
}

void
vl_mcp_post_resume(struct vl_mcp_post *post, struct vl_exchange *x,
                   struct vl_mcp_event_id last)
{
    struct vl_exchange *old = post->x;
    if (old) {
        vl_exchange_watch(old, NULL, NULL, NULL);
        vl_exchange_finish(old);
    }
    post->x = x;
    post->stalled = false;
    vl_exchange_watch(x, NULL, resume_sending, post);
    if (!vl_mcp_post_replay(post->endpoint, post->session, x, last))
        vl_mcp_events_start(x, vl_mcp_comment, NULL);
}

void
vl_mcp_post_leave_session(struct vl_mcp_session *session)
{
    VL_LIST_EACH (it, &session->posts)
        vl_list_remove(it);
}
