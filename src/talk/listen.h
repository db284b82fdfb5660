/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners: clients that want to be told what has changed
 * (subscriptions/listen, from 2026-07-28 on; @spec HT-65 HT-66 HT-67).
 */
#ifndef VL_TALK_LISTEN_H
#define VL_TALK_LISTEN_H

#include "talk/post.h"

struct vl_mcp_listened; /* private: a task that is listened to */

struct vl_mcp_listener {
    struct vl_list in_endpoint;
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_session *session; /* stdio: that of the client; or NULL */
    struct vl_mcp_post *post;
    struct vl_principal principal;
    struct vl_buf id;              /* of the request: JSON */
    bool wants[VL_MCP_SORT_COUNT]; /* that these lists have changed */
    struct vl_map uris;            /* and these resources */
    struct vl_mcp_listened *tasks; /* and these tasks */
    size_t task_count;
    int64_t began_ms;
};

/* Did this request of stdio begin one? */
bool
vl_mcp_listen_has(const struct vl_mcp_session *session, struct vl_rpc_id id);
/* @spec ST-08: ends the one that this request of stdio began, if any. */
void
vl_mcp_listen_cancel(const struct vl_mcp_session *session, struct vl_rpc_id id);
/* Once a second: ends whose token has expired (@spec D18), keeps the
 * connections of the others alive. */
void vl_mcp_listeners_tend(struct vl_mcp_endpoint *endpoint);
/* Ends those of a token family, or with NULL all, telling them. */
void vl_mcp_listeners_end(struct vl_mcp_endpoint *endpoint, const char *family);

/* --- for tell.c --- */

/* The member "_meta" of what it is told: by which request it listens. */
void vl_mcp_listener_write_meta(struct vl_json_out *out,
                                const struct vl_mcp_listener *listener);
/* It is gone afterwards if it does not read. */
void vl_mcp_listener_send(struct vl_mcp_listener *listener, struct vl_str json);

#endif
