/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known before a handler runs, and what it notes while it does.
 */
#include "talk/ask_inside.h"

#include "core/limits.h"
#include "core/status.h"
#include "mcp/state.h"
#include "talk/call.h"
#include "talk/method.h"

/* --- what a request brings, and takes back with it --- */

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
    VL_TRY(vl_mcp_state_open(vl_mcp_endpoint_ring(call->endpoint), &use,
                             vl_clock_now(call->endpoint->clock), text,
                             &payload));
    return vl_json_parse(vl_buf_str(&payload), VL_LIMIT_JSON_DEPTH, ret, NULL);
}

void
vl_mcp_talk_seal(const struct vl_mcp_call *call, struct vl_buf *ret)
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
        vl_mcp_state_seal(vl_mcp_endpoint_ring(call->endpoint), &use,
                          vl_clock_now(call->endpoint->clock),
                          vl_buf_str(&payload), ret, NULL) != VALET_OK)
        ret->failed = true;
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

struct vl_mcp_talk *
vl_mcp_talk_of(struct vl_mcp_call *call)
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
    struct vl_mcp_talk *talk = vl_mcp_talk_of(call);
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

unsigned
vl_mcp_ask_kind(unsigned needs)
{
    return needs & ~(VL_MCP_SAMPLES_TOOLS | VL_MCP_SAMPLES_CONTEXT);
}

/* An accepted form that does not fit is no answer; neither is anything of
 * another shape than MCP gives it. */
static bool
fits(unsigned needs, const struct json_t *answer, const struct json_t *schema)
{
    switch (vl_mcp_ask_kind(needs)) {
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
        vl_mcp_talk_of(call)->trouble =
            "The handler's schema of a form is no JSON";
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
        vl_mcp_talk_of(call)->trouble =
            "The handler's sampling request is no object";
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
    struct vl_mcp_talk *talk = vl_mcp_talk_of(call);
    if (text && strlen(text) > VL_MCP_KEPT_MAX)
        talk->trouble = "The handler keeps too much";
    free(talk->keep);
    talk->keep = text ? vl_strdup(text) : NULL;
}

const char *
valet_mcp_kept(const valet_mcp_call *call)
{
    return call->talk ? call->talk->kept : NULL;
}
