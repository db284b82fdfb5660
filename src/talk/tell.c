/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/tell.h"

#include "talk/listen.h"
#include "talk/stream.h"

static const char *const list_notes[VL_MCP_SORT_COUNT] = {
    [VL_MCP_TOOLS] = "notifications/tools/list_changed",
    [VL_MCP_RESOURCES] = "notifications/resources/list_changed",
    [VL_MCP_TEMPLATES] = "notifications/resources/list_changed",
    [VL_MCP_PROMPTS] = "notifications/prompts/list_changed",
};
static const char updated_note[] = "notifications/resources/updated";

/* `listener` NULL: as sessions are told it; `uri` {NULL,0}: of none. */
static struct vl_str
write_note(struct vl_buf *text, const char *method, struct vl_str uri,
           const struct vl_mcp_listener *listener)
{
    struct vl_json_out out = {text, false};
    vl_buf_clear(text);
    vl_rpc_open_notification(&out, method);
    if (uri.p || listener) {
        vl_json_open_key(&out, "params", '{');
        if (listener)
            vl_mcp_listener_write_meta(&out, listener);
        if (uri.p)
            vl_json_add_str(&out, "uri", uri);
        vl_json_close(&out, '}');
    }
    vl_json_close(&out, '}');
    return vl_buf_str(text);
}

static void
tell_session(struct vl_mcp_session *session, struct vl_str json)
{
    struct vl_mcp_endpoint *endpoint = session->table->rules.ctx;
    if (session->transport == VL_MCP_STDIO)
        endpoint->line.write(json, endpoint->line.ctx);
    else
        vl_mcp_stream_send(session->stream, json);
}

/* Without a stream there is nobody to tell. */
static bool
hears(const struct vl_mcp_session *session)
{
    return session->transport == VL_MCP_STDIO ? session->is_greeted
                                              : session->stream != NULL;
}

/* One that is not read is left alone (to close it here would end its session,
 * and set off who knows what), and told later. */
static bool
reads(const struct vl_mcp_session *session)
{
    const struct vl_mcp_endpoint *endpoint = session->table->rules.ctx;
    return session->transport == VL_MCP_STDIO
               ? !endpoint->line.is_full(endpoint->line.ctx)
               : !vl_mcp_stream_is_slow(session->stream);
}

/* Of vl_mcp_session.missed: lists, by their sort, and resources. */
#define MISSED_LIST(sort) (1u << (sort))
#define MISSED_UPDATES    MISSED_LIST(VL_MCP_SORT_COUNT)

/* `uri`: only those that have subscribed to it; {NULL,0}: all. */
static void
tell_sessions(struct vl_mcp_endpoint *endpoint, struct vl_str json,
              struct vl_str uri, unsigned what)
{
    VL_LIST_EACH (it, &endpoint->sessions.all) {
        struct vl_mcp_session *session =
            VL_CONTAINER(it, struct vl_mcp_session, in_all);
        if (!hears(session) ||
            (uri.p && !vl_map_find(&session->subscribed, uri)))
            continue;
        if (reads(session)) {
            tell_session(session, json);
            continue;
        }
        if (!session->missed)
            vl_list_add_last(&endpoint->missed, &session->in_missed);
        session->missed |= what;
        vl_mcp_endpoint_wake(endpoint);
    }
}

static void
tell_update(struct vl_str uri, void *value, void *ctx)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_KEEP_MAX);
    (void)value;
    tell_session(ctx, write_note(&text, updated_note, uri, NULL));
}

/* All at once: it is not much. Which resources have changed was not noted. */
static void
catch_up(struct vl_mcp_session *session)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_KEEP_MAX);
    const struct vl_str none = {NULL, 0};
    unsigned missed = session->missed;
    vl_list_remove(&session->in_missed);
    session->missed = 0;
    for (unsigned sort = 0; sort < VL_MCP_SORT_COUNT; sort++)
        if (missed & MISSED_LIST(sort))
            tell_session(session,
                         write_note(&text, list_notes[sort], none, NULL));
    if (missed & MISSED_UPDATES)
        vl_map_each(&session->subscribed, tell_update, session);
}

/* @spec HT-22 */
void
vl_mcp_tell_missed(struct vl_mcp_endpoint *endpoint)
{
    VL_LIST_EACH (it, &endpoint->missed) {
        struct vl_mcp_session *session =
            VL_CONTAINER(it, struct vl_mcp_session, in_missed);
        if (hears(session) && reads(session))
            catch_up(session);
    }
}

void
vl_mcp_tell_list(struct vl_mcp_endpoint *endpoint, enum vl_mcp_sort sort)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_KEEP_MAX);
    const struct vl_str none = {NULL, 0};
    if (sort == VL_MCP_TEMPLATES)
        sort = VL_MCP_RESOURCES;
    tell_sessions(endpoint, write_note(&text, list_notes[sort], none, NULL),
                  none, MISSED_LIST(sort));
    VL_LIST_EACH (it, &endpoint->listeners) {
        struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        if (listener->wants[sort])
            vl_mcp_listener_send(
                listener, write_note(&text, list_notes[sort], none, listener));
    }
}

void
vl_mcp_tell_updated(struct vl_mcp_endpoint *endpoint, const char *uri)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_KEEP_MAX);
    struct vl_str about = vl_str_z(uri);
    tell_sessions(endpoint, write_note(&text, updated_note, about, NULL), about,
                  MISSED_UPDATES);
    VL_LIST_EACH (it, &endpoint->listeners) {
        struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        if (vl_map_find(&listener->uris, about))
            vl_mcp_listener_send(
                listener, write_note(&text, updated_note, about, listener));
    }
}
