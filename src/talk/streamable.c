/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of Streamable HTTP, in the order in which a request meets them:
 * method, media types, JSON, shape, session, version, meaning. Each step
 * answers before the next one runs.
 */
#include "talk/arrival.h"
#include "talk/dispatch.h"
#include "talk/reply.h"
#include "talk/stateless.h"
#include "talk/stream.h"

/* @spec HT-30 */
static struct vl_mcp_session *
find_session(const struct vl_mcp_arrival *a)
{
    struct vl_str id;
    if (vl_mcp_arrival_header(a, VL_STR("mcp-session-id"), &id) && id.p)
        return vl_mcp_arrival_session(a, id, VL_MCP_STREAMABLE);
    vl_mcp_arrival_refuse(a, 400, "Mcp-Session-Id is required, once");
    return NULL;
}

/* --- POST --- */

/* @spec HT-37: nothing is agreed upon yet, so the body says which version, and
 * an MCP-Protocol-Version says nothing. */
static void
open_session(const struct vl_mcp_arrival *a,
             const struct vl_rpc_message *message)
{
    struct vl_mcp_endpoint *endpoint = a->endpoint;
    struct vl_mcp_session *session = NULL;
    struct vl_mcp_peer peer;
    valet_error err;
    if (vl_mcp_dispatch_hello(message, &peer, &err) != VALET_OK) {
        struct vl_buf *text = vl_mcp_scratch(endpoint);
        vl_rpc_write_error(text, message->id, VL_RPC_INVALID_PARAMS,
                           err.message);
        vl_mcp_reply(a->x, 200, vl_buf_str(text), NULL);
        return;
    }
    if (vl_mcp_sessions_add(&endpoint->sessions, a->principal,
                            VL_MCP_STREAMABLE, &peer, &session,
                            &err) != VALET_OK) {
        vl_mcp_arrival_refuse(a, 503, "Too many sessions are busy");
        return;
    }
    vl_mcp_endpoint_wake(endpoint);
    vl_mcp_endpoint_note_session(endpoint, VL_MCP_SESSION_OPENED, a->principal,
                                 NULL, a->request->peer);
    struct vl_buf *text = vl_mcp_scratch(endpoint);
    vl_mcp_dispatch_welcome(endpoint, message, peer.version, text);
    if (a->accept.json) {
        /* @spec HT-28 */
        vl_mcp_reply(a->x, 200, vl_buf_str(text), session->id);
        return;
    }
    vl_mcp_reply_event(endpoint, a->x, vl_buf_str(text), session->id);
}

static void
handle_legacy(const struct vl_mcp_arrival *a,
              const struct vl_rpc_message *message)
{
    struct vl_mcp_turn turn = {.endpoint = a->endpoint,
                               .principal = a->principal};
    if (message->kind == VL_RPC_REQUEST &&
        vl_str_eq(message->method, VL_STR("initialize"))) {
        open_session(a, message);
        return;
    }
    turn.session = find_session(a);
    if (!turn.session)
        return;
    turn.peer = &turn.session->peer;
    turn.post =
        vl_mcp_post_new(a->endpoint, a->x, turn.session, a->accept, false);
    vl_mcp_dispatch(&turn, message);
}

/* @spec HT-76: the body decides; a header can only confirm. */
static void
handle_message(struct vl_mcp_arrival *a, const struct vl_rpc_message *message)
{
    const struct vl_str none = {NULL, 0};
    enum vl_rpc_code code = VL_RPC_INVALID_REQUEST;
    const char *why = "MCP-Protocol-Version stands there twice";
    struct vl_str version;
    if (!vl_mcp_arrival_header(a, VL_STR("mcp-protocol-version"), &version)) {
        vl_mcp_arrival_error(a, 400,
                             vl_mcp_has_envelope(message)
                                 ? VL_RPC_HEADER_MISMATCH
                                 : VL_RPC_INVALID_REQUEST,
                             why, none);
        return;
    }
    switch (vl_mcp_era_of(message, vl_str_trim(version), &code, &why)) {
    case VL_MCP_LEGACY:
        handle_legacy(a, message);
        return;
    case VL_MCP_MODERN:
        vl_mcp_stateless_handle(a, message);
        return;
    case VL_MCP_NO_ERA:
        vl_mcp_arrival_error(a, 400, code, why, none);
        return;
    }
}

static void
handle_element(const struct vl_mcp_turn *turn, const struct json_t *element)
{
    struct vl_rpc_message message;
    valet_error err;
    if (vl_mcp_read_element(element, &message, &err) == VALET_OK) {
        vl_mcp_dispatch(turn, &message);
        return;
    }
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    vl_rpc_write_error(text, vl_rpc_find_id(element), VL_RPC_INVALID_REQUEST,
                       err.message);
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

/* @spec HT-15 HT-16: arrays are of 2025-03-26 alone; each element meets the
 * same checks as it would alone. */
static void
handle_batch(const struct vl_mcp_arrival *a, const struct json_t *body)
{
    size_t size = vl_json_size(body);
    struct vl_mcp_session *session = find_session(a);
    if (!session)
        return;
    if (session->peer.version != VL_MCP_2025_03_26 || size == 0 ||
        size > VL_MCP_BATCH_MAX) {
        vl_mcp_arrival_refuse(a, 400, "This array is no batch");
        return;
    }
    struct vl_mcp_turn turn = {.endpoint = a->endpoint,
                               .session = session,
                               .peer = &session->peer,
                               .principal = a->principal};
    turn.post = vl_mcp_post_new(a->endpoint, a->x, session, a->accept, true);
    /* A tool that finishes at once must end neither post nor session before
     * the last element. */
    vl_mcp_session_hold(session);
    for (size_t i = 0; i < size && session->table; i++) {
        vl_mcp_post_hold(turn.post);
        handle_element(&turn, vl_json_at(body, i));
    }
    if (session->table)
        vl_mcp_post_answer(turn.post, (struct vl_str){NULL, 0});
    else
        vl_mcp_post_fail(turn.post, 404);
    vl_mcp_session_release(session);
}

static void
handle_post(struct vl_mcp_arrival *a)
{
    if (!vl_mcp_arrival_is_json(a))
        return;
    a->accept = vl_mcp_accept_read(&a->request->headers);
    if (!a->accept.json && !a->accept.events) {
        vl_mcp_arrival_refuse(a, 406,
                              "Accept allows neither JSON nor an event stream");
        return;
    }
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    vl_rpc_body_init(&body);
    switch (vl_mcp_arrival_read(a, &body, &message)) {
    case VL_MCP_BODY_MESSAGE:
        handle_message(a, &message);
        return;
    case VL_MCP_BODY_ARRAY:
        handle_batch(a, body.doc.root);
        return;
    case VL_MCP_BODY_REFUSED:
        return;
    }
}

/* --- GET, DELETE --- */

/* @spec HT-25 HT-26: only what was sent on that very stream, and of this
 * session: find_session() has made sure whose it is. */
static void
resume_stream(const struct vl_mcp_arrival *a, struct vl_mcp_session *session,
              struct vl_mcp_event_id last)
{
    struct vl_mcp_post *post = vl_mcp_post_find(session, last.stream);
    if (post) {
        vl_mcp_post_resume(post, a->x, last);
        return;
    }
    if (vl_mcp_post_replay(a->endpoint, session, a->x, last))
        vl_exchange_finish(a->x);
    else /* HTML, server-sent events: "stop reconnecting" */
        vl_mcp_reply_empty(a->x, 204);
}

/* @spec HT-21 HT-22 HT-24 HT-27: it begins with an event of its own, so that a
 * client can ask for the rest; "0" is no stream of a POST. */
static void
open_stream(const struct vl_mcp_arrival *a, struct vl_mcp_session *session)
{
    struct vl_str first = {NULL, 0};
    char id[VL_MCP_EVENT_ID_SIZE];
    if (vl_mcp_arrival_is_too_late(a))
        return;
    vl_mcp_event_id_write((struct vl_mcp_event_id){0, ++session->history.gets},
                          id);
    if (session->peer.version >= VL_MCP_2025_11_25)
        first =
            vl_mcp_event_write(a->endpoint, &(struct vl_mcp_event){.id = id});
    vl_mcp_stream_open(a->endpoint, session, a->x, first);
}

static void
handle_get(struct vl_mcp_arrival *a)
{
    struct vl_str text;
    struct vl_mcp_event_id last = {0, 0};
    a->accept = vl_mcp_accept_read(&a->request->headers);
    if (!a->accept.events) {
        vl_mcp_arrival_refuse(a, 406, "Accept does not allow an event stream");
        return;
    }
    struct vl_mcp_session *session = find_session(a);
    if (!session)
        return;
    if (!vl_mcp_arrival_header(a, VL_STR("last-event-id"), &text) ||
        (text.n && !vl_mcp_event_id_parse(text, &last)))
        vl_mcp_arrival_refuse(a, 400, "Last-Event-ID is none of ours");
    else if (last.stream)
        resume_stream(a, session, last);
    else
        open_stream(a, session);
}

/* @spec HT-32 */
static void
handle_delete(struct vl_mcp_arrival *a)
{
    struct vl_mcp_session *session = find_session(a);
    if (!session)
        return;
    vl_mcp_session_end(session, "client");
    vl_mcp_reply_empty(a->x, 204);
}

void
vl_mcp_endpoint_handle(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                       const struct vl_principal *principal)
{
    struct vl_mcp_arrival a = vl_mcp_arrival_of(endpoint, x, principal);
    if (vl_str_eqz(a.request->method, "POST"))
        handle_post(&a);
    else if (vl_str_eqz(a.request->method, "GET"))
        handle_get(&a);
    else if (vl_str_eqz(a.request->method, "DELETE"))
        handle_delete(&a);
    else
        vl_mcp_refuse_method(x, "GET, POST, DELETE");
}
