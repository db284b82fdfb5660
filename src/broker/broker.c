/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls that are under way, from the first to the last word.
 */
#include "broker/call.h"
#include "broker/link.h"
#include "broker/refusal.h"
#include "broker/request.h"
#include "core/status.h"

struct vl_broker {
    struct vl_broker_link link;
    char *modules;
    struct vl_list calls;    /* under way */
    struct vl_list finished; /* to be told */
    bool *gone;              /* told if we are freed while telling */
};

/* --- one call --- */

static void
drop_ask(struct vl_broker_call *call)
{
    if (call->ask)
        call->broker->link.module->drop(call->ask);
    call->ask = NULL;
}

/* Nobody waits for that page any more: without this, it would stay until the
 * person closes it. */
static void
take_off_screen(struct vl_broker_call *call)
{
    vl_auto(vl_buf) request = vl_buf_of(VL_BROKER_REQUEST_MAX);
    if (!call->is_seen)
        return;
    call->is_seen = false;
    vl_broker_write_cancel(call->correlation_id, &request);
    /* Who cannot be reached shows nothing, either. */
    valet_status ignored = vl_broker_link_call(
        &call->broker->link, "cancelInteractiveFlow", call->correlation_id,
        vl_buf_cstr(&request), NULL, NULL, NULL, NULL);
    (void)ignored;
}

static void
release(struct vl_broker_call *call)
{
    drop_ask(call);
    vl_list_remove(&call->node);
    vl_timer_free(call->timer);
    vl_secret_done(&call->token.access);
    vl_broker_answer_done(&call->answer);
    vl_broker_answer_done(&call->token_answer);
    vl_arena_done(&call->arena);
    free(call);
}

void
vl_broker_call_finish(struct vl_broker_call *call)
{
    drop_ask(call);
    vl_timer_stop(call->timer);
    vl_list_remove(&call->node);
    vl_list_add_last(&call->broker->finished, &call->node);
    vl_broker_link_wake(&call->broker->link);
}

void
vl_broker_call_fail(struct vl_broker_call *call)
{
    call->failed = true;
    (void)snprintf(call->error.correlation_id,
                   sizeof call->error.correlation_id, "%s",
                   call->correlation_id);
    vl_broker_call_finish(call);
}

static void
on_reply(valet_status status, const char *text, const valet_error *why,
         void *ctx)
{
    struct vl_broker_call *call = ctx;
    call->ask = NULL;
    if (status == VALET_OK) {
        call->answered(call, vl_str_z(text));
        return;
    }
    call->is_seen = false;
    vl_broker_refusal_of_bus(why, call->in.interactive, &call->error);
    vl_broker_call_fail(call);
}

void
vl_broker_call_ask(struct vl_broker_call *call, const char *method,
                   struct vl_buf *request,
                   void (*answered)(struct vl_broker_call *call,
                                    struct vl_str text))
{
    valet_error why;
    call->answered = answered;
    valet_status status = vl_buf_check(request, &why);
    if (status == VALET_OK)
        status = vl_broker_link_call(&call->broker->link, method,
                                     call->correlation_id, vl_buf_cstr(request),
                                     on_reply, call, &call->ask, &why);
    if (status == VALET_OK)
        return;
    vl_broker_refusal_of_bus(&why, call->in.interactive, &call->error);
    vl_broker_call_fail(call);
}

static void
on_timeout(void *ctx)
{
    struct vl_broker_call *call = ctx;
    if (call->is_seen)
        vl_broker_refusal(VALET_DENIED, VALET_NEXT_SIGN_IN, "sign_in_timeout",
                          "the person did not finish in time", &call->error);
    else
        vl_broker_refusal(VALET_RETRY, VALET_NEXT_RETRY, "",
                          "the identity broker does not answer", &call->error);
    take_off_screen(call);
    vl_broker_call_fail(call);
}

struct vl_broker_call *
vl_broker_call_new(struct vl_broker *broker, int64_t timeout_ms,
                   void (*tell)(struct vl_broker_call *call),
                   union vl_broker_done done, void *ctx)
{
    struct vl_broker_call *call = vl_alloc(sizeof *call);
    *call = (struct vl_broker_call){
        .broker = broker,
        .tell = tell,
        .done = done,
        .ctx = ctx,
        .answer = vl_broker_answer_of(),
        .token_answer = vl_broker_answer_of(),
        .arena = vl_arena_of(VL_BROKER_REQUEST_MAX),
    };
    vl_uuid(call->correlation_id);
    vl_list_add_last(&broker->calls, &call->node);
    call->timer = vl_timer_new(broker->link.loop, on_timeout, call);
    vl_timer_start(call->timer, timeout_ms);
    return call;
}

/* --- all calls --- */

static void
close_if_idle(struct vl_broker *broker)
{
    if (vl_list_is_empty(&broker->calls) && vl_list_is_empty(&broker->finished))
        vl_broker_link_close(&broker->link);
}

void
vl_broker_abort(struct vl_broker_call **handle)
{
    struct vl_broker_call *call = *handle;
    *handle = NULL;
    if (!call)
        return;
    struct vl_broker *broker = call->broker;
    take_off_screen(call);
    release(call);
    close_if_idle(broker);
}

/* Who waited for an answer over this connection gets none. */
static void
on_end_of_bus(struct vl_broker *broker)
{
    VL_LIST_EACH (node, &broker->calls) {
        struct vl_broker_call *call =
            VL_CONTAINER(node, struct vl_broker_call, node);
        call->is_seen = false;
        vl_broker_refusal(VALET_RETRY, VALET_NEXT_RETRY, "",
                          "the session bus ended", &call->error);
        vl_broker_call_fail(call);
    }
    vl_broker_link_close(&broker->link);
}

/* Calls back, which may begin calls, abort others, and free us. */
static void
after_turn(bool over, void *ctx)
{
    struct vl_broker *broker = ctx;
    bool gone = false;
    broker->gone = &gone;
    if (over)
        on_end_of_bus(broker);
    while (!gone && !vl_list_is_empty(&broker->finished)) {
        struct vl_broker_call *call =
            VL_CONTAINER(broker->finished.next, struct vl_broker_call, node);
        vl_list_remove(&call->node);
        call->tell(call);
        release(call);
    }
    if (gone)
        return;
    broker->gone = NULL;
    close_if_idle(broker);
}

struct vl_broker *
vl_broker_new(struct vl_loop *loop, const char *modules)
{
    struct vl_broker *broker = vl_alloc(sizeof *broker);
    *broker = (struct vl_broker){.modules = vl_strdup(modules)};
    broker->link = (struct vl_broker_link){.loop = loop,
                                           .modules = broker->modules,
                                           .after = after_turn,
                                           .ctx = broker};
    vl_list_init(&broker->calls);
    vl_list_init(&broker->finished);
    vl_broker_link_init(&broker->link);
    return broker;
}

static void
end_all(struct vl_list *calls)
{
    VL_LIST_EACH (node, calls) {
        struct vl_broker_call *call =
            VL_CONTAINER(node, struct vl_broker_call, node);
        take_off_screen(call);
        release(call);
    }
}

void
vl_broker_free(struct vl_broker *broker)
{
    if (!broker)
        return;
    if (broker->gone)
        *broker->gone = true;
    end_all(&broker->calls);
    end_all(&broker->finished);
    vl_broker_link_done(&broker->link);
    free(broker->modules);
    free(broker);
}
