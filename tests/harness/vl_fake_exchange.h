/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchanges without sockets: this file defines the functions of http/server.h
 * that answer them, so a test that includes it (one file of a program) links
 * no HTTP server. As with the real one, an exchange is gone with its answer:
 * its memory is freed, so that a late look at it is seen by the sanitizer. An
 * exchange must be answered exactly once.
 */
#ifndef VL_FAKE_EXCHANGE_H
#define VL_FAKE_EXCHANGE_H

#include "core/buf.h"
#include "core/limits.h"
#include "http/server.h"

/* What the peer got; lives as long as the test wants. */
struct fake_answer {
    int status; /* 0: none yet */
    bool streaming, finished;
    bool full;      /* set by the test: writes say "stop" */
    size_t waiting; /* set by the test: bytes the peer has not read */
    struct {
        char name[40], value[80];
    } headers[12];
    size_t header_count;
    struct vl_buf body;
    struct vl_exchange *x; /* NULL once it is answered */
};

struct vl_exchange {
    struct vl_http_request request;
    struct vl_arena arena;
    struct vl_buf body;
    struct fake_answer *answer;
    bool closed, left;
    void (*on_close)(void *ctx);
    void (*on_drain)(void *ctx);
    void *ctx;
};

/* `headers` is a list of names and values that ends in NULL. */
static inline struct vl_exchange *
fake_exchange(struct fake_answer *answer, const char *method,
              const char *const *headers, struct vl_str body)
{
    struct vl_exchange *x = vl_alloc(sizeof *x);
    *answer = (struct fake_answer){.body = vl_buf_of(1 << 24), .x = x};
    x->arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    x->body = vl_buf_of(1 << 24);
    vl_buf_add(&x->body, body);
    x->answer = answer;
    x->request.method = vl_str_z(method);
    x->request.target = x->request.path = VL_STR("/mcp");
    x->request.body = vl_buf_str(&x->body);
    x->request.peer = "192.0.2.7";
    for (; headers && headers[0]; headers += 2)
        (void)vl_headers_add(&x->request.headers, vl_str_z(headers[0]),
                             vl_str_z(headers[1]));
    return x;
}

static inline void
fake_answer_done(struct fake_answer *answer)
{
    vl_buf_done(&answer->body);
}

static inline const char *
fake_header(const struct fake_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (strcmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

/* The peer hangs up. */
static inline void
fake_hang_up(struct fake_answer *answer)
{
    answer->x->closed = true;
    if (answer->x->on_close)
        answer->x->on_close(answer->x->ctx);
}

/* It closes its direction: nobody is told. */
static inline void
fake_leave(struct fake_answer *answer)
{
    answer->x->left = true;
}

/* What waited has been read by the peer. */
static inline void
fake_drain(struct fake_answer *answer)
{
    answer->full = false;
    if (answer->x && answer->x->on_drain)
        answer->x->on_drain(answer->x->ctx);
}

static inline void
fake_take_head(struct vl_exchange *x, const struct vl_reply *reply)
{
    struct fake_answer *answer = x->answer;
    VL_ASSERT(answer->status == 0 && reply->status >= 200);
    answer->status = reply->status;
    for (size_t i = 0; i < reply->header_count; i++) {
        VL_ASSERT(reply->headers[i].value.n < sizeof answer->headers[i].value);
        (void)snprintf(answer->headers[i].name, sizeof answer->headers[i].name,
                       VL_STR_FMT, VL_STR_ARG(reply->headers[i].name));
        (void)snprintf(answer->headers[i].value,
                       sizeof answer->headers[i].value, VL_STR_FMT,
                       VL_STR_ARG(reply->headers[i].value));
    }
    answer->header_count = reply->header_count;
    if (reply->type) {
        size_t at = answer->header_count++;
        (void)snprintf(answer->headers[at].name,
                       sizeof answer->headers[at].name, "Content-Type");
        (void)snprintf(answer->headers[at].value,
                       sizeof answer->headers[at].value, "%s", reply->type);
    }
    vl_buf_add(&answer->body, reply->body);
}

static inline void
fake_free(struct vl_exchange *x)
{
    x->answer->finished = true;
    x->answer->x = NULL;
    vl_arena_done(&x->arena);
    vl_buf_done(&x->body);
    free(x);
}

const struct vl_http_request *
vl_exchange_request(const struct vl_exchange *x)
{
    return &x->request;
}

struct vl_arena *
vl_exchange_arena(struct vl_exchange *x)
{
    return &x->arena;
}

const char *
vl_exchange_peer(const struct vl_exchange *x)
{
    return x->request.peer;
}

/* What was forgotten is gone, for the sanitizer to see. */
void
vl_exchange_forget_request(struct vl_exchange *x)
{
    VL_ASSERT(x->answer->streaming);
    vl_arena_done(&x->arena);
    vl_buf_done(&x->body);
    x->request.headers.count = 0;
}

size_t
vl_exchange_waiting(const struct vl_exchange *x)
{
    return x->answer->waiting;
}

void
vl_reply_add(struct vl_reply *reply, const char *name, struct vl_str value)
{
    VL_ASSERT(reply->header_count < VL_COUNT(reply->headers) - 1);
    reply->headers[reply->header_count++] =
        (struct vl_header){vl_str_z(name), value};
}

void
vl_exchange_reply(struct vl_exchange *x, const struct vl_reply *reply)
{
    fake_take_head(x, reply);
    fake_free(x);
}

void
vl_exchange_start(struct vl_exchange *x, const struct vl_reply *reply)
{
    fake_take_head(x, reply);
    x->answer->streaming = true;
}

bool
vl_exchange_write(struct vl_exchange *x, struct vl_str bytes)
{
    VL_ASSERT(x->answer->streaming);
    vl_buf_add(&x->answer->body, bytes);
    return !x->answer->full;
}

void
vl_exchange_finish(struct vl_exchange *x)
{
    VL_ASSERT(x->answer->streaming);
    fake_free(x);
}

bool
vl_exchange_is_closed(const struct vl_exchange *x)
{
    return x->closed;
}

bool
vl_exchange_is_left(const struct vl_exchange *x)
{
    return x->closed || x->left;
}

void
vl_exchange_watch(struct vl_exchange *x, void (*on_close)(void *ctx),
                  void (*on_drain)(void *ctx), void *ctx)
{
    x->on_close = on_close;
    x->on_drain = on_drain;
    x->ctx = ctx;
}

#endif
