/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: its attempts, the waiting between them, its one answer.
 */
#include "http/fetch.h"

#include "core/status.h"
#include "http/fetch_inner.h"
#include "http/retry.h"

/* --- life --- */

void
vl_fetch_detach(struct vl_fetch *fetch)
{
    vl_http_call_abort(&fetch->call);
    vl_fetcher_remove(fetch);
    if (fetch->easy)
        vl_curl.easy_cleanup(fetch->easy);
    fetch->easy = NULL;
    vl_timer_free(fetch->timer);
    fetch->timer = NULL;
    vl_list_remove(&fetch->node);
}

void
vl_fetch_release(struct vl_fetch *fetch)
{
    vl_buf_done(&fetch->url);
    vl_buf_done(&fetch->lines);
    vl_buf_done(&fetch->head);
    vl_buf_done(&fetch->body);
    vl_secret_done(&fetch->content);
    free(fetch);
}

void
vl_fetch_abort(struct vl_fetch **at)
{
    struct vl_fetch *fetch = *at;
    *at = NULL;
    /* Inside its own callback it is silent already, and freed after it. */
    if (!fetch || fetch->finishing)
        return;
    vl_fetch_detach(fetch);
    vl_fetch_release(fetch);
}

/* --- its end --- */

/* The callback may free the fetcher, and abort what it likes. */
static void
finish(struct vl_fetch *fetch, valet_status status,
       const struct vl_fetch_answer *answer)
{
    fetch->finishing = true;
    vl_fetch_detach(fetch);
    fetch->done(status, answer, &fetch->err, fetch->ctx);
    vl_fetch_release(fetch);
}

/* How libcurl's failures are told. What is not listed is a connection that
 * failed in one of many ways. */
static const struct {
    CURLcode code;
    valet_status status;
    bool again;
    const char *text;
} failures[] = {
    {CURLE_OPERATION_TIMEDOUT, VALET_RETRY, true, "no answer in time"},
    {CURLE_FILESIZE_EXCEEDED, VALET_LIMIT, false, "the answer is too large"},
    {CURLE_WRITE_ERROR, VALET_LIMIT, false, "the answer is too large"},
    {CURLE_OUT_OF_MEMORY, VALET_LIMIT, false, "the answer is too large"},
    {CURLE_PEER_FAILED_VERIFICATION, VALET_RETRY, false,
     "its certificate is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, VALET_RETRY, false,
     "the file of trusted certificates cannot be read"},
};

static valet_status
judge_failure(struct vl_fetch *fetch, CURLcode code, bool *ret_again)
{
    valet_status status = VALET_RETRY;
    const char *text = vl_curl.easy_strerror(code);
    *ret_again = true;
    /* HTTP/2 reports our own refusal in other words. */
    if (fetch->too_large)
        code = CURLE_FILESIZE_EXCEEDED;
    for (size_t i = 0; i < VL_COUNT(failures); i++)
        if (failures[i].code == code) {
            status = failures[i].status;
            text = failures[i].text;
            *ret_again = failures[i].again;
        }
    /* The host alone: the rest of a URL may say more than a log should. */
    return vl_fail(&fetch->err, status, "", VL_STR_FMT ": %s",
                   VL_STR_ARG(fetch->host), text);
}

static int64_t
retry_after_of(const struct vl_headers *headers)
{
    struct vl_str value = vl_headers_get(headers, "retry-after");
    return value.p ? vl_retry_after(value, vl_clock_now(&vl_clock_system)) : -1;
}

/* @spec S-100: waits for the next attempt, if there is one and time for it. */
static bool
wait_for_next(struct vl_fetch *fetch, int64_t retry_after_ms)
{
    if (fetch->made >= fetch->attempts)
        return false;
    int64_t ms =
        retry_after_ms >= 0 ? retry_after_ms : vl_retry_backoff(fetch->made);
    if (ms >= fetch->deadline - vl_mono_now())
        return false;
    vl_timer_start(fetch->timer, ms);
    return true;
}

void
vl_fetch_conclude(struct vl_fetch *fetch, valet_status status, int http,
                  bool again)
{
    struct vl_headers headers = {.count = 0};
    struct vl_fetch_answer answer = {.retry_after_ms = -1};
    if (status == VALET_OK)
        status = vl_fetch_headers(fetch, &headers, &fetch->err);
    if (status == VALET_OK) {
        again = vl_retry_is_temporary(http);
        answer = (struct vl_fetch_answer){
            .status = http,
            .headers = &headers,
            .body = vl_buf_str(&fetch->body),
            .retry_after_ms = retry_after_of(&headers),
            .attempts = fetch->made,
            .from_private = fetch->from_private,
        };
    }
    /* What was told cannot be taken back. */
    if (!again || fetch->told || !wait_for_next(fetch, answer.retry_after_ms))
        finish(fetch, status, status == VALET_OK ? &answer : NULL);
}

void
vl_fetch_attempt_ended(struct vl_fetch *fetch, CURLcode code)
{
    bool again = false;
    long http = 0;
    valet_status status = VALET_OK;
    (void)vl_curl.easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &http);
    vl_fetcher_remove(fetch);
    if (code != CURLE_OK)
        status = judge_failure(fetch, code, &again);
    vl_fetch_conclude(fetch, status, (int)http, again);
}

/* --- its beginning --- */

static valet_status
attempt(struct vl_fetch *fetch, valet_error *err)
{
    int64_t left = fetch->deadline - vl_mono_now();
    fetch->err = (valet_error){0};
    fetch->made++;
    if (fetch->is_direct)
        return vl_fetch_start_direct(fetch, left, err);
    vl_fetch_rewind(fetch, left);
    return vl_fetcher_add(fetch, err);
}

static void
on_timer(void *ctx)
{
    struct vl_fetch *fetch = ctx;
    valet_status status = fetch->refused;
    if (status == VALET_OK)
        status = attempt(fetch, &fetch->err);
    if (status != VALET_OK)
        finish(fetch, status, NULL);
}

static valet_status
prepare(struct vl_fetch *fetch, const struct vl_fetch_request *request,
        valet_error *err)
{
    struct vl_url url;
    VL_TRY(vl_fetch_check(fetch, request, &url, err));
    return fetch->is_direct ? vl_fetch_prepare_direct(fetch, request, &url, err)
                            : vl_fetch_prepare(fetch, request, &url, err);
}

/* What libcurl is not asked for. */
static bool
needs_our_client(const struct vl_fetch_request *request)
{
    return request->stream || request->only_public || request->json.n ||
           request->more_count || strcmp(request->method, "DELETE") == 0;
}

struct vl_fetch *
vl_fetch_start(struct vl_fetcher *fetcher,
               const struct vl_fetch_request *request, vl_fetch_done *done,
               void *ctx)
{
    struct vl_fetch *fetch = vl_alloc(sizeof *fetch);
    *fetch = (struct vl_fetch){
        .fetcher = fetcher,
        .done = done,
        .ctx = ctx,
        .attempts = request->attempts ? request->attempts : 1,
        .head = vl_buf_of_secret(VL_LIMIT_HEAD),
        .body = vl_buf_of_secret(VL_LIMIT_FETCH_BODY),
        .is_direct = fetcher->is_small || needs_our_client(request),
        .stream = request->stream,
    };
    int64_t total =
        request->total_ms > 0 ? request->total_ms : (int64_t)VL_LIMIT_FETCH_MS;
    fetch->deadline = vl_mono_now() + (total < INT32_MAX ? total : INT32_MAX);
    vl_list_add_last(&fetcher->fetches, &fetch->node);
    fetch->timer = vl_timer_new(fetcher->loop, on_timer, fetch);
    fetch->refused = prepare(fetch, request, &fetch->err);
    if (fetch->refused == VALET_OK)
        fetch->refused = attempt(fetch, &fetch->err);
    /* A refusal is told like everything else: after we have returned. */
    if (fetch->refused != VALET_OK)
        vl_timer_start(fetch->timer, 0);
    return fetch;
}
