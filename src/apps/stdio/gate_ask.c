/* SPDX-License-Identifier: Apache-2.0
 *
 * The client opens the sign-in's address, where it can (URL elicitation).
 *
 *     up to 2025-11-25  a request of ours; the call waits on
 *     from 2026-07-28   the call is answered with our question, and its visit
 *                       parked; the client brings the answer with the same call
 */
#include "apps/stdio/gate_inside.h"

/* --- visits whose calls are gone --- */

void
vl_gate_parked_free(struct vl_gate_parked *parked)
{
    vl_list_remove(&parked->in_gate);
    parked->gate->parked_count--;
    vl_visit_leave(&parked->visit);
    free(parked);
}

/* Nobody is told until the call comes again. */
static void
on_parked_done(valet_status status, const valet_auth_result *result,
               const valet_entra_error *error, void *ctx)
{
    struct vl_gate_parked *parked = ctx;
    struct vl_gate *gate = parked->gate;
    (void)error;
    parked->visit = NULL;
    vl_gate_parked_free(parked);
    if (status == VALET_OK)
        vl_gate_let_in(gate, result);
}

/* The client has its address: a second one cannot reach it. */
static void
on_parked_open(const char *url, void *ctx)
{
    (void)url;
    (void)ctx;
}

void
vl_gate_sweep_parked(struct vl_gate *gate, bool all)
{
    int64_t now = vl_mono_now();
    VL_LIST_EACH (it, &gate->parked) {
        struct vl_gate_parked *parked =
            VL_CONTAINER(it, struct vl_gate_parked, in_gate);
        if (all || now - parked->since_ms > VL_GATE_PARKED_MS)
            vl_gate_parked_free(parked);
    }
}

struct vl_gate_parked *
vl_gate_find_parked(struct vl_gate *gate, const char *key)
{
    VL_LIST_EACH (it, &gate->parked) {
        struct vl_gate_parked *parked =
            VL_CONTAINER(it, struct vl_gate_parked, in_gate);
        if (strcmp(parked->key, key) == 0)
            return parked;
    }
    return NULL;
}

/* @spec HT-68 */
static void
park(struct vl_gate_waiting *waiting, const char *url)
{
    struct vl_gate *gate = waiting->gate;
    struct vl_gate_parked *parked = vl_alloc(sizeof *parked);
    const struct vl_visit_hooks hooks = {
        .open = on_parked_open, .done = on_parked_done, .ctx = parked};
    vl_gate_sweep_parked(gate, false);
    if (gate->parked_count == VL_GATE_PARKED_MAX)
        vl_gate_parked_free(
            VL_CONTAINER(gate->parked.next, struct vl_gate_parked, in_gate));
    *parked = (struct vl_gate_parked){
        .gate = gate, .visit = waiting->visit, .since_ms = vl_mono_now()};
    vl_gate_make_name(gate, parked->key);
    vl_list_add_last(&gate->parked, &parked->in_gate);
    gate->parked_count++;
    vl_gate_say_input_required(
        gate, vl_buf_str(&waiting->line.messages[0].call.id), parked->key, url);
    vl_visit_rehook(parked->visit, &hooks);
    waiting->visit = NULL;
    vl_gate_waiting_free(waiting);
}

/* --- questions that are requests --- */

void
vl_gate_ask(struct vl_gate_waiting *waiting, const char *url)
{
    struct vl_gate_question *question = &waiting->question;
    if (waiting->line.messages[0].call.is_modern) {
        park(waiting, url);
        return;
    }
    vl_gate_unask(waiting, false);
    vl_gate_make_name(waiting->gate, question->name);
    vl_uuid(question->elicitation);
    question->is_open = true;
    vl_gate_say_question(waiting->gate, question, url);
}

void
vl_gate_unask(struct vl_gate_waiting *waiting, bool is_done)
{
    struct vl_gate_question *question = &waiting->question;
    if (question->is_open)
        vl_gate_say_taken_back(waiting->gate, question->name);
    else if (question->is_accepted && is_done)
        vl_gate_say_done(waiting->gate, question->elicitation);
    *question = (struct vl_gate_question){.is_open = false};
}

static struct vl_gate_waiting *
find_asking(struct vl_gate *gate, struct vl_str name)
{
    VL_LIST_EACH (it, &gate->waiting) {
        struct vl_gate_waiting *waiting =
            VL_CONTAINER(it, struct vl_gate_waiting, in_gate);
        if (waiting->question.is_open &&
            vl_str_eqz(name, waiting->question.name))
            return waiting;
    }
    return NULL;
}

/* @spec D9: one that comes late, or twice, is nobody's. */
bool
vl_gate_take_response(struct vl_gate *gate,
                      const struct vl_gate_message *message)
{
    struct vl_str id = vl_buf_str(&message->call.id);
    if (id.n < 2 || id.p[0] != '"')
        return false;
    id = vl_str_of(id.p + 1, id.n - 2);
    if (!vl_gate_is_own_name(gate, id))
        return false;
    struct vl_gate_waiting *waiting = find_asking(gate, id);
    if (!waiting)
        return true;
    waiting->question.is_open = false;
    waiting->question.is_accepted = message->accepts;
    vl_visit_opened(waiting->visit, message->accepts);
    return true;
}
