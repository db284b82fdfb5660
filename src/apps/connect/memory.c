/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client of the older era has said that holds for its session: said
 * again by us when the server has lost that (@spec HT-31).
 */
#include "apps/connect/inside.h"

#include <stdlib.h>

#include "core/limits.h"

static void
take_nothing(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    (void)call, (void)answer;
}

struct vl_bridge_call *
vl_bridge_say(struct vl_bridge *bridge, const char *method, const char *key,
              struct vl_str value)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&json, false};
    char *id = vl_bridge_new_id(bridge);
    vl_rpc_open_answer_raw(&out, vl_str_z(id));
    vl_json_add_z(&out, "method", method);
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, key, value);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    struct vl_bridge_call *call = vl_bridge_call_new(
        bridge, vl_str_z(id), vl_str_z(method), vl_buf_str(&json));
    free(id);
    call->take = take_nothing;
    vl_bridge_send_legacy(call);
    return call;
}

struct vl_bridge_call *
vl_bridge_watch(struct vl_bridge *bridge, struct vl_str uri, const char *method)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&text, false};
    vl_json_add_str(&out, NULL, uri);
    return vl_bridge_say(bridge, method, "uri", vl_buf_str(&text));
}

void
vl_bridge_remember(struct vl_bridge *bridge,
                   const struct vl_rpc_message *message)
{
    struct vl_str uri = vl_rpc_param_str(message, VL_STR("uri"));
    if (vl_str_eqz(message->method, "logging/setLevel")) {
        vl_buf_clear(&bridge->log_level);
        vl_bridge_view_write(vl_rpc_param(message, VL_STR("level")),
                             &bridge->log_level);
    } else if (vl_str_eqz(message->method, "resources/subscribe")) {
        if (uri.n && vl_map_size(&bridge->watched) < VL_LIMIT_MCP_SUBSCRIPTIONS)
            vl_map_put(&bridge->watched, uri, bridge);
    } else if (vl_str_eqz(message->method, "resources/unsubscribe")) {
        vl_map_take(&bridge->watched, uri);
    }
}

static void
watch(struct vl_str uri, void *value, void *ctx)
{
    (void)value;
    (void)vl_bridge_watch(ctx, uri, "resources/subscribe");
}

void
vl_bridge_remind(struct vl_bridge *bridge)
{
    if (vl_buf_size(&bridge->log_level))
        (void)vl_bridge_say(bridge, "logging/setLevel", "level",
                            vl_buf_str(&bridge->log_level));
    vl_map_each(&bridge->watched, watch, bridge);
}

void
vl_bridge_memory_init(struct vl_bridge *bridge)
{
    vl_map_init(&bridge->watched);
    bridge->log_level = vl_buf_of(256);
}

void
vl_bridge_memory_done(struct vl_bridge *bridge)
{
    vl_map_done(&bridge->watched);
    vl_buf_done(&bridge->log_level);
}
