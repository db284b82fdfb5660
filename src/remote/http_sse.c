/* SPDX-License-Identifier: Apache-2.0
 *
 * The older transport (2024-11-05): one event stream, by which all messages
 * come, and an address, told on it, to which they go. When the stream is lost,
 * so is the conversation.
 */
#include "remote/inside.h"

/* The address is the first that such a server says. */
#define ENDPOINT_MS 30000

struct vl_http_sse {
    struct vl_remote *remote;
    struct vl_ask *ask; /* NULL: the stream is lost */
    struct vl_answer *answer;
    struct vl_timer *timer; /* for the address to come */
    struct vl_buf endpoint; /* empty: not told yet */
    valet_error bad;        /* VALET_OK: the address is none to be used */
    vl_remote_done *done;   /* NULL: was called */
    void *ctx;
};

void
vl_http_sse_free(struct vl_http_sse *http_sse)
{
    if (!http_sse)
        return;
    http_sse->remote->http_sse = NULL;
    vl_ask_abort(&http_sse->ask);
    vl_answer_free(http_sse->answer);
    vl_timer_free(http_sse->timer);
    vl_buf_done(&http_sse->endpoint);
    free(http_sse);
}

const char *
vl_http_sse_endpoint(const struct vl_http_sse *http_sse)
{
    return http_sse->ask && vl_buf_size(&http_sse->endpoint)
               ? http_sse->endpoint.p
               : NULL;
}

/* --- its end --- */

static void
fail(struct vl_http_sse *http_sse, valet_status status,
     const struct vl_remote_end *end, const valet_error *err)
{
    struct vl_remote_hooks hooks = http_sse->remote->hooks;
    vl_remote_done *done = http_sse->done;
    void *ctx = http_sse->ctx;
    /* Before there was an address it was no HTTP+SSE; after it, it is over. */
    if (done) {
        vl_http_sse_free(http_sse);
        done(status, end, err, ctx);
        return;
    }
    vl_ask_abort(&http_sse->ask);
    if (hooks.deaf)
        hooks.deaf(err, hooks.ctx);
}

static void
fail_plainly(struct vl_http_sse *http_sse, const valet_error *err)
{
    struct vl_remote_end end = {.http_status = 200};
    fail(http_sse, err->status, &end, err);
}

/* --- what comes --- */

/* @spec HT-08 D13
 * Of the same origin: a server must not send us, and the token, elsewhere. */
static valet_status
read_endpoint(struct vl_http_sse *http_sse, struct vl_str text,
              valet_error *err)
{
    const struct vl_remote *remote = http_sse->remote;
    struct vl_url url;
    VL_TRY(vl_url_resolve(&remote->parsed, text, &http_sse->endpoint, err));
    VL_TRY(vl_url_parse(vl_buf_str(&http_sse->endpoint), &url, err));
    if (!vl_url_same_origin(&url, &remote->parsed))
        return vl_fail(err, VALET_INVALID, "",
                       "the server wants its messages sent to another origin, "
                       "which is not done");
    vl_buf_addc(&http_sse->endpoint, '\0');
    return vl_buf_check(&http_sse->endpoint, err);
}

static void
on_event(const struct vl_event *event, void *ctx)
{
    struct vl_http_sse *http_sse = ctx;
    struct vl_remote_end end = {.http_status = 200};
    const valet_error nothing = {0};
    vl_remote_done *done = http_sse->done;
    if (!done || !vl_str_eq(event->name, VL_STR("endpoint")) ||
        http_sse->bad.status != VALET_OK)
        return;
    if (read_endpoint(http_sse, vl_str_trim(event->data), &http_sse->bad) !=
        VALET_OK)
        return; /* on_piece() says so */
    vl_timer_stop(http_sse->timer);
    http_sse->done = NULL;
    done(VALET_OK, &end, &nothing, http_sse->ctx);
}

static void
on_message(struct vl_str json, void *ctx)
{
    struct vl_http_sse *http_sse = ctx;
    const struct vl_remote_hooks *hooks = &http_sse->remote->hooks;
    if (!http_sse->done)
        hooks->message(json, NULL, hooks->ctx);
}

static void
on_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct vl_http_sse *http_sse = ctx;
    valet_error err = {0};
    enum vl_answer_kind kind =
        vl_answer_kind_of(status, vl_headers_get(headers, "content-type"));
    vl_answer_begin(http_sse->answer, kind);
    if (kind == VL_ANSWER_EVENTS) {
        vl_timer_start(http_sse->timer, ENDPOINT_MS);
        return;
    }
    (void)vl_fail(&err, VALET_INTERNAL, "",
                  "the server's answer is no event stream");
    fail_plainly(http_sse, &err);
}

static void
on_piece(struct vl_str bytes, void *ctx)
{
    struct vl_http_sse *http_sse = ctx;
    valet_error err = {0};
    valet_status status = vl_answer_take(http_sse->answer, bytes, &err);
    if (status == VALET_CANCELLED)
        return;
    if (status == VALET_OK && http_sse->bad.status != VALET_OK)
        err = http_sse->bad;
    if (err.status != VALET_OK)
        fail_plainly(http_sse, &err);
}

static void
on_end(valet_status status, const struct vl_ask_end *end,
       const valet_error *err, void *ctx)
{
    struct vl_http_sse *http_sse = ctx;
    struct vl_remote_end told = {.http_status = end->http_status};
    vl_auto(vl_buf) scratch = vl_buf_of(VL_REMOTE_BODY_MAX);
    struct vl_str body;
    valet_error why = {0};
    http_sse->ask = NULL;
    if (status == VALET_OK)
        status = vl_fail(&why, VALET_RETRY, "",
                         "the server has ended the conversation");
    else
        why = *err;
    if (vl_message_line(end->body, &scratch, &body, NULL) == VALET_OK)
        told.body = body;
    fail(http_sse, status, &told, &why);
}

static const struct vl_ask_events on_stream = {on_head, on_piece, on_end};

/* --- its beginning --- */

static void
on_late(void *ctx)
{
    struct vl_http_sse *http_sse = ctx;
    valet_error err = {0};
    (void)vl_fail(&err, VALET_RETRY, "",
                  "the server does not say where messages go");
    fail_plainly(http_sse, &err);
}

void
vl_remote_use_http_sse(struct vl_remote *remote, vl_remote_done *done,
                       void *ctx)
{
    vl_listening_free(remote->listening);
    vl_http_sse_free(remote->http_sse);
    struct vl_http_sse *http_sse = vl_alloc(sizeof *http_sse);
    *http_sse = (struct vl_http_sse){.remote = remote,
                                     .endpoint = vl_buf_of(VL_LIMIT_TARGET),
                                     .done = done,
                                     .ctx = ctx};
    http_sse->answer = vl_answer_new(&(struct vl_answer_sink){
        .message = on_message,
        .event = on_event,
        .is_lenient = true,
        .ctx = http_sse,
    });
    http_sse->timer = vl_timer_new(remote->loop, on_late, http_sse);
    remote->http_sse = http_sse;
    struct vl_ask_get get = {.version = remote->version,
                             .head_ms = ENDPOINT_MS,
                             .is_without_session = true};
    http_sse->ask = vl_ask_stream(remote, &get, &on_stream, http_sse);
}

bool
vl_remote_is_http_sse(const struct vl_remote *remote)
{
    return remote->http_sse != NULL;
}
