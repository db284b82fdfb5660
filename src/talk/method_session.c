/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/method.h"

void
vl_mcp_answer_ping(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, enum vl_mcp_sort sort)
{
    (void)sort;
    vl_mcp_turn_empty(turn, message);
}

void
vl_mcp_answer_level(const struct vl_mcp_turn *turn,
                    const struct vl_rpc_message *message, enum vl_mcp_sort sort)
{
    (void)sort;
    if (!vl_mcp_level_parse(vl_rpc_param_str(message, VL_STR("level")),
                            &turn->session->peer.level)) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "There is no such level");
        return;
    }
    vl_mcp_turn_empty(turn, message);
}

/* Also of what may not be read there is no telling that it changes. */
void
vl_mcp_answer_subscribe(const struct vl_mcp_turn *turn,
                        const struct vl_rpc_message *message,
                        enum vl_mcp_sort sort)
{
    (void)sort;
    struct vl_str uri = vl_rpc_param_str(message, VL_STR("uri"));
    const struct vl_mcp_item *item =
        uri.n ? vl_mcp_server_find_uri(turn->endpoint->server, uri) : NULL;
    if (!item || !vl_mcp_turn_may(turn, item->permission)) {
        vl_mcp_turn_error(turn, message, VL_RPC_NO_RESOURCE,
                          "There is no such resource");
        return;
    }
    if (vl_mcp_session_subscribe(turn->session, uri) == VALET_OK)
        vl_mcp_turn_empty(turn, message);
    else
        vl_mcp_turn_error(turn, message, VL_RPC_REFUSED,
                          "There are too many subscriptions");
}

void
vl_mcp_answer_unsubscribe(const struct vl_mcp_turn *turn,
                          const struct vl_rpc_message *message,
                          enum vl_mcp_sort sort)
{
    (void)sort;
    struct vl_str uri = vl_rpc_param_str(message, VL_STR("uri"));
    vl_mcp_session_unsubscribe(turn->session, uri);
    vl_mcp_turn_empty(turn, message);
}
