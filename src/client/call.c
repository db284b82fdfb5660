/* SPDX-License-Identifier: Apache-2.0 */
#include "client/call.h"

#include <unistd.h>

#include "client/client.h"
#include "client/engine.h"
#include "client/run.h"

struct vl_note *
vl_note_new(enum vl_note_kind kind)
{
    struct vl_note *note = vl_alloc(sizeof *note);
    *note = (struct vl_note){
        .kind = kind,
        .failed = vl_buf_of(sizeof((valet_error *)0)->message),
        .url = vl_buf_of_secret(VL_LIMIT_TARGET),
        .user_code = vl_buf_of_secret(VL_CLIENT_TEXT_MAX),
    };
    return note;
}

void
vl_note_free(struct vl_note *note)
{
    if (!note)
        return;
    vl_buf_done(&note->failed);
    vl_buf_done(&note->url);
    vl_buf_done(&note->user_code);
    valet_auth_result_done(&note->result);
    free(note);
}

/* --- its life --- */

struct vl_call *
vl_call_new(struct vl_client *client, const valet_request *request,
            valet_error *err)
{
    struct vl_call *call = vl_alloc(sizeof *call);
    *call = (struct vl_call){.client = client};
    atomic_init(&call->holders, 1);
    vl_list_init(&call->node);
    VL_ASSERT(pthread_cond_init(&call->arrived, NULL) == 0);
    vl_ready_key(request, &call->key);
    *err = (valet_error){.status = VALET_OK};
    err->status =
        vl_client_request_read(&client->config, request, &call->request, err);
    return call;
}

void
vl_call_hold(struct vl_call *call)
{
    (void)atomic_fetch_add(&call->holders, 1);
}

void
vl_call_drop(struct vl_call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) != 1)
        return;
    while (call->first)
        vl_note_free(vl_call_take(call));
    vl_client_request_done(&call->request);
    (void)pthread_cond_destroy(&call->arrived);
    free(call);
}

/* --- from the engine --- */

static void
make_due(struct vl_call *call)
{
    const uint64_t one = 1;
    struct vl_client *client = call->client;
    vl_list_remove(&call->node);
    vl_list_add_last(&client->due, &call->node);
    if (client->event_fd >= 0)
        (void)!write(client->event_fd, &one, sizeof one);
}

void
vl_call_note(struct vl_call *call, struct vl_note *note)
{
    struct vl_client *client = call->client;
    (void)pthread_mutex_lock(&client->lock);
    note->next = NULL;
    if (call->last)
        call->last->next = note;
    else
        call->first = note;
    call->last = note;
    if (call->blocks)
        (void)pthread_cond_signal(&call->arrived);
    else if (call->done)
        make_due(call);
    (void)pthread_mutex_unlock(&client->lock);
}

/* --- to the engine --- */

static void
begin(struct vl_task *task)
{
    vl_run_begin(VL_CONTAINER(task, struct vl_call, begin));
}

static void
opened(struct vl_task *task)
{
    struct vl_call *call = VL_CONTAINER(task, struct vl_call, opened);
    if (call->run)
        vl_run_opened(call->run, &call->open_error);
    vl_call_drop(call);
}

static void
give_up(struct vl_task *task)
{
    struct vl_call *call = VL_CONTAINER(task, struct vl_call, give_up);
    if (call->run)
        vl_run_abort(call->run);
    vl_call_drop(call);
}

static void
post(struct vl_call *call, struct vl_task *task,
     void (*run)(struct vl_task *task))
{
    vl_call_hold(call);
    task->run = run;
    vl_loop_post(call->client->engine->loop, task);
}

void
vl_call_begin(struct vl_call *call)
{
    post(call, &call->begin, begin); /* this hold becomes the run's */
}

void
vl_call_give_up(struct vl_call *call)
{
    post(call, &call->give_up, give_up);
}

struct vl_note *
vl_call_take(struct vl_call *call)
{
    struct vl_note *note = call->first;
    if (note) {
        call->first = note->next;
        if (!call->first)
            call->last = NULL;
    }
    return note;
}

static const char *
text_of(const struct vl_buf *buf)
{
    /* vl_buf_cstr() changes nothing that can be seen. */
    struct vl_buf *text = (struct vl_buf *)(uintptr_t)buf;
    return vl_buf_size(buf) ? vl_buf_cstr(text) : NULL;
}

void
vl_call_follow(struct vl_call *call, const struct vl_note *note)
{
    const struct vl_client_request *request = &call->request;
    if (note->kind == VL_NOTE_OPEN) {
        call->open_error = (valet_error){.status = VALET_OK};
        valet_status status =
            request->open(text_of(&note->url), request->ctx, &call->open_error);
        call->open_error.status = status;
        post(call, &call->opened, opened);
    } else if (request->tell) {
        valet_progress progress = {
            .method = note->method,
            .failed = text_of(&note->failed),
            .url = text_of(&note->url),
            .user_code = text_of(&note->user_code),
            .expires_at = note->expires_at,
        };
        request->tell(&progress, request->ctx);
    }
}
