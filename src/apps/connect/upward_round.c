/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a result asks for input (2026-07-28), a client of the older era is
 * asked by requests; when it has answered all of them, the call is sent once
 * more, with its answers and the server's state (@spec CL-24).
 */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>

#include "apps/connect/upward.h"
#include "core/limits.h"
#include "core/sys.h"

/* Questions of one round, and rounds of one call. */
#define QUESTIONS_MAX 16
#define ROUNDS_MAX    32
/* A server that only wants to be asked again. */
#define AGAIN_MS 500

struct question {
    char *key;          /* the server's, JSON */
    char *id;           /* ours, JSON */
    struct vl_buf said; /* empty: not yet */
};

/* `extra` of a call. */
struct round {
    struct vl_list node;
    struct vl_bridge_call *call;
    struct vl_json params;
    struct question questions[QUESTIONS_MAX];
    size_t count;
    struct vl_buf state; /* JSON, or empty */
    unsigned rounds;
};

static void
clear(struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        free(round->questions[i].key);
        free(round->questions[i].id);
        vl_buf_done(&round->questions[i].said);
    }
    round->count = 0;
    vl_buf_done(&round->state);
    vl_list_remove(&round->node);
}

static void
free_round(void *extra)
{
    struct round *round = extra;
    clear(round);
    vl_json_done(&round->params);
    free(round);
}

void
vl_upward_keep(struct vl_bridge_call *call, const struct json_t *params)
{
    struct round *round = vl_alloc(sizeof *round);
    vl_list_init(&round->node);
    round->call = call;
    round->params = vl_json_share(params);
    round->state = vl_buf_of(VL_BRIDGE_MESSAGE);
    call->extra = round;
    call->extra_free = free_round;
}

/* --- another try --- */

/* @spec CL-24: a new id, and the state as it came. */
static void
write_more(const struct round *round, struct vl_buf *ret)
{
    struct vl_json_out out = {ret, false};
    if (round->count) {
        vl_json_open_key(&out, "inputResponses", '{');
        for (size_t i = 0; i < round->count; i++) {
            if (i)
                vl_buf_addc(ret, ',');
            vl_buf_addz(ret, round->questions[i].key);
            vl_buf_addc(ret, ':');
            vl_buf_add(ret, vl_buf_str(&round->questions[i].said));
        }
        vl_json_close(&out, '}');
    }
    if (vl_buf_size(&round->state))
        vl_json_add_raw(&out, "requestState", vl_buf_str(&round->state));
}

static void
go_on(struct round *round)
{
    struct vl_bridge_call *call = round->call;
    vl_auto(vl_buf) more = vl_buf_of(VL_BRIDGE_MESSAGE);
    bool is_question = round->count > 0;
    write_more(round, &more);
    free(call->id);
    call->id = vl_bridge_new_id(call->bridge);
    vl_buf_clear(&call->json);
    vl_upward_write(call->bridge, call->id, call->method, round->params.root,
                    vl_buf_str(&more), &call->json);
    clear(round);
    call->is_parked = false;
    call->was_repeated = false;
    if (call->bridge->config.timeout_ms)
        call->deadline = vl_mono_now() + call->bridge->config.timeout_ms;
    if (is_question && !call->remote)
        vl_bridge_send_modern(call);
    else
        call->again_at = vl_mono_now() + (is_question ? 1 : AGAIN_MS);
    vl_bridge_hurry(call->bridge);
}

/* --- questions --- */

/* @spec CL-26: 2025-11-25 wants an id where 2026-07-28 has none. */
static bool
add_param(struct vl_str key, const struct json_t *value, void *ctx)
{
    vl_json_add_value(ctx, key.p, value);
    return true;
}

static void
write_params(const struct question *question, const struct json_t *params,
             struct vl_json_out *out)
{
    bool is_url = vl_str_eqz(vl_json_get_str(params, "mode"), "url") &&
                  !vl_json_get(params, "elicitationId");
    vl_json_open_key(out, "params", '{');
    vl_json_each(params, add_param, out);
    if (is_url)
        vl_json_add_raw(out, "elicitationId", vl_str_z(question->id));
    vl_json_close(out, '}');
}

static bool
ask(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct round *round = ctx;
    struct vl_bridge *bridge = round->call->bridge;
    vl_auto(vl_buf) line = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_auto(vl_buf) name = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&line, false}, named = {&name, false};
    struct vl_str method = vl_json_get_str(value, "method");
    if (!method.n || round->count == QUESTIONS_MAX)
        return true;
    struct question *question = &round->questions[round->count++];
    vl_json_add_str(&named, NULL, key);
    question->key = vl_strdup(vl_buf_cstr(&name));
    question->id = vl_bridge_new_id(bridge);
    question->said = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_rpc_open_answer_raw(&out, vl_str_z(question->id));
    vl_json_add_str(&out, "method", method);
    write_params(question, vl_json_get(value, "params"), &out);
    vl_json_close(&out, '}');
    vl_bridge_write(bridge, vl_buf_str(&line));
    return true;
}

bool
vl_upward_ask(struct vl_bridge_call *call, struct vl_str result)
{
    static const char word[] = "input_required";
    struct round *round = call->extra;
    vl_auto(vl_json) doc = {NULL};
    if (!memmem(result.p, result.n, word, sizeof word - 1) ||
        vl_json_parse(result, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK ||
        !vl_str_eqz(vl_json_get_str(doc.root, "resultType"), word))
        return false;
    call->is_answered = false;
    call->is_parked = true;
    call->deadline = 0;
    if (round->rounds++ == ROUNDS_MAX) {
        call->take = NULL;
        call->pass = NULL;
        vl_bridge_call_error(call, VL_RPC_INTERNAL,
                             "The server asks again and again");
        return true;
    }
    const struct json_t *state = vl_json_get(doc.root, "requestState");
    struct vl_json_out out = {&round->state, false};
    if (state)
        vl_json_add_value(&out, NULL, state);
    vl_list_add_last(&call->bridge->up->rounds, &round->node);
    vl_json_each(vl_json_get(doc.root, "inputRequests"), ask, round);
    if (!round->count)
        go_on(round);
    return true;
}

/* --- what the client says to them --- */

static void
give_up(struct round *round)
{
    struct vl_bridge_call *call = round->call;
    call->is_parked = false;
    call->take = NULL;
    call->pass = NULL;
    vl_bridge_call_error(call, VL_RPC_INTERNAL,
                         "The client did not answer what the server asked");
}

static void
take_answer(struct round *round, struct question *question,
            const struct vl_bridge_message *message)
{
    if (message->error.n) {
        give_up(round);
        return;
    }
    vl_buf_clear(&question->said);
    vl_buf_add(&question->said, message->result);
    for (size_t i = 0; i < round->count; i++)
        if (!vl_buf_size(&round->questions[i].said))
            return;
    go_on(round);
}

void
vl_bridge_upward_respond(struct vl_bridge *bridge, struct vl_str json)
{
    vl_auto(vl_bridge_message) message;
    if (!vl_bridge_message_read(json, &message))
        return;
    VL_LIST_EACH (it, &bridge->up->rounds) {
        struct round *round = VL_CONTAINER(it, struct round, node);
        for (size_t i = 0; i < round->count; i++)
            if (vl_str_eqz(message.id, round->questions[i].id)) {
                take_answer(round, &round->questions[i], &message);
                return;
            }
    }
}
