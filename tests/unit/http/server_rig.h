/* SPDX-License-Identifier: Apache-2.0
 *
 * A server and its clients on one loop, for the tests of the server: a site
 * whose paths do what a test needs, and clients that keep what they got.
 */
#ifndef VL_SERVER_RIG_H
#define VL_SERVER_RIG_H

#include "vl_test.h"

#include "core/sys.h"
#include "http/server_private.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST(target, fields, body)                                             \
    "POST " target " HTTP/1.1\r\nHost: a.example\r\n" fields "\r\n" body

#define RIG_PENDING_MAX 64
#define RIG_PATIENCE_MS 20000

struct rig {
    struct vl_loop *loop;
    struct vl_http_server *server;
    struct vl_timer *pulse; /* so that no step waits for ever */
    unsigned port;
    struct vl_exchange *pending[RIG_PENDING_MAX]; /* of /later and /stream */
    size_t pending_count;
    unsigned handled, closed, drained, done;
    size_t asked; /* times body_max was asked */
};

struct client {
    struct vl_stream *stream;
    struct vl_buf got;
    bool connecting, ended;
};

static struct rig rig;

static inline void
rig_pulse(void *ctx)
{
    (void)ctx;
    vl_timer_start(rig.pulse, 5);
}

static inline size_t
rig_body_max(const struct vl_http_request *head, void *ctx)
{
    (void)ctx;
    rig.asked++;
    return vl_str_eqz(head->path, "/big") ? 1000000 : 1000;
}

static inline void
rig_on_close(void *ctx)
{
    (void)ctx;
    rig.closed++;
}

static inline void
rig_on_drain(void *ctx)
{
    (void)ctx;
    rig.drained++;
}

static inline void
rig_keep(struct vl_exchange *x)
{
    assert_true(rig.pending_count < RIG_PENDING_MAX);
    vl_exchange_watch(x, rig_on_close, rig_on_drain, NULL);
    rig.pending[rig.pending_count++] = x;
}

/* Says what was asked: "METHOD target body". */
static inline void
rig_echo(struct vl_exchange *x)
{
    const struct vl_http_request *r = vl_exchange_request(x);
    vl_auto(vl_buf) text = vl_buf_of(2000000);
    vl_buf_add(&text, r->method);
    vl_buf_addc(&text, ' ');
    vl_buf_add(&text, r->target);
    vl_buf_addc(&text, ' ');
    vl_buf_add(&text, r->body);
    struct vl_reply reply = {
        .status = 200, .type = "text/plain", .body = vl_buf_str(&text)};
    vl_reply_add(&reply, "X-Peer", vl_str_z(r->peer));
    vl_exchange_reply(x, &reply);
}

static inline void
rig_handle(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    struct vl_str path = vl_exchange_request(x)->path;
    rig.handled++;
    if (vl_str_eqz(path, "/later")) {
        rig_keep(x);
    } else if (vl_str_eqz(path, "/stream")) {
        rig_keep(x);
        vl_exchange_start(
            x, &(struct vl_reply){.status = 200, .body = VL_STR("first")});
    } else if (vl_str_eqz(path, "/fields")) {
        vl_exchange_add_header(x, "X-Extra", VL_STR("1"));
        struct vl_reply reply = {.status = 204, .body = VL_STR("no body")};
        vl_reply_add(&reply, "Content-Length", VL_STR("99"));
        vl_reply_add(&reply, "transfer-encoding", VL_STR("chunked"));
        vl_reply_add(&reply, "Set-Cookie", VL_STR("a=1"));
        vl_reply_add(&reply, "Set-Cookie", VL_STR("b=2"));
        vl_exchange_reply(x, &reply);
    } else {
        rig_echo(x);
    }
}

static struct vl_http_site rig_site = {.body_max = rig_body_max,
                                       .handle = rig_handle};

static inline void
rig_open(const struct vl_http_limits *limits)
{
    memset(&rig, 0, sizeof rig);
    assert_ok(vl_loop_new(&rig.loop, NULL));
    rig.pulse = vl_timer_new(rig.loop, rig_pulse, NULL);
    rig_pulse(NULL);
    struct vl_http_limits standard = VL_HTTP_LIMITS_DEFAULT;
    rig.server =
        vl_http_server_new(rig.loop, &rig_site, limits ? limits : &standard);
    assert_ok(
        vl_http_server_listen(rig.server, "127.0.0.1", 0, &rig.port, NULL));
}

static inline void
rig_close(void)
{
    vl_http_server_free(rig.server);
    while (rig.pending_count > 0) {
        struct vl_exchange *x = rig.pending[--rig.pending_count];
        assert_true(vl_exchange_is_closed(x));
        if (x->stage == VL_EXCHANGE_STREAMED)
            vl_exchange_finish(x);
        else
            vl_exchange_reply(x, &(struct vl_reply){.status = 200});
    }
    vl_timer_free(rig.pulse);
    vl_loop_free(rig.loop);
}

/* Steps until `condition` holds; a test that waits too long fails. */
#define RIG_UNTIL(condition)                                                   \
    do {                                                                       \
        int64_t until_end_ = vl_mono_now() + RIG_PATIENCE_MS;                  \
        while (!(condition)) {                                                 \
            vl_loop_step(rig.loop);                                            \
            if (vl_mono_now() > until_end_)                                    \
                fail_msg("waited in vain for: %s", #condition);                \
        }                                                                      \
    } while (0)

/* --- clients --- */

static inline void
client_on_read(struct vl_str bytes, void *ctx)
{
    struct client *c = ctx;
    vl_buf_add(&c->got, bytes);
}

static inline void
client_on_end(valet_status status, void *ctx)
{
    (void)status;
    struct client *c = ctx;
    c->ended = true;
}

static const struct vl_stream_events client_events = {.on_read = client_on_read,
                                                      .on_end = client_on_end};

static inline void
client_connected(struct vl_stream *stream, void *ctx)
{
    struct client *c = ctx;
    c->connecting = false;
    c->stream = stream;
    if (stream)
        vl_stream_attach(stream, &client_events, c);
}

static inline void
client_open(struct client *c)
{
    *c = (struct client){.connecting = true};
    c->got = vl_buf_of(64u << 20);
    assert_ok(vl_stream_connect(rig.loop, "127.0.0.1", rig.port,
                                client_connected, c, NULL, NULL));
    RIG_UNTIL(!c->connecting);
    assert_non_null(c->stream);
}

static inline void
client_close(struct client *c)
{
    vl_stream_close(c->stream);
    vl_buf_done(&c->got);
}

static inline void
client_send(struct client *c, const char *text)
{
    vl_stream_write(c->stream, vl_str_z(text));
}

/* How often `text` stands in what the client got. */
static inline size_t
client_count(struct client *c, const char *text)
{
    size_t count = 0;
    struct vl_str got = vl_buf_str(&c->got);
    for (size_t i = 0; i + strlen(text) <= got.n; i++)
        count += memcmp(got.p + i, text, strlen(text)) == 0;
    return count;
}

static inline bool
client_has(struct client *c, const char *text)
{
    return client_count(c, text) > 0;
}

#endif
