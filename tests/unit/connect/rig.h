/* SPDX-License-Identifier: Apache-2.0
 *
 * A bridge between a client and a server that are the test itself: this file
 * stands in for io/lines and for remote/.
 */
#ifndef VL_TEST_CONNECT_RIG_H
#define VL_TEST_CONNECT_RIG_H

#include "apps/connect/bridge.h"
#include "core/status.h"
#include "core/sys.h"
#include "io/lines.h"
#include "vl_test.h"

#include <stdio.h>
#include <stdlib.h>

#define RIG_SENT_MAX 1024

struct vl_lines {
    struct vl_lines_hooks hooks;
    struct vl_buf out;
    size_t seen, waiting;
};

/* A message to the server. */
struct vl_remote_call {
    struct vl_buf json, headers;
    char version[64];
    bool begins_session, is_stateless, is_gone;
    struct vl_remote_send send;
};

struct vl_remote {
    struct vl_remote_hooks hooks;
    struct vl_remote_call sent[RIG_SENT_MAX];
    size_t count, seen;
    char version[64];
    bool has_session, is_http_sse, is_held, is_listening;
    vl_remote_done *http_sse_done;
    void *http_sse_ctx;
};

static struct vl_lines *the_lines;
static struct vl_remote *the_remote;
static struct vl_loop *the_loop;
static struct vl_bridge *the_bridge;
static size_t ends, notes;
static int64_t timeout_ms; /* of the next bridge */

/* --- in place of io/lines --- */

valet_status
vl_lines_new(struct vl_loop *loop, int in, int out, size_t line_max,
             const struct vl_lines_hooks *hooks, struct vl_lines **ret,
             valet_error *err)
{
    (void)loop, (void)in, (void)out, (void)line_max, (void)err;
    the_lines = vl_alloc(sizeof *the_lines);
    the_lines->hooks = *hooks;
    the_lines->out = vl_buf_of(1 << 26);
    *ret = the_lines;
    return VALET_OK;
}

bool
vl_lines_write(struct vl_lines *lines, struct vl_str line)
{
    assert_true(line.n && !vl_str_has(line, '\n'));
    vl_buf_add(&lines->out, line);
    vl_buf_addc(&lines->out, '\n');
    return !lines->waiting;
}

size_t
vl_lines_waiting(const struct vl_lines *lines)
{
    return lines->waiting;
}

void
vl_lines_finish(struct vl_lines *lines, int64_t ms,
                void (*done)(bool all, void *ctx), void *ctx)
{
    (void)lines, (void)ms;
    done(true, ctx);
}

void
vl_lines_free(struct vl_lines *lines)
{
    if (!lines)
        return;
    vl_buf_done(&lines->out);
    free(lines);
    the_lines = NULL;
}

/* --- in place of remote/ --- */

valet_status
vl_remote_new(struct vl_loop *loop, struct vl_fetcher *fetcher, const char *url,
              const struct vl_remote_hooks *hooks, struct vl_remote **ret,
              valet_error *err)
{
    (void)loop, (void)fetcher, (void)url, (void)err;
    the_remote = vl_alloc(sizeof *the_remote);
    the_remote->hooks = *hooks;
    *ret = the_remote;
    return VALET_OK;
}

void
vl_remote_free(struct vl_remote *remote)
{
    for (size_t i = 0; remote && i < remote->count; i++) {
        assert_true(remote->sent[i].is_gone);
        vl_buf_done(&remote->sent[i].json);
        vl_buf_done(&remote->sent[i].headers);
    }
    free(remote);
    the_remote = NULL;
}

struct vl_remote_call *
vl_remote_send(struct vl_remote *remote, const struct vl_remote_send *send)
{
    assert_true(remote->count < RIG_SENT_MAX);
    struct vl_remote_call *call = &remote->sent[remote->count++];
    call->json = vl_buf_of(1 << 25);
    call->headers = vl_buf_of(1 << 20);
    call->send = *send;
    vl_buf_add(&call->json, send->json);
    for (size_t i = 0; i < send->header_count; i++) {
        vl_buf_add(&call->headers, send->headers[i].name);
        vl_buf_addc(&call->headers, ':');
        vl_buf_add(&call->headers, send->headers[i].value);
        vl_buf_addc(&call->headers, ';');
    }
    (void)snprintf(call->version, sizeof call->version, "%s",
                   send->version ? send->version : "");
    return call;
}

void
vl_remote_call_abort(struct vl_remote_call **call)
{
    if (*call)
        (*call)->is_gone = true;
    *call = NULL;
}

void *
vl_remote_call_ctx(const struct vl_remote_call *call)
{
    return call->send.ctx;
}

void
vl_remote_set_version(struct vl_remote *remote, const char *version)
{
    (void)snprintf(remote->version, sizeof remote->version, "%s", version);
}

bool
vl_remote_has_session(const struct vl_remote *remote)
{
    return remote->has_session;
}

void
vl_remote_forget_session(struct vl_remote *remote)
{
    remote->has_session = false;
}

void
vl_remote_listen(struct vl_remote *remote)
{
    remote->is_listening = true;
}

void
vl_remote_use_http_sse(struct vl_remote *remote, vl_remote_done *done,
                       void *ctx)
{
    remote->is_http_sse = true;
    remote->http_sse_done = done;
    remote->http_sse_ctx = ctx;
}

bool
vl_remote_is_http_sse(const struct vl_remote *remote)
{
    return remote->is_http_sse;
}

void
vl_remote_leave(struct vl_remote *remote, int64_t ms, void (*done)(void *ctx),
                void *ctx)
{
    (void)remote, (void)ms;
    done(ctx);
}

void
vl_remote_hold(struct vl_remote *remote, bool is_held)
{
    remote->is_held = is_held;
}

/* --- the rig --- */

static void
rig_on_end(void *ctx)
{
    (void)ctx;
    ends++;
}

static void
rig_note(const char *text, void *ctx)
{
    (void)text, (void)ctx;
    notes++;
}

static inline int
rig_begin(void **state)
{
    (void)state;
    const struct vl_bridge_config config = {.url = "https://mcp.example/mcp",
                                            .on_end = rig_on_end,
                                            .note = rig_note};
    struct vl_bridge_config with_loop = config;
    ends = notes = 0;
    with_loop.timeout_ms = timeout_ms;
    assert_ok(vl_loop_new(&the_loop, NULL));
    with_loop.loop = the_loop;
    assert_ok(vl_bridge_new(&with_loop, &the_bridge, NULL));
    return 0;
}

static inline int
rig_end(void **state)
{
    (void)state;
    vl_bridge_free(the_bridge);
    vl_loop_free(the_loop);
    return 0;
}

static inline void
client_says(const char *text)
{
    struct vl_str line = vl_test_guarded(vl_str_z(text));
    the_lines->hooks.line(line, the_lines->hooks.ctx);
    vl_test_unguard(line);
}

/* The next line that the client gets. */
static inline void
client_gets(const char *text)
{
    struct vl_str rest =
        vl_str_from(vl_buf_str(&the_lines->out), the_lines->seen);
    struct vl_str line = vl_str_head(rest, vl_str_index(rest, '\n'));
    if (!vl_str_eqz(line, text))
        fail_msg("the client gets %.*s\n and not %s", (int)line.n,
                 line.p ? line.p : "", text);
    the_lines->seen += line.n + 1;
}

static inline void
client_gets_nothing(void)
{
    struct vl_str rest =
        vl_str_from(vl_buf_str(&the_lines->out), the_lines->seen);
    if (rest.n)
        fail_msg("the client gets %.*s", (int)rest.n, rest.p);
}

/* The next message that the server gets; its number. */
static inline size_t
server_gets(const char *text)
{
    if (the_remote->seen == the_remote->count)
        fail_msg("the server gets nothing, and not %s", text);
    struct vl_remote_call *call = &the_remote->sent[the_remote->seen];
    if (!vl_str_eqz(vl_buf_str(&call->json), text))
        fail_msg("the server gets %s\n and not %s", vl_buf_cstr(&call->json),
                 text);
    return the_remote->seen++;
}

static inline void
server_gets_nothing(void)
{
    if (the_remote->seen != the_remote->count)
        fail_msg("the server gets %s",
                 vl_buf_cstr(&the_remote->sent[the_remote->seen].json));
}

static inline const char *
headers_of(size_t number)
{
    return vl_buf_cstr(&the_remote->sent[number].headers);
}

/* The next message of the server's side, after at most so long. */
static inline void
server_waits(int64_t ms)
{
    int64_t until = vl_mono_now() + ms;
    while (the_remote->seen == the_remote->count && vl_mono_now() < until)
        vl_loop_step(the_loop);
}

static inline void
server_is_deaf(valet_status status)
{
    valet_error err = {.status = status};
    (void)snprintf(err.message, sizeof err.message, "the stream is lost");
    the_remote->hooks.deaf(&err, the_remote->hooks.ctx);
}

/* On the answer to a message; or unasked. */
static inline void
server_says(size_t number, const char *json)
{
    struct vl_str line = vl_test_guarded(vl_str_z(json));
    assert_false(the_remote->sent[number].is_gone);
    the_remote->hooks.message(line, &the_remote->sent[number],
                              the_remote->hooks.ctx);
    vl_test_unguard(line);
}

static inline void
server_tells(const char *json)
{
    struct vl_str line = vl_test_guarded(vl_str_z(json));
    the_remote->hooks.message(line, NULL, the_remote->hooks.ctx);
    vl_test_unguard(line);
}

static inline void
server_ends_with(size_t number, valet_status status,
                 const struct vl_remote_end *end, const char *why)
{
    struct vl_remote_call *call = &the_remote->sent[number];
    valet_error err = {.status = status};
    (void)snprintf(err.message, sizeof err.message, "%s", why);
    assert_false(call->is_gone);
    call->is_gone = true;
    call->send.done(status, end, &err, call->send.ctx);
}

/* All of it came. */
static inline void
server_ends(size_t number)
{
    server_ends_with(number, VALET_OK,
                     &(struct vl_remote_end){.http_status = 200}, "");
}

static inline void
server_refuses(size_t number, int http_status, const char *body)
{
    server_ends_with(number,
                     http_status == 404   ? VALET_NOT_FOUND
                     : http_status >= 500 ? VALET_RETRY
                                          : VALET_INVALID,
                     &(struct vl_remote_end){.http_status = http_status,
                                             .body = vl_str_z(body)},
                     "the server refuses it");
}

static inline void
server_answers(size_t number, const char *json)
{
    server_says(number, json);
    server_ends(number);
}

#endif
