/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of Streamable HTTP, in the order in which a request meets them:
 * method, media types, JSON, shape, session, version, meaning. Each step
 * answers before the next one runs.
 */
#include "mcp/endpoint.h"

#include "mcp/accept.h"
#include "mcp/dispatch.h"

/* One request on its way through the rules; all borrowed. */
struct arrival {
    struct vl_mcp_endpoint *endpoint;
    struct vl_exchange *x;
    const struct vl_http_request *request;
    const struct vl_principal *principal;
    struct vl_mcp_accept accept;
    struct vl_rpc_id id; /* of the message, for errors about it */
};

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

static void
note_session(const struct vl_mcp_endpoint *endpoint, enum vl_mcp_happening what,
             const struct vl_principal *principal, const char *peer)
{
    bool foreign = what == VL_MCP_SESSION_HIJACK;
    vl_mcp_endpoint_note(
        endpoint,
        &(struct vl_mcp_note){.what = what,
                              .principal = principal,
                              .peer = peer,
                              .reason = foreign ? "not_the_owner" : NULL});
}

static void
on_session_end(struct vl_mcp_session *session, void *ctx)
{
    struct vl_mcp_endpoint *endpoint = ctx;
    vl_mcp_call_leave_session(session);
    note_session(endpoint, VL_MCP_SESSION_CLOSED, &session->principal, NULL);
}

void
vl_mcp_endpoint_wake(struct vl_mcp_endpoint *endpoint)
{
    if (endpoint->sweeping || endpoint->closing)
        return;
    endpoint->sweeping = true;
    vl_timer_start(endpoint->sweeper, VL_MCP_SWEEP_MS);
}

static void
sweep(void *ctx)
{
    struct vl_mcp_endpoint *endpoint = ctx;
    endpoint->sweeping = false;
    vl_mcp_call_sweep(endpoint, vl_mono_now() - VL_MCP_CALL_MS);
    vl_mcp_sessions_sweep(&endpoint->sessions);
    if (endpoint->sessions.count || !vl_list_is_empty(&endpoint->calls))
        vl_mcp_endpoint_wake(endpoint);
}

struct vl_mcp_endpoint *
vl_mcp_endpoint_new(struct vl_mcp_server *server,
                    const struct vl_mcp_hooks *hooks, struct vl_loop *loop,
                    const struct vl_clock *clock)
{
    VL_ASSERT(hooks->may && hooks->refuse && hooks->login);
    struct vl_mcp_endpoint *endpoint = vl_alloc(sizeof *endpoint);
    endpoint->server = server;
    endpoint->hooks = hooks;
    endpoint->clock = clock;
    endpoint->scratch = vl_buf_of(VL_MCP_ANSWER_MAX);
    endpoint->frame = vl_buf_of(VL_MCP_ANSWER_MAX + 64);
    endpoint->sweeper = vl_timer_new(loop, sweep, endpoint);
    vl_list_init(&endpoint->calls);
    vl_mcp_sessions_init(&endpoint->sessions,
                         &(struct vl_mcp_session_rules){
                             .max = VL_LIMIT_MCP_SESSIONS,
                             .max_per_user = VL_LIMIT_MCP_SESSIONS_PER_USER,
                             .max_per_owner = VL_LIMIT_MCP_SESSIONS_PER_CLIENT,
                             .idle_ms = VL_LIMIT_MCP_SESSION_IDLE_MS,
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
    vl_mcp_call_leave_endpoint(endpoint);
    vl_mcp_sessions_done(&endpoint->sessions);
    vl_mcp_catalog_done(&endpoint->catalog);
    vl_timer_free(endpoint->sweeper);
    vl_buf_done(&endpoint->scratch);
    vl_buf_done(&endpoint->frame);
    free(endpoint);
}

void
vl_mcp_endpoint_end_family(struct vl_mcp_endpoint *endpoint,
                           const char *session)
{
    vl_mcp_sessions_end_family(&endpoint->sessions, session);
}

static void
refuse(const struct arrival *a, int status, const char *why)
{
    vl_mcp_reply_error(a->endpoint, a->x, status, a->id, why);
}

/* --- session and version --- */

/* Several headers of one name could be read as different ones by a proxy in
 * front and by us. */
static bool
get_header(const struct arrival *a, struct vl_str name, struct vl_str *ret)
{
    return vl_headers_find(&a->request->headers, name, ret) <= 1;
}

/* @spec HT-35 HT-36: absent is what the session speaks. */
static bool
check_version(const struct arrival *a, const struct vl_mcp_session *session)
{
    struct vl_str text;
    enum vl_mcp_version version;
    if (!get_header(a, VL_STR("mcp-protocol-version"), &text)) {
        refuse(a, 400, "MCP-Protocol-Version stands there twice");
        return false;
    }
    if (!text.p)
        return true;
    if (!vl_mcp_version_parse(text, &version)) {
        refuse(a, 400, "MCP-Protocol-Version is not supported");
        return false;
    }
    if (session->version != version) {
        refuse(a, 400, "MCP-Protocol-Version is not the session's");
        return false;
    }
    return true;
}

/*
 * @spec HT-30 HT-31 SB-21 W-02: NULL, and answered, unless the request names a
 * session of this principal. A foreign one is answered like one that does not
 * exist, byte for byte.
 */
static struct vl_mcp_session *
find_session(const struct arrival *a)
{
    struct vl_str id;
    struct vl_mcp_session *session = NULL;
    if (!get_header(a, VL_STR("mcp-session-id"), &id) || !id.p) {
        refuse(a, 400, "Mcp-Session-Id is required, once");
        return NULL;
    }
    valet_status status = vl_mcp_sessions_find(&a->endpoint->sessions, id,
                                               a->principal, &session);
    if (status == VALET_DENIED)
        note_session(a->endpoint, VL_MCP_SESSION_HIJACK, a->principal,
                     a->request->peer);
    if (status != VALET_OK) {
        refuse(a, 404, "Session not found");
        return NULL;
    }
    return check_version(a, session) ? session : NULL;
}

/* --- POST --- */

/* @spec HT-37: nothing is agreed upon yet, so the body says which version, and
 * an MCP-Protocol-Version says nothing. */
static void
open_session(const struct arrival *a, const struct vl_rpc_message *message)
{
    struct vl_mcp_endpoint *endpoint = a->endpoint;
    struct vl_mcp_session *session = NULL;
    enum vl_mcp_version version;
    valet_error err;
    if (vl_mcp_dispatch_version(message, &version, &err) != VALET_OK) {
        struct vl_buf *text = vl_mcp_scratch(endpoint);
        vl_rpc_write_error(text, message->id, VL_RPC_INVALID_PARAMS,
                           err.message);
        vl_mcp_reply(a->x, 200, vl_buf_str(text), NULL);
        return;
    }
    if (vl_mcp_sessions_add(&endpoint->sessions, a->principal, version,
                            &session, &err) != VALET_OK) {
        refuse(a, 503, "Too many sessions are busy");
        return;
    }
    vl_mcp_endpoint_wake(endpoint);
    note_session(endpoint, VL_MCP_SESSION_OPENED, a->principal,
                 a->request->peer);
    struct vl_buf *text = vl_mcp_scratch(endpoint);
    vl_mcp_dispatch_welcome(endpoint, message, version, text);
    if (a->accept.json) {
        /* @spec HT-28 */
        vl_mcp_reply(a->x, 200, vl_buf_str(text), session->id);
        return;
    }
    vl_mcp_reply_event(endpoint, a->x, vl_buf_str(text), session->id);
}

static void
handle_message(const struct arrival *a, const struct vl_rpc_message *message)
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
    turn.post = vl_mcp_post_new(a->endpoint, a->x, a->accept, false);
    if (turn.post)
        vl_mcp_dispatch(&turn, message);
}

static void
handle_single(const struct arrival *a, const struct json_t *body)
{
    struct vl_rpc_message message;
    valet_error err;
    if (vl_rpc_read(body, &message, &err) != VALET_OK)
        refuse(a, 400, err.message);
    else
        handle_message(a, &message);
}

static void
handle_element(const struct vl_mcp_turn *turn, const struct json_t *element)
{
    struct vl_rpc_message message;
    valet_error err;
    if (vl_rpc_read(element, &message, &err) == VALET_OK) {
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
handle_batch(const struct arrival *a, const struct json_t *body)
{
    size_t size = vl_json_size(body);
    struct vl_mcp_session *session = find_session(a);
    if (!session)
        return;
    if (session->version != VL_MCP_2025_03_26 || size == 0 ||
        size > VL_MCP_BATCH_MAX) {
        refuse(a, 400, "This array is no batch");
        return;
    }
    struct vl_mcp_turn turn = {
        .endpoint = a->endpoint, .session = session, .principal = a->principal};
    turn.post = vl_mcp_post_new(a->endpoint, a->x, a->accept, true);
    if (!turn.post)
        return;
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
handle_post(struct arrival *a)
{
    struct vl_str type;
    if (!get_header(a, VL_STR("content-type"), &type) ||
        !vl_media_type_is(type, "application/json")) {
        refuse(a, 415, "The Content-Type is not application/json");
        return;
    }
    a->accept = vl_mcp_accept_read(&a->request->headers);
    if (!a->accept.json && !a->accept.events) {
        refuse(a, 406, "Accept allows neither JSON nor an event stream");
        return;
    }
    /* @spec W-04 */
    vl_auto(vl_json) doc = {NULL};
    struct vl_rpc_message message;
    if (vl_rpc_scan(a->request->body, &doc, &message)) {
        a->id = message.id;
        handle_message(a, &message);
        return;
    }
    if (vl_json_parse(a->request->body, VL_LIMIT_JSON_DEPTH, &doc, NULL) !=
        VALET_OK) {
        struct vl_buf *text = vl_mcp_scratch(a->endpoint);
        vl_rpc_write_error(text, VL_RPC_NULL_ID, VL_RPC_PARSE_ERROR,
                           "Parse error");
        vl_mcp_reply(a->x, 400, vl_buf_str(text), NULL);
        return;
    }
    a->id = vl_rpc_find_id(doc.root);
    if (vl_json_kind(doc.root) == VL_JSON_ARRAY)
        handle_batch(a, doc.root);
    else
        handle_single(a, doc.root);
}

/* @spec HT-32 */
static void
handle_delete(struct arrival *a)
{
    struct vl_mcp_session *session = find_session(a);
    if (!session)
        return;
    vl_mcp_session_end(session);
    vl_mcp_reply_empty(a->x, 204);
}

void
vl_mcp_endpoint_handle(struct vl_mcp_endpoint *endpoint, struct vl_exchange *x,
                       const struct vl_principal *principal)
{
    struct arrival a = {.endpoint = endpoint,
                        .x = x,
                        .request = vl_exchange_request(x),
                        .principal = principal};
    if (vl_str_eq(a.request->method, VL_STR("POST")))
        handle_post(&a);
    else if (vl_str_eq(a.request->method, VL_STR("DELETE")))
        handle_delete(&a);
    else /* @spec HT-21: there is no stream to GET */
        refuse(&a, 405, "Method not allowed");
}
