/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this translation share:
 *
 *     upward.c        requests, listening, hello
 *     upward_round.c  results that ask back
 */
#ifndef VL_APPS_CONNECT_UPWARD_H
#define VL_APPS_CONNECT_UPWARD_H

#include "apps/connect/inside.h"

struct vl_bridge_upward {
    struct vl_json capabilities; /* of the server */
    struct vl_buf meta;          /* members of _meta, without the brackets */
    char *log_level;             /* JSON, or NULL: none was wanted */
    struct vl_map uris;          /* resources that are watched */
    struct vl_bridge_call *listener;
    struct vl_bridge_call *fading; /* the one before, until it has begun */
    struct vl_list rounds; /* calls that wait for the client's answers */
};

/* --- for the other files of the bridge --- */

/* The server is of 2026-07-28 alone, as this result of server/discover says;
 * bridge->greeting is answered, if there is one, and from now on all goes
 * another way. */
void vl_bridge_upward_start(struct vl_bridge *bridge, struct vl_str discovered);
/* What each request says about the client of bridge->hello: the value of
 * _meta. */
void vl_bridge_upward_meta(struct vl_bridge *bridge, struct vl_buf *ret);
void vl_bridge_upward_begin(struct vl_bridge *bridge);
void vl_bridge_upward_take(struct vl_bridge *bridge,
                           const struct vl_rpc_message *message);
/* The same for requests that have waited for the era of the server. */
void vl_bridge_upward_take_waiting(struct vl_bridge *bridge);
/* A listener has been acknowledged. */
void vl_bridge_upward_heard(struct vl_bridge_call *call);
/* It has not yet, and will be tried again. */
void vl_bridge_upward_missed(struct vl_bridge_call *call);
/* An answer of the client to a question. */
void vl_bridge_upward_respond(struct vl_bridge *bridge, struct vl_str json);
/* The client, or the server, begins in another way: what is under way gets
 * errors. It need not be there. */
void vl_bridge_upward_end(struct vl_bridge *bridge);
void vl_bridge_upward_free(struct vl_bridge_upward *up);

/* --- among themselves --- */

/* A request for the server. `more`: further members of its params, JSON. */
void vl_upward_write(struct vl_bridge *bridge, const char *id,
                     const char *method, const struct json_t *params,
                     struct vl_str more, struct vl_buf *ret);
/* Keeps its params, for another round. */
void vl_upward_keep(struct vl_bridge_call *call, const struct json_t *params);
/* The result wants something of the client: it is asked, and the call goes on
 * with what it says. False: it wants nothing. */
bool vl_upward_ask(struct vl_bridge_call *call, struct vl_str result);

#endif
