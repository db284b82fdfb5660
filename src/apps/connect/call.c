/* SPDX-License-Identifier: Apache-2.0
 *
 * One message to the server, from its making to the end of its stream. A
 * request of the client is answered exactly once, unless it was cancelled.
 */
#include "apps/connect/inside.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/sys.h"

/* A server that has answered may leave its stream open for so long. */
#define LINGER_MS 10000
/* What a body's error may have us say. */
#define WORDS_MAX 1024

static char *
copy(struct vl_str text)
{
    char *ret = vl_alloc(text.n + 1);
    if (text.n)
        memcpy(ret, text.p, text.n);
    return ret;
}

struct vl_bridge_call *
vl_bridge_call_new(struct vl_bridge *bridge, struct vl_str id,
                   struct vl_str method, struct vl_str json)
{
    struct vl_bridge_call *call = vl_alloc(sizeof *call);
    call->bridge = bridge;
    call->id = id.n ? copy(id) : NULL;
    call->method = copy(method);
    call->json = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_buf_add(&call->json, json);
    if (bridge->config.timeout_ms)
        call->deadline = vl_mono_now() + bridge->config.timeout_ms;
    vl_list_add_last(&bridge->calls, &call->in_bridge);
    bridge->call_count++;
    vl_bridge_wake(bridge);
    return call;
}

struct vl_bridge_call *
vl_bridge_call_of(struct vl_bridge *bridge,
                  const struct vl_rpc_message *message, struct vl_str json)
{
    vl_auto(vl_buf) id = vl_buf_of(2 * VL_RPC_ID_MAX);
    vl_auto(vl_buf) token = vl_buf_of(2 * VL_RPC_ID_MAX);
    struct vl_rpc_id token_id;
    if (message->kind == VL_RPC_REQUEST)
        vl_rpc_write_id(&id, message->id);
    struct vl_bridge_call *call =
        vl_bridge_call_new(bridge, vl_buf_str(&id), message->method, json);
    if (call->id) {
        call->client_id = vl_strdup(call->id);
        call->is_request = true;
        bridge->request_count++;
    }
    if (vl_rpc_id_read(vl_json_view_get(message->meta, VL_STR("progressToken")),
                       &token_id)) {
        vl_rpc_write_id(&token, token_id);
        call->token = vl_strdup(vl_buf_cstr(&token));
    }
    return call;
}

/* Somebody further up the stack may still look at it. */
static void
bury(struct vl_bridge_call *call)
{
    if (call->holds)
        return;
    if (call->extra_free)
        call->extra_free(call->extra);
    vl_json_done(&call->arguments);
    vl_buf_done(&call->json);
    free(call->client_id);
    free(call->id);
    free(call->method);
    free(call->token);
    free(call->name);
    free(call);
}

void
vl_bridge_call_free(struct vl_bridge_call *call)
{
    struct vl_bridge *bridge = call->bridge;
    if (call->is_dead)
        return;
    call->is_dead = true;
    vl_remote_call_abort(&call->remote);
    vl_list_remove(&call->in_bridge);
    bridge->call_count--;
    bridge->request_count -= call->is_request;
    if (bridge->greeting == call)
        bridge->greeting = NULL;
    bury(call);
}

void
vl_bridge_call_release(struct vl_bridge_call *call)
{
    call->holds--;
    if (call->is_dead)
        bury(call);
}

/* --- found again --- */

static struct vl_bridge_call *
find(struct vl_bridge *bridge, struct vl_str id, bool of_client)
{
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        const char *its = of_client ? call->client_id : call->id;
        if (its && !call->is_answered && !(of_client && call->is_cancelled) &&
            vl_str_eqz(id, its))
            return call;
    }
    return NULL;
}

struct vl_bridge_call *
vl_bridge_call_of_client(struct vl_bridge *bridge, struct vl_str id)
{
    return find(bridge, id, true);
}

struct vl_bridge_call *
vl_bridge_call_of_server(struct vl_bridge *bridge, struct vl_str id)
{
    return find(bridge, id, false);
}

/* --- its answer --- */

void
vl_bridge_call_pass(struct vl_bridge_call *call,
                    const struct vl_bridge_answer *answer)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&text, false};
    if (!call->client_id || call->is_cancelled)
        return;
    /* @spec D24: the same id, of the same kind. */
    if (answer->line.n && strcmp(call->client_id, call->id) == 0) {
        vl_bridge_write(call->bridge, answer->line);
        return;
    }
    vl_rpc_open_answer_raw(&out, vl_str_z(call->client_id));
    if (answer->error.n)
        vl_json_add_raw(&out, "error", answer->error);
    else
        vl_json_add_raw(&out, "result", answer->result);
    vl_json_close(&out, '}');
    if (text.failed)
        vl_bridge_refuse(call->bridge,
                         (struct vl_rpc_id){NULL, vl_str_z(call->client_id)},
                         VL_RPC_INTERNAL, "The answer is too long");
    else
        vl_bridge_write(call->bridge, vl_buf_str(&text));
}

void
vl_bridge_call_answer(struct vl_bridge_call *call,
                      const struct vl_bridge_answer *answer)
{
    if (call->is_answered || call->is_parked)
        return;
    call->is_answered = true;
    call->deadline = vl_mono_now() + LINGER_MS;
    call->holds++;
    if (call->take)
        call->take(call, answer);
    else
        vl_bridge_call_pass(call, answer);
    call->holds--;
    /* `take` may have sent it once more. */
    if (call->is_dead)
        bury(call);
    else if (call->is_answered && !call->remote)
        vl_bridge_call_free(call);
}

void
vl_bridge_call_error(struct vl_bridge_call *call, enum vl_rpc_code code,
                     const char *why)
{
    vl_auto(vl_buf) text = vl_buf_of(WORDS_MAX + 8 * sizeof(valet_error));
    struct vl_json_out out = {&text, false};
    vl_rpc_write_error_object(&out, NULL, code, why, (struct vl_str){NULL, 0});
    vl_bridge_call_answer(call,
                          &(struct vl_bridge_answer){.error = vl_buf_str(&text),
                                                     .is_ours = true});
}

/* @spec D12: nothing of a challenge is told to the client. */
void
vl_bridge_call_fail(struct vl_bridge_call *call,
                    const struct vl_bridge_failure *failure)
{
    if (failure->error.n && failure->http_status != 401)
        vl_bridge_call_answer(
            call, &(struct vl_bridge_answer){.error = failure->error,
                                             .is_ours = true});
    else
        vl_bridge_call_error(call, VL_RPC_INTERNAL, failure->why);
}

void
vl_bridge_call_keep(struct vl_bridge_call *call, struct vl_str error,
                    const char *why)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&text, false};
    if (error.n)
        vl_buf_add(&text, error);
    else
        vl_rpc_write_error_object(&out, NULL, VL_RPC_INTERNAL, why,
                                  (struct vl_str){NULL, 0});
    if (call->extra_free)
        call->extra_free(call->extra);
    call->extra = vl_strdup(vl_buf_cstr(&text));
    call->extra_free = free;
}

bool
vl_bridge_call_read(const struct vl_bridge_call *call, struct vl_rpc_body *body,
                    struct vl_rpc_message *ret)
{
    struct vl_str json = vl_buf_str(&call->json);
    return vl_rpc_read_quickly(json, body, ret) ||
           (vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &body->doc, NULL) ==
                VALET_OK &&
            vl_rpc_read(body->doc.root, ret, NULL) == VALET_OK);
}

void
vl_bridge_view_write(struct vl_json_view view, struct vl_buf *out)
{
    struct vl_json_out json = {out, false};
    if (view.node)
        vl_buf_add(out, view.node->text);
    else if (view.value)
        vl_json_add_value(&json, NULL, view.value);
}

/* --- its way --- */

static bool
is_answered(struct vl_remote_call *remote, void *ctx)
{
    const struct vl_bridge_call *call = ctx;
    (void)remote;
    return call->is_answered;
}

static void
done(valet_status status, const struct vl_remote_end *end,
     const valet_error *err, void *ctx)
{
    struct vl_bridge_call *call = ctx;
    struct vl_bridge *bridge = call->bridge;
    vl_auto(vl_bridge_message) body;
    call->remote = NULL;
    if (status == VALET_OK && bridge->config.worked)
        bridge->config.worked(bridge->config.ctx);
    struct vl_bridge_failure failure = {
        .status = status,
        .http_status = end->http_status,
        .session_ended = end->session_ended,
        .error = vl_bridge_body_error(end->body, &body),
        .why = status == VALET_OK ? "The server ended its answer without a "
                                    "result"
               : err              ? err->message
                                  : "The server could not be asked",
    };
    if (call->is_parked || call->again_at)
        return;
    if (call->is_answered || call->is_cancelled) {
        vl_bridge_call_free(call);
        return;
    }
    /* By HTTP+SSE the answer comes on its own way. */
    if (call->id && status == VALET_OK && call->is_by_http_sse)
        return;
    if (call->fail && call->fail(call, &failure))
        return;
    if (call->id)
        vl_bridge_call_fail(call, &failure);
    else
        vl_bridge_call_free(call);
}

void
vl_bridge_call_send(struct vl_bridge_call *call,
                    const struct vl_header *headers, size_t count)
{
    VL_ASSERT(!call->remote);
    call->waits = false;
    call->is_answered = false;
    call->is_by_http_sse = vl_remote_is_http_sse(call->bridge->remote);
    call->remote = vl_remote_send(
        call->bridge->remote,
        &(struct vl_remote_send){
            .json = vl_buf_str(&call->json),
            .headers = headers,
            .header_count = count,
            .version = call->is_modern ? call->version : NULL,
            .begins_session =
                !call->is_modern && strcmp(call->method, "initialize") == 0,
            .is_stateless = call->is_modern,
            .is_answered = is_answered,
            .done = done,
            .ctx = call,
        });
}
