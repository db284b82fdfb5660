/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph.h"

#include "core/status.h"
#include "http/retry.h"
#include "http/url.h"
#include "json/read.h"

/* A person waits for the answer: a few tries within half a minute. */
#define GRAPH_ATTEMPTS 4
#define GRAPH_TOTAL_MS 30000

struct vl_graph_me {
    struct vl_fetch *fetch;
    vl_graph_done *done;
    void *ctx;
    bool finishing; /* `done` is running */
};

/* What an HTTP status of Graph means here. */
static valet_status
meaning_of(int status)
{
    if (status == 401 || status == 403)
        return VALET_DENIED;
    if (status == 429 || status >= 500)
        return VALET_RETRY;
    return VALET_INTERNAL;
}

/* {"error":{"code":…}}: the code is a word of Graph's; its message may name
 * things of the tenant, so it is not passed on. */
static valet_status
read_error(const struct vl_fetch_answer *answer, valet_error *err)
{
    vl_auto(vl_json) document = {NULL};
    struct vl_str code = {NULL, 0};
    char word[48] = "";
    if (vl_json_parse(answer->body, VL_LIMIT_JSON_DEPTH, &document, NULL) ==
        VALET_OK)
        code = vl_json_get_str(vl_json_get(document.root, "error"), "code");
    (void)snprintf(word, sizeof word, VL_STR_FMT,
                   VL_STR_ARG(vl_str_head(code, sizeof word - 1)));
    return vl_fail(err, meaning_of(answer->status), word,
                   "Microsoft Graph answered HTTP %d%s%s", answer->status,
                   word[0] ? ", " : "", word);
}

static valet_status
read_user(const struct vl_fetch_answer *answer, valet_error *err)
{
    vl_auto(vl_json) document = {NULL};
    /* @spec S-45: 200 without a user object is no answer. */
    if (vl_json_parse(answer->body, VL_LIMIT_JSON_DEPTH, &document, NULL) !=
            VALET_OK ||
        vl_json_kind(document.root) != VL_JSON_OBJECT)
        return vl_fail(err, VALET_INTERNAL, "",
                       "Microsoft Graph answered without a user object");
    return VALET_OK;
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *why, void *ctx)
{
    struct vl_graph_me *op = ctx;
    struct vl_graph_answer out = {0};
    valet_error err = {0};
    op->fetch = NULL;
    if (status != VALET_OK) {
        /* VALET_INVALID: it was not even sent. */
        status = status == VALET_INVALID ? VALET_INTERNAL : VALET_RETRY;
        status =
            vl_fail(&err, status, "", "Microsoft Graph cannot be reached: %s",
                    why ? why->message : "no reason given");
    } else {
        struct vl_str id = vl_headers_get(answer->headers, "request-id");
        (void)snprintf(out.request_id, sizeof out.request_id, VL_STR_FMT,
                       VL_STR_ARG(vl_str_head(id, sizeof out.request_id - 1)));
        out.json = answer->body;
        out.throttled =
            answer->attempts - 1 + vl_retry_is_temporary(answer->status);
        out.token_refused = answer->status == 401;
        status = answer->status == 200 ? read_user(answer, &err)
                                       : read_error(answer, &err);
    }
    op->finishing = true;
    op->done(status, &out, status == VALET_OK ? NULL : &err, op->ctx);
    free(op);
}

struct vl_graph_me *
vl_graph_me_start(const struct vl_graph_request *request, vl_graph_done *done,
                  void *ctx)
{
    struct vl_graph_me *op = vl_alloc(sizeof *op);
    vl_auto(vl_buf) url = vl_buf_of(2048);
    op->done = done;
    op->ctx = ctx;
    vl_buf_addf(&url, "%s/v1.0/me", request->graph_url);
    if (request->select && request->select[0])
        vl_url_add_param(&url, "$select", vl_str_z(request->select));
    struct vl_fetch_request fetch = {
        .method = "GET",
        .url = vl_buf_cstr(&url),
        .bearer = &request->token->secret,
        .attempts = GRAPH_ATTEMPTS,
        .total_ms = GRAPH_TOTAL_MS,
    };
    if (request->correlation)
        fetch.headers[fetch.header_count++] = (struct vl_header){
            VL_STR("client-request-id"), vl_str_z(request->correlation)};
    op->fetch = vl_fetch_start(request->fetcher, &fetch, on_answer, op);
    return op;
}

void
vl_graph_me_abort(struct vl_graph_me **at)
{
    struct vl_graph_me *op = *at;
    *at = NULL;
    /* Inside its own callback it is silent already, and freed after it. */
    if (!op || op->finishing)
        return;
    vl_fetch_abort(&op->fetch);
    free(op);
}
