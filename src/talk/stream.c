/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/stream.h"

void
vl_mcp_stream_close(struct vl_mcp_stream *stream, const char *reason)
{
    struct vl_mcp_session *session = stream->session;
    struct vl_exchange *x = stream->x;
    bool is_home = stream->is_home;
    /* Out of everything first: what follows may come here again. */
    session->stream = NULL;
    vl_list_remove(&stream->in_endpoint);
    free(stream);
    vl_exchange_watch(x, NULL, NULL, NULL);
    vl_exchange_finish(x);
    if (is_home)
        vl_mcp_session_end(session, reason);
    vl_mcp_session_release(session);
}

static void
on_close(void *ctx)
{
    vl_mcp_stream_close(ctx, "client_gone");
}

void
vl_mcp_stream_open(struct vl_mcp_endpoint *endpoint,
                   struct vl_mcp_session *session, struct vl_exchange *x,
                   struct vl_str first)
{
    struct vl_mcp_stream *stream = vl_alloc(sizeof *stream);
    stream->endpoint = endpoint;
    stream->session = session;
    stream->x = x;
    stream->spoke_ms = vl_mono_now();
    stream->is_home = session->transport == VL_MCP_HTTP_SSE;
    vl_list_init(&stream->in_endpoint);
    vl_mcp_session_hold(session);
    if (session->stream)
        vl_mcp_stream_close(session->stream, "client");
    session->stream = stream;
    vl_list_add_last(&endpoint->streams, &stream->in_endpoint);
    vl_exchange_watch(x, on_close, NULL, stream);
    vl_mcp_events_start(x, first.n ? first : vl_mcp_comment, NULL);
    vl_exchange_forget_request(x);
    vl_mcp_endpoint_wake(endpoint);
}

bool
vl_mcp_stream_is_slow(const struct vl_mcp_stream *stream)
{
    return vl_exchange_waiting(stream->x) >= VL_LIMIT_STREAM_HIGH;
}

void
vl_mcp_stream_send(struct vl_mcp_stream *stream, struct vl_str json)
{
    if (vl_exchange_waiting(stream->x) >= VL_LIMIT_STREAM_MOST) {
        vl_mcp_stream_close(stream, "too_slow");
        return;
    }
    stream->spoke_ms = vl_mono_now();
    (void)vl_exchange_write(
        stream->x, vl_mcp_event_write(stream->endpoint,
                                      &(struct vl_mcp_event){.name = "message",
                                                             .data = json}));
}

/* @spec S-67: also finds out about peers that are gone. Who has not read what
 * is there needs no more. */
static void
keep_alive(struct vl_mcp_stream *stream, int64_t now)
{
    if (now - stream->spoke_ms < VL_LIMIT_STREAM_QUIET_MS ||
        vl_exchange_waiting(stream->x) > 0)
        return;
    stream->spoke_ms = now;
    (void)vl_exchange_write(stream->x, vl_mcp_comment);
}

void
vl_mcp_streams_tend(struct vl_mcp_endpoint *endpoint)
{
    int64_t now = vl_clock_now(endpoint->clock), mono = vl_mono_now();
    struct vl_list due;
    vl_list_init(&due);
    /* One after the other back to where they were: a session that ends may
     * take others with it. */
    while (!vl_list_is_empty(&endpoint->streams)) {
        struct vl_list *node = endpoint->streams.next;
        vl_list_remove(node);
        vl_list_add_last(&due, node);
    }
    while (!vl_list_is_empty(&due)) {
        struct vl_mcp_stream *stream =
            VL_CONTAINER(due.next, struct vl_mcp_stream, in_endpoint);
        vl_list_remove(&stream->in_endpoint);
        vl_list_add_last(&endpoint->streams, &stream->in_endpoint);
        if (now >= stream->session->principal.expires_ms)
            vl_mcp_stream_close(stream, "token_expire");
        else
            keep_alive(stream, mono);
    }
}

void
vl_mcp_streams_close(struct vl_mcp_endpoint *endpoint, const char *reason)
{
    while (!vl_list_is_empty(&endpoint->streams))
        vl_mcp_stream_close(VL_CONTAINER(endpoint->streams.next,
                                         struct vl_mcp_stream, in_endpoint),
                            reason);
}
