/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this translation share:
 *
 *     downward.c         requests, their results, the session
 *     downward_ask.c     what the server asks becomes results that ask
 *     downward_listen.c  what it tells unasked goes to who listens
 */
#ifndef VL_APPS_CONNECT_DOWNWARD_H
#define VL_APPS_CONNECT_DOWNWARD_H

#include "apps/connect/inside.h"

struct vl_bridge_downward {
    struct vl_json welcome;   /* the result of initialize; NULL: not yet */
    struct vl_json abilities; /* of the client, as it said them first */
    char *log_level;          /* that the server was told, JSON; or NULL */
};

/* --- for the other files of the bridge --- */

/* The server is of the older era: a request of the client. */
void vl_bridge_downward_take(struct vl_bridge *bridge,
                             const struct vl_rpc_message *message,
                             struct vl_str json);
/* The same for one that was sent, and refused; its error is kept. */
void vl_bridge_downward_redo(struct vl_bridge_call *call);
/* The session has begun, with this result of initialize. */
void vl_bridge_downward_opened(struct vl_bridge *bridge, struct vl_str result);
/* It has not; true: the older transport is tried. */
bool vl_bridge_downward_refused(struct vl_bridge *bridge,
                                const struct vl_bridge_failure *failure);
/* A notification or request of the server; `call`: on whose answer. */
void
vl_bridge_downward_relay(struct vl_bridge *bridge, struct vl_bridge_call *call,
                         const struct vl_bridge_message *message);
/* The client waits no more. */
void vl_bridge_downward_cancel(struct vl_bridge_call *call);
void vl_bridge_downward_free(struct vl_bridge_downward *down);

/* --- downward.c --- */

/* To the client: a result for the id that the call has there. */
void vl_downward_result(struct vl_bridge_call *call, struct vl_str result);
/* An answer to a request of the server: a result, or NULL: it is refused. */
void vl_downward_reply(struct vl_bridge *bridge, const char *id,
                       struct vl_str result);

/* --- downward_ask.c --- */

/* A request of the server; `call`: on whose answer, or NULL. */
void vl_downward_question(struct vl_bridge *bridge, struct vl_bridge_call *call,
                          const struct vl_bridge_message *message);
/* A call whose server waits for an answer: it is not the client's any more
 * until that comes. Keeps an answer of the server's until then. */
bool vl_downward_keeps(struct vl_bridge_call *call,
                       const struct vl_bridge_answer *answer);
/* URLElicitationRequired of 2025-11-25: the call is over, and may be made again
 * when a person has been there. */
#define VL_DOWNWARD_GO_FIRST (-32042)

/* An error that sends a person to a web page first becomes a result that asks.
 * False: it is another one, or the client cannot do that. */
bool vl_downward_send_away(struct vl_bridge_call *call, struct vl_str error);
/* A request of the client that answers a question. False: it is no such. */
bool vl_downward_answer(struct vl_bridge *bridge,
                        const struct vl_rpc_message *message);

/* --- downward_listen.c --- */

void
vl_downward_listen(struct vl_bridge *bridge,
                   const struct vl_rpc_message *message, struct vl_str json);
/* To all that listen for it. */
void vl_downward_announce(struct vl_bridge *bridge,
                          const struct vl_bridge_message *message);
/* The session is another: what was watched is watched again. */
void vl_downward_listen_again(struct vl_bridge *bridge);
void vl_downward_unlisten(struct vl_bridge_call *call);

#endif
