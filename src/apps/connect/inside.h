/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the bridge share:
 *
 *     bridge.c    its life; lines of the client, and where they go
 *     call.c      one message to the server, until its end
 *     message.c   what the server says
 *     legacy.c    the older era: hello, session, messages as they are
 *     reopen.c    a session that was lost is begun again
 *     memory.c    what holds for a session, for the next one
 *     modern.c    2026-07-28: headers, listeners, which era the server is of
 *     tools.c     the schemas by which headers repeat arguments
 *     upward.c    a client of the older era, a server of 2026-07-28
 *     downward.c  the other way round
 */
#ifndef VL_APPS_CONNECT_INSIDE_H
#define VL_APPS_CONNECT_INSIDE_H

#include "apps/connect/bridge.h"
#include "apps/connect/call.h"
#include "core/map.h"
#include "io/lines.h"
#include "mcp/meta.h"
#include "mcp/mirror.h"
#include "mcp/version.h"

/* What is written at once: the longest answer of a server. */
#define VL_BRIDGE_MESSAGE (16 * 1024 * 1024)
/* Requests under way. An agent has a handful; no server takes so many. */
#define VL_BRIDGE_CALLS 256
/* All messages under way: besides, what each of them may bring about, that is
 * answers to what it asks, its cancellation, what is said for a session. */
#define VL_BRIDGE_MESSAGES ((size_t)4 * VL_BRIDGE_CALLS)

enum vl_bridge_word { VL_UNKNOWN, VL_YES, VL_NO };

/* What the older era keeps with a server. */
enum vl_bridge_session {
    VL_SESSION_NONE,
    VL_SESSION_GREETING,  /* `initialize` is under way */
    VL_SESSION_GREETED,   /* answered; the client has not said more */
    VL_SESSION_BEGINNING, /* `notifications/initialized` is under way */
    VL_SESSION_OPEN,
};

struct listing;
struct vl_bridge_upward;
struct vl_bridge_downward;

struct vl_bridge {
    struct vl_bridge_config config;
    struct vl_lines *lines;
    struct vl_remote *remote;
    struct vl_list calls;
    size_t call_count, request_count; /* the latter of the client */
    struct vl_timer *sweep;           /* time-outs, and lines that wait */
    bool is_held, is_awake;
    bool is_ending;
    void (*done)(void *ctx);
    void *done_ctx;
    unsigned note_count;
    uint64_t ids; /* given to requests of ours */

    enum vl_bridge_word speaks_legacy, speaks_modern; /* the server */
    bool client_is_legacy; /* it has said initialize */
    char modern_version[32];
    enum vl_bridge_session session;
    struct vl_buf hello; /* as it was sent; kept for the next session */
    struct vl_bridge_call *greeting; /* of the client, to be answered */
    bool had_session;                /* the transport's, at its beginning */
    unsigned lost; /* sessions in a row that were lost at their beginning */
    bool is_ours;  /* the session was begun by us, not by the client */
    bool is_early; /* the client has not waited for the answer to initialize */
    bool is_http_sse;  /* the server is known to speak the older transport */
    int64_t reopen_at; /* nobody asks, and the session is lost; 0: it is not */
    unsigned reopen_tries;
    enum vl_mcp_version version;
    struct vl_map watched;   /* resources, of a client of the older era */
    struct vl_buf log_level; /* JSON, or empty */

    struct vl_map tools; /* name → struct vl_mcp_mirror, or &vl_bridge_plain */
    bool knows_tools, is_probing;
    struct listing *listing; /* of tools, by us */
    struct vl_bridge_upward *up;
    struct vl_bridge_downward *down;
};

/* --- bridge.c --- */
void vl_bridge_write(struct vl_bridge *bridge, struct vl_str line);
void vl_bridge_note(struct vl_bridge *bridge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void vl_bridge_refuse(struct vl_bridge *bridge, struct vl_rpc_id id,
                      enum vl_rpc_code code, const char *why);
/* A result of ours to a request of the client: JSON text. */
void vl_bridge_reply(struct vl_bridge *bridge, struct vl_rpc_id id,
                     struct vl_str result);
/* There is something under way: see to time-outs. */
void vl_bridge_wake(struct vl_bridge *bridge);
/* The same, at once: a call is to be sent again. */
void vl_bridge_hurry(struct vl_bridge *bridge);
/* An id of ours, JSON text. */
char *vl_bridge_new_id(struct vl_bridge *bridge);

/* --- message.c --- */
void vl_bridge_on_message(struct vl_str json, struct vl_remote_call *remote,
                          void *ctx);

/* --- legacy.c --- */
void vl_bridge_greet(struct vl_bridge *bridge,
                     const struct vl_rpc_message *message, struct vl_str json);
void vl_bridge_begin(struct vl_bridge *bridge, struct vl_str json);
/* `notifications/initialized`; who waits is let go on when it is taken. */
void vl_bridge_open(struct vl_bridge *bridge, struct vl_str json);
#define VL_BRIDGE_INITIALIZED                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
/* What the result of initialize says of revisions. */
void vl_bridge_note_version(struct vl_bridge *bridge, struct vl_str result);
/* A status that says something about the server: not 401, 403, 5xx, silence. */
bool vl_bridge_is_refusal(int http_status);
/* How the older transport has begun. */
void vl_bridge_note_http_sse(struct vl_bridge *bridge, valet_status status,
                             int http_status);

void
vl_bridge_take_legacy(struct vl_bridge *bridge,
                      const struct vl_rpc_message *message, struct vl_str json);
/* Sends it, or lets it wait for the session. */
void vl_bridge_send_legacy(struct vl_bridge_call *call);
/* An answer of the client to a request of the server. */
void vl_bridge_respond(struct vl_bridge *bridge, struct vl_str json);
/* A notification to the server, JSON. */
void vl_bridge_notify(struct vl_bridge *bridge, const char *method,
                      struct vl_str json);
/* `json`: how the client says so; empty: in our words. */
void vl_bridge_cancel_legacy(struct vl_bridge_call *call, struct vl_str json);
/* Tells the server that nobody waits for the answer to what was sent. */
void vl_bridge_tell_cancelled(struct vl_bridge_call *call);
/* The stream of the older transport: the answers that would have come by it do
 * not. */
void vl_bridge_lose_stream(struct vl_bridge *bridge, const char *why);
void vl_bridge_on_deaf(const valet_error *err, void *ctx);
void vl_bridge_fail_waiting(struct vl_bridge *bridge, enum vl_rpc_code code,
                            const char *why);

/* --- reopen.c --- */
/* A session of ours, with bridge->hello; who waits is let go on when it is
 * there. */
void vl_bridge_reopen(struct vl_bridge *bridge);
/* The same by HTTP+SSE. */
void vl_bridge_use_http_sse(struct vl_bridge *bridge);
/* After a while, though nobody asks; looks whether it is time for that. */
void vl_bridge_reopen_unasked(struct vl_bridge *bridge);
void vl_bridge_reopen_late(struct vl_bridge *bridge, int64_t now);

/* --- memory.c --- */
void vl_bridge_memory_init(struct vl_bridge *bridge);
void vl_bridge_memory_done(struct vl_bridge *bridge);
/* A request of the client may be about its session. */
void vl_bridge_remember(struct vl_bridge *bridge,
                        const struct vl_rpc_message *message);
/* The session is another one. */
void vl_bridge_remind(struct vl_bridge *bridge);
/* A request of ours in the session, with one parameter, JSON; nobody
 * waits for its answer, unless another `take` is given to it. */
struct vl_bridge_call *
vl_bridge_say(struct vl_bridge *bridge, const char *method, const char *key,
              struct vl_str value);
/* resources/subscribe, or the other. */
struct vl_bridge_call *vl_bridge_watch(struct vl_bridge *bridge,
                                       struct vl_str uri, const char *method);

/* --- modern.c --- */
void
vl_bridge_take_modern(struct vl_bridge *bridge,
                      const struct vl_rpc_message *message, struct vl_str json);
/* Whether Mcp-Method can carry it: what it cannot is no method of that era. */
bool vl_bridge_is_modern_method(struct vl_str method);
/* With its headers; a call of a tool may have to wait for the schemas. */
void vl_bridge_send_modern(struct vl_bridge_call *call);
/* Makes one of 2026-07-28 of a call: its headers, and who gets the answer
 * unless somebody is named. */
void vl_bridge_call_modernize(struct vl_bridge_call *call,
                              const struct vl_rpc_message *message);
void vl_bridge_modern_done(struct vl_bridge *bridge);
void vl_bridge_cancel_modern(struct vl_bridge_call *call);
/* Asks server/discover; `then` gets what it said: {NULL,0} if the server does
 * not know it, {"",0} if nobody has said anything about that. `meta` is the
 * value of _meta, JSON. */
void vl_bridge_discover(struct vl_bridge *bridge, struct vl_str meta,
                        void (*then)(struct vl_bridge *bridge,
                                     struct vl_str result, void *ctx),
                        void *ctx);
/* A code by which only servers of 2026-07-28 refuse. */
bool vl_bridge_is_modern_code(struct vl_str error);

/* --- tools.c --- */
/* Looks at the result of tools/list: the schemas are noted, tools that may not
 * be called are left out. True: `ret` is what is left, else it may be passed on
 * as it is. */
bool vl_bridge_tools_note(struct vl_bridge *bridge, struct vl_str result,
                          struct vl_buf *ret);
const struct vl_mcp_mirror *
vl_bridge_tools_mirror(struct vl_bridge *bridge, const char *tool);
void vl_bridge_tools_forget(struct vl_bridge *bridge);
void vl_bridge_tools_done(struct vl_bridge *bridge);

#endif
