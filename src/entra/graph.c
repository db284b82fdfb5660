/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to Microsoft Graph, and what its answer means.
 */
#include "core/status.h"
#include "entra/claims.h"
#include "entra/graph_inside.h"
#include "http/retry.h"
#include "http/url.h"
#include "json/read.h"

/* A person waits for the answer: a few tries within half a minute. */
#define GRAPH_ATTEMPTS 4
#define GRAPH_TOTAL_MS 30000

struct vl_graph_ask {
    struct vl_fetch *fetch;
    vl_graph_ask_done *done;
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

/* What a policy wants in the next token; "" if there is nothing. */
static void
read_claims(const struct vl_headers *headers, char *ret, size_t size)
{
    vl_auto(vl_buf) field = vl_buf_of(VL_LIMIT_HEAD);
    for (size_t i = 0; i < headers->count; i++) {
        if (!vl_str_ieq(headers->items[i].name, VL_STR("www-authenticate")))
            continue;
        vl_buf_addz(&field, vl_buf_size(&field) ? ", " : "");
        vl_buf_add(&field, headers->items[i].value);
    }
    if (valet_claims_challenge(vl_buf_cstr(&field), ret, size, NULL) !=
        VALET_OK)
        ret[0] = '\0';
}

static void
judge_failure(valet_status status, const valet_error *why,
              struct vl_graph_outcome *out)
{
    const char *reason = why ? why->message : "no reason given";
    /* Refused by us: nothing was sent. */
    out->unsent = status == VALET_INVALID || status == VALET_DENIED;
    if (status == VALET_LIMIT)
        out->status =
            vl_fail(&out->err, VALET_INTERNAL, "",
                    "Microsoft Graph gave no usable answer: %s", reason);
    else
        out->status =
            vl_fail(&out->err, out->unsent ? VALET_INTERNAL : VALET_RETRY, "",
                    "Microsoft Graph cannot be reached: %s", reason);
}

static void
judge_answer(const struct vl_fetch_answer *answer, struct vl_graph_outcome *out)
{
    struct vl_graph_answer *told = &out->answer;
    struct vl_str id = vl_headers_get(answer->headers, "request-id");
    (void)snprintf(told->request_id, sizeof told->request_id, VL_STR_FMT,
                   VL_STR_ARG(vl_str_head(id, sizeof told->request_id - 1)));
    told->throttled =
        answer->attempts - 1 + vl_retry_is_temporary(answer->status);
    told->token_refused = answer->status == 401;
    told->retry_after_ms = answer->retry_after_ms;
    out->http = answer->status;
    out->status = answer->status == 200 ? read_user(answer, &out->err)
                                        : read_error(answer, &out->err);
    if (out->status == VALET_OK)
        told->json = answer->body;
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *why, void *ctx)
{
    struct vl_graph_ask *ask = ctx;
    struct vl_graph_outcome out = {
        .answer = {.retry_after_ms = -1, .claims = ""}};
    char claims[VL_LIMIT_CLAIMS + 1] = "";
    ask->fetch = NULL;
    if (status == VALET_OK)
        judge_answer(answer, &out);
    else
        judge_failure(status, why, &out);
    if (out.answer.token_refused)
        read_claims(answer->headers, claims, sizeof claims);
    out.answer.claims = claims;
    ask->finishing = true;
    ask->done(&out, ask->ctx);
    free(ask);
}

/* @spec S-43 S-78 */
struct vl_graph_ask *
vl_graph_ask_start(const struct vl_graph_ask_request *request,
                   vl_graph_ask_done *done, void *ctx)
{
    struct vl_graph_ask *ask = vl_alloc(sizeof *ask);
    vl_auto(vl_buf) url = vl_buf_of(4096);
    ask->done = done;
    ask->ctx = ctx;
    vl_buf_addf(&url, "%s/v1.0/me", request->url);
    if (request->select && request->select[0])
        vl_url_add_param(&url, "$select", vl_str_z(request->select));
    struct vl_fetch_request fetch = {
        .method = "GET",
        .url = vl_buf_cstr(&url),
        .bearer = request->token,
        .attempts = request->once ? 1 : GRAPH_ATTEMPTS,
        .total_ms = GRAPH_TOTAL_MS,
    };
    if (request->correlation && request->correlation[0])
        fetch.headers[fetch.header_count++] = (struct vl_header){
            VL_STR("client-request-id"), vl_str_z(request->correlation)};
    ask->fetch = vl_fetch_start(request->fetcher, &fetch, on_answer, ask);
    return ask;
}

void
vl_graph_ask_abort(struct vl_graph_ask **at)
{
    struct vl_graph_ask *ask = *at;
    *at = NULL;
    /* Inside its own callback it is silent already, and freed after it. */
    if (!ask || ask->finishing)
        return;
    vl_fetch_abort(&ask->fetch);
    free(ask);
}
