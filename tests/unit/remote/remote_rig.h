/* SPDX-License-Identifier: Apache-2.0
 *
 * A remote server and its client on one loop: a real HTTP server that does
 * what a test says, and a note of all that both have seen.
 */
#ifndef VL_REMOTE_RIG_H
#define VL_REMOTE_RIG_H

#include "vl_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/sys.h"
#include "http/server.h"
#include "remote/inside.h"

#define PATIENCE_MS 20000
#define SEEN_MAX    512
#define LONGEST     ((size_t)20 << 20)

/* A request, as the server saw it. */
struct seen {
    char method[16], target[128], accept[64], type[64], authorization[64],
        session[64], version[32], last_event_id[64], extra[64], body[512];
    int64_t at;
};

struct told {
    char json[512];
    size_t size;
    struct vl_remote_call *call;
};

struct rig {
    struct vl_loop *loop;
    struct vl_timer *pulse;
    struct vl_fetcher *fetcher;
    struct vl_http_server *server;
    struct vl_http_site site;
    unsigned port;
    char url[128];

    void (*play)(struct vl_exchange *x, size_t number);
    struct seen seen[SEEN_MAX];
    size_t seen_count;
    struct vl_exchange *open[SEEN_MAX]; /* streams that were begun */
    size_t open_count, closed;

    struct vl_remote *remote;
    struct vl_secret bearer;
    const char *new_bearer; /* authorize: gets this one; NULL: none */
    bool authorizes_later;
    struct vl_remote_retry *retry;
    size_t authorized;
    int refused_with;
    char refused_token[64];

    struct told told[SEEN_MAX];
    size_t told_count;
    void (*on_message)(struct vl_remote_call *call);

    size_t ends;
    valet_status status;
    int http_status;
    bool session_ended;
    char body[256];
    valet_error err;
    void (*on_done)(void);

    size_t deafs;
    valet_error deaf;
    bool is_answered;
    bool left;
};

static struct rig rig;

static inline void
rig_pulse(void *ctx)
{
    (void)ctx;
    vl_timer_start(rig.pulse, 5);
}

#define RIG_UNTIL(condition)                                                   \
    do {                                                                       \
        int64_t until_end_ = vl_mono_now() + PATIENCE_MS;                      \
        while (!(condition)) {                                                 \
            vl_loop_step(rig.loop);                                            \
            if (vl_mono_now() > until_end_)                                    \
                fail_msg("waited in vain for: %s", #condition);                \
        }                                                                      \
    } while (0)

/* For what must not happen. */
static inline void
rig_wait(int64_t ms)
{
    int64_t end = vl_mono_now() + ms;
    while (vl_mono_now() < end)
        vl_loop_step(rig.loop);
}

/* --- the server --- */

static inline size_t
rig_body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return LONGEST;
}

static inline void
rig_copy(char *to, size_t size, struct vl_str from)
{
    (void)snprintf(to, size, VL_STR_FMT, VL_STR_ARG(from));
}

static inline void
rig_handle(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    const struct vl_http_request *r = vl_exchange_request(x);
    assert_true(rig.seen_count < SEEN_MAX);
    struct seen *seen = &rig.seen[rig.seen_count++];
    seen->at = vl_mono_now();
    rig_copy(seen->method, sizeof seen->method, r->method);
    rig_copy(seen->target, sizeof seen->target, r->target);
    rig_copy(seen->body, sizeof seen->body, r->body);
#define KEEP(field, name)                                                      \
    rig_copy(seen->field, sizeof seen->field, vl_headers_get(&r->headers, name))
    KEEP(accept, "accept");
    KEEP(type, "content-type");
    KEEP(authorization, "authorization");
    KEEP(session, "mcp-session-id");
    KEEP(version, "mcp-protocol-version");
    KEEP(last_event_id, "last-event-id");
    KEEP(extra, "mcp-method");
#undef KEEP
    rig.play(x, rig.seen_count - 1);
}

/* `type` NULL: none is said. */
static inline void
reply(struct vl_exchange *x, int status, const char *type, const char *body)
{
    vl_exchange_reply(x, &(struct vl_reply){.status = status,
                                            .type = type,
                                            .body = vl_str_z(body)});
}

static inline void
reply_with(struct vl_exchange *x, int status, const char *name,
           const char *value)
{
    struct vl_reply with = {.status = status};
    vl_reply_add(&with, name, vl_str_z(value));
    vl_exchange_reply(x, &with);
}

static inline void
reply_json(struct vl_exchange *x, const char *json)
{
    reply(x, 200, "application/json", json);
}

static inline void
rig_on_close(void *ctx)
{
    (void)ctx;
    rig.closed++;
}

/* An event stream that stays open; `end` ends it. */
static inline struct vl_exchange *
stream(struct vl_exchange *x, const char *text)
{
    struct vl_reply head = {
        .status = 200, .type = "text/event-stream", .body = vl_str_z(text)};
    vl_exchange_watch(x, rig_on_close, NULL, NULL);
    vl_exchange_start(x, &head);
    assert_true(rig.open_count < SEEN_MAX);
    rig.open[rig.open_count++] = x;
    return x;
}

static inline void
end(struct vl_exchange *x)
{
    for (size_t i = 0; i < rig.open_count; i++)
        if (rig.open[i] == x)
            rig.open[i] = NULL;
    vl_exchange_finish(x);
}

/* A whole one. */
static inline void
reply_events(struct vl_exchange *x, const char *text)
{
    reply(x, 200, "text/event-stream", text);
}

/* --- the client --- */

static inline void
rig_message(struct vl_str json, struct vl_remote_call *call, void *ctx)
{
    assert_ptr_equal(ctx, &rig);
    assert_true(rig.told_count < SEEN_MAX);
    struct told *told = &rig.told[rig.told_count++];
    rig_copy(told->json, sizeof told->json, json);
    told->size = json.n;
    told->call = call;
    if (rig.on_message)
        rig.on_message(call);
}

static inline const struct vl_secret *
rig_bearer(void *ctx)
{
    (void)ctx;
    return vl_secret_is_empty(&rig.bearer) ? NULL : &rig.bearer;
}

static inline void
rig_set_bearer(const char *text)
{
    vl_secret_done(&rig.bearer);
    rig.bearer = vl_secret_of(vl_str_z(text));
}

static inline void
rig_answer_retry(void)
{
    struct vl_remote_retry *retry = rig.retry;
    valet_error err;
    rig.retry = NULL;
    if (rig.new_bearer) {
        rig_set_bearer(rig.new_bearer);
        vl_remote_retry(retry, VALET_OK, NULL);
    } else {
        (void)vl_fail(&err, VALET_DENIED, "", "nobody signed in");
        vl_remote_retry(retry, VALET_DENIED, &err);
    }
}

static inline void
rig_authorize(const struct vl_remote_refusal *refusal,
              struct vl_remote_retry *retry, void *ctx)
{
    (void)ctx;
    assert_null(rig.retry);
    assert_non_null(refusal->headers);
    rig.authorized++;
    rig.refused_with = refusal->status;
    rig_copy(rig.refused_token, sizeof rig.refused_token,
             refusal->sent ? vl_secret_reveal(refusal->sent) : VL_STR("none"));
    rig.retry = retry;
}

static inline void
rig_deaf(const valet_error *err, void *ctx)
{
    (void)ctx;
    rig.deafs++;
    rig.deaf = *err;
}

static inline void
rig_done(valet_status status, const struct vl_remote_end *ended,
         const valet_error *err, void *ctx)
{
    (void)ctx;
    rig.ends++;
    rig.status = status;
    rig.http_status = ended->http_status;
    rig.session_ended = ended->session_ended;
    rig_copy(rig.body, sizeof rig.body, ended->body);
    rig.err = *err;
    assert_true(status == VALET_OK || err->status == status);
    if (rig.on_done)
        rig.on_done();
}

static inline bool
rig_is_answered(struct vl_remote_call *call, void *ctx)
{
    (void)call;
    (void)ctx;
    return rig.is_answered;
}

static inline void
rig_left(void *ctx)
{
    (void)ctx;
    rig.left = true;
}

static inline struct vl_remote *
rig_remote(const char *path)
{
    const struct vl_remote_hooks hooks = {.message = rig_message,
                                          .bearer = rig_bearer,
                                          .authorize = rig_authorize,
                                          .deaf = rig_deaf,
                                          .ctx = &rig};
    struct vl_remote *remote = NULL;
    (void)snprintf(rig.url, sizeof rig.url, "http://127.0.0.1:%u%s", rig.port,
                   path);
    assert_ok(
        vl_remote_new(rig.loop, rig.fetcher, rig.url, &hooks, &remote, NULL));
    return remote;
}

static inline struct vl_remote_send
a_send(const char *json)
{
    return (struct vl_remote_send){
        .json = vl_str_z(json), .done = rig_done, .ctx = &rig};
}

static inline struct vl_remote_call *
send_text(const char *json)
{
    struct vl_remote_send in = a_send(json);
    return vl_remote_send(rig.remote, &in);
}

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define PONG "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"

/* PING, and its end. */
static inline void
ping(void)
{
    size_t before = rig.ends;
    (void)send_text(PING);
    assert_int_equal(rig.ends, before);
    RIG_UNTIL(rig.ends > before);
}

/* Begins the session "s1". */
static inline void
rig_begin(void)
{
    struct vl_remote_send in = a_send(PING);
    size_t before = rig.ends;
    in.begins_session = true;
    (void)vl_remote_send(rig.remote, &in);
    RIG_UNTIL(rig.ends > before);
    assert_int_equal(rig.status, VALET_OK);
}

static inline int
rig_open(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    assert_ok(vl_loop_new(&rig.loop, NULL));
    rig.pulse = vl_timer_new(rig.loop, rig_pulse, NULL);
    rig_pulse(NULL);
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    rig.site = (struct vl_http_site){rig_body_max, rig_handle, NULL};
    rig.server = vl_http_server_new(rig.loop, &rig.site, &limits);
    assert_ok(
        vl_http_server_listen(rig.server, "127.0.0.1", 0, &rig.port, NULL));
    rig.fetcher = vl_fetcher_new_small(rig.loop);
    rig.remote = rig_remote("/mcp");
    return 0;
}

static inline int
rig_close(void **state)
{
    (void)state;
    vl_remote_free(rig.remote);
    if (rig.retry)
        rig_answer_retry();
    vl_secret_done(&rig.bearer);
    vl_fetcher_free(rig.fetcher);
    vl_http_server_free(rig.server);
    for (size_t i = 0; i < rig.open_count; i++)
        if (rig.open[i])
            vl_exchange_finish(rig.open[i]);
    vl_timer_free(rig.pulse);
    vl_loop_free(rig.loop);
    return 0;
}

#define RIG_TEST(name)                                                         \
    cmocka_unit_test_setup_teardown(name, rig_open, rig_close)

#endif
