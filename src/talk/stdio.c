/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/stdio.h"

#include "io/lines.h"
#include "talk/dispatch.h"
#include "talk/listen.h"
#include "talk/stateless.h"

struct vl_mcp_stdio {
    struct vl_mcp_endpoint *endpoint;
    struct vl_lines *lines;
    struct vl_mcp_session *session; /* held; the scope of all that it asks */
    struct vl_principal caller;
    bool was_modern; /* a request of 2026-07-28 was understood */
    void (*on_end)(void *ctx);
    void (*done)(void *ctx);
    void *ctx, *done_ctx;
};

static void
write_line(struct vl_str json, void *ctx)
{
    struct vl_mcp_stdio *stdio = ctx;
    (void)vl_lines_write(stdio->lines, json);
}

static bool
is_slow(void *ctx)
{
    const struct vl_mcp_stdio *stdio = ctx;
    return vl_lines_waiting(stdio->lines) >= VL_LIMIT_STREAM_HIGH;
}

static bool
is_full(void *ctx)
{
    const struct vl_mcp_stdio *stdio = ctx;
    return vl_lines_waiting(stdio->lines) >= VL_LIMIT_STREAM_MOST;
}

static void
refuse(struct vl_mcp_stdio *stdio, struct vl_rpc_id id, enum vl_rpc_code code,
       const char *why, struct vl_str data)
{
    const struct vl_mcp_session *session = stdio->session;
    bool is_new = session->is_greeted
                      ? session->peer.version >= VL_MCP_2025_11_25
                      : stdio->was_modern;
    struct vl_buf *text = vl_mcp_scratch(stdio->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, vl_rpc_id_told(id, is_new));
    vl_rpc_add_error_data(&out, code, why, data);
    vl_json_close(&out, '}');
    write_line(vl_buf_str(text), stdio);
}

/* --- one message --- */

/* @spec HT-37 */
static void
greet(struct vl_mcp_stdio *stdio, const struct vl_rpc_message *message)
{
    struct vl_mcp_session *session = stdio->session;
    valet_error err;
    if (vl_mcp_dispatch_hello(message, &session->peer, &err) != VALET_OK) {
        refuse(stdio, message->id, VL_RPC_INVALID_PARAMS, err.message,
               (struct vl_str){NULL, 0});
        return;
    }
    session->is_greeted = true;
    struct vl_buf *text = vl_mcp_scratch(stdio->endpoint);
    vl_mcp_dispatch_welcome(stdio->endpoint, message, session->peer.version,
                            text);
    write_line(vl_buf_str(text), stdio);
}

static void
take_legacy(struct vl_mcp_stdio *stdio, const struct vl_rpc_message *message,
            struct vl_mcp_post *post)
{
    struct vl_mcp_turn turn = {.endpoint = stdio->endpoint,
                               .session = stdio->session,
                               .peer = &stdio->session->peer,
                               .principal = &stdio->caller,
                               .post = post};
    vl_mcp_dispatch(&turn, message);
}

/* @spec HT-76 ST-10: the errors of a request that names a revision are those
 * by which a client knows that it is understood. */
static void
take_modern(struct vl_mcp_stdio *stdio, const struct vl_rpc_message *message)
{
    struct vl_mcp_fault fault = {.status = 0};
    struct vl_mcp_peer peer = {.level = VL_MCP_NO_LOGS};
    if (!vl_mcp_stateless_check(stdio->endpoint->server, message, NULL, &peer,
                                &fault)) {
        /* @spec HT-05: a notification is never answered. */
        if (message->kind == VL_RPC_REQUEST)
            refuse(stdio, message->id, fault.code, fault.why,
                   vl_buf_str(&fault.data));
        vl_buf_done(&fault.data);
        return;
    }
    stdio->was_modern = true;
    struct vl_mcp_turn turn = {
        .endpoint = stdio->endpoint,
        .session = stdio->session,
        .peer = &peer,
        .principal = &stdio->caller,
        .post = vl_mcp_post_new_line(stdio->endpoint, stdio->session, false),
    };
    vl_mcp_dispatch(&turn, message);
}

static bool
is_request(const struct vl_rpc_message *message, const char *method)
{
    return message->kind == VL_RPC_REQUEST &&
           vl_str_eqz(message->method, method);
}

static void
take_message(struct vl_mcp_stdio *stdio, const struct vl_rpc_message *message)
{
    if (vl_mcp_has_envelope(message)) {
        take_modern(stdio, message);
        return;
    }
    if (is_request(message, "initialize")) {
        greet(stdio, message);
        return;
    }
    if (!stdio->session->is_greeted && message->kind == VL_RPC_REQUEST &&
        !is_request(message, "ping")) {
        refuse(stdio, message->id, VL_RPC_INVALID_REQUEST,
               "Before all others comes initialize, or a _meta that names a "
               "protocolVersion",
               (struct vl_str){NULL, 0});
        return;
    }
    take_legacy(stdio, message,
                vl_mcp_post_new_line(stdio->endpoint, stdio->session, false));
}

/* @spec ST-04 */
static void
take_batch(struct vl_mcp_stdio *stdio, const struct json_t *batch)
{
    size_t size = vl_json_size(batch);
    struct vl_mcp_session *session = stdio->session;
    if (!session->is_greeted || session->peer.version != VL_MCP_2025_03_26 ||
        size == 0 || size > VL_MCP_BATCH_MAX) {
        refuse(stdio, VL_RPC_NULL_ID, VL_RPC_INVALID_REQUEST,
               "This array is no batch", (struct vl_str){NULL, 0});
        return;
    }
    struct vl_mcp_post *post =
        vl_mcp_post_new_line(stdio->endpoint, session, true);
    for (size_t i = 0; i < size; i++) {
        struct vl_rpc_message message;
        const struct json_t *element = vl_json_at(batch, i);
        valet_error err;
        vl_mcp_post_hold(post);
        if (vl_mcp_read_element(element, &message, &err) == VALET_OK) {
            take_legacy(stdio, &message, post);
            continue;
        }
        struct vl_buf *text = vl_mcp_scratch(stdio->endpoint);
        vl_rpc_write_error(text, vl_rpc_find_id(element),
                           VL_RPC_INVALID_REQUEST, err.message);
        vl_mcp_post_answer(post, vl_buf_str(text));
    }
    vl_mcp_post_answer(post, (struct vl_str){NULL, 0});
}

static void
take_line(struct vl_str line, void *ctx)
{
    struct vl_mcp_stdio *stdio = ctx;
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    const struct vl_str none = {NULL, 0};
    valet_error err;
    vl_rpc_body_init(&body);
    if (vl_rpc_read_quickly(line, &body, &message))
        take_message(stdio, &message);
    else if (vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &body.doc, NULL) !=
             VALET_OK)
        refuse(stdio, VL_RPC_NULL_ID, VL_RPC_PARSE_ERROR, "Parse error", none);
    else if (vl_json_kind(body.doc.root) == VL_JSON_ARRAY)
        take_batch(stdio, body.doc.root);
    else if (vl_rpc_read(body.doc.root, &message, &err) == VALET_OK)
        take_message(stdio, &message);
    else
        refuse(stdio, vl_rpc_find_id(body.doc.root), VL_RPC_INVALID_REQUEST,
               err.message, none);
}

static void
note_too_long(void *ctx)
{
    refuse(ctx, VL_RPC_NULL_ID, VL_RPC_INVALID_REQUEST,
           "A message is at most 1 MiB long", (struct vl_str){NULL, 0});
}

/* --- its life --- */

static void
end(bool broken, void *ctx)
{
    struct vl_mcp_stdio *stdio = ctx;
    (void)broken;
    stdio->on_end(stdio->ctx);
}

valet_status
vl_mcp_stdio_new(struct vl_mcp_endpoint *endpoint, struct vl_loop *loop, int in,
                 int out, void (*on_end)(void *ctx), void *ctx,
                 struct vl_mcp_stdio **ret, valet_error *err)
{
    const struct vl_mcp_peer stranger = {.version = VL_MCP_LAST_LEGACY,
                                         .level = VALET_MCP_INFO};
    struct vl_mcp_stdio *stdio = vl_alloc(sizeof *stdio);
    struct vl_lines_hooks hooks = {
        .line = take_line, .too_long = note_too_long, .end = end, .ctx = stdio};
    stdio->endpoint = endpoint;
    stdio->on_end = on_end;
    stdio->ctx = ctx;
    stdio->caller.expires_ms = INT64_MAX;
    valet_status status =
        vl_mcp_sessions_add(&endpoint->sessions, &stdio->caller, VL_MCP_STDIO,
                            &stranger, &stdio->session, err);
    if (status == VALET_OK)
        status = vl_lines_new(loop, in, out, VL_LIMIT_MCP_BODY, &hooks,
                              &stdio->lines, err);
    if (status != VALET_OK) {
        free(stdio);
        return status;
    }
    vl_mcp_session_hold(stdio->session);
    endpoint->line = (struct vl_mcp_line){write_line, is_slow, is_full, stdio};
    *ret = stdio;
    return VALET_OK;
}

static void
finished(bool all, void *ctx)
{
    struct vl_mcp_stdio *stdio = ctx;
    (void)all;
    stdio->done(stdio->done_ctx);
}

/* @spec ST-06 HT-66 G1 */
void
vl_mcp_stdio_finish(struct vl_mcp_stdio *stdio, int64_t ms,
                    void (*done)(void *ctx), void *ctx)
{
    stdio->done = done;
    stdio->done_ctx = ctx;
    vl_mcp_listeners_end(stdio->endpoint, NULL);
    vl_mcp_session_end(stdio->session, "shutdown");
    vl_lines_finish(stdio->lines, ms, finished, stdio);
}

void
vl_mcp_stdio_free(struct vl_mcp_stdio *stdio)
{
    if (!stdio)
        return;
    vl_mcp_listeners_end(stdio->endpoint, NULL);
    vl_mcp_session_end(stdio->session, "shutdown");
    vl_mcp_session_release(stdio->session);
    vl_lines_free(stdio->lines);
    stdio->lines = NULL;
    free(stdio);
}
