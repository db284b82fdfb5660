/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream on which a server of the older revisions speaks unasked. It ends
 * when it likes, and is taken up again for as long as the session lasts.
 */
#include "core/sys.h"
#include "remote/inside.h"

/* However fast it ends, it is not taken up faster than so. */
#define TRIES_MOST 16
/* A stream that was open for so long was a good one. */
#define LONG_MS 20000

struct vl_listening {
    struct vl_remote *remote;
    struct vl_ask *ask; /* NULL: the timer runs */
    struct vl_answer *answer;
    struct vl_timer *timer;
    unsigned tries;
    bool was_open;
    int64_t opened_at; /* of vl_mono_now() */
};

static const struct vl_ask_events on_stream;

void
vl_listening_free(struct vl_listening *listening)
{
    if (!listening)
        return;
    listening->remote->listening = NULL;
    vl_ask_abort(&listening->ask);
    vl_answer_free(listening->answer);
    vl_timer_free(listening->timer);
    free(listening);
}

/* --- its end --- */

static void
give_up(struct vl_listening *listening, const valet_error *err)
{
    struct vl_remote_hooks hooks = listening->remote->hooks;
    vl_listening_free(listening);
    if (err && hooks.deaf)
        hooks.deaf(err, hooks.ctx);
}

/* @spec HT-31: where there was a stream, this cannot mean that there is none.
 */
static void
lose_session(struct vl_listening *listening)
{
    struct vl_remote *remote = listening->remote;
    struct vl_remote_hooks hooks = remote->hooks;
    valet_error err = {0};
    (void)vl_fail(&err, VALET_NOT_FOUND, "", "the server has lost the session");
    vl_remote_forget_session(remote); /* and with it, this */
    if (hooks.deaf)
        hooks.deaf(&err, hooks.ctx);
}

static void
wait_for_next(struct vl_listening *listening, int64_t least_ms)
{
    int64_t ms = vl_resume_delay(vl_answer_retry_ms(listening->answer),
                                 listening->tries);
    if (listening->tries < TRIES_MOST)
        listening->tries++;
    vl_timer_start(listening->timer, least_ms > ms ? least_ms : ms);
}

/* --- what comes --- */

static void
on_message(struct vl_str json, void *ctx)
{
    struct vl_listening *listening = ctx;
    const struct vl_remote_hooks *hooks = &listening->remote->hooks;
    hooks->message(json, NULL, hooks->ctx);
}

static void
on_event(const struct vl_event *event, void *ctx)
{
    (void)event;
    ((struct vl_listening *)ctx)->tries = 0;
}

/* @spec HT-21: 405 says that there is none; some servers say so otherwise. */
static bool
is_none(int http_status)
{
    return http_status == 405 || http_status == 404 || http_status == 406 ||
           http_status == 501;
}

static void
on_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct vl_listening *listening = ctx;
    valet_error err = {0};
    enum vl_answer_kind kind =
        vl_answer_kind_of(status, vl_headers_get(headers, "content-type"));
    if (kind == VL_ANSWER_EVENTS) {
        listening->opened_at = vl_mono_now();
        listening->was_open = true;
        vl_answer_begin(listening->answer, kind);
        return;
    }
    (void)vl_fail(&err, VALET_INTERNAL, "",
                  "the server's answer is no event stream");
    give_up(listening, kind == VL_ANSWER_NOTHING ? NULL : &err);
}

/* What cannot be read would not be read another time: what comes after it may
 * be. */
static void
on_piece(struct vl_str bytes, void *ctx)
{
    struct vl_listening *listening = ctx;
    valet_status status = vl_answer_take(listening->answer, bytes, NULL);
    if (status == VALET_OK || status == VALET_CANCELLED)
        return;
    vl_ask_abort(&listening->ask);
    vl_answer_forget(listening->answer);
    wait_for_next(listening, 0);
}

static void
on_end(valet_status status, const struct vl_ask_end *end,
       const valet_error *err, void *ctx)
{
    struct vl_listening *listening = ctx;
    listening->ask = NULL;
    /* Quiet for long is no failure: some hosts end every stream after a while.
     */
    if (listening->opened_at && vl_mono_now() - listening->opened_at >= LONG_MS)
        listening->tries = 0;
    listening->opened_at = 0;
    if (end->session_ended && listening->was_open) {
        lose_session(listening);
        return;
    }
    /* 409: there may be one, and the last one has not been missed yet. */
    if (is_none(end->http_status))
        give_up(listening, NULL);
    else if (status == VALET_OK || status == VALET_RETRY ||
             end->http_status == 409)
        wait_for_next(listening, end->retry_after_ms);
    else
        give_up(listening, err);
}

static const struct vl_ask_events on_stream = {on_head, on_piece, on_end};

/* --- its beginning --- */

static void
ask(void *ctx)
{
    struct vl_listening *listening = ctx;
    struct vl_remote *remote = listening->remote;
    struct vl_ask_get get = {.version = remote->version,
                             .resume_from =
                                 vl_answer_last_id(listening->answer)};
    listening->ask = vl_ask_stream(remote, &get, &on_stream, listening);
}

void
vl_remote_listen(struct vl_remote *remote)
{
    vl_listening_free(remote->listening);
    if (remote->http_sse || remote->leaving)
        return;
    struct vl_listening *listening = vl_alloc(sizeof *listening);
    *listening = (struct vl_listening){.remote = remote};
    listening->answer = vl_answer_new(&(struct vl_answer_sink){
        .message = on_message,
        .event = on_event,
        .is_lenient = true,
        .ctx = listening,
    });
    listening->timer = vl_timer_new(remote->loop, ask, listening);
    remote->listening = listening;
    ask(listening);
}
