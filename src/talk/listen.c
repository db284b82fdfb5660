/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/listen.h"

#include "talk/method.h"

/* Of the filter, and of what is granted. */
static const char *const list_names[VL_MCP_SORT_COUNT] = {
    [VL_MCP_TOOLS] = "toolsListChanged",
    [VL_MCP_RESOURCES] = "resourcesListChanged",
    [VL_MCP_PROMPTS] = "promptsListChanged",
};

struct vl_mcp_listened {
    struct vl_mcp_task_watcher watcher;
    struct vl_mcp_listener *listener;
    const struct vl_mcp_task *task; /* good until the acknowledgement is out */
    char id[VL_MCP_ID_SIZE];
};

/* --- a listener --- */

static void
add_subscription(struct vl_json_out *out,
                 const struct vl_mcp_listener *listener)
{
    vl_json_add_raw(out, VL_MCP_META_SUBSCRIPTION, vl_buf_str(&listener->id));
}

void
vl_mcp_listener_write_meta(struct vl_json_out *out,
                           const struct vl_mcp_listener *listener)
{
    vl_json_open_key(out, "_meta", '{');
    add_subscription(out, listener);
    vl_json_close(out, '}');
}

static struct vl_mcp_post *
dispose(struct vl_mcp_listener *listener)
{
    struct vl_mcp_post *post = listener->post;
    vl_mcp_post_watch(post, NULL, NULL);
    for (size_t i = 0; i < listener->task_count; i++)
        vl_mcp_task_unwatch(&listener->tasks[i].watcher);
    free(listener->tasks);
    vl_list_remove(&listener->in_endpoint);
    vl_buf_done(&listener->id);
    vl_map_done(&listener->uris);
    free(listener);
    return post;
}

/* Its client has gone, or does not read. */
static void
drop(void *ctx)
{
    vl_mcp_post_answer(dispose(ctx), (struct vl_str){NULL, 0});
}

/* Over stdio there is no stream whose end a client would see. */
static void
write_cancelled(struct vl_buf *text, const struct vl_mcp_listener *listener,
                const char *why)
{
    struct vl_json_out out = {text, false};
    vl_rpc_open_notification(&out, "notifications/cancelled");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "requestId", vl_buf_str(&listener->id));
    vl_json_add_z(&out, "reason", why);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

/* @spec HT-66 G1: the result, and over stdio "cancelled" after it. */
static void
end(struct vl_mcp_listener *listener)
{
    const struct vl_mcp_line *line =
        listener->session ? &listener->endpoint->line : NULL;
    vl_auto(vl_buf) text = vl_buf_of(2 * VL_MCP_KEEP_MAX);
    vl_auto(vl_buf) last = vl_buf_of(VL_MCP_KEEP_MAX);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_answer_raw(&out, vl_buf_str(&listener->id));
    vl_json_open_key(&out, "result", '{');
    vl_json_add_z(&out, "resultType", "complete");
    vl_json_open_key(&out, "_meta", '{');
    add_subscription(&out, listener);
    vl_json_add_raw(&out, VL_MCP_META_SERVER, listener->endpoint->server->info);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    write_cancelled(&last, listener, "The server has ended it");
    vl_mcp_post_answer(dispose(listener), vl_buf_str(&text));
    if (line)
        line->write(vl_buf_str(&last), line->ctx);
}

/* One that does not read finds out by itself what has changed, when it has to
 * listen again. */
static void
give_up(struct vl_mcp_listener *listener)
{
    const struct vl_mcp_line *line = &listener->endpoint->line;
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_KEEP_MAX);
    write_cancelled(&text, listener, "What was told was not read in time");
    if (listener->session)
        line->write(vl_buf_str(&text), line->ctx);
    drop(listener);
}

void
vl_mcp_listener_send(struct vl_mcp_listener *listener, struct vl_str json)
{
    if (vl_mcp_post_can_send(listener->post))
        vl_mcp_post_send(listener->post, json);
    else
        give_up(listener);
}

/* --- the request --- */

/* Listeners of a person, and the resources that they are told of. */
static size_t
count_of(const struct vl_mcp_endpoint *endpoint, const struct vl_user *user,
         size_t *ret_uris)
{
    size_t n = 0;
    *ret_uris = 0;
    VL_LIST_EACH (it, &endpoint->listeners) {
        const struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        if (strcmp(listener->principal.user.oid, user->oid) != 0 ||
            strcmp(listener->principal.user.tid, user->tid) != 0)
            continue;
        *ret_uris += vl_map_size(&listener->uris);
        n++;
    }
    return n;
}

/* Only what the caller may read, and is there, is promised. */
static void
grant_uris(struct vl_mcp_listener *listener, const struct vl_mcp_turn *turn,
           const struct json_t *uris)
{
    size_t n = vl_json_kind(uris) == VL_JSON_ARRAY ? vl_json_size(uris) : 0;
    size_t others;
    (void)count_of(turn->endpoint, &turn->principal->user, &others);
    for (size_t i = 0; i < n && others + vl_map_size(&listener->uris) <
                                    VL_LIMIT_MCP_SUBSCRIPTIONS_PER_USER;
         i++) {
        struct vl_str uri = vl_json_str(vl_json_at(uris, i));
        const struct vl_mcp_item *item =
            uri.n ? vl_mcp_server_find_uri(turn->endpoint->server, uri) : NULL;
        if (item && vl_mcp_turn_may(turn, item->permission))
            (void)vl_map_put(&listener->uris, uri, listener);
    }
}

static void
tell_task(struct vl_mcp_task_watcher *watcher, const struct vl_mcp_task *task)
{
    struct vl_mcp_listened *listened =
        VL_CONTAINER(watcher, struct vl_mcp_listened, watcher);
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_ANSWER_MAX);
    struct vl_json_out out = {&text, false};
    vl_rpc_open_notification(&out, "notifications/tasks");
    vl_json_open_key(&out, "params", '{');
    vl_mcp_listener_write_meta(&out, listened->listener);
    vl_mcp_task_write(&out, task, VL_MCP_TASK_NOTIFIED);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    if (!text.failed)
        vl_mcp_listener_send(listened->listener, vl_buf_str(&text));
}

static bool
is_listened(const struct vl_mcp_listener *listener, struct vl_str id)
{
    for (size_t i = 0; i < listener->task_count; i++)
        if (vl_str_eqz(id, listener->tasks[i].id))
            return true;
    return false;
}

/* Others' are left out like those that do not exist. */
static void
grant_tasks(struct vl_mcp_listener *listener, const struct vl_mcp_turn *turn,
            const struct json_t *ids)
{
    size_t n = vl_json_size(ids);
    if (!n)
        return;
    listener->tasks = vl_alloc(n * sizeof *listener->tasks);
    for (size_t i = 0; i < n; i++) {
        struct vl_str id = vl_json_str(vl_json_at(ids, i));
        struct vl_mcp_task *task =
            is_listened(listener, id) ? NULL : vl_mcp_turn_find_task(turn, id);
        if (!task)
            continue;
        struct vl_mcp_listened *listened =
            &listener->tasks[listener->task_count++];
        listened->watcher.changed = tell_task;
        vl_list_init(&listened->watcher.in_task);
        listened->listener = listener;
        listened->task = task;
        memcpy(listened->id, task->id, sizeof listened->id);
        vl_mcp_task_watch(task, &listened->watcher);
    }
}

static void
grant(struct vl_mcp_listener *listener, const struct vl_mcp_turn *turn,
      const struct json_t *filter)
{
    const struct vl_mcp_server *server = turn->endpoint->server;
    for (size_t i = 0; i < VL_MCP_SORT_COUNT; i++)
        listener->wants[i] =
            list_names[i] &&
            vl_json_is_true(vl_json_get(filter, list_names[i])) &&
            (server->shelves[i].generation ||
             (i == VL_MCP_RESOURCES &&
              server->shelves[VL_MCP_TEMPLATES].generation));
    grant_uris(listener, turn, vl_json_get(filter, "resourceSubscriptions"));
    grant_tasks(listener, turn, vl_json_get(filter, "taskIds"));
}

static void
write_uri(struct vl_str uri, void *value, void *ctx)
{
    (void)value;
    vl_json_add_str(ctx, NULL, uri);
}

/* @spec HT-65: the first message, with what was granted. */
static void
write_acknowledgement(const struct vl_mcp_listener *listener,
                      struct vl_buf *text)
{
    struct vl_json_out out = {text, false};
    vl_rpc_open_notification(&out, "notifications/subscriptions/acknowledged");
    vl_json_open_key(&out, "params", '{');
    vl_mcp_listener_write_meta(&out, listener);
    vl_json_open_key(&out, "notifications", '{');
    for (size_t i = 0; i < VL_MCP_SORT_COUNT; i++)
        if (listener->wants[i])
            vl_json_add_bool(&out, list_names[i], true);
    if (vl_map_size(&listener->uris)) {
        vl_json_open_key(&out, "resourceSubscriptions", '[');
        vl_map_each(&listener->uris, write_uri, &out);
        vl_json_close(&out, ']');
    }
    if (listener->task_count) {
        vl_json_open_key(&out, "taskIds", '[');
        for (size_t i = 0; i < listener->task_count; i++)
            vl_json_add_z(&out, NULL, listener->tasks[i].id);
        vl_json_close(&out, ']');
    }
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

/* As they are now: or a change between the answer that named a task and this
 * would be missed. False when nobody listens any more. */
static bool
tell_tasks(struct vl_mcp_listener *listener)
{
    for (size_t i = 0; i < listener->task_count; i++) {
        if (!vl_mcp_post_can_send(listener->post))
            return false;
        tell_task(&listener->tasks[i].watcher, listener->tasks[i].task);
    }
    return true;
}

static void
start(const struct vl_mcp_turn *turn, const struct vl_rpc_message *message,
      const struct json_t *filter)
{
    struct vl_mcp_listener *listener = vl_alloc(sizeof *listener);
    listener->endpoint = turn->endpoint;
    listener->session = turn->session;
    listener->post = turn->post;
    listener->principal = *turn->principal;
    listener->id = vl_buf_of(8 * VL_RPC_ID_MAX);
    vl_rpc_write_id(&listener->id, message->id);
    vl_map_init(&listener->uris);
    vl_list_init(&listener->in_endpoint);
    vl_list_add_last(&turn->endpoint->listeners, &listener->in_endpoint);
    listener->began_ms = vl_mono_now();
    grant(listener, turn, filter);
    vl_mcp_post_watch(listener->post, drop, listener);
    vl_mcp_endpoint_wake(turn->endpoint);
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    write_acknowledgement(listener, text);
    vl_mcp_post_send(listener->post, vl_buf_str(text));
    if (!tell_tasks(listener))
        give_up(listener);
}

/* Answered when the filter asks for what cannot be. */
static bool
check_filter(const struct vl_mcp_turn *turn,
             const struct vl_rpc_message *message, const struct json_t *filter)
{
    const struct json_t *ids = vl_json_get(filter, "taskIds");
    const struct json_t *uris = vl_json_get(filter, "resourceSubscriptions");
    bool good = vl_json_kind(filter) == VL_JSON_OBJECT &&
                (!ids || vl_json_kind(ids) == VL_JSON_ARRAY) &&
                vl_json_size(uris) <= VL_LIMIT_MCP_SUBSCRIPTIONS &&
                vl_json_size(ids) <= VL_LIMIT_MCP_TASKS_PER_USER;
    if (!good)
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "What to listen for is not said, or too much");
    return good && vl_mcp_turn_can(turn, message, ids ? VL_MCP_KNOWS_TASKS : 0);
}

void
vl_mcp_answer_listen(const struct vl_mcp_turn *turn,
                     const struct vl_rpc_message *message,
                     enum vl_mcp_sort sort)
{
    (void)sort;
    const struct vl_str none = {NULL, 0};
    size_t uris;
    const struct json_t *filter =
        vl_json_get(vl_rpc_params(message), "notifications");
    if (!check_filter(turn, message, filter) ||
        vl_mcp_turn_is_taken(turn, message))
        return;
    if (turn->endpoint->draining)
        vl_mcp_turn_error_data(turn, message, 503, VL_RPC_INTERNAL,
                               "The server is stopping", none);
    else if (!vl_mcp_post_can_send(turn->post))
        vl_mcp_turn_error_data(turn, message, 406, VL_RPC_INVALID_REQUEST,
                               "Accept does not allow an event stream", none);
    else if (count_of(turn->endpoint, &turn->principal->user, &uris) >=
             VL_LIMIT_MCP_LISTENERS_PER_USER)
        vl_mcp_turn_error_data(turn, message, 429, VL_RPC_INTERNAL,
                               "Too many are listening already", none);
    else
        start(turn, message, filter);
}

/* --- its end --- */

static struct vl_mcp_listener *
find(const struct vl_mcp_session *session, struct vl_rpc_id id)
{
    if (session->transport != VL_MCP_STDIO)
        return NULL;
    struct vl_mcp_endpoint *endpoint = session->table->rules.ctx;
    vl_auto(vl_buf) text = vl_buf_of(8 * VL_RPC_ID_MAX);
    if (vl_list_is_empty(&endpoint->listeners))
        return NULL;
    vl_rpc_write_id(&text, id);
    VL_LIST_EACH (it, &endpoint->listeners) {
        struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        if (vl_str_eq(vl_buf_str(&listener->id), vl_buf_str(&text)))
            return listener;
    }
    return NULL;
}

bool
vl_mcp_listen_has(const struct vl_mcp_session *session, struct vl_rpc_id id)
{
    return find(session, id) != NULL;
}

void
vl_mcp_listen_cancel(const struct vl_mcp_session *session, struct vl_rpc_id id)
{
    struct vl_mcp_listener *listener = find(session, id);
    if (listener)
        drop(listener);
}

void
vl_mcp_listeners_tend(struct vl_mcp_endpoint *endpoint)
{
    int64_t now = vl_clock_now(endpoint->clock);
    VL_LIST_EACH (it, &endpoint->listeners) {
        struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        if (now >= listener->principal.expires_ms)
            end(listener);
        else
            vl_mcp_post_tend(listener->post, listener->began_ms);
    }
}

void
vl_mcp_listeners_end(struct vl_mcp_endpoint *endpoint, const char *family)
{
    VL_LIST_EACH (it, &endpoint->listeners) {
        struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        if (!family || strcmp(listener->principal.session, family) == 0)
            end(listener);
    }
}
