/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/gate_inside.h"

/* The shortest lines there are; all of a batch, and an address, fit. */
#define TEXT_MAX ((size_t)1024 * 1024)
/* So often a request is told of progress: half an hour, every five seconds. */
#define PROGRESS_MAX 300

static void
say(struct vl_gate *gate, struct vl_buf *text)
{
    if (vl_buf_check(text, NULL) == VALET_OK)
        gate->hooks.to_client(vl_buf_str(text), gate->hooks.ctx);
    vl_buf_done(text);
}

void
vl_gate_say_error(struct vl_gate *gate, struct vl_rpc_id id,
                  enum vl_rpc_code code, const char *why)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    vl_rpc_write_error(&text, id, code, why);
    say(gate, &text);
}

/* @spec S-46 W-41 */
static void
write_refusal(struct vl_buf *text, const struct vl_gate_call *call,
              const char *why)
{
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer_raw(&out, vl_buf_str(&call->id));
    if (!call->is_tool_call) {
        vl_rpc_add_error(&out, vl_rpc_code_for(call->is_modern, VL_RPC_REFUSED),
                         why);
        vl_json_close(&out, '}');
        return;
    }
    vl_json_open_key(&out, "result", '{');
    if (call->is_modern)
        vl_json_add_z(&out, "resultType", "complete");
    vl_json_open_key(&out, "content", '[');
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "type", "text");
    vl_json_add_z(&out, "text", why);
    vl_json_close(&out, '}');
    vl_json_close(&out, ']');
    vl_json_add_bool(&out, "isError", true);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

/* The answers to a batch are one. */
void
vl_gate_say_refusal(struct vl_gate *gate, const struct vl_gate_line *line,
                    const char *why)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    size_t answers = 0;
    for (size_t i = 0; i < line->count; i++) {
        const struct vl_gate_message *message = &line->messages[i];
        if (message->sort != VL_GATE_REQUEST || message->call.is_taken_back)
            continue;
        if (line->is_batch)
            vl_buf_addc(&text, answers ? ',' : '[');
        write_refusal(&text, &message->call, why);
        answers++;
    }
    if (line->is_batch && answers)
        vl_buf_addc(&text, ']');
    if (answers)
        say(gate, &text);
    vl_buf_done(&text);
}

/*
 * The numbers of a request have to rise, the server's after ours, and most
 * servers begin with 0 or 1: ours are -0.001, -0.0001, and so on.
 */
static void
say_progress(struct vl_gate *gate, const struct vl_gate_call *call,
             unsigned step, const char *what)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    struct vl_json_out out = {&text, false};
    char number[16];
    (void)snprintf(number, sizeof number, "-1e-%u", step + 3);
    vl_rpc_open_notification(&out, "notifications/progress");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "progressToken", vl_buf_str(&call->token));
    vl_json_add_raw(&out, "progress", vl_str_z(number));
    /* Known since 2025-03-26; of no harm before. */
    vl_json_add_z(&out, "message", what);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    say(gate, &text);
}

void
vl_gate_say_progress(struct vl_gate_waiting *waiting, const char *text)
{
    if (waiting->progress >= PROGRESS_MAX)
        return;
    for (size_t i = 0; i < waiting->line.count; i++) {
        const struct vl_gate_call *call = &waiting->line.messages[i].call;
        if (vl_buf_size(&call->token) && !call->is_taken_back)
            say_progress(waiting->gate, call, waiting->progress, text);
    }
    waiting->progress++;
}

/* --- questions --- */

static void
add_question(struct vl_json_out *out, const char *elicitation, const char *url)
{
    vl_json_open_key(out, "params", '{');
    vl_json_add_z(out, "mode", "url");
    vl_json_add_z(out, "message",
                  "Sign in with Entra ID to use the tools of this server");
    vl_json_add_z(out, "url", url);
    if (elicitation)
        vl_json_add_z(out, "elicitationId", elicitation);
    vl_json_close(out, '}');
}

void
vl_gate_say_question(struct vl_gate *gate,
                     const struct vl_gate_question *question, const char *url)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_notification(&out, "elicitation/create");
    vl_json_add_z(&out, "id", question->name);
    add_question(&out, question->elicitation, url);
    vl_json_close(&out, '}');
    say(gate, &text);
}

void
vl_gate_say_input_required(struct vl_gate *gate, struct vl_str id,
                           const char *key, const char *url)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_answer_raw(&out, id);
    vl_json_open_key(&out, "result", '{');
    vl_json_add_z(&out, "resultType", "input_required");
    vl_json_open_key(&out, "inputRequests", '{');
    vl_json_open_key(&out, key, '{');
    vl_json_add_z(&out, "method", "elicitation/create");
    add_question(&out, NULL, url);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    say(gate, &text);
}

void
vl_gate_write_cancel(struct vl_buf *text, struct vl_str id)
{
    struct vl_json_out out = {text, false};
    vl_rpc_open_notification(&out, "notifications/cancelled");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "requestId", id);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

void
vl_gate_say_taken_back(struct vl_gate *gate, const char *name)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    char id[VL_GATE_NAME_SIZE + 2];
    (void)snprintf(id, sizeof id, "\"%s\"", name);
    vl_gate_write_cancel(&text, vl_str_z(id));
    say(gate, &text);
}

void
vl_gate_say_done(struct vl_gate *gate, const char *elicitation)
{
    struct vl_buf text = vl_buf_of(TEXT_MAX);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_notification(&out, "notifications/elicitation/complete");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_z(&out, "elicitationId", elicitation);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    say(gate, &text);
}
