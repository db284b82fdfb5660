/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of HTTP+SSE (2024-11-05; @spec HT-07 HT-08 HT-09 S-67 S-68): a GET
 * opens the stream, and with it the session; messages are posted elsewhere,
 * are accepted or refused there, and answered on the stream. Whoever posts is
 * checked anew: the stream's user, client and token family, or nobody.
 */
#include "talk/arrival.h"
#include "talk/dispatch.h"
#include "talk/reply.h"
#include "talk/stateless.h"
#include "talk/stream.h"

#define MESSAGE_PATH "/message?sessionId="

/* --- the stream --- */

static void
open_stream(const struct vl_mcp_arrival *a)
{
    const struct vl_mcp_peer stranger = {.version = VL_MCP_2024_11_05,
                                         .level = VALET_MCP_INFO};
    struct vl_mcp_session *session = NULL;
    if (vl_mcp_arrival_is_too_late(a))
        return;
    /* Until `initialize` says otherwise, and for clients whose reader connects
     * again without it. */
    if (vl_mcp_sessions_add(&a->endpoint->sessions, a->principal,
                            VL_MCP_HTTP_SSE, &stranger, &session,
                            NULL) != VALET_OK) {
        vl_mcp_arrival_refuse(a, 503, "Too many streams are open");
        return;
    }
    vl_mcp_endpoint_note_session(a->endpoint, VL_MCP_SESSION_OPENED,
                                 a->principal, NULL, a->request->peer);
    char path[sizeof MESSAGE_PATH + VL_MCP_SESSION_ID_SIZE];
    (void)snprintf(path, sizeof path, MESSAGE_PATH "%s", session->id);
    vl_mcp_stream_open(
        a->endpoint, session, a->x,
        vl_mcp_event_write(a->endpoint,
                           &(struct vl_mcp_event){.name = "endpoint",
                                                  .data = vl_str_z(path)}));
}

void
vl_mcp_endpoint_handle_sse(struct vl_mcp_endpoint *endpoint,
                           struct vl_exchange *x,
                           const struct vl_principal *principal)
{
    struct vl_mcp_arrival a = vl_mcp_arrival_of(endpoint, x, principal);
    a.accept = vl_mcp_accept_read(&a.request->headers);
    if (!vl_str_eqz(a.request->method, "GET"))
        vl_mcp_refuse_method(x, "GET");
    else if (!a.accept.events && !a.accept.json) /* json: a wildcard, too */
        vl_mcp_arrival_refuse(&a, 406, "Accept does not allow an event stream");
    else
        open_stream(&a);
}

/* --- messages --- */

/* @spec HT-37: the version is the session's from now on. */
static void
answer_initialize(const struct vl_mcp_turn *turn,
                  const struct vl_rpc_message *message)
{
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_mcp_session *session = turn->session;
    valet_error err;
    if (vl_mcp_dispatch_hello(message, &session->peer, &err) == VALET_OK) {
        vl_mcp_dispatch_welcome(turn->endpoint, message, session->peer.version,
                                text);
    } else {
        vl_rpc_write_error(text, message->id, VL_RPC_INVALID_PARAMS,
                           err.message);
    }
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

static void
take_message(struct vl_mcp_arrival *a, struct vl_mcp_session *session,
             const struct vl_rpc_message *message)
{
    struct vl_mcp_turn turn = {.endpoint = a->endpoint,
                               .session = session,
                               .peer = &session->peer,
                               .principal = a->principal};
    /* @spec HT-76: it says that it is of 2026-07-28, and would be answered as
     * of 2024-11-05. */
    if (vl_mcp_has_envelope(message)) {
        vl_mcp_arrival_error(a, 400, VL_RPC_INVALID_REQUEST,
                             "A request of this revision has no session",
                             (struct vl_str){NULL, 0});
        return;
    }
    /* Without a reader there is nowhere to answer to. */
    if (vl_mcp_stream_is_slow(session->stream)) {
        vl_mcp_arrival_refuse(a, 503, "The stream is not read fast enough");
        return;
    }
    turn.post = vl_mcp_post_new_sse(a->endpoint, a->x, session);
    if (message->kind == VL_RPC_REQUEST &&
        vl_str_eqz(message->method, "initialize"))
        answer_initialize(&turn, message);
    else
        vl_mcp_dispatch(&turn, message);
    vl_mcp_post_accept(turn.post);
}

static void
read_message(struct vl_mcp_arrival *a, struct vl_mcp_session *session)
{
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    vl_rpc_body_init(&body);
    switch (vl_mcp_arrival_read(a, &body, &message)) {
    case VL_MCP_BODY_MESSAGE:
        take_message(a, session, &message);
        return;
    case VL_MCP_BODY_ARRAY:
        vl_mcp_arrival_refuse(a, 400, "This revision has no batches");
        return;
    case VL_MCP_BODY_REFUSED:
        return;
    }
}

/* sessionId=… ; once. An id of ours has no byte that would be encoded. */
static struct vl_str
read_session_id(struct vl_str query)
{
    struct vl_str found = {NULL, 0}, pair;
    size_t count = 0;
    while (vl_str_split(&query, '&', &pair))
        if (vl_str_starts(pair, VL_STR("sessionId="))) {
            found = vl_str_from(pair, 10);
            count++;
        }
    return count == 1 ? found : (struct vl_str){NULL, 0};
}

void
vl_mcp_endpoint_handle_message(struct vl_mcp_endpoint *endpoint,
                               struct vl_exchange *x,
                               const struct vl_principal *principal)
{
    struct vl_mcp_arrival a = vl_mcp_arrival_of(endpoint, x, principal);
    struct vl_str id = read_session_id(a.request->query);
    if (!vl_str_eqz(a.request->method, "POST")) {
        vl_mcp_refuse_method(x, "POST");
        return;
    }
    if (!vl_mcp_arrival_is_json(&a))
        return;
    if (!id.n) {
        vl_mcp_arrival_refuse(&a, 400, "sessionId is required, once");
        return;
    }
    struct vl_mcp_session *session =
        vl_mcp_arrival_session(&a, id, VL_MCP_HTTP_SSE);
    if (session)
        read_message(&a, session);
}
