/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the client back in the middle of a call. The handler runs, notes its
 * questions, and runs again from its beginning when the answers are there:
 *
 *     up to 2025-11-25  each question is a request of ours on the stream of the
 *                       call; the answers come as responses, in the session of
 *                       the call and to ids that nobody can guess (@spec D9)
 *     from 2026-07-28   the call ends with "input_required", and a state that
 *                       holds what is known so far, sealed (state.h); the
 *                       client calls again and brings both (@spec HT-68)
 *
 *     ask.c       noting questions, finding answers
 *     ask_send.c  asking, and answers that come
 *     ask_read.c  what handlers read of answers
 */
#ifndef VL_TALK_ASK_H
#define VL_TALK_ASK_H

#include "core/list.h"
#include "core/principal.h"
#include "core/sys.h"
#include "mcp/rpc.h"
#include "mcp/server.h"
#include "json/schema.h"

#define VL_MCP_ASKS_MAX 16
#define VL_MCP_ASK_MAX  262144 /* one question */
#define VL_MCP_KEPT_MAX 8192
/* Up to 2025-11-25 a client that gives wrong answers is asked this often. */
#define VL_MCP_ROUNDS_MAX 32
/* A task bounds how often each question is asked; this, all of them, and a
 * handler that runs again for nothing. */
#define VL_MCP_TASK_ROUNDS_MAX 256

struct vl_mcp_call;
struct vl_mcp_endpoint;
struct vl_mcp_session;
struct vl_mcp_task;

struct vl_mcp_ask {
    char key[VL_MCP_NAME_MAX + 1];
    unsigned needs; /* one of VALET_MCP_CAN_FILL_FORM …, and VL_MCP_SAMPLES_… */
    bool is_open;              /* noted in this run */
    struct vl_buf params;      /* of the question, JSON */
    struct vl_json answer;     /* that fits; or NULL */
    struct vl_buf text;        /* the same as text */
    struct vl_json reply;      /* that came as a response, not looked at yet */
    struct vl_list in_session; /* while a response is waited for */
    struct vl_mcp_call *call;
    char id[VL_UUID_SIZE]; /* of the request that asks */
};

struct vl_mcp_talk {
    struct vl_mcp_ask asks[VL_MCP_ASKS_MAX];
    size_t count;
    size_t waiting; /* for responses */
    unsigned rounds;
    const char *trouble;      /* the handler asked what cannot be asked */
    struct vl_json state;     /* {"a":answers,"k":kept}, or NULL */
    struct vl_json responses; /* inputResponses, or NULL */
    char *kept;               /* by the run before; or NULL */
    char *keep;               /* for the next run; or NULL */
};

/*
 * Reads what a request of 2026-07-28 brings: `*ret` stays NULL when that is
 * nothing. VALET_DENIED for a state that was not given to this principal for
 * this request, or too long ago; VALET_INVALID for answers that are no object.
 */
valet_status vl_mcp_talk_read(const struct vl_mcp_call *call,
                              const struct vl_rpc_message *message,
                              struct vl_mcp_talk **ret) VALET_CHECK;
void vl_mcp_talk_free(struct vl_mcp_talk *talk); /* NULL is fine */
/* Before the handler runs again. */
void vl_mcp_talk_turn(struct vl_mcp_talk *talk);
/* What a task was answered. */
void vl_mcp_talk_take(struct vl_mcp_talk *talk, struct vl_mcp_task *task);
/* A response to a request of ours, in this session; others are dropped. */
void vl_mcp_ask_take(struct vl_mcp_session *session,
                     const struct vl_rpc_message *response);

#endif
