/* SPDX-License-Identifier: Apache-2.0
 *
 * An event stream that stays open for a session: the GET of Streamable HTTP
 * (@spec HT-21), or the stream of HTTP+SSE, with which its session begins and
 * ends (@spec HT-07 S-67). A session has at most one; a new one replaces the
 * old, whose client may be long gone without a word.
 *
 * It ends when the peer goes, the session ends, or the last token that was
 * seen for it expires; comments keep proxies from taking it for dead.
 */
#ifndef VL_TALK_STREAM_H
#define VL_TALK_STREAM_H

#include "talk/event.h"

struct vl_mcp_stream {
    struct vl_list in_endpoint;
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_session *session; /* held */
    struct vl_exchange *x;
    int64_t spoke_ms; /* vl_mono_now() */
    bool is_home;     /* the session ends with it */
};

/* `first` is what it begins with: whole events, or a comment. The request
 * behind `x` is gone afterwards. */
void vl_mcp_stream_open(struct vl_mcp_endpoint *endpoint,
                        struct vl_mcp_session *session, struct vl_exchange *x,
                        struct vl_str first);
/* Sends one message. A reader so slow that too much waits for it loses the
 * stream: it, and a session that lives by it, are gone then. */
void vl_mcp_stream_send(struct vl_mcp_stream *stream, struct vl_str json);
/* Is there so much waiting that nothing should be begun? */
bool vl_mcp_stream_is_slow(const struct vl_mcp_stream *stream);
/* Ends it; `reason` is that of a session that goes with it. */
void vl_mcp_stream_close(struct vl_mcp_stream *stream, const char *reason);

/* Once a second while there are any: closes what has expired (by the
 * endpoint's clock), sends comments where it was quiet for too long. */
void vl_mcp_streams_tend(struct vl_mcp_endpoint *endpoint);
void vl_mcp_streams_close(struct vl_mcp_endpoint *endpoint, const char *reason);

#endif
