/* SPDX-License-Identifier: Apache-2.0
 *
 * What the methods mean, in both eras. One message at a time, already parsed,
 * by somebody who is known; transports are not known here, but for the headers
 * that repeat what is in the body.
 *
 *     dispatch.c       which method there is, in which era
 *     method_list.c    …/list, server/discover
 *     method_call.c    what handlers answer
 *     method_session.c what holds for a session, up to 2025-11-25
 *     method_task.c    tasks/…, from 2026-07-28 on
 *     listen.c         subscriptions/listen
 */
#ifndef VL_TALK_DISPATCH_H
#define VL_TALK_DISPATCH_H

#include "talk/call.h"

struct vl_mcp_turn {
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_session *session;       /* NULL: 2026-07-28 over HTTP */
    const struct vl_mcp_peer *peer;       /* who asks, as it says itself */
    const struct vl_principal *principal; /* of this very request */
    struct vl_mcp_post *post;
    const struct vl_headers *headers; /* 2026-07-28 over HTTP; else NULL */
};

/* Is there such a method, for this server in this revision? */
bool vl_mcp_dispatch_knows(const struct vl_mcp_server *server,
                           enum vl_mcp_version version, struct vl_str method);
/*
 * Deals with one message and uses up one hold of the post: it is answered
 * (perhaps later), or there is nothing to answer. A post that is no batch may
 * be gone afterwards.
 */
void vl_mcp_dispatch(const struct vl_mcp_turn *turn,
                     const struct vl_rpc_message *message);

/* What to agree upon with a client that sent this `initialize`. VALET_INVALID
 * when it names no version. */
valet_status
vl_mcp_dispatch_hello(const struct vl_rpc_message *message,
                      struct vl_mcp_peer *ret, valet_error *err) VALET_CHECK;
/* Writes the answer to it. */
void vl_mcp_dispatch_welcome(const struct vl_mcp_endpoint *endpoint,
                             const struct vl_rpc_message *message,
                             enum vl_mcp_version version, struct vl_buf *text);

#endif
