/* SPDX-License-Identifier: Apache-2.0
 *
 * One message to the server, until the end of its stream.
 */
#ifndef VL_APPS_CONNECT_CALL_H
#define VL_APPS_CONNECT_CALL_H

#include "apps/connect/message.h"
#include "core/list.h"
#include "remote/remote.h"

struct vl_bridge;
struct vl_bridge_call;

/* The answer to a call: one of both. */
struct vl_bridge_answer {
    struct vl_str line; /* the server's own message; empty: there was none */
    struct vl_str result, error;
    bool is_ours; /* the server has not said it: it says nothing about it */
};

/* How a call ended that nobody has answered. */
struct vl_bridge_failure {
    valet_status status;
    int http_status;
    bool session_ended;
    struct vl_str error; /* of the body */
    const char *why;
};

struct vl_bridge_call {
    struct vl_list in_bridge;
    struct vl_bridge *bridge;
    /* As the client has it, and as the server: JSON text. NULL: it is none that
     * the client waits for; it is none that the server answers. */
    char *client_id, *id;
    char *method;
    struct vl_buf json;
    char *token;     /* of progress, JSON; or NULL */
    bool is_request; /* of the client: counted */
    bool is_modern;
    bool is_by_http_sse; /* its answer does not come on its own stream */
    bool waits;          /* for the session */
    bool waits_for_era, waits_for_tools, waits_for_listener;
    bool was_repeated;
    bool is_answered;  /* its stream has still to end */
    bool is_cancelled; /* the client waits no more */
    bool is_parked;    /* the end of its stream means nothing */
    bool is_dead;      /* it is in no list; who holds it frees it */
    unsigned holds;
    bool has_progress; /* the server's, which ours may not come after */
    bool is_listener, is_acknowledged;
    bool wants_logs, has_other_token; /* downward */
    struct vl_remote_call *remote;
    char version[32];         /* of a modern one */
    char *name;               /* Mcp-Name, or NULL */
    struct vl_json arguments; /* of a tool */
    unsigned attempts, told;
    int64_t deadline; /* 0: none */
    int64_t again_at; /* a listener is sent again then; 0: it is not */
    /* Instead of being sent, when there is a session. */
    void (*go)(struct vl_bridge_call *call);
    /* Gets the answer; NULL: the client does, as it is. */
    void (*take)(struct vl_bridge_call *call,
                 const struct vl_bridge_answer *answer);
    /* The same for those that come from 2026-07-28, when headers and era have
     * been looked after. */
    void (*pass)(struct vl_bridge_call *call,
                 const struct vl_bridge_answer *answer);
    /* There was none. True: it has been taken care of; false: `take` gets an
     * error. NULL: false. */
    bool (*fail)(struct vl_bridge_call *call,
                 const struct vl_bridge_failure *failure);
    /* A notification, or a request, on its stream. NULL: as it is. */
    void (*relay)(struct vl_bridge_call *call,
                  const struct vl_bridge_message *message);
    void *extra; /* of a translation */
    void (*extra_free)(void *extra);
};

/* In the list, not sent. `id`: text, or empty. Copied. */
struct vl_bridge_call *
vl_bridge_call_new(struct vl_bridge *bridge, struct vl_str id,
                   struct vl_str method, struct vl_str json);
/* The same for a request of the client: with its id and progress token. */
struct vl_bridge_call *
vl_bridge_call_of(struct vl_bridge *bridge,
                  const struct vl_rpc_message *message, struct vl_str json);
/* Silences and frees it. */
void vl_bridge_call_free(struct vl_bridge_call *call);
/* After `holds++`: frees it for good, if it is to be. */
void vl_bridge_call_release(struct vl_bridge_call *call);
void vl_bridge_call_send(struct vl_bridge_call *call,
                         const struct vl_header *headers, size_t count);
/* By the id that the client or the server has; NULL. */
struct vl_bridge_call *
vl_bridge_call_of_client(struct vl_bridge *bridge, struct vl_str id);
struct vl_bridge_call *
vl_bridge_call_of_server(struct vl_bridge *bridge, struct vl_str id);
/* Calls `take`; it is freed when its stream has ended. */
void vl_bridge_call_answer(struct vl_bridge_call *call,
                           const struct vl_bridge_answer *answer);
void vl_bridge_call_error(struct vl_bridge_call *call, enum vl_rpc_code code,
                          const char *why);
void vl_bridge_call_fail(struct vl_bridge_call *call,
                         const struct vl_bridge_failure *failure);
/* To the client, with its id. */
void vl_bridge_call_pass(struct vl_bridge_call *call,
                         const struct vl_bridge_answer *answer);

/* Keeps an error object in `extra`: that, or one that says `why`. */
void vl_bridge_call_keep(struct vl_bridge_call *call, struct vl_str error,
                         const char *why);
/* Reads its message once more. */
bool
vl_bridge_call_read(const struct vl_bridge_call *call, struct vl_rpc_body *body,
                    struct vl_rpc_message *ret) VALET_CHECK;
/* JSON text of a value. */
void vl_bridge_view_write(struct vl_json_view view, struct vl_buf *out);

#endif
