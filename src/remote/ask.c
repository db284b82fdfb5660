/* SPDX-License-Identifier: Apache-2.0
 *
 * One request until it is answered. A 2xx is passed on as it comes. All else
 * is read to its end first: it may be that a token is missing, or that it may
 * be asked again.
 */
#include "core/sys.h"
#include "http/retry.h"
#include "remote/inside.h"

/* In a row; each is a person signing in, or a token that was renewed. */
#define AUTHORIZE_MOST 8
/* For a message that was not taken. */
#define ATTEMPTS_MOST 4
#define ATTEMPTS_MS   30000

struct vl_remote_retry {
    struct vl_ask *ask; /* NULL: it is no more */
};

struct vl_ask {
    struct vl_list node;
    struct vl_remote *remote;
    struct vl_ask_in in;
    char *url;
    const struct vl_ask_events *events;
    void *ctx;
    struct vl_fetch *fetch;
    struct vl_remote_retry *retry; /* while a token is waited for */
    /* Until another attempt; or for a body that does not end. */
    struct vl_timer *timer;
    struct vl_buf body;
    unsigned attempts, authorized;
    int64_t deadline;        /* of another attempt */
    unsigned session_number; /* that was sent; 0: none */
    bool had_session;        /* another attempt is not made without one */
    struct vl_secret sent;   /* the token; empty: none */
    int http_status;         /* 0: nothing has come yet */
    valet_error refusal;     /* what it means, if it is no 2xx */
};

/* --- its end --- */

/* Silences it; what it has stays until release(). */
static void
detach(struct vl_ask *ask)
{
    vl_fetch_abort(&ask->fetch);
    if (ask->retry)
        ask->retry->ask = NULL;
    ask->retry = NULL;
    vl_timer_free(ask->timer);
    ask->timer = NULL;
    vl_list_remove(&ask->node);
}

static void
release(struct vl_ask *ask)
{
    vl_buf_done(&ask->body);
    vl_secret_done(&ask->sent);
    free(ask->url);
    free(ask);
}

void
vl_ask_abort(struct vl_ask **ask)
{
    if (*ask) {
        detach(*ask);
        release(*ask);
    }
    *ask = NULL;
}

static void
finish(struct vl_ask *ask, valet_status status, const struct vl_ask_end *end,
       const valet_error *err)
{
    detach(ask);
    ask->events->end(status, end, err, ask->ctx);
    release(ask);
}

/* @spec HT-31: also of one that has been followed by another meanwhile. */
static bool
note_session(struct vl_ask *ask)
{
    struct vl_remote *remote = ask->remote;
    bool is_current = ask->session_number == remote->session_number &&
                      vl_remote_has_session(remote);
    if (!ask->session_number)
        return false;
    if (!vl_is_end_of_session(ask->http_status,
                              !is_current || remote->session_is_good,
                              vl_buf_str(&ask->body)))
        return false;
    if (is_current && ask->in.is_message)
        vl_remote_forget_session(remote);
    return true;
}

static bool
is_good(const struct vl_ask *ask)
{
    return ask->http_status >= 200 && ask->http_status < 300;
}

static void
end_with(struct vl_ask *ask, valet_status status, int64_t retry_after_ms,
         const valet_error *err)
{
    if (vl_buf_check(&ask->body, NULL) != VALET_OK)
        vl_buf_clear(&ask->body);
    struct vl_ask_end end = {.http_status = ask->http_status,
                             .session_ended = note_session(ask),
                             .body = vl_buf_str(&ask->body),
                             .retry_after_ms = retry_after_ms};
    finish(ask, status, &end, err);
}

/* --- another try --- */

static void attempt(struct vl_ask *ask);

/* @spec HT-30: what was meant for a session is not sent outside of it. */
static void
attempt_again(struct vl_ask *ask)
{
    valet_error err = {0};
    struct vl_ask_end end = {
        .http_status = 404, .session_ended = true, .retry_after_ms = -1};
    if (!ask->had_session || vl_remote_has_session(ask->remote)) {
        attempt(ask);
        return;
    }
    (void)vl_fail(&err, VALET_NOT_FOUND, "", "the server has lost the session");
    finish(ask, VALET_NOT_FOUND, &end, &err);
}

void
vl_remote_retry(struct vl_remote_retry *retry, valet_status status,
                const valet_error *err)
{
    struct vl_ask *ask = retry->ask;
    valet_error why = {0};
    free(retry);
    if (!ask)
        return;
    ask->retry = NULL;
    if (status == VALET_OK) {
        attempt_again(ask);
        return;
    }
    if (err)
        why = *err;
    else
        (void)vl_fail(&why, status, "", "there is no token for this server");
    end_with(ask, status, -1, &why);
}

/* The hook may free all that we stand on. */
static void
authorize(struct vl_ask *ask, const struct vl_headers *headers)
{
    const struct vl_remote_hooks *hooks = &ask->remote->hooks;
    struct vl_remote_refusal refusal = {
        .status = ask->http_status,
        .headers = headers,
        .sent = vl_secret_is_empty(&ask->sent) ? NULL : &ask->sent};
    struct vl_remote_retry *retry = vl_alloc(sizeof *retry);
    retry->ask = ask;
    ask->retry = retry;
    ask->authorized++;
    hooks->authorize(&refusal, retry, hooks->ctx);
}

/* Only what cannot have been taken: nothing is done twice. */
static bool
wait_for_next(struct vl_ask *ask, int64_t retry_after_ms)
{
    if (!ask->in.is_message || ask->attempts >= ATTEMPTS_MOST)
        return false;
    int64_t ms =
        retry_after_ms >= 0 ? retry_after_ms : vl_retry_backoff(ask->attempts);
    if (ms >= ask->deadline - vl_mono_now())
        return false;
    vl_timer_start(ask->timer, ms);
    return true;
}

/* --- the answer --- */

static void
on_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct vl_ask *ask = ctx;
    struct vl_remote *remote = ask->remote;
    ask->http_status = status;
    if (!is_good(ask)) {
        (void)vl_judge_status(remote, status, headers, &ask->refusal);
        vl_timer_start(ask->timer, VL_REMOTE_BODY_MS);
        return;
    }
    if (ask->session_number == remote->session_number)
        remote->session_is_good = true;
    vl_secret_done(&ask->sent);
    ask->events->head(status, headers, ask->ctx);
}

static void
on_piece(struct vl_str bytes, void *ctx)
{
    struct vl_ask *ask = ctx;
    if (is_good(ask))
        ask->events->piece(bytes, ask->ctx);
    else
        vl_buf_add(&ask->body, bytes);
}

static void
on_answer(struct vl_ask *ask, const struct vl_fetch_answer *answer)
{
    valet_error refusal = ask->refusal;
    if (is_good(ask))
        end_with(ask, VALET_OK, -1, NULL);
    else if (vl_refusal_wants_token(answer->status, answer->headers) &&
             ask->remote->hooks.authorize && ask->authorized < AUTHORIZE_MOST)
        authorize(ask, answer->headers);
    else if (answer->status != 429 ||
             !wait_for_next(ask, answer->retry_after_ms))
        end_with(ask, refusal.status, answer->retry_after_ms, &refusal);
}

static void
on_done(valet_status status, const struct vl_fetch_answer *answer,
        const valet_error *err, void *ctx)
{
    struct vl_ask *ask = ctx;
    ask->fetch = NULL;
    vl_timer_stop(ask->timer);
    if (status == VALET_OK)
        on_answer(ask, answer);
    else if (!vl_str_eqz(VL_STR(VL_FETCH_UNREACHABLE), err->code) ||
             !wait_for_next(ask, -1))
        end_with(ask, status, -1, err);
}

static const struct vl_fetch_stream on_stream = {on_head, on_piece};

static void
on_timer(void *ctx)
{
    struct vl_ask *ask = ctx;
    valet_error refusal = ask->refusal;
    if (!ask->fetch) {
        attempt_again(ask);
    } else if (ask->remote->is_held) {
        vl_timer_start(ask->timer, VL_REMOTE_BODY_MS);
    } else {
        vl_buf_clear(&ask->body);
        end_with(ask, refusal.status, -1, &refusal);
    }
}

/* --- its beginning --- */

static void
add_header(struct vl_fetch_request *request, const char *name,
           struct vl_str value)
{
    request->headers[request->header_count++] =
        (struct vl_header){vl_str_z(name), value};
}

/* @spec CL-17 CL-22 HT-14 HT-30 HT-34 */
static void
add_headers(struct vl_ask *ask, struct vl_fetch_request *request)
{
    const struct vl_remote *remote = ask->remote;
    add_header(request, "Accept", vl_str_z(ask->in.accept));
    if (ask->in.version)
        add_header(request, "MCP-Protocol-Version", vl_str_z(ask->in.version));
    if (ask->in.resume_from.n)
        add_header(request, "Last-Event-ID", ask->in.resume_from);
    if (ask->session_number)
        add_header(request, "Mcp-Session-Id",
                   vl_secret_reveal(&remote->session));
}

static void
attempt(struct vl_ask *ask)
{
    struct vl_remote *remote = ask->remote;
    const struct vl_remote_hooks *hooks = &remote->hooks;
    struct vl_fetch_request request = {
        .method = ask->in.method,
        .url = ask->url,
        .json = ask->in.json,
        .more = ask->in.more,
        .more_count = ask->in.more_count,
        .stream = &on_stream,
        .bearer = hooks->bearer ? hooks->bearer(hooks->ctx) : NULL,
        .attempts = 1,
        .total_ms = ask->in.head_ms ? ask->in.head_ms : VL_REMOTE_HEAD_MS,
    };
    vl_buf_clear(&ask->body);
    ask->attempts++;
    ask->http_status = 0;
    ask->session_number = ask->in.has_session && vl_remote_has_session(remote)
                              ? remote->session_number
                              : 0;
    ask->had_session |= ask->session_number != 0;
    if (request.bearer && vl_secret_is_empty(request.bearer))
        request.bearer = NULL;
    vl_secret_done(&ask->sent);
    if (request.bearer)
        ask->sent = vl_secret_of(vl_secret_reveal(request.bearer));
    add_headers(ask, &request);
    ask->fetch = vl_fetch_start(remote->fetcher, &request, on_done, ask);
    if (remote->is_held)
        vl_fetch_hold(ask->fetch, true);
}

struct vl_ask *
vl_ask_start(struct vl_remote *remote, const struct vl_ask_in *in,
             const struct vl_ask_events *events, void *ctx)
{
    struct vl_ask *ask = vl_alloc(sizeof *ask);
    *ask = (struct vl_ask){.remote = remote,
                           .in = *in,
                           .url = vl_strdup(in->url),
                           .events = events,
                           .ctx = ctx,
                           .body = vl_buf_of(VL_REMOTE_BODY_MAX),
                           .deadline = vl_mono_now() + ATTEMPTS_MS};
    vl_list_add_last(&remote->asks, &ask->node);
    ask->timer = vl_timer_new(remote->loop, on_timer, ask);
    attempt(ask);
    return ask;
}

void
vl_asks_hold(struct vl_remote *remote)
{
    VL_LIST_EACH (node, &remote->asks) {
        struct vl_ask *ask = VL_CONTAINER(node, struct vl_ask, node);
        if (ask->fetch)
            vl_fetch_hold(ask->fetch, remote->is_held);
    }
}

/* @spec HT-21 HT-26 */
struct vl_ask *
vl_ask_stream(struct vl_remote *remote, const struct vl_ask_get *get,
              const struct vl_ask_events *events, void *ctx)
{
    struct vl_ask_in in = {.method = "GET",
                           .url = remote->url,
                           .accept = "text/event-stream",
                           .version = get->version,
                           .resume_from = get->resume_from,
                           .head_ms = get->head_ms,
                           .has_session = !get->is_without_session};
    return vl_ask_start(remote, &in, events, ctx);
}
