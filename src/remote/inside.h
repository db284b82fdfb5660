/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to remote/:
 *
 *   remote.c    the server: its session, its revision; hold and leave
 *   ask.c       one request until its answer: tokens, and another try
 *   call.c      one message, its answer, and how that is taken up again
 *   listen.c    the stream on which the server speaks unasked
 *   http_sse.c  the older transport
 *   answer.c    bytes of an answer become messages
 *   judge.c     what a status and its headers mean
 */
#ifndef VL_REMOTE_INSIDE_H
#define VL_REMOTE_INSIDE_H

#include "core/list.h"
#include "core/status.h"
#include "http/url.h"
#include "remote/answer.h"
#include "remote/remote.h"

/* Messages that were sent and have not ended: an agent has a handful; whoever
 * sends them counts more strictly. */
#define VL_REMOTE_CALLS_MAX 2048
/* A tool may work for long before it says anything, and a server need not say
 * that it has begun: how long is waited is for the asking client to say. */
#define VL_REMOTE_HEAD_MS 86400000
/* What is said besides a refusal is there at once, or not needed. */
#define VL_REMOTE_BODY_MS  10000
#define VL_REMOTE_BODY_MAX 262144
/* Visible ASCII; real ones have 36 to 64 bytes. */
#define VL_REMOTE_SESSION_MAX 1024

/* A server that is started anew, or a network after a sleep, needs a while. */
#define VL_REMOTE_RESUMES_MS 30000

struct vl_listening;
struct vl_http_sse;
struct vl_leaving;

struct vl_remote {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_remote_hooks hooks;
    char *url;
    struct vl_url parsed; /* slices of `url` */
    const char *version;  /* NULL: none is known */
    struct vl_secret session;
    unsigned session_number; /* another one for each session; 0: none yet */
    bool session_is_good;    /* something was answered in it */
    bool is_held;
    struct vl_list asks, calls;
    size_t call_count;
    int64_t resumes_ms;             /* another for tests */
    struct vl_listening *listening; /* NULL: nobody listens */
    struct vl_http_sse *http_sse;   /* NULL: it is Streamable HTTP */
    struct vl_leaving *leaving;
};

/* --- remote.c --- */

/* The session that begins with this answer. VALET_INTERNAL: it cannot be one.
 */
valet_status vl_remote_begin_session(struct vl_remote *remote,
                                     const struct vl_headers *headers,
                                     valet_error *err) VALET_CHECK;

/* --- ask.c --- */

/* All borrowed until its head is there, or its end. */
struct vl_ask_in {
    const char *method, *url, *accept;
    struct vl_str json;
    const struct vl_header *more;
    size_t more_count;
    const char *version;       /* NULL: none is sent */
    struct vl_str resume_from; /* Last-Event-ID; empty: none */
    bool has_session;          /* that of now is sent, if there is one */
    bool is_message;           /* tried again if it cannot have been taken */
    int64_t head_ms;           /* of each attempt; 0: VL_REMOTE_HEAD_MS */
};

struct vl_ask_end {
    int http_status; /* 0: there was no answer */
    bool session_ended;
    struct vl_str body;     /* of a status that is no 2xx, as it came */
    int64_t retry_after_ms; /* -1: it did not say */
};

struct vl_ask_events {
    /* It is a 2xx. */
    void (*head)(int status, const struct vl_headers *headers, void *ctx);
    void (*piece)(struct vl_str bytes, void *ctx);
    /* With VALET_OK after a 2xx, else as of vl_remote_done. */
    void (*end)(valet_status status, const struct vl_ask_end *end,
                const valet_error *err, void *ctx);
};

struct vl_ask;
struct vl_ask *
vl_ask_start(struct vl_remote *remote, const struct vl_ask_in *in,
             const struct vl_ask_events *events, void *ctx);
void vl_ask_abort(struct vl_ask **ask); /* NULL is fine */
/* All of them, as remote->is_held says. */
void vl_asks_hold(struct vl_remote *remote);

/* GET of an event stream. */
struct vl_ask_get {
    const char *version;
    struct vl_str resume_from;
    int64_t head_ms;
    bool is_without_session;
};
struct vl_ask *
vl_ask_stream(struct vl_remote *remote, const struct vl_ask_get *get,
              const struct vl_ask_events *events, void *ctx);

/* --- judge.c --- */

/* Is it a refusal that another token may change? */
bool vl_refusal_wants_token(int status, const struct vl_headers *headers);
/* What this status means to whoever asked; not of a 2xx. */
valet_status
vl_judge_status(const struct vl_remote *remote, int status,
                const struct vl_headers *headers, valet_error *err);
/* May this 404, or 400, mean that the session is no more? */
bool vl_is_end_of_session(int status, bool was_good, struct vl_str body);
/* How long to wait before a stream is taken up again, the `tries`th time (from
 * 0 on) without an event in between. */
int64_t vl_resume_delay(int64_t retry_ms, unsigned tries);

/* --- call.c, listen.c, http_sse.c --- */

/* That of remote->calls. */
struct vl_remote_call *vl_remote_call_of(struct vl_list *node);

void vl_listening_free(struct vl_listening *listening); /* NULL is fine */
void vl_http_sse_free(struct vl_http_sse *http_sse);    /* NULL is fine */
/* Where messages go; NULL: nowhere, there is no stream. */
const char *vl_http_sse_endpoint(const struct vl_http_sse *http_sse);

#endif
