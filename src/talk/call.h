/* SPDX-License-Identifier: Apache-2.0
 *
 * One request at work in a handler: tools/call, prompts/get, resources/read or
 * completion/complete. While the handler has it, it belongs to the handler;
 * between two runs (ask.h) it is ours. That it was cancelled, that its session
 * ended or that the client hung up only means that nobody waits for the result
 * any more (@spec HT-20: up to 2025-11-25 a lost connection alone does not even
 * cancel).
 *
 *     call.c       its life, on the server's thread
 *     call_new.c   what it is made of
 *     call_read.c  what handlers ask of it, on any thread
 *     call_api.c   what they tell and answer, likewise
 *     ask.h        asking the client back
 */
#ifndef VL_TALK_CALL_H
#define VL_TALK_CALL_H

#include <stdatomic.h>

#include "core/arena.h"
#include "io/pool.h"
#include "mcp/busy.h"
#include "mcp/task.h"
#include "talk/ask.h"
#include "talk/post.h"

/* An argument text after it was written anew. */
#define VL_MCP_ARGUMENTS_MAX (8 * 1024 * 1024)
/* Addresses with a scope id fit. */
#define VL_MCP_PEER_SIZE 64

struct vl_mcp_variable {
    const char *name, *value;
};

struct vl_mcp_call {
    struct vl_list in_session, in_endpoint;
    struct vl_mcp_endpoint *endpoint; /* NULL: it has been freed */
    struct vl_mcp_gate *gate;         /* held */
    struct vl_mcp_session *session;   /* NULL: none, or it has ended */
    struct vl_mcp_post *post;         /* NULL: nobody waits */
    struct vl_mcp_busy *busy;
    struct vl_mcp_item *item; /* held */
    bool completes;           /* its `complete` runs, not its `handle` */
    bool is_waiting;          /* between two runs */
    struct vl_mcp_peer peer;
    struct vl_principal principal;
    char correlation[VL_UUID_SIZE]; /* or empty */
    char address[VL_MCP_PEER_SIZE];
    struct vl_arena arena;
    struct vl_json params;    /* a share of them, once they are needed; or */
    struct vl_str text;       /* what they are made of */
    struct vl_json arguments; /* the same of these; or */
    struct vl_str arguments_text; /* of that text */
    struct vl_str id;             /* JSON */
    struct vl_str token;          /* of progress: JSON, or empty */
    struct vl_buf asked;          /* the arguments as JSON, once asked for */
    struct vl_mcp_variable variables[VL_URI_TEMPLATE_VARIABLES];
    size_t variable_count;    /* of a template */
    struct vl_mcp_task *task; /* NULL: it is none (any more) */
    struct vl_mcp_talk *talk; /* NULL: nothing was asked, or is known */
    struct vl_job job;        /* for its thread */
    int64_t started;          /* vl_mono_now() */
    double progress;
    atomic_bool cancelled;
    void (*on_cancel)(struct vl_mcp_call *call, void *ctx);
    void *cancel_ctx;
    void (*on_lost)(void *ctx);
    void *lost_ctx;
};

/*
 * For what a handler keeps of a call on its own account, on the server's
 * thread, before valet_mcp_await(): `lost` is called, once, if the call ends
 * while it waits, so that its handler will not run again. From 2026-07-28 on
 * it never is: nobody knows whether a client will come again.
 */
void vl_mcp_call_on_lost(struct vl_mcp_call *call, void (*lost)(void *ctx),
                         void *ctx);

/* What a call is made of; all borrowed. */
struct vl_mcp_call_order {
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_session *session; /* or NULL */
    struct vl_mcp_post *post;       /* the call takes over one hold of it */
    struct vl_mcp_item *item;
    bool completes;
    const struct vl_mcp_peer *peer;
    const struct vl_principal *principal;
    const struct vl_rpc_message *message;
};

/*
 * VALET_RETRY when the person has too many calls at work, VALET_DENIED when
 * the request brings a state that is not for it: then nothing has happened and
 * the hold is still the caller's. Otherwise the handler runs, and may have
 * finished (and the exchange be answered) when this returns.
 */
valet_status
vl_mcp_call_start(const struct vl_mcp_call_order *order) VALET_CHECK;
/* One at work with this id, or NULL. */
struct vl_mcp_call *
vl_mcp_call_find(const struct vl_mcp_session *session, struct vl_rpc_id id);

enum vl_mcp_cancel {
    VL_MCP_CANCEL_BY_CLIENT,
    VL_MCP_CANCEL_SESSION_ENDED,
    VL_MCP_CANCEL_TOO_LATE,
    VL_MCP_CANCEL_CLOSING,
};
/* Answers whoever waits and tells the handler, which may finish it at once; one
 * between two runs is gone. */
void vl_mcp_call_cancel(struct vl_mcp_call *call, enum vl_mcp_cancel why);
/* Keeps the connections of all calls at work alive, and cancels those of
 * clients that have left. */
void vl_mcp_calls_tend(struct vl_mcp_endpoint *endpoint);
/* Gives up what was started before this moment of vl_mono_now(). */
void vl_mcp_call_sweep(struct vl_mcp_endpoint *endpoint, int64_t before);
/* Cancels all of a session that ends. */
void vl_mcp_call_leave_session(struct vl_mcp_session *session);
/* Cancels those without a session whose token is of this family. */
void
vl_mcp_call_leave_family(struct vl_mcp_endpoint *endpoint, const char *family);
/* Cancels all of an endpoint that is freed, and lets go of it. */
void vl_mcp_call_leave_endpoint(struct vl_mcp_endpoint *endpoint);

/* --- call_new.c --- */

/* In no list yet. */
struct vl_mcp_call *vl_mcp_call_new(const struct vl_mcp_call_order *order);
/* One that is in none any more. */
void vl_mcp_call_free(struct vl_mcp_call *call);
/* What an endpoint kept of calls that have ended. */
void vl_mcp_calls_done(struct vl_mcp_endpoint *endpoint);
/* The id that it has in the audit, made when it is first needed. */
const char *vl_mcp_call_correlation(const struct vl_mcp_call *call);
/* Whatever a handler does with it, on the server's thread. That it does so
 * after it has finished it is asserted, as far as that can be seen: another's
 * call may have taken its place one day. */
void
vl_mcp_call_do(struct vl_mcp_call *call, void (*run)(void *ctx), void *ctx);
/* What it was asked with. */
const struct json_t *vl_mcp_call_params(const struct vl_mcp_call *call);
const struct json_t *vl_mcp_call_arguments(const struct vl_mcp_call *call);

/* --- for call_api.c, ask.c and ask_send.c, on the server's thread --- */

/* Lets the handler have it (again). */
void vl_mcp_call_run(struct vl_mcp_call *call);
/* Frees it; `reason`, or NULL, is for the audit. */
void vl_mcp_call_end(struct vl_mcp_call *call, bool failed, const char *reason);
/* Ends it with the error that `add` writes, under this HTTP status. */
void vl_mcp_call_end_error(struct vl_mcp_call *call, int status,
                           enum vl_rpc_code code, const char *message,
                           struct vl_str data);
/* Ends it with something that the model gets to read, where there is one. */
void vl_mcp_call_end_refused(struct vl_mcp_call *call, const char *why);
/* Gives the client a task, if it can wait for one; VALET_LIMIT when there are
 * too many. */
valet_status
vl_mcp_call_begin_task(struct vl_mcp_call *call, valet_error *err) VALET_CHECK;
/* What a task tells its call: all that was asked is answered; it is over. */
void vl_mcp_call_answered(struct vl_mcp_task *task);
void vl_mcp_call_let_go(void *call);
/* The method that it answers. */
const char *vl_mcp_call_method(const struct vl_mcp_call *call);

#endif
