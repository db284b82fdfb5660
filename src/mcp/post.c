/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/post.h"

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
    if (status == 405)
        vl_reply_add(&reply, "Allow", VL_STR("POST, DELETE"));
    reply.body = json;
    vl_exchange_reply(x, &reply);
}

void
vl_mcp_reply_empty(struct vl_exchange *x, int status)
{
    struct vl_reply reply = head_of(status, NULL);
    vl_exchange_reply(x, &reply);
}

/*
 * One event. JSON of ours has no line breaks (the writer escapes them), so one
 * data line holds it.
 */
static struct vl_str
frame(struct vl_mcp_endpoint *endpoint, struct vl_str json)
{
    if (endpoint->frame.cap > VL_MCP_KEEP_MAX)
        vl_buf_done(&endpoint->frame);
    vl_buf_clear(&endpoint->frame);
    vl_buf_addz(&endpoint->frame, "event: message\ndata: ");
    vl_buf_add(&endpoint->frame, json);
    vl_buf_addz(&endpoint->frame, "\n\n");
    return vl_buf_str(&endpoint->frame);
}

static void
start_events(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
             struct vl_str json, const char *session)
{
    struct vl_reply reply = head_of(200, "text/event-stream");
    /* Proxies would hold events back until a buffer is full. */
    vl_reply_add(&reply, "X-Accel-Buffering", VL_STR("no"));
    if (session)
        vl_reply_add(&reply, "Mcp-Session-Id", vl_str_z(session));
    reply.body = frame(endpoint, json);
    vl_exchange_start(x, &reply);
}

void
vl_mcp_reply_event(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                   struct vl_str json, const char *session)
{
    start_events(endpoint, x, json, session);
    vl_exchange_finish(x);
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
    vl_rpc_write_error(out, id, code_of(status), message);
    vl_mcp_reply(x, status, vl_buf_str(out), NULL);
}

struct vl_mcp_post *
vl_mcp_post_new(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                struct vl_mcp_accept accept, bool batch)
{
    struct vl_mcp_post *post =
        vl_arena_alloc(vl_exchange_arena(x), sizeof *post);
    if (!post) {
        vl_mcp_reply_error(endpoint, x, 500, VL_RPC_NULL_ID, "Out of memory");
        return NULL;
    }
    post->endpoint = endpoint;
    post->x = x;
    post->holds = 1;
    post->batch = batch;
    post->accept = accept;
    post->answers = vl_buf_of(VL_MCP_ANSWER_MAX);
    return post;
}

void
vl_mcp_post_hold(struct vl_mcp_post *post)
{
    post->holds++;
}

bool
vl_mcp_post_is_untouched(const struct vl_mcp_post *post)
{
    return !post->batch && !post->streaming && post->holds == 1;
}

struct vl_exchange *
vl_mcp_post_take_exchange(struct vl_mcp_post *post)
{
    vl_buf_done(&post->answers);
    return post->x;
}

bool
vl_mcp_post_can_send(const struct vl_mcp_post *post)
{
    return post->accept.events && !post->stalled && !post->refusal;
}

static void
resume(void *ctx)
{
    struct vl_mcp_post *post = ctx;
    post->stalled = false;
}

static void
send_event(struct vl_mcp_post *post, struct vl_str json)
{
    if (post->streaming) {
        struct vl_str event = frame(post->endpoint, json);
        post->stalled = !vl_exchange_write(post->x, event);
        return;
    }
    post->streaming = true;
    vl_exchange_watch(post->x, NULL, resume, post);
    start_events(post->endpoint, post->x, json, NULL);
}

/* @spec HT-19 */
void
vl_mcp_post_send(struct vl_mcp_post *post, struct vl_str json)
{
    if (vl_mcp_post_can_send(post))
        send_event(post, json);
}

/* Everything is gathered: `json` is the answer, or empty. */
static void
conclude(struct vl_mcp_post *post, struct vl_str json)
{
    struct vl_exchange *x = post->x;
    if (post->refusal && !post->streaming) {
        vl_mcp_reply_error(post->endpoint, x, post->refusal, VL_RPC_NULL_ID,
                           post->refusal == 404 ? "Session not found"
                                                : "The server is stopping");
    } else if (post->streaming || (json.n && !post->accept.json)) {
        if (json.n)
            send_event(post, json);
        vl_exchange_finish(x);
    } else if (json.n) {
        vl_mcp_reply(x, 200, json, NULL);
    } else {
        /* Notifications; or a request that was taken back. */
        vl_mcp_reply_empty(x, 202);
    }
}

static void
conclude_batch(struct vl_mcp_post *post)
{
    /* The post goes with its exchange, so the answers have to be ours. */
    vl_auto(vl_buf) answers = vl_buf_take(&post->answers);
    bool any = vl_buf_size(&answers) > 0;
    if (any)
        vl_buf_addc(&answers, ']');
    if (answers.failed) {
        vl_buf_clear(&answers);
        vl_rpc_write_error(&answers, VL_RPC_NULL_ID, VL_RPC_INTERNAL,
                           "The answers are too long");
    }
    conclude(post, vl_buf_str(&answers));
}

void
vl_mcp_post_answer(struct vl_mcp_post *post, struct vl_str json)
{
    VL_ASSERT(post->holds > 0);
    post->holds--;
    if (!post->batch) {
        VL_ASSERT(post->holds == 0);
        vl_buf_done(&post->answers);
        conclude(post, json);
        return;
    }
    if (json.n) {
        vl_buf_addc(&post->answers, vl_buf_size(&post->answers) ? ',' : '[');
        vl_buf_add(&post->answers, json);
    }
    if (post->holds == 0)
        conclude_batch(post);
}

void
vl_mcp_post_fail(struct vl_mcp_post *post, int status)
{
    post->refusal = status;
    vl_mcp_post_answer(post, (struct vl_str){NULL, 0});
}
