/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to this room: one call of ours, which is one or two of the broker's.
 * It ends by being finished; whoever asked hears of it after the turn, so that
 * they may free anything.
 */
#ifndef VL_BROKER_CALL_H
#define VL_BROKER_CALL_H

#include "broker/answer.h"
#include "broker/module.h"
#include "core/list.h"
#include "core/sys.h"

/* Whom to call back. */
union vl_broker_done {
    vl_broker_acquired *acquired;
    vl_broker_listed *listed;
    vl_broker_versioned *versioned;
};

struct vl_broker_call {
    struct vl_list node; /* of the broker's calls, or of the finished ones */
    struct vl_broker *broker;
    /* An answer has come: goes on, or finishes. */
    void (*answered)(struct vl_broker_call *call, struct vl_str text);
    /* Calls back: it failed, or what was got. */
    void (*tell)(struct vl_broker_call *call);
    union vl_broker_done done;
    void *ctx;
    struct vl_timer *timer;
    struct vl_broker_ask *ask;
    char correlation_id[VL_UUID_SIZE];
    bool is_seen; /* by the person: it has to be taken off their screen */
    bool failed;
    valet_entra_error error;
    struct vl_broker_answer answer, token_answer;

    /* What was got, and for acquiring what was wanted. */
    struct vl_arena arena;
    struct vl_broker_in in;
    struct vl_broker_list list;
    struct vl_broker_account wanted; /* of the broker's; empty: anybody */
    struct vl_broker_token token;
    struct vl_str version;
};

/* Ends after `timeout_ms` at the latest. */
struct vl_broker_call *
vl_broker_call_new(struct vl_broker *broker, int64_t timeout_ms,
                   void (*tell)(struct vl_broker_call *call),
                   union vl_broker_done done, void *ctx);
/* Calls a method; when it cannot, the call fails. */
void vl_broker_call_ask(struct vl_broker_call *call, const char *method,
                        struct vl_buf *request,
                        void (*answered)(struct vl_broker_call *call,
                                         struct vl_str text));
/* Nothing is to come any more. */
void vl_broker_call_finish(struct vl_broker_call *call);
/* With call->error filled in. */
void vl_broker_call_fail(struct vl_broker_call *call);

#endif
