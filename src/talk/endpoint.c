/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of an endpoint: with its server, its sessions, and the sweeper that
 * ends what is too old.
 */
#include "talk/endpoint.h"

#include "talk/call.h"
#include "talk/listen.h"
#include "talk/stream.h"
#include "talk/tell.h"

struct vl_buf *
vl_mcp_scratch(struct vl_mcp_endpoint *endpoint)
{
    /* One huge answer must not be paid for for ever. */
    if (endpoint->scratch.cap > VL_MCP_KEEP_MAX)
        vl_buf_done(&endpoint->scratch);
    vl_buf_clear(&endpoint->scratch);
    return &endpoint->scratch;
}

void
vl_mcp_endpoint_note(const struct vl_mcp_endpoint *endpoint,
                     const struct vl_mcp_note *note)
{
    if (endpoint->hooks->note)
        endpoint->hooks->note(note, endpoint->hooks->ctx);
}

void
vl_mcp_endpoint_note_session(const struct vl_mcp_endpoint *endpoint,
                             enum vl_mcp_happening what,
                             const struct vl_principal *principal,
                             const char *reason, const char *peer)
{
    vl_mcp_endpoint_note(endpoint, &(struct vl_mcp_note){.what = what,
                                                         .principal = principal,
                                                         .peer = peer,
                                                         .reason = reason});
}

/* --- its sweeper --- */

void
vl_mcp_endpoint_wake(struct vl_mcp_endpoint *endpoint)
{
    bool tend = !vl_list_is_empty(&endpoint->streams) ||
                !vl_list_is_empty(&endpoint->listeners) ||
                !vl_list_is_empty(&endpoint->calls);
    int64_t ms = tend ? VL_MCP_TEND_MS : VL_MCP_SWEEP_MS;
    bool runs = endpoint->sweeping_ms && endpoint->sweeping_ms <= ms;
    if (runs || endpoint->closing)
        return;
    endpoint->sweeping_ms = ms;
    vl_timer_start(endpoint->sweeper, ms);
}

void
vl_mcp_endpoint_sweep(struct vl_mcp_endpoint *endpoint)
{
    int64_t now = vl_mono_now();
    vl_mcp_call_sweep(endpoint, now - VL_MCP_CALL_MS);
    vl_mcp_calls_tend(endpoint);
    vl_mcp_streams_tend(endpoint);
    vl_mcp_tell_missed(endpoint);
    vl_mcp_listeners_tend(endpoint);
    vl_mcp_tasks_sweep(&endpoint->tasks);
    vl_mcp_sessions_sweep(&endpoint->sessions);
    vl_mcp_archive_sweep(&endpoint->archive, now - VL_LIMIT_MCP_HISTORY_MS);
}

static void
sweep(void *ctx)
{
    struct vl_mcp_endpoint *endpoint = ctx;
    endpoint->sweeping_ms = 0;
    vl_mcp_endpoint_sweep(endpoint);
    if (endpoint->sessions.count || !vl_list_is_empty(&endpoint->calls) ||
        !vl_list_is_empty(&endpoint->listeners) || endpoint->tasks.count)
        vl_mcp_endpoint_wake(endpoint);
}

/* --- its server --- */

static void
on_list_changed(struct vl_mcp_watcher *watcher, enum vl_mcp_sort sort)
{
    vl_mcp_tell_list(VL_CONTAINER(watcher, struct vl_mcp_endpoint, watcher),
                     sort);
}

static void
on_updated(struct vl_mcp_watcher *watcher, const char *uri)
{
    vl_mcp_tell_updated(VL_CONTAINER(watcher, struct vl_mcp_endpoint, watcher),
                        uri);
}

/* All endpoints of a server are on one thread. */
static void
join_server(struct vl_mcp_endpoint *endpoint, struct vl_mcp_server *server,
            struct vl_loop *loop)
{
    endpoint->server = server;
    if (vl_list_is_empty(&server->watchers))
        vl_mcp_gate_open(server->gate, loop);
    endpoint->gate = server->gate;
    vl_mcp_gate_hold(endpoint->gate);
    endpoint->watcher.list_changed = on_list_changed;
    endpoint->watcher.updated = on_updated;
    vl_mcp_server_watch(server, &endpoint->watcher);
}

static void
leave_server(struct vl_mcp_endpoint *endpoint)
{
    vl_mcp_server_unwatch(&endpoint->watcher);
    if (vl_list_is_empty(&endpoint->server->watchers))
        vl_mcp_gate_close(endpoint->gate);
    vl_mcp_gate_release(endpoint->gate);
}

/* --- its life --- */

static void
on_session_end(struct vl_mcp_session *session, const char *reason, void *ctx)
{
    struct vl_mcp_endpoint *endpoint = ctx;
    vl_mcp_call_leave_session(session);
    vl_mcp_post_leave_session(session);
    if (session->stream)
        vl_mcp_stream_close(session->stream, reason);
    vl_mcp_endpoint_note_session(endpoint, VL_MCP_SESSION_CLOSED,
                                 &session->principal, reason, NULL);
}

static void
init_tasks(struct vl_mcp_endpoint *endpoint, unsigned home)
{
    struct vl_mcp_task_rules rules = vl_mcp_task_rules();
    rules.home = home;
    rules.clock = endpoint->clock;
    rules.answered = vl_mcp_call_answered;
    rules.cancel = vl_mcp_call_let_go;
    vl_mcp_tasks_init(&endpoint->tasks, &rules);
}

struct vl_mcp_endpoint *
vl_mcp_endpoint_new(struct vl_mcp_server *server,
                    const struct vl_mcp_hooks *hooks, struct vl_loop *loop,
                    const struct vl_clock *clock, unsigned home)
{
    VL_ASSERT(hooks->may && hooks->refuse && hooks->login);
    struct vl_mcp_endpoint *endpoint = vl_alloc(sizeof *endpoint);
    join_server(endpoint, server, loop);
    endpoint->hooks = hooks;
    endpoint->clock = clock;
    endpoint->scratch = vl_buf_of(VL_MCP_ANSWER_MAX);
    endpoint->frame = vl_buf_of(VL_MCP_ANSWER_MAX + 64);
    endpoint->sweeper = vl_timer_new(loop, sweep, endpoint);
    vl_list_init(&endpoint->calls);
    vl_list_init(&endpoint->spare_calls);
    vl_list_init(&endpoint->streams);
    vl_list_init(&endpoint->missed);
    vl_list_init(&endpoint->listeners);
    init_tasks(endpoint, home);
    vl_mcp_archive_init(&endpoint->archive);
    vl_mcp_sessions_init(&endpoint->sessions,
                         &(struct vl_mcp_session_rules){
                             .max = VL_LIMIT_MCP_SESSIONS,
                             .max_per_user = VL_LIMIT_MCP_SESSIONS_PER_USER,
                             .max_per_owner = VL_LIMIT_MCP_SESSIONS_PER_CLIENT,
                             .idle_ms = VL_LIMIT_MCP_SESSION_IDLE_MS,
                             .home = home,
                             .clock = clock,
                             .on_end = on_session_end,
                             .ctx = endpoint,
                         });
    return endpoint;
}

void
vl_mcp_endpoint_free(struct vl_mcp_endpoint *endpoint)
{
    if (!endpoint)
        return;
    endpoint->closing = true;
    vl_mcp_tasks_done(&endpoint->tasks);
    vl_mcp_call_leave_endpoint(endpoint);
    vl_mcp_listeners_end(endpoint, NULL);
    vl_mcp_sessions_done(&endpoint->sessions);
    vl_mcp_catalog_done(&endpoint->catalog);
    vl_timer_free(endpoint->sweeper);
    vl_buf_done(&endpoint->scratch);
    vl_buf_done(&endpoint->frame);
    vl_keyring_free(endpoint->own_ring);
    leave_server(endpoint);
    free(endpoint);
}

const struct vl_keyring *
vl_mcp_endpoint_ring(struct vl_mcp_endpoint *endpoint)
{
    if (!endpoint->ring)
        endpoint->ring = endpoint->own_ring = vl_keyring_new_random();
    return endpoint->ring;
}

void
vl_mcp_endpoint_seal_with(struct vl_mcp_endpoint *endpoint,
                          const struct vl_keyring *ring, const char *resource)
{
    vl_keyring_free(endpoint->own_ring);
    endpoint->own_ring = NULL;
    endpoint->ring = ring;
    endpoint->resource = resource;
}

void
vl_mcp_endpoint_take_over(struct vl_mcp_endpoint *endpoint)
{
    vl_mcp_gate_settle(endpoint->gate);
}

void
vl_mcp_endpoint_end_family(struct vl_mcp_endpoint *endpoint,
                           const char *session)
{
    vl_mcp_sessions_end_family(&endpoint->sessions, session);
    vl_mcp_tasks_end_family(&endpoint->tasks, session);
    vl_mcp_call_leave_family(endpoint, session);
    vl_mcp_listeners_end(endpoint, session);
}

void
vl_mcp_endpoint_drain(struct vl_mcp_endpoint *endpoint)
{
    endpoint->draining = true;
    vl_mcp_streams_close(endpoint, "shutdown");
    vl_mcp_listeners_end(endpoint, NULL);
}
