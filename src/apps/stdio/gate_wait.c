/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/gate_inside.h"

/* --- at the door --- */

static void
on_tell(const char *text, void *ctx)
{
    vl_gate_say_progress(ctx, text);
}

static void
on_open(const char *url, void *ctx)
{
    vl_gate_ask(ctx, url);
}

static void
explain(valet_status status, const valet_entra_error *error, char *ret,
        size_t size)
{
    valet_entra_error none = {.error = {.status = status}};
    vl_doorman_explain(status, error ? error : &none, ret, size);
}

static void
on_done(valet_status status, const valet_auth_result *result,
        const valet_entra_error *error, void *ctx)
{
    struct vl_gate_waiting *waiting = ctx;
    struct vl_gate *gate = waiting->gate;
    char why[512];
    waiting->visit = NULL;
    if (status == VALET_OK) {
        vl_gate_let_in(gate, result);
        return;
    }
    explain(status, error, why, sizeof why);
    vl_gate_say_refusal(gate, &waiting->line, why);
    vl_gate_waiting_free(waiting);
}

static struct vl_visit_hooks
hooks_of(struct vl_gate_waiting *waiting, bool can_open)
{
    return (struct vl_visit_hooks){.tell = on_tell,
                                   .open = can_open ? on_open : NULL,
                                   .done = on_done,
                                   .ctx = waiting};
}

/* --- coming and going --- */

void
vl_gate_waiting_free(struct vl_gate_waiting *waiting)
{
    struct vl_gate *gate = waiting->gate;
    vl_list_remove(&waiting->in_gate);
    gate->waiting_count--;
    gate->waiting_bytes -= vl_buf_size(&waiting->text);
    vl_visit_leave(&waiting->visit);
    vl_gate_unask(waiting, false);
    vl_gate_line_done(&waiting->line);
    vl_buf_done(&waiting->text);
    free(waiting);
}

static struct vl_gate_waiting *
new_waiting(struct vl_gate *gate, struct vl_gate_line *line, struct vl_str text)
{
    struct vl_gate_waiting *waiting = vl_alloc(sizeof *waiting);
    *waiting = (struct vl_gate_waiting){.gate = gate, .line = *line};
    *line = (struct vl_gate_line){.count = 0};
    waiting->text = vl_buf_of_secret(VL_GATE_LINE_MAX);
    vl_buf_add(&waiting->text, text);
    vl_list_add_last(&gate->waiting, &waiting->in_gate);
    gate->waiting_bytes += vl_buf_size(&waiting->text);
    gate->waiting_count++;
    return waiting;
}

/* It may be refused at once, and is gone then. */
static void
knock(struct vl_gate_waiting *waiting, bool can_open)
{
    struct vl_gate *gate = waiting->gate;
    struct vl_visit_hooks hooks = hooks_of(waiting, can_open);
    struct vl_doorman *doorman = NULL;
    valet_error err;
    if (gate->hooks.door(&doorman, &err, gate->hooks.ctx) == VALET_OK) {
        waiting->visit = vl_doorman_ask(doorman, false, NULL, &hooks);
        return;
    }
    vl_gate_say_refusal(gate, &waiting->line, err.message);
    vl_gate_waiting_free(waiting);
}

/* The call that our question had ended comes again, with the answer. */
static void
come_back(struct vl_gate_waiting *waiting,
          const struct vl_gate_message *message)
{
    struct vl_gate_parked *parked =
        vl_gate_find_parked(waiting->gate, message->answers);
    struct vl_visit_hooks hooks = hooks_of(waiting, false);
    char why[512];
    if (parked) {
        bool accepts = message->accepts;
        struct vl_visit *visit = waiting->visit = parked->visit;
        parked->visit = NULL;
        vl_gate_parked_free(parked);
        hooks.open = on_open;
        vl_visit_rehook(visit, &hooks);
        vl_visit_opened(visit, accepts);
    } else if (message->accepts) {
        knock(waiting, false);
    } else {
        explain(VALET_CANCELLED, NULL, why, sizeof why);
        vl_gate_say_refusal(waiting->gate, &waiting->line, why);
        vl_gate_waiting_free(waiting);
    }
}

void
vl_gate_wait(struct vl_gate *gate, struct vl_gate_line *line,
             struct vl_str text)
{
    if (gate->waiting_count >= VL_GATE_WAITING_MAX ||
        text.n > VL_GATE_WAITING_BYTES_MAX - gate->waiting_bytes) {
        vl_gate_say_refusal(gate, line,
                            "Too much waits for the sign-in already");
        return;
    }
    struct vl_gate_waiting *waiting = new_waiting(gate, line, text);
    const struct vl_gate_message *first = &waiting->line.messages[0];
    if (first->answers[0]) {
        come_back(waiting, first);
        return;
    }
    knock(waiting, first->can_open);
}

/* --- taken back --- */

static bool
has_others(const struct vl_gate_line *line)
{
    for (size_t i = 0; i < line->count; i++)
        if (line->messages[i].sort != VL_GATE_REQUEST ||
            !line->messages[i].call.is_taken_back)
            return true;
    return false;
}

/* @spec ST-08 S-47 */
bool
vl_gate_take_back(struct vl_gate *gate, struct vl_str id)
{
    VL_LIST_EACH (it, &gate->waiting) {
        struct vl_gate_waiting *waiting =
            VL_CONTAINER(it, struct vl_gate_waiting, in_gate);
        for (size_t i = 0; i < waiting->line.count; i++) {
            struct vl_gate_message *message = &waiting->line.messages[i];
            if (message->sort != VL_GATE_REQUEST ||
                !vl_str_eq(vl_buf_str(&message->call.id), id))
                continue;
            message->call.is_taken_back = true;
            if (!has_others(&waiting->line))
                vl_gate_waiting_free(waiting);
            return true;
        }
    }
    return false;
}

/* --- in --- */

/* Of a batch that went in whole. */
static void
cancel_taken_back(struct vl_gate *gate, const struct vl_gate_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct vl_gate_call *call = &line->messages[i].call;
        vl_auto(vl_buf) text = vl_buf_of((size_t)16 * VL_RPC_ID_MAX);
        if (!call->is_taken_back)
            continue;
        vl_gate_write_cancel(&text, vl_buf_str(&call->id));
        gate->hooks.to_server(vl_buf_str(&text), gate->hooks.ctx);
    }
}

/* One door for all: it is the same person, and the same program. */
void
vl_gate_let_in(struct vl_gate *gate, const valet_auth_result *who)
{
    gate->hooks.identify(who, gate->hooks.ctx);
    gate->expires_at = who->expires_at;
    gate->seen_ms = vl_mono_now();
    VL_LIST_EACH (it, &gate->waiting) {
        struct vl_gate_waiting *waiting =
            VL_CONTAINER(it, struct vl_gate_waiting, in_gate);
        vl_gate_unask(waiting, true);
        vl_gate_forward(gate, &waiting->line, vl_buf_str(&waiting->text));
        cancel_taken_back(gate, &waiting->line);
        vl_gate_waiting_free(waiting);
    }
    vl_gate_sweep_parked(gate, true);
}
