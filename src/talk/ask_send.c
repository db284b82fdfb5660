/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking what was noted: by the result of the call, by requests on its stream,
 * or by its task; and the answers that come to the latter two.
 */
#include "core/limits.h"
#include "mcp/result.h"
#include "mcp/state.h"
#include "mcp/task.h"
#include "talk/ask_inside.h"
#include "talk/call.h"
#include "talk/method.h"

static const char *
method_of(unsigned needs)
{
    switch (vl_mcp_ask_kind(needs)) {
    case VALET_MCP_CAN_SAMPLE:
        return "sampling/createMessage";
    case VALET_MCP_CAN_LIST_ROOTS:
        return "roots/list";
    default:
        return "elicitation/create";
    }
}

/* --- by a result --- */

/* @spec HT-56 HT-68 */
static void
ask_by_result(struct vl_mcp_call *call)
{
    const struct vl_mcp_talk *talk = call->talk;
    struct vl_mcp_post *post = call->post;
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_ANSWER_MAX);
    vl_auto(vl_buf) state = vl_buf_of(VL_MCP_STATE_MAX);
    struct vl_json_out out = {&text, false};
    vl_mcp_talk_seal(call, &state);
    vl_rpc_open_answer_raw(&out, call->id);
    vl_json_open_key(&out, "result", '{');
    vl_json_add_z(&out, "resultType", "input_required");
    vl_json_open_key(&out, "inputRequests", '{');
    for (size_t i = 0; i < talk->count; i++) {
        const struct vl_mcp_ask *ask = &talk->asks[i];
        if (!ask->is_open)
            continue;
        vl_json_open_key(&out, ask->key, '{');
        vl_json_add_z(&out, "method", method_of(ask->needs));
        vl_json_add_raw(&out, "params", vl_buf_str(&ask->params));
        vl_json_close(&out, '}');
    }
    vl_json_close(&out, '}');
    vl_json_add_str(&out, "requestState", vl_buf_str(&state));
    vl_mcp_result_write_meta(&out, call->endpoint->server, call->peer.version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    if (state.failed || text.failed) {
        vl_mcp_call_end_refused(call, "The answers so far are too long");
        return;
    }
    call->on_lost = NULL; /* it comes again, or not */
    vl_mcp_call_end(call, false, "input_required");
    vl_mcp_post_answer(post, vl_buf_str(&text));
}

/* --- by requests --- */

/* A request of ours, on the stream of the call. */
static bool
send_question(struct vl_mcp_call *call, struct vl_mcp_ask *ask)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_ANSWER_MAX);
    struct vl_json_out out = {&text, false};
    vl_uuid(ask->id);
    vl_json_open(&out, '{');
    vl_json_add_raw(&out, "jsonrpc", VL_STR("\"2.0\""));
    vl_json_add_z(&out, "id", ask->id);
    vl_json_add_z(&out, "method", method_of(ask->needs));
    vl_json_add_raw(&out, "params", vl_buf_str(&ask->params));
    vl_json_close(&out, '}');
    vl_list_add_last(&call->session->questions, &ask->in_session);
    call->talk->waiting++;
    return vl_mcp_post_insist(call->post, vl_buf_str(&text));
}

static void
ask_by_request(struct vl_mcp_call *call)
{
    static const char why[] = "The client cannot be asked: it takes no event "
                              "stream, or reads it too slowly";
    struct vl_mcp_talk *talk = call->talk;
    if (!call->session || !vl_mcp_post_can_send(call->post)) {
        vl_mcp_call_end_refused(call, why);
        return;
    }
    if (talk->rounds >= VL_MCP_ROUNDS_MAX) {
        vl_mcp_call_end_refused(call, "The client was asked too often");
        return;
    }
    call->is_waiting = true;
    for (size_t i = 0; i < talk->count; i++)
        if (talk->asks[i].is_open && !send_question(call, &talk->asks[i])) {
            vl_mcp_call_end_refused(call, why);
            return;
        }
    if (talk->waiting)
        return;
    vl_mcp_talk_turn(talk);
    vl_mcp_call_run(call);
}

/* --- by a task --- */

void
vl_mcp_talk_take(struct vl_mcp_talk *talk, struct vl_mcp_task *task)
{
    for (size_t i = 0; i < talk->count; i++) {
        struct vl_mcp_ask *ask = &talk->asks[i];
        if (!ask->is_open)
            continue;
        vl_json_done(&ask->reply);
        if (vl_json_parse(vl_mcp_task_answer(task, ask->key),
                          VL_LIMIT_JSON_DEPTH, &ask->reply, NULL) != VALET_OK)
            ask->reply = (struct vl_json){NULL};
    }
}

static bool
can_ask_by_task(const struct vl_mcp_call *call)
{
    const struct vl_mcp_talk *talk = call->talk;
    bool can = talk->rounds < VL_MCP_TASK_ROUNDS_MAX;
    for (size_t i = 0; can && i < talk->count; i++) {
        const struct vl_mcp_ask *ask = &talk->asks[i];
        can = !ask->is_open ||
              vl_mcp_task_ask(call->task, ask->key, method_of(ask->needs),
                              vl_buf_str(&ask->params), NULL) == VALET_OK;
    }
    return can;
}

/* The task shows what it asks; its call stays with it. */
static void
ask_by_task(struct vl_mcp_call *call)
{
    struct vl_mcp_talk *talk = call->talk;
    if (!can_ask_by_task(call)) {
        vl_mcp_call_end_error(call, 200, VL_RPC_INTERNAL,
                              "The task asks too much, or too often",
                              (struct vl_str){NULL, 0});
        return;
    }
    call->is_waiting = true;
    if (vl_mcp_task_await(call->task))
        return;
    vl_mcp_talk_turn(talk);
    vl_mcp_call_run(call);
}

/* --- whichever it is --- */

/* @spec HT-53 */
static void
end_unable(struct vl_mcp_call *call, unsigned missing)
{
    vl_auto(vl_buf) data = vl_buf_of(512);
    struct vl_json_out out = {&data, false};
    if (!vl_mcp_version_is_modern(call->peer.version)) {
        vl_mcp_call_end_refused(call,
                                "This needs a client that can be asked back "
                                "(sampling, elicitation or roots)");
        return;
    }
    vl_json_open(&out, '{');
    vl_mcp_abilities_write(&out, "requiredCapabilities", missing);
    vl_json_close(&out, '}');
    vl_mcp_call_end_error(call, 400, VL_RPC_MISSING_ABILITY,
                          "The client lacks a capability that this needs",
                          vl_buf_str(&data));
}

static void
await(void *ctx)
{
    struct vl_mcp_call *call = ctx;
    struct vl_mcp_talk *talk = vl_mcp_talk_of(call);
    unsigned needed = 0;
    call->on_cancel = NULL; /* was this run's */
    bool any = talk->keep != NULL;
    for (size_t i = 0; i < talk->count; i++)
        if (talk->asks[i].is_open) {
            needed |= talk->asks[i].needs;
            any = true;
        }
    if (!call->post && !call->task)
        vl_mcp_call_end(call, false, NULL);
    else if (talk->trouble)
        vl_mcp_call_end_refused(call, talk->trouble);
    else if (!any || call->completes)
        vl_mcp_call_end_refused(call, "The handler waits for nothing");
    else if (needed & ~call->peer.abilities)
        end_unable(call, needed & ~call->peer.abilities);
    else if (call->task)
        ask_by_task(call);
    else if (vl_mcp_version_is_modern(call->peer.version))
        ask_by_result(call);
    else
        ask_by_request(call);
}

void
valet_mcp_await(valet_mcp_call *call)
{
    vl_mcp_call_do(call, await, call);
}

/* --- answers up to 2025-11-25 --- */

static struct vl_mcp_ask *
find_question(const struct vl_mcp_session *session, const struct json_t *id)
{
    struct vl_str text = vl_json_str(id);
    VL_LIST_EACH (it, &session->questions) {
        struct vl_mcp_ask *ask =
            VL_CONTAINER(it, struct vl_mcp_ask, in_session);
        if (vl_str_eqz(text, ask->id))
            return ask;
    }
    return NULL;
}

/* @spec D9 */
void
vl_mcp_ask_take(struct vl_mcp_session *session,
                const struct vl_rpc_message *response)
{
    struct vl_mcp_ask *ask = find_question(session, response->id.value);
    if (!ask)
        return;
    struct vl_mcp_call *call = ask->call;
    vl_list_remove(&ask->in_session);
    if (response->error) {
        vl_mcp_call_end_refused(call, "The client did not answer a question");
        return;
    }
    ask->reply = vl_json_share(response->result);
    if (--call->talk->waiting)
        return;
    vl_mcp_talk_turn(call->talk);
    vl_mcp_call_run(call);
}
