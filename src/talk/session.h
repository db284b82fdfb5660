/* SPDX-License-Identifier: Apache-2.0
 *
 * The sessions of one endpoint. A session is no login: it is found by its id
 * *and* its owner, who is known from the token of the very request (@spec
 * SB-21 SB-23). The table is bounded; clients that never say good-bye lose
 * their oldest idle sessions, nobody else's.
 */
#ifndef VL_TALK_SESSION_H
#define VL_TALK_SESSION_H

#include "core/list.h"
#include "core/map.h"
#include "core/principal.h"
#include "core/sys.h"
#include "mcp/history.h"
#include "mcp/id.h"
#include "mcp/peer.h"

/* How its client reaches a session; never in both ways. */
enum vl_mcp_transport {
    VL_MCP_STREAMABLE, /* Streamable HTTP */
    VL_MCP_HTTP_SSE,   /* the two addresses of 2024-11-05 */
    VL_MCP_STDIO,      /* the one connection of a process */
};

#define VL_MCP_SESSION_ID_SIZE VL_MCP_ID_SIZE
static inline bool
vl_mcp_session_home(struct vl_str id, unsigned *ret)
{
    return vl_mcp_id_home(id, ret);
}

struct vl_mcp_stream;
struct vl_mcp_owner; /* private: the sessions of a user, or of one and client */

struct vl_mcp_session {
    char id[VL_MCP_SESSION_ID_SIZE];
    struct vl_principal principal;
    enum vl_mcp_transport transport;
    struct vl_mcp_peer peer; /* what was agreed upon */
    bool is_greeted;         /* of stdio: it was */
    struct vl_list calls;    /* of whoever runs calls in it */
    size_t call_count;
    struct vl_list questions; /* that its client has not answered (ask.h) */
    struct vl_map subscribed; /* URIs of resources whose changes it is told */
    unsigned missed; /* what it could not be told, for it read too slowly */
    struct vl_list in_missed;      /* then: of the endpoint's */
    struct vl_mcp_stream *stream;  /* open at the moment, or NULL */
    struct vl_list posts;          /* whose answer is a stream */
    struct vl_mcp_history history; /* of those streams */
    /* The rest is the table's. */
    struct vl_mcp_sessions *table; /* NULL: has ended */
    struct vl_mcp_owner *owner, *user;
    struct vl_list in_all, in_idle, in_owner_idle, in_user_idle;
    size_t holds;
    int64_t used_ms;
};

struct vl_mcp_session_rules {
    /* In all; of a user; of a user with one client. */
    size_t max, max_per_user, max_per_owner;
    int64_t idle_ms;
    unsigned home; /* the worker they live on, below 256 */
    const struct vl_clock *clock;
    /* A session ends; `reason` is a code for the audit. It is out of the table
     * already and lives until the call returns and all holds are gone. */
    void (*on_end)(struct vl_mcp_session *session, const char *reason,
                   void *ctx);
    void *ctx;
};

struct vl_mcp_sessions {
    struct vl_mcp_session_rules rules;
    struct vl_map by_id, owners, users;
    struct vl_list all;
    struct vl_list idle; /* by last use; without those that are held */
    size_t count;
};

void vl_mcp_sessions_init(struct vl_mcp_sessions *sessions,
                          const struct vl_mcp_session_rules *rules);
/* Ends all. */
void vl_mcp_sessions_done(struct vl_mcp_sessions *sessions);

/* A new one. VALET_LIMIT when the table, or the owner's or user's share of it,
 * is full of sessions with running calls. */
valet_status
vl_mcp_sessions_add(struct vl_mcp_sessions *sessions,
                    const struct vl_principal *principal,
                    enum vl_mcp_transport transport,
                    const struct vl_mcp_peer *peer, struct vl_mcp_session **ret,
                    valet_error *err) VALET_CHECK;
/*
 * Finds and counts it as used; a principal whose token lives longer prolongs
 * the session's. VALET_NOT_FOUND; or VALET_DENIED when it is
 * another's, which strangers must not be able to tell from the former.
 */
valet_status
vl_mcp_sessions_find(struct vl_mcp_sessions *sessions, struct vl_str id,
                     const struct vl_principal *principal,
                     struct vl_mcp_session **ret) VALET_CHECK;
/* `reason`: "client", "client_gone", "evicted", "family_end", "idle",
 * "shutdown", "token_expire" or "too_slow". */
void vl_mcp_session_end(struct vl_mcp_session *session, const char *reason);
/* Those of a token family. Looks at every session: it happens seldom. */
void vl_mcp_sessions_end_family(struct vl_mcp_sessions *sessions,
                                const char *family);
/* Ends those that were idle for too long. */
void vl_mcp_sessions_sweep(struct vl_mcp_sessions *sessions);

/* Is told of changes of this resource from now on. VALET_LIMIT when its, or its
 * user's, subscriptions are too many. */
valet_status vl_mcp_session_subscribe(struct vl_mcp_session *session,
                                      struct vl_str uri) VALET_CHECK;
void
vl_mcp_session_unsubscribe(struct vl_mcp_session *session, struct vl_str uri);

/* While held it stays in memory and is not idle. */
void vl_mcp_session_hold(struct vl_mcp_session *session);
void vl_mcp_session_release(struct vl_mcp_session *session);

#endif
