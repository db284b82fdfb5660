/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of Streamable HTTP, in the order in which a request meets them:
 * method, media types, JSON, shape, session, version, meaning. Each step
 * answers before the next one runs.
 */
#include "talk/endpoint.h"

#include "talk/arrival.h"
#include "talk/dispatch.h"
#include "talk/listen.h"
#include "talk/reply.h"
#include "talk/stateless.h"
#include "talk/stream.h"

struct vl_buf *
vl_mcp_scratch(struct vl_mcp_endpoint *endpoint)
{
    /* One huge answer must not be paid for for ever. */
    if (endpoint->scratch.cap > VL_MCP_KEEP_MAX)
        vl_buf_done(&endpoint->scratch);
    vl_buf_clear(&endpoint->scratch);
    return &endpoint->scratch;
}

void
vl_mcp_endpoint_note(const struct vl_mcp_endpoint *endpoint,
                     const struct vl_mcp_note *note)
{
    if (endpoint->hooks->note)
        endpoint->hooks->note(note, endpoint->hooks->ctx);
}

void
vl_mcp_endpoint_note_session(const struct vl_mcp_endpoint *endpoint,
                             enum vl_mcp_happening what,
                             const struct vl_principal *principal,
                             const char *reason, const char *peer)
{
    vl_mcp_endpoint_note(endpoint, &(struct vl_mcp_note){.what = what,
                                                         .principal = principal,
                                                         .peer = peer,
                                                         .reason = reason});
}

static void
on_session_end(struct vl_mcp_session *session, const char *reason, void *ctx)
{
    struct vl_mcp_endpoint *endpoint = ctx;
    vl_mcp_call_leave_session(session);
    vl_mcp_post_leave_session(session);
    if (session->stream)
        vl_mcp_stream_close(session->stream, reason);
    vl_mcp_endpoint_note_session(endpoint, VL_MCP_SESSION_CLOSED,
                                 &session->principal, reason, NULL);
}

void
vl_mcp_endpoint_wake(struct vl_mcp_endpoint *endpoint)
{
    bool tend = !vl_list_is_empty(&endpoint->streams) ||
                !vl_list_is_empty(&endpoint->listeners) ||
                !vl_list_is_empty(&endpoint->calls);
    int64_t ms = tend ? VL_MCP_TEND_MS : VL_MCP_SWEEP_MS;
    bool runs = endpoint->sweeping_ms && endpoint->sweeping_ms <= ms;
    if (runs || endpoint->closing)
        return;
    endpoint->sweeping_ms = ms;
    vl_timer_start(endpoint->sweeper, ms);
}

void
vl_mcp_endpoint_sweep(struct vl_mcp_endpoint *endpoint)
{
    int64_t now = vl_mono_now();
    vl_mcp_call_sweep(endpoint, now - VL_MCP_CALL_MS);
    vl_mcp_calls_tend(endpoint);
    vl_mcp_streams_tend(endpoint);
    vl_mcp_tell_missed(endpoint);
    vl_mcp_listeners_tend(endpoint);
    vl_mcp_tasks_sweep(&endpoint->tasks);
    vl_mcp_sessions_sweep(&endpoint->sessions);
    vl_mcp_archive_sweep(&endpoint->archive, now - VL_LIMIT_MCP_HISTORY_MS);
}

static void
sweep(void *ctx)
{
    struct vl_mcp_endpoint *endpoint = ctx;
    endpoint->sweeping_ms = 0;
    vl_mcp_endpoint_sweep(endpoint);
    if (endpoint->sessions.count || !vl_list_is_empty(&endpoint->calls) ||
        !vl_list_is_empty(&endpoint->listeners) || endpoint->tasks.count)
        vl_mcp_endpoint_wake(endpoint);
}

static void
on_list_changed(struct vl_mcp_watcher *watcher, enum vl_mcp_sort sort)
{
    vl_mcp_tell_list(VL_CONTAINER(watcher, struct vl_mcp_endpoint, watcher),
                     sort);
}

static void
on_updated(struct vl_mcp_watcher *watcher, const char *uri)
{
    vl_mcp_tell_updated(VL_CONTAINER(watcher, struct vl_mcp_endpoint, watcher),
                        uri);
}

/* All endpoints of a server are on one thread. */
static void
join_server(struct vl_mcp_endpoint *endpoint, struct vl_mcp_server *server,
            struct vl_loop *loop)
{
    endpoint->server = server;
    if (vl_list_is_empty(&server->watchers))
        vl_mcp_gate_open(server->gate, loop);
    endpoint->gate = server->gate;
    vl_mcp_gate_hold(endpoint->gate);
    endpoint->watcher.list_changed = on_list_changed;
    endpoint->watcher.updated = on_updated;
    vl_mcp_server_watch(server, &endpoint->watcher);
}

static void
leave_server(struct vl_mcp_endpoint *endpoint)
{
    vl_mcp_server_unwatch(&endpoint->watcher);
    if (vl_list_is_empty(&endpoint->server->watchers))
        vl_mcp_gate_close(endpoint->gate);
    vl_mcp_gate_release(endpoint->gate);
}

static void
init_tasks(struct vl_mcp_endpoint *endpoint, unsigned home)
{
    struct vl_mcp_task_rules rules = vl_mcp_task_rules();
    rules.home = home;
    rules.clock = endpoint->clock;
    rules.answered = vl_mcp_call_answered;
    rules.cancel = vl_mcp_call_let_go;
    vl_mcp_tasks_init(&endpoint->tasks, &rules);
}

struct vl_mcp_endpoint *
vl_mcp_endpoint_new(struct vl_mcp_server *server,
                    const struct vl_mcp_hooks *hooks, struct vl_loop *loop,
                    const struct vl_clock *clock, unsigned home)
{
    VL_ASSERT(hooks->may && hooks->refuse && hooks->login);
    struct vl_mcp_endpoint *endpoint = vl_alloc(sizeof *endpoint);
    join_server(endpoint, server, loop);
    endpoint->hooks = hooks;
    endpoint->clock = clock;
    endpoint->scratch = vl_buf_of(VL_MCP_ANSWER_MAX);
    endpoint->frame = vl_buf_of(VL_MCP_ANSWER_MAX + 64);
    endpoint->sweeper = vl_timer_new(loop, sweep, endpoint);
    vl_list_init(&endpoint->calls);
    vl_list_init(&endpoint->spare_calls);
    vl_list_init(&endpoint->streams);
    vl_list_init(&endpoint->missed);
    vl_list_init(&endpoint->listeners);
    endpoint->own_ring = vl_keyring_new_random();
    endpoint->ring = endpoint->own_ring;
    init_tasks(endpoint, home);
    vl_mcp_archive_init(&endpoint->archive);
    vl_mcp_sessions_init(&endpoint->sessions,
                         &(struct vl_mcp_session_rules){
                             .max = VL_LIMIT_MCP_SESSIONS,
                             .max_per_user = VL_LIMIT_MCP_SESSIONS_PER_USER,
                             .max_per_owner = VL_LIMIT_MCP_SESSIONS_PER_CLIENT,
                             .idle_ms = VL_LIMIT_MCP_SESSION_IDLE_MS,
                             .home = home,
                             .clock = clock,
                             .on_end = on_session_end,
                             .ctx = endpoint,
                         });
    return endpoint;
}

void
vl_mcp_endpoint_free(struct vl_mcp_endpoint *endpoint)
{
    if (!endpoint)
        return;
    endpoint->closing = true;
    vl_mcp_tasks_done(&endpoint->tasks);
    vl_mcp_call_leave_endpoint(endpoint);
    vl_mcp_listeners_end(endpoint, NULL);
    vl_mcp_sessions_done(&endpoint->sessions);
    vl_mcp_catalog_done(&endpoint->catalog);
    vl_timer_free(endpoint->sweeper);
    vl_buf_done(&endpoint->scratch);
    vl_buf_done(&endpoint->frame);
    vl_keyring_free(endpoint->own_ring);
    leave_server(endpoint);
    free(endpoint);
}

void
vl_mcp_endpoint_seal_with(struct vl_mcp_endpoint *endpoint,
                          const struct vl_keyring *ring, const char *resource)
{
    vl_keyring_free(endpoint->own_ring);
    endpoint->own_ring = NULL;
    endpoint->ring = ring;
    endpoint->resource = resource;
}

void
vl_mcp_endpoint_take_over(struct vl_mcp_endpoint *endpoint)
{
    vl_mcp_gate_settle(endpoint->gate);
}

void
vl_mcp_endpoint_end_family(struct vl_mcp_endpoint *endpoint,
                           const char *session)
{
    vl_mcp_sessions_end_family(&endpoint->sessions, session);
    vl_mcp_tasks_end_family(&endpoint->tasks, session);
    vl_mcp_call_leave_family(endpoint, session);
    vl_mcp_listeners_end(endpoint, session);
}

void
vl_mcp_endpoint_drain(struct vl_mcp_endpoint *endpoint)
{
    endpoint->draining = true;
    vl_mcp_streams_close(endpoint, "shutdown");
    vl_mcp_listeners_end(endpoint, NULL);
}

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
