/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/post.h"

#include "talk/stream.h"

static struct vl_reply
head_of(int status, const char *type)
{
    struct vl_reply reply = {.status = status, .type = type};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    return reply;
}

void
vl_mcp_reply(struct vl_exchange *x, int status, struct vl_str json,
             const char *session)
{
    struct vl_reply reply = head_of(status, "application/json");
    if (session)
        vl_reply_add(&reply, "Mcp-Session-Id", vl_str_z(session));
    reply.body = json;
    vl_exchange_reply(x, &reply);
}

void
vl_mcp_reply_empty(struct vl_exchange *x, int status)
{
    struct vl_reply reply = head_of(status, NULL);
    vl_exchange_reply(x, &reply);
}

void
vl_mcp_reply_event(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                   struct vl_str json, const char *session)
{
    vl_mcp_events_start(
        x,
        vl_mcp_event_write(
            endpoint, &(struct vl_mcp_event){.name = "message", .data = json}),
        session);
    vl_exchange_finish(x);
}

/* Whatever else is wrong: does it say that it is of this revision, or later? */
static bool
is_since(const struct vl_exchange *x, enum vl_mcp_version first)
{
    struct vl_str text;
    enum vl_mcp_version version;
    return vl_headers_find(&vl_exchange_request(x)->headers,
                           VL_STR("mcp-protocol-version"), &text) == 1 &&
           vl_mcp_version_parse(vl_str_trim(text), &version) &&
           version >= first;
}

struct vl_rpc_id
vl_mcp_id_told(const struct vl_exchange *x, struct vl_rpc_id id)
{
    return vl_rpc_id_told(id, is_since(x, VL_MCP_2025_11_25));
}

void
vl_mcp_write_refusal(struct vl_buf *buf, const struct vl_exchange *x,
                     int status, struct vl_rpc_id id, enum vl_rpc_code code,
                     const char *message)
{
    if (is_since(x, VL_MCP_FIRST_MODERN) && vl_rpc_code_for(true, code) != code)
        code = status < 500 ? VL_RPC_INVALID_REQUEST : VL_RPC_INTERNAL;
    vl_rpc_write_error(buf, vl_mcp_id_told(x, id), code, message);
}

void
vl_mcp_refuse_method(struct vl_exchange *x, const char *allow)
{
    vl_auto(vl_buf) text = vl_buf_of(256);
    vl_mcp_write_refusal(&text, x, 405, VL_RPC_NULL_ID, VL_RPC_REFUSED,
                         "Method not allowed");
    struct vl_reply reply = head_of(405, "application/json");
    vl_reply_add(&reply, "Allow", vl_str_z(allow));
    reply.body = vl_buf_str(&text);
    vl_exchange_reply(x, &reply);
}

static enum vl_rpc_code
code_of(int status)
{
    switch (status) {
    case 404:
        return VL_RPC_NO_SESSION;
    case 400:
        return VL_RPC_INVALID_REQUEST;
    case 500:
        return VL_RPC_INTERNAL;
    default:
        return VL_RPC_REFUSED;
    }
}

/* @spec HT-17: the body says in JSON-RPC what the status says in HTTP. */
void
vl_mcp_reply_error(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                   int status, struct vl_rpc_id id, const char *message)
{
    struct vl_buf *out = vl_mcp_scratch(endpoint);
    vl_mcp_write_refusal(out, x, status, id, code_of(status), message);
    vl_mcp_reply(x, status, vl_buf_str(out), NULL);
}

/* --- life --- */

static struct vl_mcp_post *
new_post(struct vl_mcp_endpoint *endpoint, enum vl_mcp_way way,
         struct vl_exchange *x, struct vl_mcp_session *session)
{
    struct vl_mcp_post *post = vl_alloc(sizeof *post);
    post->endpoint = endpoint;
    post->way = way;
    post->x = x;
    post->session = session;
    post->holds = 1;
    post->status = 200;
    vl_list_init(&post->in_session);
    post->answers = vl_buf_of(VL_MCP_ANSWER_MAX);
    return post;
}

struct vl_mcp_post *
vl_mcp_post_new(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                struct vl_mcp_session *session, struct vl_mcp_accept accept,
                bool batch)
{
    struct vl_mcp_post *post =
        new_post(endpoint, VL_MCP_WAY_SESSION, x, session);
    post->batch = batch;
    post->accept = accept;
    return post;
}

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

struct vl_mcp_post *
vl_mcp_post_new_stateless(struct vl_mcp_endpoint *endpoint,
                          struct vl_exchange *x, struct vl_mcp_accept accept)
{
    struct vl_mcp_post *post =
        new_post(endpoint, VL_MCP_WAY_STATELESS, x, NULL);
    post->accept = accept;
    return post;
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

struct vl_mcp_post *
vl_mcp_post_new_sse(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                    struct vl_mcp_session *session)
{
    struct vl_mcp_post *post = new_post(endpoint, VL_MCP_WAY_SSE, x, session);
    post->holds = 2;
    return post;
}

struct vl_mcp_post *
vl_mcp_post_new_line(struct vl_mcp_endpoint *endpoint,
                     struct vl_mcp_session *session, bool batch)
{
    struct vl_mcp_post *post =
        new_post(endpoint, VL_MCP_WAY_LINES, NULL, session);
    post->batch = batch;
    return post;
}

const char *
vl_mcp_post_peer(const struct vl_mcp_post *post)
{
    return post->x ? vl_exchange_peer(post->x) : "";
}

static void
release(struct vl_mcp_post *post)
{
    vl_list_remove(&post->in_session);
    vl_buf_done(&post->answers);
    free(post);
}

void
vl_mcp_post_accept(struct vl_mcp_post *post)
{
    if (post->x)
        vl_exchange_reply(post->x,
                          &(struct vl_reply){.status = 202,
                                             .type = "text/plain",
                                             .body = VL_STR("Accepted")});
    post->x = NULL;
    if (--post->holds == 0)
        release(post);
}

void
vl_mcp_post_hold(struct vl_mcp_post *post)
{
    post->holds++;
}

bool
vl_mcp_post_is_untouched(const struct vl_mcp_post *post)
{
    if (post->way == VL_MCP_WAY_SSE)
        return post->x != NULL;
    return post->x && !post->batch && !post->streaming && post->holds == 1;
}

struct vl_exchange *
vl_mcp_post_take_exchange(struct vl_mcp_post *post)
{
    struct vl_exchange *x = post->x;
    vl_exchange_watch(x, NULL, NULL, NULL);
    post->x = NULL;
    if (--post->holds == 0)
        release(post);
    return x;
}

/* --- its stream --- */

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

static void
send_event(struct vl_mcp_post *post, struct vl_str json)
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

/* @spec HT-19 */
void
vl_mcp_post_send(struct vl_mcp_post *post, struct vl_str json)
{
    if (vl_mcp_post_can_send(post))
        send_event(post, json);
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
    send_event(post, json);
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

/* --- its stream, lost and found --- */

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

/* --- its end --- */

/* Everything is gathered: `json` is the answer, or empty. */
static void
conclude(struct vl_mcp_post *post, struct vl_str json)
{
    struct vl_exchange *x = post->x;
    if (post->refusal && !post->streaming) {
        vl_mcp_reply_error(post->endpoint, x, post->refusal, VL_RPC_NULL_ID,
                           post->refusal == 404 ? "Session not found"
                                                : "The server is stopping");
    } else if (post->streaming ||
               (json.n && !post->accept.json && post->status == 200)) {
        if (json.n)
            send_event(post, json);
        x = post->x;
        if (x) {
            vl_exchange_watch(x, NULL, NULL, NULL);
            vl_exchange_finish(x);
        }
    } else if (json.n) {
        vl_mcp_reply(x, post->status, json, NULL);
    } else {
        /* Notifications; or a request that was taken back. */
        vl_mcp_reply_empty(x, 202);
    }
    release(post);
}

/* On a stream or line of all there is nothing left to do, but for HTTP+SSE to
 * accept the message, if that was not done yet. */
static void
conclude_shared(struct vl_mcp_post *post, struct vl_str json)
{
    if (json.n && !post->refusal)
        send_event(post, json);
    if (post->holds == 0)
        release(post);
}

static void
conclude_batch(struct vl_mcp_post *post)
{
    bool any = vl_buf_size(&post->answers) > 0;
    if (any)
        vl_buf_addc(&post->answers, ']');
    if (post->answers.failed) {
        vl_buf_clear(&post->answers);
        vl_rpc_write_error(&post->answers, VL_RPC_NULL_ID, VL_RPC_INTERNAL,
                           "The answers are too long");
    }
    if (post->way > VL_MCP_WAY_STATELESS)
        conclude_shared(post, vl_buf_str(&post->answers));
    else
        conclude(post, vl_buf_str(&post->answers));
}

void
vl_mcp_post_answer(struct vl_mcp_post *post, struct vl_str json)
{
    VL_ASSERT(post->holds > 0);
    post->holds--;
    if (post->batch) {
        if (json.n) {
            vl_buf_addc(&post->answers,
                        vl_buf_size(&post->answers) ? ',' : '[');
            vl_buf_add(&post->answers, json);
        }
        if (post->holds == 0)
            conclude_batch(post);
        return;
    }
    if (post->way > VL_MCP_WAY_STATELESS) {
        conclude_shared(post, json);
        return;
    }
    VL_ASSERT(post->holds == 0);
    conclude(post, json);
}

void
vl_mcp_post_answer_status(struct vl_mcp_post *post, int status,
                          struct vl_str json)
{
    post->status = status;
    vl_mcp_post_answer(post, json);
}

void
vl_mcp_post_fail(struct vl_mcp_post *post, int status)
{
    post->refusal = status;
    vl_mcp_post_answer(post, (struct vl_str){NULL, 0});
}

void
vl_mcp_post_leave_session(struct vl_mcp_session *session)
{
    VL_LIST_EACH (it, &session->posts)
        vl_list_remove(it);
}
