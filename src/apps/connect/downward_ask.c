/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server of the older era asks on the way to an answer: the client gets
 * a result that asks it (@spec HT-68), and while it thinks, the server's call
 * stays open here. Its next request, which has the state that names the call,
 * brings the answer; then the server's own answer is that of this request.
 */
#include <stdlib.h>

#include "apps/connect/downward.h"
#include "core/enc.h"
#include "core/limits.h"
#include "core/sys.h"

/* A client that does not come back. */
#define PARKED_MS 600000
/* Questions that wait for the client. */
#define QUESTIONS_MAX 16
#define KEY           "q"

struct question {
    char *id;          /* the server's, JSON */
    struct vl_buf ask; /* {"method":…,"params":…} */
};

/* `extra` of a call. */
struct park {
    char state[33];
    struct question questions[QUESTIONS_MAX];
    size_t count;
    size_t asked;         /* of them, that the client was told */
    struct vl_buf answer; /* of the server, that came meanwhile: an error, */
    bool is_error;        /* or a result */
};

static void
drop_questions(struct park *park)
{
    for (size_t i = 0; i < park->count; i++) {
        free(park->questions[i].id);
        vl_buf_done(&park->questions[i].ask);
    }
    park->count = park->asked = 0;
}

static void
free_park(void *extra)
{
    struct park *park = extra;
    drop_questions(park);
    vl_buf_done(&park->answer);
    free(park);
}

static struct park *
park_of(struct vl_bridge_call *call)
{
    unsigned char bytes[16];
    struct park *park = call->extra;
    if (park)
        return park;
    park = vl_alloc(sizeof *park);
    park->answer = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_random(bytes, sizeof bytes);
    vl_hex(vl_str_of(bytes, sizeof bytes), park->state);
    call->extra = park;
    call->extra_free = free_park;
    return park;
}

/* --- the client is asked --- */

/* All that the server has asked so far. */
static void
ask_client(struct vl_bridge_call *call)
{
    struct park *park = call->extra;
    vl_auto(vl_buf) result = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&result, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "resultType", "input_required");
    vl_json_open_key(&out, "inputRequests", '{');
    for (size_t i = 0; i < park->count; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, KEY "%zu", i);
        vl_json_add_raw(&out, key, vl_buf_str(&park->questions[i].ask));
    }
    vl_json_close(&out, '}');
    vl_json_add_z(&out, "requestState", park->state);
    vl_json_close(&out, '}');
    park->asked = park->count;
    vl_downward_result(call, vl_buf_str(&result));
    free(call->client_id);
    free(call->token);
    call->client_id = call->token = NULL;
    call->has_other_token = true;
    call->deadline = vl_mono_now() + PARKED_MS;
}

/* @spec HT-68: only these may ask. */
static bool
may_ask(const struct vl_bridge_call *call)
{
    return call->id && !call->is_answered && !call->is_cancelled &&
           call->take && !call->is_modern &&
           (strcmp(call->method, "tools/call") == 0 ||
            strcmp(call->method, "prompts/get") == 0 ||
            strcmp(call->method, "resources/read") == 0);
}

/* Asked on no call's stream: it can only be for the one that runs. */
static struct vl_bridge_call *
only_call(struct vl_bridge *bridge)
{
    struct vl_bridge_call *found = NULL;
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (!may_ask(call))
            continue;
        if (found)
            return NULL;
        found = call;
    }
    return found;
}

static bool
can_client(const struct vl_bridge_downward *down, struct vl_str method)
{
    const char *ability =
        vl_str_eqz(method, "elicitation/create")       ? "elicitation"
        : vl_str_eqz(method, "sampling/createMessage") ? "sampling"
        : vl_str_eqz(method, "roots/list")             ? "roots"
                                                       : NULL;
    return ability && vl_json_get(down->abilities.root, ability);
}

void
vl_downward_question(struct vl_bridge *bridge, struct vl_bridge_call *call,
                     const struct vl_bridge_message *message)
{
    vl_auto(vl_buf) id = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_buf_add(&id, message->id);
    if (vl_str_eqz(message->method, "ping")) {
        vl_downward_reply(bridge, vl_buf_cstr(&id), VL_STR("{}"));
        return;
    }
    if (!call)
        call = only_call(bridge);
    if (!call || !may_ask(call) || !can_client(bridge->down, message->method) ||
        park_of(call)->count == QUESTIONS_MAX) {
        vl_downward_reply(bridge, vl_buf_cstr(&id), (struct vl_str){NULL, 0});
        return;
    }
    struct park *park = park_of(call);
    struct question *question = &park->questions[park->count++];
    struct vl_json_out out = {&question->ask, false};
    question->id = vl_strdup(vl_buf_cstr(&id));
    question->ask = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "method", message->method);
    if (message->params.n)
        vl_json_add_raw(&out, "params", message->params);
    vl_json_close(&out, '}');
    if (call->client_id)
        ask_client(call);
}

/* --- a person has to go somewhere first --- */

static bool
add_place(struct vl_json_out *out, size_t number, const struct json_t *place)
{
    char key[32];
    struct vl_str url = vl_json_get_str(place, "url");
    if (!url.n)
        return false;
    (void)snprintf(key, sizeof key, KEY "%zu", number);
    vl_json_open_key(out, key, '{');
    vl_json_add_z(out, "method", "elicitation/create");
    vl_json_open_key(out, "params", '{');
    vl_json_add_z(out, "mode", "url");
    vl_json_add_str(out, "message", vl_json_get_str(place, "message"));
    vl_json_add_str(out, "url", url);
    vl_json_close(out, '}');
    vl_json_close(out, '}');
    return true;
}

bool
vl_downward_send_away(struct vl_bridge_call *call, struct vl_str error)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) result = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&result, false};
    int64_t code;
    size_t count = 0;
    const struct json_t *can =
        vl_json_get(call->bridge->down->abilities.root, "elicitation");
    if (!vl_json_get(can, "url") || !vl_bridge_error_code(error, &code) ||
        code != VL_DOWNWARD_GO_FIRST ||
        vl_json_parse(error, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return false;
    const struct json_t *places =
        vl_json_get(vl_json_get(doc.root, "data"), "elicitations");
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "resultType", "input_required");
    vl_json_open_key(&out, "inputRequests", '{');
    for (size_t i = 0; i < vl_json_size(places) && count < QUESTIONS_MAX; i++)
        count += add_place(&out, count, vl_json_at(places, i));
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    if (count)
        vl_bridge_call_pass(
            call, &(struct vl_bridge_answer){.result = vl_buf_str(&result)});
    return count > 0;
}

/* --- and answers --- */

bool
vl_downward_keeps(struct vl_bridge_call *call,
                  const struct vl_bridge_answer *answer)
{
    struct park *park = call->extra;
    if (call->client_id || !park)
        return false;
    vl_buf_clear(&park->answer);
    park->is_error = answer->error.n > 0;
    vl_buf_add(&park->answer, park->is_error ? answer->error : answer->result);
    call->is_answered = false;
    call->is_parked = true;
    call->deadline = vl_mono_now() + PARKED_MS;
    return true;
}

static struct vl_bridge_call *
find_parked(struct vl_bridge *bridge, struct vl_str state)
{
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        const struct park *park =
            call->extra_free == free_park ? call->extra : NULL;
        if (park && !call->client_id && vl_str_eqz(state, park->state))
            return call;
    }
    return NULL;
}

/* The server gets what it asked; what the client left out is refused. */
static void
answer_server(struct vl_bridge_call *call, const struct json_t *responses)
{
    struct park *park = call->extra;
    size_t asked = park->asked;
    for (size_t i = 0; i < asked; i++) {
        vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
        struct vl_json_out out = {&text, false};
        char key[32];
        (void)snprintf(key, sizeof key, KEY "%zu", i);
        if (vl_json_get(responses, key))
            vl_json_add_value(&out, NULL, vl_json_get(responses, key));
        vl_downward_reply(call->bridge, park->questions[i].id,
                          vl_buf_str(&text));
        free(park->questions[i].id);
        vl_buf_done(&park->questions[i].ask);
    }
    park->count -= asked;
    memmove(park->questions, park->questions + asked,
            park->count * sizeof park->questions[0]);
    park->asked = 0;
}

static void
go_on(struct vl_bridge_call *call, const struct vl_rpc_message *message)
{
    struct park *park = call->extra;
    vl_auto(vl_buf) id = vl_buf_of(2 * VL_RPC_ID_MAX);
    vl_rpc_write_id(&id, message->id);
    call->client_id = vl_strdup(vl_buf_cstr(&id));
    call->deadline = call->bridge->config.timeout_ms
                         ? vl_mono_now() + call->bridge->config.timeout_ms
                         : 0;
    answer_server(call, vl_json_get(vl_rpc_params(message), "inputResponses"));
    if (call->is_parked) {
        vl_auto(vl_buf) text = vl_buf_take(&park->answer);
        call->is_parked = false;
        vl_bridge_call_answer(
            call, &(struct vl_bridge_answer){
                      .result = park->is_error ? (struct vl_str){NULL, 0}
                                               : vl_buf_str(&text),
                      .error = park->is_error ? vl_buf_str(&text)
                                              : (struct vl_str){NULL, 0}});
    } else if (park->count) {
        ask_client(call);
    }
}

bool
vl_downward_answer(struct vl_bridge *bridge,
                   const struct vl_rpc_message *message)
{
    struct vl_str state = vl_rpc_param_str(message, VL_STR("requestState"));
    if (!state.p)
        return false;
    struct vl_bridge_call *call = find_parked(bridge, state);
    if (call)
        go_on(call, message);
    else
        vl_bridge_refuse(bridge, message->id, VL_RPC_INVALID_PARAMS,
                         "Nothing waits for this requestState any more");
    return true;
}
