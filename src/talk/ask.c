/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/ask.h"

#include "core/limits.h"
#include "core/status.h"
#include "mcp/result.h"
#include "mcp/state.h"
#include "mcp/task.h"
#include "talk/call.h"
#include "talk/method.h"

/* --- what a request brings --- */

void
vl_mcp_talk_free(struct vl_mcp_talk *talk)
{
    if (!talk)
        return;
    for (size_t i = 0; i < talk->count; i++) {
        struct vl_mcp_ask *ask = &talk->asks[i];
        vl_list_remove(&ask->in_session);
        vl_buf_done(&ask->params);
        vl_buf_done(&ask->text);
        vl_json_done(&ask->answer);
        vl_json_done(&ask->reply);
    }
    vl_json_done(&talk->state);
    vl_json_done(&talk->responses);
    free(talk->kept);
    free(talk->keep);
    free(talk);
}

void
vl_mcp_talk_turn(struct vl_mcp_talk *talk)
{
    talk->rounds++;
    for (size_t i = 0; i < talk->count; i++)
        talk->asks[i].is_open = false;
    free(talk->kept);
    talk->kept = talk->keep;
    talk->keep = NULL;
}

static struct vl_mcp_state_use
use_of(const struct vl_mcp_call *call)
{
    struct vl_mcp_state_use use = {.principal = &call->principal,
                                   .resource = call->endpoint->resource};
    vl_mcp_state_digest(vl_str_z(vl_mcp_call_method(call)),
                        vl_mcp_call_params(call), use.request);
    return use;
}

/* @spec HT-69 */
static valet_status
open_state(const struct vl_mcp_call *call, struct vl_str text,
           struct vl_json *ret)
{
    vl_auto(vl_buf) payload = vl_buf_of(VL_MCP_STATE_MAX);
    struct vl_mcp_state_use use = use_of(call);
    VL_TRY(vl_mcp_state_open(call->endpoint->ring, &use,
                             vl_clock_now(call->endpoint->clock), text,
                             &payload));
    return vl_json_parse(vl_buf_str(&payload), VL_LIMIT_JSON_DEPTH, ret, NULL);
}

static bool
brings_something(const struct vl_rpc_message *message)
{
    struct vl_json_view state = vl_rpc_param(message, VL_STR("requestState"));
    struct vl_json_view responses =
        vl_rpc_param(message, VL_STR("inputResponses"));
    return !vl_mcp_is_left_out(state) || !vl_mcp_is_left_out(responses);
}

/* @spec HT-70: answers that nobody asks for are never looked at. */
valet_status
vl_mcp_talk_read(const struct vl_mcp_call *call,
                 const struct vl_rpc_message *message, struct vl_mcp_talk **ret)
{
    if (!vl_mcp_version_is_modern(call->peer.version) || call->completes ||
        !brings_something(message))
        return VALET_OK;
    const struct json_t *params = vl_mcp_call_params(call);
    const struct json_t *state = vl_json_get(params, "requestState");
    const struct json_t *responses = vl_json_get(params, "inputResponses");
    vl_auto(vl_json) opened = {NULL};
    if (vl_mcp_is_left_out(vl_json_view_of(state)))
        state = NULL;
    if (vl_mcp_is_left_out(vl_json_view_of(responses)))
        responses = NULL;
    if (responses && vl_json_kind(responses) != VL_JSON_OBJECT)
        return VALET_INVALID;
    if (state && !vl_json_str(state).p)
        return VALET_DENIED;
    if (state && open_state(call, vl_json_str(state), &opened) != VALET_OK)
        return VALET_DENIED;
    struct vl_mcp_talk *talk = vl_alloc(sizeof *talk);
    struct vl_str kept = vl_json_get_str(opened.root, "k");
    if (kept.p)
        talk->kept = vl_strdup(kept.p);
    if (opened.root)
        talk->state = vl_json_share(vl_json_get(opened.root, "a"));
    if (responses)
        talk->responses = vl_json_share(responses);
    *ret = talk;
    return VALET_OK;
}

/* --- noting questions --- */

static struct vl_mcp_talk *
talk_of(struct vl_mcp_call *call)
{
    if (!call->talk)
        call->talk = vl_alloc(sizeof *call->talk);
    return call->talk;
}

static bool
is_key(const char *key)
{
    size_t n = key ? strlen(key) : 0;
    for (size_t i = 0; i < n; i++)
        if (!vl_is_letter(key[i]) && !vl_is_digit(key[i]) &&
            !strchr("_-", key[i]))
            return false;
    return n > 0 && n <= VL_MCP_NAME_MAX;
}

/* NULL: there cannot be such a question. */
static struct vl_mcp_ask *
find_ask(struct vl_mcp_call *call, const char *key)
{
    struct vl_mcp_talk *talk = talk_of(call);
    for (size_t i = 0; i < talk->count; i++)
        if (strcmp(talk->asks[i].key, key) == 0)
            return &talk->asks[i];
    if (!is_key(key) || talk->count == VL_MCP_ASKS_MAX) {
        talk->trouble = "The handler asks too much, or by a bad name";
        return NULL;
    }
    struct vl_mcp_ask *ask = &talk->asks[talk->count++];
    (void)snprintf(ask->key, sizeof ask->key, "%s", key);
    ask->call = call;
    ask->params = vl_buf_of(VL_MCP_ASK_MAX);
    ask->text = vl_buf_of(VL_MCP_ARGUMENTS_MAX);
    vl_list_init(&ask->in_session);
    return ask;
}

/* What it asks for, without the details. */
static unsigned
kind_of(unsigned needs)
{
    return needs & ~(VL_MCP_SAMPLES_TOOLS | VL_MCP_SAMPLES_CONTEXT);
}

/* An accepted form that does not fit is no answer; neither is anything of
 * another shape than MCP gives it. */
static bool
fits(unsigned needs, const struct json_t *answer, const struct json_t *schema)
{
    switch (kind_of(needs)) {
    case VALET_MCP_CAN_LIST_ROOTS:
        return vl_json_kind(vl_json_get(answer, "roots")) == VL_JSON_ARRAY;
    case VALET_MCP_CAN_SAMPLE:
        return vl_json_get_str(answer, "role").p &&
               vl_json_get(answer, "content");
    default:
        break;
    }
    struct vl_str action = vl_json_get_str(answer, "action");
    if (vl_str_eqz(action, "decline") || vl_str_eqz(action, "cancel"))
        return true;
    if (!vl_str_eqz(action, "accept"))
        return false;
    if (needs == VALET_MCP_CAN_OPEN_URL)
        return true;
    struct vl_schema *checker = NULL;
    const struct json_t *content = vl_json_get(answer, "content");
    if (vl_schema_new(schema, &checker, NULL) != VALET_OK)
        return vl_json_kind(content) == VL_JSON_OBJECT;
    bool good = vl_json_kind(content) == VL_JSON_OBJECT &&
                vl_schema_check(checker, content, NULL) == VALET_OK;
    vl_schema_free(checker);
    return good;
}

/* From where it may be, the surest first. */
static bool
find_answer(struct vl_mcp_talk *talk, struct vl_mcp_ask *ask,
            const struct json_t *schema)
{
    const struct json_t *found[] = {
        vl_json_get(talk->state.root, ask->key),
        vl_json_get(talk->responses.root, ask->key),
        ask->reply.root,
    };
    for (size_t i = 0; i < VL_COUNT(found) && !ask->answer.root; i++)
        if (found[i] && fits(ask->needs, found[i], schema))
            ask->answer = vl_json_share(found[i]);
    return ask->answer.root != NULL;
}

/* `params` is moved; `schema` is of a form. */
static const char *
ask_client(struct vl_mcp_call *call, const char *key, unsigned needs,
           struct vl_buf *params, const struct json_t *schema)
{
    struct vl_mcp_ask *ask = find_ask(call, key);
    if (!ask) {
        vl_buf_done(params);
        return NULL;
    }
    ask->needs = needs;
    if (params->failed)
        call->talk->trouble = "The handler's question is too long";
    if (find_answer(call->talk, ask, schema)) {
        vl_buf_done(params);
        struct vl_json_out out = {&ask->text, false};
        if (!vl_buf_size(&ask->text))
            vl_json_add_value(&out, NULL, ask->answer.root);
        return vl_buf_cstr(&ask->text);
    }
    vl_json_done(&ask->reply);
    vl_buf_done(&ask->params);
    ask->params = *params;
    ask->is_open = true;
    return NULL;
}

bool
valet_mcp_can(const valet_mcp_call *call, enum valet_mcp_ability what)
{
    return !call->completes && (call->peer.abilities & (unsigned)what);
}

/* `mode` is known since 2025-11-25. */
static void
open_elicitation(struct vl_json_out *out, const struct vl_mcp_call *call,
                 const char *mode, const char *message)
{
    vl_json_open(out, '{');
    if (call->peer.version >= VL_MCP_2025_11_25)
        vl_json_add_z(out, "mode", mode);
    vl_json_add_z(out, "message", message);
}

const char *
valet_mcp_elicit(valet_mcp_call *call, const char *key, const char *message,
                 const char *schema)
{
    struct vl_buf params = vl_buf_of(VL_MCP_ASK_MAX);
    struct vl_json_out out = {&params, false};
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(vl_str_z(schema), VL_LIMIT_JSON_DEPTH, &doc, NULL) !=
        VALET_OK) {
        talk_of(call)->trouble = "The handler's schema of a form is no JSON";
        return NULL;
    }
    open_elicitation(&out, call, "form", message);
    vl_json_add_value(&out, "requestedSchema", doc.root);
    vl_json_close(&out, '}');
    return ask_client(call, key, VALET_MCP_CAN_FILL_FORM, &params, doc.root);
}

const char *
valet_mcp_elicit_url(valet_mcp_call *call, const char *key, const char *message,
                     const char *url)
{
    struct vl_buf params = vl_buf_of(VL_MCP_ASK_MAX);
    struct vl_json_out out = {&params, false};
    open_elicitation(&out, call, "url", message);
    vl_json_add_z(&out, "url", url);
    if (call->peer.version == VL_MCP_2025_11_25) {
        char id[VL_UUID_SIZE];
        vl_uuid(id);
        vl_json_add_z(&out, "elicitationId", id);
    }
    vl_json_close(&out, '}');
    return ask_client(call, key, VALET_MCP_CAN_OPEN_URL, &params, NULL);
}

/* @spec HT-68: not every client that samples takes tools (before 2025-11-25
 * none did), or brings in what other servers say (before that all did). */
static unsigned
needs_of_sampling(const struct vl_mcp_call *call, const struct json_t *params)
{
    struct vl_str context = vl_json_get_str(params, "includeContext");
    unsigned needs = VALET_MCP_CAN_SAMPLE;
    if (vl_json_get(params, "tools") || vl_json_get(params, "toolChoice"))
        needs |= VL_MCP_SAMPLES_TOOLS;
    if (context.n && !vl_str_eqz(context, "none") &&
        call->peer.version >= VL_MCP_2025_11_25)
        needs |= VL_MCP_SAMPLES_CONTEXT;
    return needs;
}

const char *
valet_mcp_sample(valet_mcp_call *call, const char *key, const char *text)
{
    struct vl_buf params = vl_buf_of(VL_MCP_ASK_MAX);
    struct vl_json_out out = {&params, false};
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(vl_str_z(text), VL_LIMIT_JSON_DEPTH, &doc, NULL) !=
            VALET_OK ||
        vl_json_kind(doc.root) != VL_JSON_OBJECT) {
        talk_of(call)->trouble = "The handler's sampling request is no object";
        return NULL;
    }
    vl_json_add_value(&out, NULL, doc.root);
    return ask_client(call, key, needs_of_sampling(call, doc.root), &params,
                      NULL);
}

const char *
valet_mcp_ask_model(valet_mcp_call *call, const char *key, const char *question,
                    int max_tokens)
{
    struct vl_buf params = vl_buf_of(VL_MCP_ASK_MAX);
    struct vl_json_out out = {&params, false};
    vl_json_open(&out, '{');
    vl_json_open_key(&out, "messages", '[');
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "role", "user");
    vl_json_open_key(&out, "content", '{');
    vl_json_add_z(&out, "type", "text");
    vl_json_add_z(&out, "text", question);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_json_close(&out, ']');
    vl_json_add_int(&out, "maxTokens", max_tokens);
    vl_json_close(&out, '}');
    return ask_client(call, key, VALET_MCP_CAN_SAMPLE, &params, NULL);
}

const char *
valet_mcp_list_roots(valet_mcp_call *call, const char *key)
{
    struct vl_buf params = vl_buf_of(VL_MCP_ASK_MAX);
    vl_buf_addz(&params, "{}");
    return ask_client(call, key, VALET_MCP_CAN_LIST_ROOTS, &params, NULL);
}

void
valet_mcp_keep(valet_mcp_call *call, const char *text)
{
    struct vl_mcp_talk *talk = talk_of(call);
    if (strlen(text) > VL_MCP_KEPT_MAX)
        talk->trouble = "The handler keeps too much";
    free(talk->keep);
    talk->keep = vl_strdup(text);
}

const char *
valet_mcp_kept(const valet_mcp_call *call)
{
    return call->talk ? call->talk->kept : NULL;
}

/* --- asking --- */

static const char *
method_of(unsigned needs)
{
    switch (kind_of(needs)) {
    case VALET_MCP_CAN_SAMPLE:
        return "sampling/createMessage";
    case VALET_MCP_CAN_LIST_ROOTS:
        return "roots/list";
    default:
        return "elicitation/create";
    }
}

static void
seal_state(const struct vl_mcp_call *call, struct vl_buf *ret)
{
    const struct vl_mcp_talk *talk = call->talk;
    vl_auto(vl_buf) payload = vl_buf_of(VL_MCP_STATE_MAX);
    struct vl_json_out out = {&payload, false};
    vl_json_open(&out, '{');
    vl_json_open_key(&out, "a", '{');
    for (size_t i = 0; i < talk->count; i++)
        if (talk->asks[i].answer.root)
            vl_json_add_value(&out, talk->asks[i].key,
                              talk->asks[i].answer.root);
    vl_json_close(&out, '}');
    if (talk->keep)
        vl_json_add_z(&out, "k", talk->keep);
    vl_json_close(&out, '}');
    struct vl_mcp_state_use use = use_of(call);
    if (payload.failed ||
        vl_mcp_state_seal(call->endpoint->ring, &use,
                          vl_clock_now(call->endpoint->clock),
                          vl_buf_str(&payload), ret, NULL) != VALET_OK)
        ret->failed = true;
}

/* @spec HT-56 HT-68 */
static void
ask_by_result(struct vl_mcp_call *call)
{
    const struct vl_mcp_talk *talk = call->talk;
    struct vl_mcp_post *post = call->post;
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_ANSWER_MAX);
    vl_auto(vl_buf) state = vl_buf_of(VL_MCP_STATE_MAX);
    struct vl_json_out out = {&text, false};
    seal_state(call, &state);
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
    vl_mcp_call_end(call, false, "input_required");
    vl_mcp_post_answer(post, vl_buf_str(&text));
}

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
    struct vl_mcp_talk *talk = talk_of(call);
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
