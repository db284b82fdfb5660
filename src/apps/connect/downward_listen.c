/* SPDX-License-Identifier: Apache-2.0
 *
 * Who listens (2026-07-28) to a server of the older era: what the server tells
 * in its session goes to those who wanted it, with the id of their request
 * (@spec HT-65).
 */
#include <stdlib.h>

#include "apps/connect/downward.h"
#include "core/limits.h"

/* `extra` of a listener. */
struct ears {
    bool tools, prompts, resources;
    bool has_begun;
    struct vl_map uris;
    size_t waiting; /* resources that the server has not said yes to yet */
};

/* `extra` of a request that is sent for one. */
struct wish {
    char *listener, *uri; /* the former by the client's id */
};

static void
free_ears(void *extra)
{
    struct ears *ears = extra;
    vl_map_done(&ears->uris);
    free(ears);
}

static struct ears *
ears_of(struct vl_list *it)
{
    struct vl_bridge_call *call =
        VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
    return call->extra_free == free_ears ? call->extra : NULL;
}

static bool
capability(struct vl_bridge *bridge, const char *group, const char *name)
{
    return vl_json_is_true(vl_json_get(
        vl_json_get(vl_json_get(bridge->down->welcome.root, "capabilities"),
                    group),
        name));
}

/* --- resources --- */

static void
watch_one(struct vl_str uri, void *value, void *ctx)
{
    (void)value;
    (void)vl_bridge_watch(ctx, uri, "resources/subscribe");
}

struct leaving {
    struct vl_bridge *bridge;
    const struct ears *ears;
};

/* Unless another listener watches it. */
static void
unwatch_one(struct vl_str uri, void *value, void *ctx)
{
    const struct leaving *leaving = ctx;
    (void)value;
    VL_LIST_EACH (it, &leaving->bridge->calls) {
        const struct ears *other = ears_of(it);
        if (other && other != leaving->ears && vl_map_find(&other->uris, uri))
            return;
    }
    (void)vl_bridge_watch(leaving->bridge, uri, "resources/unsubscribe");
}

void
vl_downward_unlisten(struct vl_bridge_call *call)
{
    struct leaving leaving = {call->bridge, call->extra};
    if (leaving.ears->has_begun)
        vl_map_each(&leaving.ears->uris, unwatch_one, &leaving);
}

void
vl_downward_listen_again(struct vl_bridge *bridge)
{
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (ears_of(it) && call->is_acknowledged)
            vl_map_each(&ears_of(it)->uris, watch_one, bridge);
    }
}

/* --- it begins --- */

static void
add_uri(struct vl_str uri, void *value, void *ctx)
{
    (void)value;
    vl_json_add_str(ctx, NULL, uri);
}

static void
add_subscription(struct vl_json_out *out, const struct vl_bridge_call *call)
{
    vl_json_open_key(out, "_meta", '{');
    vl_json_add_raw(out, VL_MCP_META_SUBSCRIPTION, vl_str_z(call->client_id));
    vl_json_close(out, '}');
}

/* Of what was asked for, what the server has. */
static void
acknowledge(struct vl_bridge_call *call)
{
    struct ears *ears = call->extra;
    vl_auto(vl_buf) line = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&line, false};
    vl_rpc_open_notification(&out, "notifications/subscriptions/acknowledged");
    vl_json_open_key(&out, "params", '{');
    add_subscription(&out, call);
    vl_json_open_key(&out, "notifications", '{');
    if (ears->tools)
        vl_json_add_bool(&out, "toolsListChanged", true);
    if (ears->prompts)
        vl_json_add_bool(&out, "promptsListChanged", true);
    if (ears->resources)
        vl_json_add_bool(&out, "resourcesListChanged", true);
    if (vl_map_size(&ears->uris)) {
        vl_json_open_key(&out, "resourceSubscriptions", '[');
        vl_map_each(&ears->uris, add_uri, &out);
        vl_json_close(&out, ']');
    }
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_bridge_write(call->bridge, vl_buf_str(&line));
    call->is_acknowledged = true;
}

static void
free_wish(void *extra)
{
    struct wish *wish = extra;
    free(wish->listener);
    free(wish->uri);
    free(wish);
}

/* What the server refuses to watch is not acknowledged. */
static void
watched(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    const struct wish *wish = call->extra;
    struct vl_bridge_call *listener =
        vl_bridge_call_of_client(call->bridge, vl_str_z(wish->listener));
    struct ears *ears = listener ? ears_of(&listener->in_bridge) : NULL;
    if (!ears || listener->is_acknowledged)
        return;
    if (answer->error.n)
        vl_map_take(&ears->uris, vl_str_z(wish->uri));
    if (ears->waiting && --ears->waiting == 0)
        acknowledge(listener);
}

static void
watch_first(struct vl_str uri, void *value, void *ctx)
{
    struct vl_bridge_call *listener = ctx, *call;
    struct wish *wish = vl_alloc(sizeof *wish);
    (void)value;
    call = vl_bridge_watch(listener->bridge, uri, "resources/subscribe");
    wish->listener = vl_strdup(listener->client_id);
    wish->uri = vl_alloc(uri.n + 1);
    memcpy(wish->uri, uri.p, uri.n);
    call->take = watched;
    call->extra = wish;
    call->extra_free = free_wish;
}

/* There is a session: it is known what the server has. */
static void
begin(struct vl_bridge_call *call)
{
    struct vl_bridge *bridge = call->bridge;
    struct ears *ears = call->extra;
    ears->tools &= capability(bridge, "tools", "listChanged");
    ears->prompts &= capability(bridge, "prompts", "listChanged");
    ears->resources &= capability(bridge, "resources", "listChanged");
    if (!capability(bridge, "resources", "subscribe")) {
        vl_map_done(&ears->uris);
        vl_map_init(&ears->uris);
    }
    ears->has_begun = true;
    ears->waiting = vl_map_size(&ears->uris);
    vl_map_each(&ears->uris, watch_first, call);
    if (!ears->waiting)
        acknowledge(call);
}

void
vl_downward_listen(struct vl_bridge *bridge,
                   const struct vl_rpc_message *message, struct vl_str json)
{
    struct vl_bridge_call *call = vl_bridge_call_of(bridge, message, json);
    struct ears *ears = vl_alloc(sizeof *ears);
    const struct json_t *filter =
        vl_json_get(vl_rpc_params(message), "notifications");
    const struct json_t *uris = vl_json_get(filter, "resourceSubscriptions");
    vl_map_init(&ears->uris);
    ears->tools = vl_json_is_true(vl_json_get(filter, "toolsListChanged"));
    ears->prompts = vl_json_is_true(vl_json_get(filter, "promptsListChanged"));
    ears->resources =
        vl_json_is_true(vl_json_get(filter, "resourcesListChanged"));
    for (size_t i = 0; i < vl_json_size(uris) && i < VL_LIMIT_MCP_SUBSCRIPTIONS;
         i++)
        if (vl_json_str(vl_json_at(uris, i)).n)
            vl_map_put(&ears->uris, vl_json_str(vl_json_at(uris, i)), ears);
    call->extra = ears;
    call->extra_free = free_ears;
    call->is_listener = true;
    call->go = begin;
    vl_bridge_send_legacy(call);
}

/* --- what is told --- */

static bool
wants(const struct ears *ears, const struct vl_bridge_message *message,
      const struct json_t *params)
{
    if (vl_str_eqz(message->method, "notifications/tools/list_changed"))
        return ears->tools;
    if (vl_str_eqz(message->method, "notifications/prompts/list_changed"))
        return ears->prompts;
    if (vl_str_eqz(message->method, "notifications/resources/list_changed"))
        return ears->resources;
    return vl_map_find(&ears->uris, vl_json_get_str(params, "uri")) != NULL;
}

static bool
add_param(struct vl_str key, const struct json_t *value, void *ctx)
{
    if (!vl_str_eq(key, VL_STR("_meta")))
        vl_json_add_value(ctx, key.p, value);
    return true;
}

static void
tell(struct vl_bridge_call *call, const struct vl_bridge_message *message,
     const struct json_t *params)
{
    vl_auto(vl_buf) line = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_auto(vl_buf) method = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&line, false};
    vl_buf_add(&method, message->method);
    vl_rpc_open_notification(&out, vl_buf_cstr(&method));
    vl_json_open_key(&out, "params", '{');
    vl_json_each(params, add_param, &out);
    add_subscription(&out, call);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_bridge_write(call->bridge, vl_buf_str(&line));
}

void
vl_downward_announce(struct vl_bridge *bridge,
                     const struct vl_bridge_message *message)
{
    vl_auto(vl_json) params = {NULL};
    if (message->params.n && vl_json_parse(message->params, VL_LIMIT_JSON_DEPTH,
                                           &params, NULL) != VALET_OK)
        return;
    VL_LIST_EACH (it, &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (ears_of(it) && call->is_acknowledged && !call->is_cancelled &&
            wants(ears_of(it), message, params.root))
            tell(call, message, params.root);
    }
}
