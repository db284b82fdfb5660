/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop that lives as long as one fetch: it happens once a day, and so the
 * library has no thread of its own, and none of the application's is bound.
 */
#include "http/fetch.h"
#include "core/status.h"
#include "validate/document.h"
#include "validate/keys.h"

#define ATTEMPTS 2
#define URI_MAX  2048

struct trip {
    const struct vl_rules *rules;
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_fetch *fetch;
    struct vl_buf uri;
    int64_t deadline; /* by vl_mono_now() */
    struct vl_jwks *keys;
    valet_status status;
    valet_error err;
};

static void
end(struct trip *trip, valet_status status)
{
    trip->status = status;
    vl_loop_stop(trip->loop);
}

static void
ask(struct trip *trip, const char *url, vl_fetch_done *done)
{
    int64_t left = trip->deadline - vl_mono_now();
    struct vl_fetch_request request = {
        .method = "GET",
        .url = url,
        .attempts = ATTEMPTS,
        .total_ms = left > 1 ? left : 1,
    };
    trip->fetch = vl_fetch_start(trip->fetcher, &request, done, trip);
}

static valet_status
check_answer(valet_status status, const struct vl_fetch_answer *answer,
             const char *what, const valet_error *why, valet_error *err)
{
    if (status != VALET_OK)
        return vl_fail(err, VALET_RETRY, "", "cannot fetch the %s: %s", what,
                       why ? why->message : "no reason given");
    if (answer->status != 200)
        return vl_fail(err, VALET_RETRY, "",
                       "cannot fetch the %s: HTTP status %d", what,
                       answer->status);
    return VALET_OK;
}

static void
on_keys(valet_status status, const struct vl_fetch_answer *answer,
        const valet_error *why, void *ctx)
{
    struct trip *trip = ctx;
    trip->fetch = NULL;
    status = check_answer(status, answer, "signing keys", why, &trip->err);
    if (status == VALET_OK)
        status = vl_jwks_parse(answer->body, &trip->keys, &trip->err);
    end(trip, status);
}

static void
on_document(valet_status status, const struct vl_fetch_answer *answer,
            const valet_error *why, void *ctx)
{
    struct trip *trip = ctx;
    trip->fetch = NULL;
    status =
        check_answer(status, answer, "OpenID configuration", why, &trip->err);
    if (status == VALET_OK)
        status =
            vl_document_read(answer->body, trip->rules, &trip->uri, &trip->err);
    if (status == VALET_OK)
        ask(trip, vl_buf_cstr(&trip->uri), on_keys);
    else
        end(trip, status);
}

static valet_status
travel(struct trip *trip)
{
    const struct vl_rules *rules = trip->rules;
    VL_TRY(vl_loop_new(&trip->loop, &trip->err));
    trip->fetcher = vl_fetcher_new(trip->loop);
    if (rules->ca_file)
        VL_TRY(vl_fetcher_trust(trip->fetcher, rules->ca_file, &trip->err));
    if (rules->jwks_uri)
        ask(trip, rules->jwks_uri, on_keys);
    else
        ask(trip, rules->document_url, on_document);
    vl_loop_run(trip->loop);
    return trip->status;
}

valet_status
vl_keys_fetch(const struct vl_rules *rules, struct vl_jwks **ret,
              valet_error *err)
{
    struct trip trip = {
        .rules = rules,
        .uri = vl_buf_of(URI_MAX),
        .deadline = vl_mono_now() + rules->timeout_ms,
    };
    valet_status status = travel(&trip);
    if (trip.fetcher)
        vl_fetcher_free(trip.fetcher);
    vl_loop_free(trip.loop);
    vl_buf_done(&trip.uri);
    if (status != VALET_OK)
        return vl_fail(err, VALET_RETRY, "", "%s", trip.err.message);
    *ret = trip.keys;
    return VALET_OK;
}
