/* SPDX-License-Identifier: Apache-2.0
 *
 * One message: its POST, what is answered, and the GETs by which an event
 * stream is taken up again that ended before the answer had come.
 */
#include "core/sys.h"
#include "remote/inside.h"

/* The fetch takes 48, and some are the transport's own. */
#define HEADERS_MAX 40
/* In a row, without an event in between; and as often as it takes for
 * VL_REMOTE_RESUMES_MS. */
#define RESUMES_MOST 5
/* After the answer, for the stream to end by itself: its connection can be used
 * again then. */
#define GRACE_MS 1000

/* What the timer is for. */
enum purpose {
    FOR_NOTHING,
    TO_REFUSE, /* it was never sent */
    TO_RESUME,
    TO_END, /* all that matters has come */
    PURPOSE_COUNT
};

struct vl_remote_call {
    struct vl_list node;
    struct vl_remote *remote;
    bool (*is_answered)(struct vl_remote_call *call, void *ctx);
    vl_remote_done *done;
    void *ctx;
    bool begins_session, is_stateless;
    const char *version;

    /* The request, until it is accepted. */
    struct vl_buf json, texts;
    struct vl_header *headers;
    size_t header_count;

    struct vl_ask *ask; /* what runs now, or NULL */
    struct vl_answer *answer;
    enum vl_answer_kind kind;
    int http_status; /* of the POST */
    bool got_message;
    bool is_resumed;
    unsigned tries;
    int64_t lost_at; /* since when it is tried */
    bool is_hopeless;
    struct vl_timer *timer;
    enum purpose purpose;
    valet_error refusal;
};

static const struct vl_ask_events on_post, on_get;

/* --- its end --- */

static void
forget_request(struct vl_remote_call *call)
{
    vl_buf_done(&call->json);
    vl_buf_done(&call->texts);
    free(call->headers);
    call->headers = NULL;
}

static void
release(struct vl_remote_call *call)
{
    call->remote->call_count--;
    vl_list_remove(&call->node);
    vl_ask_abort(&call->ask);
    vl_answer_free(call->answer);
    vl_timer_free(call->timer);
    forget_request(call);
    free(call);
}

/* @spec HT-20 HT-62: what that means is the caller's business. */
void
vl_remote_call_abort(struct vl_remote_call **call)
{
    if (*call)
        release(*call);
    *call = NULL;
}

/* The callback may free what we stand on: it comes last. */
static void
finish_with(struct vl_remote_call *call, valet_status status,
            const struct vl_remote_end *end, const valet_error *err)
{
    vl_remote_done *done = call->done;
    void *ctx = call->ctx;
    const valet_error nothing = {0};
    release(call);
    done(status, end, err ? err : &nothing, ctx);
}

static void
finish(struct vl_remote_call *call, valet_status status, const valet_error *err)
{
    struct vl_remote_end end = {.http_status = call->http_status};
    finish_with(call, status, &end, err);
}

static void
finish_refused(struct vl_remote_call *call, valet_status status,
               const struct vl_ask_end *why, const valet_error *err)
{
    vl_auto(vl_buf) scratch = vl_buf_of(VL_REMOTE_BODY_MAX);
    struct vl_remote_end end = {.http_status = why->http_status,
                                .session_ended = why->session_ended};
    struct vl_str body;
    if (vl_message_line(why->body, &scratch, &body, NULL) == VALET_OK)
        end.body = body;
    finish_with(call, status, &end, err);
}

static void
start_timer(struct vl_remote_call *call, enum purpose purpose, int64_t ms)
{
    call->purpose = purpose;
    vl_timer_start(call->timer, ms);
}

/* --- what comes --- */

static void
on_message(struct vl_str json, void *ctx)
{
    struct vl_remote_call *call = ctx;
    const struct vl_remote_hooks *hooks = &call->remote->hooks;
    call->got_message = true;
    hooks->message(json, call, hooks->ctx);
}

static void
on_event(const struct vl_event *event, void *ctx)
{
    (void)event;
    ((struct vl_remote_call *)ctx)->tries = 0;
}

static bool
is_answered(struct vl_remote_call *call)
{
    return call->is_answered && call->is_answered(call, call->ctx);
}

static void
on_piece(struct vl_str bytes, void *ctx)
{
    struct vl_remote_call *call = ctx;
    valet_error err;
    valet_status status = vl_answer_take(call->answer, bytes, &err);
    if (status == VALET_CANCELLED)
        return;
    if (status != VALET_OK) {
        finish(call, status, &err);
        return;
    }
    if (call->got_message && call->purpose == FOR_NOTHING && is_answered(call))
        start_timer(call, TO_END, GRACE_MS);
    call->got_message = false;
}

/* --- taking it up again --- */

/* @spec HT-63: of 2026-07-28 there is no such thing. */
static bool
may_resume(const struct vl_remote_call *call)
{
    return call->kind == VL_ANSWER_EVENTS && call->is_answered &&
           !call->is_stateless && !call->is_hopeless &&
           (call->tries < RESUMES_MOST ||
            vl_mono_now() - call->lost_at < call->remote->resumes_ms) &&
           vl_answer_last_id(call->answer).n;
}

/* An event stream is over; it broke off, unless `err` is NULL. */
static void
on_stream_end(struct vl_remote_call *call, int64_t retry_after_ms,
              const valet_error *err)
{
    valet_error why = {0};
    if (is_answered(call)) {
        finish(call, VALET_OK, NULL);
    } else if (may_resume(call)) {
        if (!call->tries)
            call->lost_at = vl_mono_now();
        int64_t ms =
            vl_resume_delay(vl_answer_retry_ms(call->answer), call->tries++);
        start_timer(call, TO_RESUME, retry_after_ms > ms ? retry_after_ms : ms);
    } else if (err || call->is_resumed) {
        (void)vl_fail(&why, VALET_RETRY, "",
                      "the server's answer broke off: %s",
                      err ? err->message : "its end has not come");
        finish(call, VALET_RETRY, &why);
    } else {
        finish(call, VALET_OK, NULL);
    }
}

static void
on_get_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct vl_remote_call *call = ctx;
    valet_error why = {0};
    if (vl_answer_kind_of(status, vl_headers_get(headers, "content-type")) ==
        VL_ANSWER_EVENTS) {
        vl_answer_begin(call->answer, VL_ANSWER_EVENTS);
        return;
    }
    (void)vl_fail(&why, VALET_RETRY, "",
                  "the server's answer broke off, and it is not there again");
    finish(call, VALET_RETRY, &why);
}

static void
on_get_end(valet_status status, const struct vl_ask_end *end,
           const valet_error *err, void *ctx)
{
    struct vl_remote_call *call = ctx;
    call->ask = NULL;
    if (status != VALET_OK && status != VALET_RETRY)
        call->is_hopeless = true; /* it will not be another time either */
    on_stream_end(call, end->retry_after_ms, status == VALET_OK ? NULL : err);
}

static const struct vl_ask_events on_get = {on_get_head, on_piece, on_get_end};

/* @spec HT-26 HT-27 */
static void
resume(struct vl_remote_call *call)
{
    call->is_resumed = true;
    struct vl_ask_get get = {.version = call->version,
                             .resume_from = vl_answer_last_id(call->answer)};
    call->ask = vl_ask_stream(call->remote, &get, &on_get, call);
}

/* --- the POST --- */

static void
on_post_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct vl_remote_call *call = ctx;
    valet_error err;
    call->http_status = status;
    forget_request(call);
    if (call->begins_session) {
        valet_status bad = vl_remote_begin_session(call->remote, headers, &err);
        if (bad != VALET_OK) {
            finish(call, bad, &err);
            return;
        }
    }
    /* @spec HT-09: by HTTP+SSE a POST is accepted, and answered elsewhere. */
    call->kind = call->remote->http_sse
                     ? VL_ANSWER_NOTHING
                     : vl_answer_kind_of(
                           status, vl_headers_get(headers, "content-type"));
    vl_answer_begin(call->answer, call->kind);
    if (call->kind == VL_ANSWER_NOTHING)
        start_timer(call, TO_END, VL_REMOTE_BODY_MS);
}

/* @spec HT-18: one message, or a stream of them, or nothing. */
static void
on_post_end(valet_status status, const struct vl_ask_end *end,
            const valet_error *err, void *ctx)
{
    struct vl_remote_call *call = ctx;
    valet_error why;
    call->ask = NULL;
    if (call->http_status && call->kind == VL_ANSWER_EVENTS) {
        on_stream_end(call, -1, status == VALET_OK ? NULL : err);
        return;
    }
    if (status != VALET_OK) {
        finish_refused(call, status, end, err);
        return;
    }
    status = vl_answer_end(call->answer, &why);
    if (status != VALET_CANCELLED)
        finish(call, status, status == VALET_OK ? NULL : &why);
}

static const struct vl_ask_events on_post = {on_post_head, on_piece,
                                             on_post_end};

static void
on_timer(void *ctx)
{
    struct vl_remote_call *call = ctx;
    enum purpose purpose = call->purpose;
    valet_error refusal = call->refusal;
    call->purpose = FOR_NOTHING;
    if (purpose == TO_RESUME)
        resume(call);
    else if (purpose == TO_REFUSE)
        finish(call, refusal.status, &refusal);
    else
        finish(call, VALET_OK, NULL);
}

/* --- its beginning --- */

static struct vl_str
keep_text(struct vl_buf *texts, struct vl_str text)
{
    size_t at = texts->n;
    vl_buf_add(texts, text);
    return vl_str_of(texts->p + at, text.n);
}

static void
keep_request(struct vl_remote_call *call, const struct vl_remote_send *in)
{
    size_t size = 0;
    call->json = vl_buf_of(in->json.n);
    vl_buf_add(&call->json, in->json);
    for (size_t i = 0; i < in->header_count; i++)
        size += in->headers[i].name.n + in->headers[i].value.n;
    call->texts = vl_buf_of(size + 1);
    call->headers = vl_alloc((in->header_count + 1) * sizeof *call->headers);
    /* At once, so that nothing moves any more. */
    (void)vl_buf_reserve(&call->texts, size + 1);
    for (size_t i = 0; i < in->header_count; i++)
        call->headers[i] =
            (struct vl_header){keep_text(&call->texts, in->headers[i].name),
                               keep_text(&call->texts, in->headers[i].value)};
    call->header_count = in->header_count;
}

/* Where it goes; NULL: nowhere, and `err` says why. */
static const char *
target_of(const struct vl_remote *remote, const struct vl_remote_send *in,
          valet_error *err)
{
    const char *endpoint =
        remote->http_sse ? vl_http_sse_endpoint(remote->http_sse) : remote->url;
    if (remote->leaving)
        (void)vl_fail(err, VALET_RETRY, "", "the server is being left");
    else if (remote->call_count > VL_REMOTE_CALLS_MAX)
        (void)vl_fail(err, VALET_LIMIT, "",
                      "more than %d messages wait for the server",
                      VL_REMOTE_CALLS_MAX);
    else if (in->header_count > HEADERS_MAX)
        (void)vl_fail(err, VALET_INVALID, "", "more than %d headers",
                      HEADERS_MAX);
    else if (!endpoint)
        (void)vl_fail(err, VALET_RETRY, "",
                      "there is no connection to the server");
    else
        return endpoint;
    return NULL;
}

static void
post(struct vl_remote_call *call, const char *url)
{
    struct vl_ask_in in = {
        .method = "POST",
        .url = url,
        .accept = "application/json, text/event-stream",
        .json = vl_buf_str(&call->json),
        .more = call->headers,
        .more_count = call->header_count,
        .version = call->version,
        .has_session = !call->begins_session && !call->is_stateless,
        .is_message = true,
    };
    call->ask = vl_ask_start(call->remote, &in, &on_post, call);
}

/* @spec HT-14 HT-34: no revision has been agreed upon before the session. */
struct vl_remote_call *
vl_remote_send(struct vl_remote *remote, const struct vl_remote_send *in)
{
    struct vl_remote_call *call = vl_alloc(sizeof *call);
    *call = (struct vl_remote_call){
        .remote = remote,
        .is_answered = in->is_answered,
        .done = in->done,
        .ctx = in->ctx,
        .begins_session = in->begins_session,
        .is_stateless = in->is_stateless,
        .version = in->version          ? in->version
                   : in->begins_session ? NULL
                                        : remote->version,
    };
    vl_list_add_last(&remote->calls, &call->node);
    remote->call_count++;
    call->answer = vl_answer_new(&(struct vl_answer_sink){
        .message = on_message, .event = on_event, .ctx = call});
    call->timer = vl_timer_new(remote->loop, on_timer, call);
    const char *url = target_of(remote, in, &call->refusal);
    if (url) {
        keep_request(call, in);
        post(call, url);
    } else {
        start_timer(call, TO_REFUSE, 0);
    }
    return call;
}

void *
vl_remote_call_ctx(const struct vl_remote_call *call)
{
    return call->ctx;
}

struct vl_remote_call *
vl_remote_call_of(struct vl_list *node)
{
    return VL_CONTAINER(node, struct vl_remote_call, node);
}
