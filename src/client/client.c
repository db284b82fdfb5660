/* SPDX-License-Identifier: Apache-2.0
 *
 * A client from birth to death, and the two ways to ask it for a token.
 */
#include "client/client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "client/engine.h"
#include "core/status.h"
#include "core/sys.h"

/* --- its life --- */

valet_status
vl_client_new(const valet_client_options *options, const struct vl_clock *clock,
              valet_client **ret, valet_error *err)
{
    struct vl_client *client = vl_alloc(sizeof *client);
    *client = (struct vl_client){.clock = clock, .event_fd = -1};
    valet_status status = vl_client_config_read(options, &client->config, err);
    if (status != VALET_OK) {
        vl_client_config_done(&client->config);
        free(client);
        return status;
    }
    client->ready = vl_ready_new();
    VL_ASSERT(pthread_mutex_init(&client->lock, NULL) == 0);
    vl_list_init(&client->blocked);
    vl_list_init(&client->due);
    vl_list_init(&client->started);
    *ret = client;
    return VALET_OK;
}

valet_status
valet_client_new(const valet_client_options *options, valet_client **ret,
                 valet_error *err)
{
    return vl_client_new(options, &vl_clock_system, ret, err);
}

/* Calls of the event loop's form whose handles are nobody's any more. */
static void
forget(struct vl_list *calls)
{
    VL_LIST_EACH (node, calls) {
        vl_list_remove(node);
        vl_call_drop(VL_CONTAINER(node, struct vl_call, node));
    }
}

void
valet_client_free(valet_client *client)
{
    if (!client)
        return;
    vl_engine_stop(client->engine);
    forget(&client->due);
    forget(&client->started);
    if (client->event_fd >= 0)
        (void)close(client->event_fd);
    vl_ready_free(client->ready);
    (void)pthread_mutex_destroy(&client->lock);
    vl_client_config_done(&client->config);
    free(client);
}

valet_status
vl_client_start(struct vl_client *client, valet_error *err)
{
    valet_status status = VALET_OK;
    (void)pthread_mutex_lock(&client->lock);
    if (!client->engine)
        status = vl_engine_start(client, &client->engine, err);
    (void)pthread_mutex_unlock(&client->lock);
    return status;
}

/* A token that was given before: no engine, no thread, no wait. */
static struct vl_auth_inside *
find_ready(struct vl_client *client, const valet_request *request)
{
    struct vl_ready_key key;
    vl_ready_key(request, &key);
    return vl_ready_find(client->ready, &key, vl_clock_now(client->clock));
}

static void
fill(valet_entra_error *ret, const valet_error *why)
{
    *ret = (valet_entra_error){
        .error = *why,
        .next = why->status == VALET_RETRY || why->status == VALET_CANCELLED
                    ? VALET_NEXT_RETRY
                    : VALET_NEXT_GIVE_UP,
        .retry_after_ms = -1,
    };
}

/* --- waiting for a token --- */

/* The next note, or NULL when the wait was taken back. */
static struct vl_note *
await(struct vl_call *call)
{
    struct vl_client *client = call->client;
    (void)pthread_mutex_lock(&client->lock);
    while (!call->first && !call->cancelled)
        (void)pthread_cond_wait(&call->arrived, &client->lock);
    /* Nothing is shown or opened any more, but what has come has come. */
    struct vl_note *note = NULL;
    if (!call->cancelled || (call->first && call->first->kind == VL_NOTE_DONE))
        note = vl_call_take(call);
    (void)pthread_mutex_unlock(&client->lock);
    return note;
}

static struct vl_note *
wait_for_end(struct vl_call *call)
{
    struct vl_note *note = await(call);
    while (note && note->kind != VL_NOTE_DONE) {
        vl_call_follow(call, note);
        vl_note_free(note);
        note = await(call);
    }
    return note;
}

static void
set_blocked(struct vl_call *call, bool blocked)
{
    struct vl_client *client = call->client;
    (void)pthread_mutex_lock(&client->lock);
    vl_list_remove(&call->node);
    if (blocked)
        vl_list_add_last(&client->blocked, &call->node);
    (void)pthread_mutex_unlock(&client->lock);
}

static void
run_call(struct vl_call *call, valet_auth_result *ret, valet_entra_error *error)
{
    call->blocks = true;
    set_blocked(call, true);
    vl_call_begin(call);
    struct vl_note *note = wait_for_end(call);
    set_blocked(call, false);
    if (note) {
        *ret = note->result;
        note->result = (valet_auth_result){.inside = NULL};
        *error = note->error;
        vl_note_free(note);
    } else {
        valet_error why;
        (void)vl_fail(&why, VALET_CANCELLED, "", "the call was taken back");
        fill(error, &why);
        vl_call_give_up(call);
    }
}

valet_status
valet_acquire(valet_client *client, const valet_request *request,
              valet_auth_result *ret, valet_entra_error *error)
{
    valet_entra_error failed = {.error = {.status = VALET_OK}};
    valet_error err = {.status = VALET_OK};
    struct vl_auth_inside *ready = find_ready(client, request);
    *ret = (valet_auth_result){.inside = NULL};
    if (ready) {
        *ret = vl_result_give(ready, VALET_SOURCE_CACHE);
        return VALET_OK;
    }
    struct vl_call *call = vl_call_new(client, request, &err);
    if (err.status == VALET_OK && vl_client_start(client, &err) == VALET_OK)
        run_call(call, ret, &failed);
    else
        fill(&failed, &err);
    vl_call_drop(call);
    if (error && failed.error.status != VALET_OK)
        *error = failed;
    return failed.error.status;
}

void
valet_client_cancel(valet_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    VL_LIST_EACH (node, &client->blocked) {
        struct vl_call *call = VL_CONTAINER(node, struct vl_call, node);
        call->cancelled = true;
        (void)pthread_cond_signal(&call->arrived);
    }
    (void)pthread_mutex_unlock(&client->lock);
}

/* --- and not waiting --- */

/* What is known at once is told by the next dispatch all the same. */
static void
answer(struct vl_call *call, struct vl_auth_inside *ready,
       const valet_error *why)
{
    struct vl_note *note = vl_note_new(VL_NOTE_DONE);
    if (ready)
        note->result = vl_result_give(ready, VALET_SOURCE_CACHE);
    else
        fill(&note->error, why);
    vl_call_note(call, note);
}

void
valet_acquire_start(valet_client *client, const valet_request *request,
                    valet_acquire_done *done, void *ctx, valet_call **ret)
{
    valet_error err = {.status = VALET_OK};
    struct vl_auth_inside *ready = find_ready(client, request);
    struct vl_call *call = vl_call_new(client, request, &err);
    call->done = done;
    call->done_ctx = ctx;
    (void)pthread_mutex_lock(&client->lock);
    vl_list_add_last(&client->started, &call->node);
    (void)pthread_mutex_unlock(&client->lock);
    if (ret)
        *ret = call;
    if (ready || err.status != VALET_OK ||
        vl_client_start(client, &err) != VALET_OK)
        answer(call, ready, &err);
    else
        vl_call_begin(call);
}

void
valet_acquire_cancel(valet_call **call)
{
    struct vl_call *gone = *call;
    if (!gone)
        return;
    *call = NULL;
    struct vl_client *client = gone->client;
    (void)pthread_mutex_lock(&client->lock);
    vl_list_remove(&gone->node);
    gone->done = NULL;
    bool begun = client->engine != NULL;
    (void)pthread_mutex_unlock(&client->lock);
    if (begun)
        vl_call_give_up(gone);
    vl_call_drop(gone);
}

int
valet_client_fd(valet_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    if (client->event_fd < 0) {
        bool due = !vl_list_is_empty(&client->due);
        vl_hold_standard_descriptors();
        client->event_fd = eventfd(due, EFD_NONBLOCK | EFD_CLOEXEC);
    }
    int fd = client->event_fd;
    (void)pthread_mutex_unlock(&client->lock);
    return fd;
}

/* Tells what one call has to tell; the callback may cancel others, and itself
 * while it follows a note. */
static void
dispatch_note(struct vl_call *call, struct vl_note *note)
{
    if (note->kind != VL_NOTE_DONE) {
        vl_call_follow(call, note);
        return;
    }
    valet_auth_result result = note->result;
    note->result = (valet_auth_result){.inside = NULL};
    bool ok = note->error.error.status == VALET_OK;
    call->done(note->error.error.status, &result, ok ? NULL : &note->error,
               call->done_ctx);
    vl_call_drop(call); /* the handle is no good any more */
}

/* The first note of those calls, and its call with one more hold; NULL: none.
 */
static struct vl_call *
take_note(struct vl_client *client, struct vl_list *calls, struct vl_note **ret)
{
    struct vl_call *call = NULL;
    (void)pthread_mutex_lock(&client->lock);
    if (!vl_list_is_empty(calls)) {
        call = VL_CONTAINER(calls->next, struct vl_call, node);
        vl_call_hold(call);
        *ret = vl_call_take(call);
        bool last = (*ret)->kind == VL_NOTE_DONE;
        if (last || !call->first)
            vl_list_remove(&call->node);
        if (!last && !call->first)
            vl_list_add_last(&client->started, &call->node);
    }
    (void)pthread_mutex_unlock(&client->lock);
    return call;
}

static void
take_due(struct vl_client *client, struct vl_list *ret)
{
    uint64_t count;
    vl_list_init(ret);
    (void)pthread_mutex_lock(&client->lock);
    if (client->event_fd >= 0)
        (void)!read(client->event_fd, &count, sizeof count);
    VL_LIST_EACH (node, &client->due) {
        vl_list_remove(node);
        vl_list_add_last(ret, node);
    }
    (void)pthread_mutex_unlock(&client->lock);
}

/* What a callback begins is for the next time: who asks again in each of them
 * would never come back from here. */
void
valet_client_dispatch(valet_client *client)
{
    struct vl_list due;
    struct vl_note *note;
    struct vl_call *call;
    take_due(client, &due);
    while ((call = take_note(client, &due, &note))) {
        dispatch_note(call, note);
        vl_note_free(note);
        vl_call_drop(call);
    }
}
