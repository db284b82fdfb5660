/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a post lives, and how it is answered at the end.
 */
#include "talk/post_inside.h"
#include "talk/reply.h"

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

struct vl_mcp_post *
vl_mcp_post_new_stateless(struct vl_mcp_endpoint *endpoint,
                          struct vl_exchange *x, struct vl_mcp_accept accept)
{
    struct vl_mcp_post *post =
        new_post(endpoint, VL_MCP_WAY_STATELESS, x, NULL);
    post->accept = accept;
    return post;
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
            vl_mcp_post_write(post, json);
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
        vl_mcp_post_write(post, json);
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
