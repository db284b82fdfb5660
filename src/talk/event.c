/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/event.h"

const struct vl_str vl_mcp_comment = {":\n\n", 3};

static void
add_field(struct vl_buf *out, const char *name, struct vl_str value)
{
    vl_buf_addz(out, name);
    vl_buf_add(out, VL_STR(": "));
    vl_buf_add(out, value);
    vl_buf_addc(out, '\n');
}

/* event = *( comment / field ) end-of-line ; field = name ":" SP value LF */
struct vl_str
vl_mcp_event_write(struct vl_mcp_endpoint *endpoint,
                   const struct vl_mcp_event *event)
{
    struct vl_buf *frame = &endpoint->frame;
    /* One huge answer must not be paid for for ever. */
    if (frame->cap > VL_MCP_KEEP_MAX)
        vl_buf_done(frame);
    vl_buf_clear(frame);
    if (event->id)
        add_field(frame, "id", vl_str_z(event->id));
    if (event->name)
        add_field(frame, "event", vl_str_z(event->name));
    if (event->retry_ms)
        vl_buf_addf(frame, "retry: %lld\n", (long long)event->retry_ms);
    add_field(frame, "data", event->data);
    vl_buf_addc(frame, '\n');
    return vl_buf_str(frame);
}

void
vl_mcp_events_start(struct vl_exchange *x, struct vl_str first,
                    const char *session)
{
    struct vl_reply reply = {
        .status = 200, .type = "text/event-stream", .body = first};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    /* Proxies would hold events back until a buffer is full. */
    vl_reply_add(&reply, "X-Accel-Buffering", VL_STR("no"));
    if (session)
        vl_reply_add(&reply, "Mcp-Session-Id", vl_str_z(session));
    vl_exchange_start(x, &reply);
}
