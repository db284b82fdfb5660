/* SPDX-License-Identifier: Apache-2.0
 *
 * From the name of a host to a connection: its addresses one after the other,
 * each for a while.
 */
#include "core/status.h"
#include "http/client_private.h"
#include "http/fetch.h"
#include "io/resolve.h"

struct vl_dial {
    struct vl_http_client *client;
    struct vl_http_place place;
    bool only_public;
    int64_t each_ms;
    struct vl_resolve *resolve;
    struct vl_timer *timer;
    struct vl_connecting *attempt; /* that is under way */
    struct vl_http_proxy proxy;
    struct vl_stream *tunnel; /* the proxy is asked on it */
    struct vl_buf answer;
    struct vl_parser parser;
    char addresses[VL_RESOLVE_MAX][VL_ADDRESS_SIZE];
    size_t count, next;
    valet_status status; /* of the last address */
    valet_error err;
    vl_dial_done *done;
    void *ctx;
};

static void
release(struct vl_dial *dial)
{
    vl_connecting_abort(&dial->attempt);
    if (dial->tunnel)
        vl_stream_close(dial->tunnel);
    vl_resolve_abort(&dial->resolve);
    vl_timer_free(dial->timer);
    vl_http_proxy_done(&dial->proxy);
    vl_buf_done(&dial->answer);
    free(dial);
}

void
vl_dial_abort(struct vl_dial **at)
{
    struct vl_dial *dial = *at;
    *at = NULL;
    if (dial)
        release(dial);
}

/* Who comes by a proxy is let through to what that may reach. */
static void
finish(struct vl_dial *dial, struct vl_stream *stream)
{
    vl_dial_done *done = dial->done;
    void *ctx = dial->ctx;
    valet_status status = dial->status;
    const valet_error err = dial->err;
    bool is_public =
        stream && (dial->proxy.host[0] ||
                   vl_address_is_public(dial->addresses[dial->next - 1]));
    if (stream && dial->place.is_secure)
        vl_stream_secure_as_client(stream, dial->client->trust,
                                   dial->place.host);
    release(dial);
    done(stream, is_public, status, &err, ctx);
}

/* --- the proxy --- */

static void
refuse(struct vl_dial *dial, const char *why)
{
    dial->status = vl_fail(&dial->err, VALET_RETRY, VL_FETCH_UNREACHABLE,
                           "the proxy %s %s", dial->proxy.host, why);
    finish(dial, NULL);
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct vl_dial *dial = ctx;
    vl_buf_add(&dial->answer, bytes);
    enum vl_parse found =
        vl_parser_read(&dial->parser, vl_buf_str(&dial->answer));
    if (found == VL_PARSE_MORE && !dial->answer.failed)
        return;
    /* Whoever speaks TLS waits to be spoken to. */
    if (found != VL_PARSE_DONE || dial->answer.failed ||
        dial->parser.head_size != vl_buf_size(&dial->answer)) {
        refuse(dial, "answers what is no HTTP");
    } else if (dial->parser.status == 407) {
        refuse(dial, "wants a name and a password: http://NAME:PASSWORD@HOST");
    } else if (dial->parser.status < 200 || dial->parser.status > 299) {
        refuse(dial, "does not let us through");
    } else {
        struct vl_stream *stream = dial->tunnel;
        dial->tunnel = NULL;
        finish(dial, stream);
    }
}

static void
on_end(valet_status status, void *ctx)
{
    (void)status;
    refuse(ctx, "hangs up");
}

static void
ask_proxy(struct vl_dial *dial, struct vl_stream *stream)
{
    static const struct vl_stream_events events = {.on_read = on_read,
                                                   .on_end = on_end};
    vl_auto(vl_buf) text = vl_buf_of_secret(4096);
    vl_http_proxy_write(&dial->proxy, &dial->place, &text);
    dial->tunnel = stream;
    dial->answer = vl_buf_of(VL_LIMIT_HEAD);
    vl_parser_init(&dial->parser, VL_PARSE_ANSWER_TO_HEAD);
    vl_stream_attach(stream, &events, dial);
    vl_stream_write(stream, vl_buf_str(&text));
}

/* --- one address --- */

static void try_next(struct vl_dial *dial);

static void
on_connected(struct vl_stream *stream, void *ctx)
{
    struct vl_dial *dial = ctx;
    dial->attempt = NULL;
    if (!stream) {
        dial->status = vl_fail(&dial->err, VALET_RETRY, VL_FETCH_UNREACHABLE,
                               "%s: it does not answer", dial->place.host);
        try_next(dial);
        return;
    }
    if (dial->proxy.host[0])
        ask_proxy(dial, stream);
    else
        finish(dial, stream);
}

static bool
deny(struct vl_dial *dial)
{
    dial->status = vl_fail(&dial->err, VALET_DENIED, "",
                           "%s: this address is not in the public network",
                           dial->place.host);
    return false;
}

/* @spec CL-20 SB-13: looked at here, so that it does not matter what the name
 * said before, or says later. A proxy may be in a private network. */
static bool
may_try(struct vl_dial *dial, const char *address)
{
    return !dial->only_public || dial->proxy.host[0] ||
           vl_address_is_public(address) || deny(dial);
}

/* Not everything: a proxy looks names up by itself. */
static bool
may_be_asked_for(struct vl_dial *dial)
{
    return !dial->only_public || !dial->proxy.host[0] ||
           vl_host_is_public(vl_str_z(dial->place.host)) || deny(dial);
}

static const char *
whom_to_resolve(const struct vl_dial *dial)
{
    if (dial->proxy.host[0])
        return dial->proxy.host;
    return vl_host_is_below_localhost(vl_str_z(dial->place.host))
               ? "localhost"
               : dial->place.host;
}

static void
try_next(struct vl_dial *dial)
{
    while (dial->next < dial->count) {
        const char *address = dial->addresses[dial->next++];
        if (!may_try(dial, address))
            continue;
        dial->status = vl_stream_connect(
            dial->client->loop, address,
            dial->proxy.host[0] ? dial->proxy.port : dial->place.port,
            on_connected, dial, &dial->attempt, &dial->err);
        if (dial->status == VALET_OK) {
            vl_timer_start(dial->timer, dial->each_ms);
            return;
        }
    }
    finish(dial, NULL);
}

static void
on_timer(void *ctx)
{
    struct vl_dial *dial = ctx;
    if (dial->status != VALET_OK && !dial->resolve) {
        finish(dial, NULL); /* what vl_dial_start() could not do */
        return;
    }
    if (dial->tunnel) {
        refuse(dial, "does not answer in time");
        return;
    }
    vl_connecting_abort(&dial->attempt);
    dial->status = vl_fail(&dial->err, VALET_RETRY, VL_FETCH_UNREACHABLE,
                           "%s: it does not answer in time", dial->place.host);
    try_next(dial);
}

/* --- the name --- */

static void
on_resolved(const char (*addresses)[VL_ADDRESS_SIZE], size_t count, void *ctx)
{
    struct vl_dial *dial = ctx;
    dial->resolve = NULL;
    memcpy(dial->addresses, addresses, count * sizeof *addresses);
    dial->count = count;
    dial->status = vl_fail(&dial->err, VALET_RETRY, VL_FETCH_UNREACHABLE,
                           "%s: this name is not known", dial->place.host);
    try_next(dial);
}

struct vl_dial *
vl_dial_start(struct vl_http_client *client, const struct vl_http_place *place,
              bool only_public, int64_t each_ms, vl_dial_done *done, void *ctx)
{
    struct vl_dial *dial = vl_alloc(sizeof *dial);
    memset(dial, 0, sizeof *dial);
    dial->client = client;
    dial->place = *place;
    dial->only_public = only_public;
    dial->each_ms = each_ms;
    dial->done = done;
    dial->ctx = ctx;
    dial->timer = vl_timer_new(client->loop, on_timer, dial);
    dial->status =
        vl_http_proxy_for(place, only_public, &dial->proxy, &dial->err);
    if (dial->status != VALET_OK || !may_be_asked_for(dial))
        vl_timer_start(dial->timer, 0);
    else
        dial->resolve = vl_resolve_start(client->loop, whom_to_resolve(dial),
                                         on_resolved, dial);
    return dial;
}
