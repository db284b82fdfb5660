/* SPDX-License-Identifier: Apache-2.0
 *
 * A request that http/client.h carries.
 */
#include "core/status.h"
#include "http/fetch_inner.h"

/* Name, colon and value of all lines of a request. */
#define LINES_MAX (4 * VL_LIMIT_HEAD)

/* --- the request --- */

static void
add_lines(struct vl_buf *out, const struct vl_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vl_buf_add(out, headers[i].name);
        vl_buf_addz(out, ": ");
        vl_buf_add(out, vl_str_trim(headers[i].value));
        vl_buf_addz(out, "\r\n");
    }
}

static void
write_lines(struct vl_buf *out, const struct vl_fetch_request *request)
{
    vl_buf_addz(out, "User-Agent: mcp-valet\r\n");
    if (request->json.n)
        vl_buf_addz(out, "Content-Type: application/json\r\n");
    else if (request->form.n)
        vl_buf_addz(out, "Content-Type: application/x-www-form-urlencoded\r\n");
    add_lines(out, request->headers, request->header_count);
    add_lines(out, request->more, request->more_count);
    if (!request->bearer)
        return;
    vl_buf_addz(out, "Authorization: Bearer ");
    vl_buf_add(out, vl_secret_reveal(request->bearer));
    vl_buf_addz(out, "\r\n");
}

/* @spec S-96 */
static valet_status
trust_roots(struct vl_fetcher *fetcher, valet_error *err)
{
    vl_auto(vl_buf) roots = vl_buf_of(VL_FETCH_ROOTS_MAX);
    if (fetcher->trust)
        return VALET_OK;
    VL_TRY(vl_fetch_read_roots(fetcher, &roots, err));
    VL_TRY(vl_tls_trust_new(vl_buf_str(&roots), &fetcher->trust, err));
    vl_http_client_trust(fetcher->client, fetcher->trust);
    return VALET_OK;
}

void
vl_fetch_distrust(struct vl_fetcher *fetcher)
{
    if (!fetcher->trust)
        return;
    vl_http_client_trust(fetcher->client, NULL);
    vl_tls_trust_free(fetcher->trust);
    fetcher->trust = NULL;
}

valet_status
vl_fetch_prepare_direct(struct vl_fetch *fetch,
                        const struct vl_fetch_request *request,
                        const struct vl_url *url, valet_error *err)
{
    struct vl_fetcher *fetcher = fetch->fetcher;
    if (!fetcher->client)
        fetcher->client = vl_http_client_new(fetcher->loop);
    if (vl_url_is_https(url))
        VL_TRY(trust_roots(fetcher, err));
    fetch->lines = vl_buf_of_secret(LINES_MAX);
    write_lines(&fetch->lines, request);
    fetch->content =
        vl_secret_of(request->json.n ? request->json : request->form);
    fetch->method = request->method; /* one of three literals */
    fetch->only_public = request->only_public;
    return vl_buf_check(&fetch->lines, err);
}

/* --- the answer --- */

static void
give_up(struct vl_fetch *fetch)
{
    vl_http_call_abort(&fetch->call);
    vl_fetch_conclude(fetch,
                      vl_fail(&fetch->err, VALET_LIMIT, "",
                              VL_STR_FMT ": the answer is too large",
                              VL_STR_ARG(fetch->host)),
                      0, false);
}

static bool
announces_too_much(const struct vl_headers *headers)
{
    struct vl_str text = vl_headers_get(headers, "content-length");
    uint64_t length;
    return text.n && !vl_str_u64(text, VL_LIMIT_FETCH_BODY, &length);
}

static void
on_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct vl_fetch *fetch = ctx;
    fetch->http = status;
    fetch->from_private = vl_http_call_is_private(fetch->call);
    for (size_t i = 0; i < headers->count; i++) {
        vl_buf_add(&fetch->head, headers->items[i].name);
        vl_buf_addc(&fetch->head, ':');
        vl_buf_add(&fetch->head, headers->items[i].value);
        vl_buf_addc(&fetch->head, '\n');
    }
    if (fetch->stream) {
        fetch->told = true;
        fetch->stream->head(status, headers, fetch->ctx);
    } else if (announces_too_much(headers)) {
        give_up(fetch);
    }
}

static void
on_piece(struct vl_str bytes, void *ctx)
{
    struct vl_fetch *fetch = ctx;
    if (fetch->stream) {
        fetch->stream->piece(bytes, fetch->ctx);
        return;
    }
    vl_buf_add(&fetch->body, bytes);
    if (fetch->body.failed)
        give_up(fetch);
}

/* VALET_INVALID is ours to say of requests alone. */
static void
on_end(valet_status status, const valet_error *err, void *ctx)
{
    struct vl_fetch *fetch = ctx;
    bool again = status == VALET_RETRY;
    fetch->call = NULL;
    if (status != VALET_OK)
        fetch->err = *err;
    if (status == VALET_INVALID)
        status = VALET_RETRY;
    vl_fetch_conclude(fetch, status, fetch->http, again);
}

static const struct vl_http_hooks hooks = {on_head, on_piece, on_end};

valet_status
vl_fetch_start_direct(struct vl_fetch *fetch, int64_t ms_left, valet_error *err)
{
    struct vl_url url;
    VL_TRY(vl_url_parse(vl_buf_str(&fetch->url), &url, err));
    vl_buf_clear(&fetch->head);
    vl_buf_clear(&fetch->body);
    fetch->http = 0;
    const struct vl_http_ask ask = {
        .method = fetch->method,
        .url = &url,
        .lines = vl_buf_str(&fetch->lines),
        .body = vl_secret_reveal(&fetch->content),
        .only_public = fetch->only_public,
        .connect_ms = VL_LIMIT_FETCH_CONNECT_MS,
        .total_ms = ms_left < 1 ? 1 : ms_left,
        .until_head = fetch->stream != NULL,
    };
    fetch->call =
        vl_http_call_start(fetch->fetcher->client, &ask, &hooks, fetch);
    return VALET_OK;
}

void
vl_fetch_hold(struct vl_fetch *fetch, bool is_held)
{
    if (fetch->call)
        vl_http_call_hold(fetch->call, is_held);
}
