/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/result.h"
#include "talk/method.h"

/* Asked for every request: what was granted may have changed. */
static uint64_t
permissions_of(const struct vl_mcp_turn *turn)
{
    const struct vl_mcp_server *server = turn->endpoint->server;
    uint64_t permissions = 0;
    for (unsigned i = 0; i < server->permission_count; i++)
        if (vl_mcp_turn_may(turn, server->permissions[i]))
            permissions |= UINT64_C(1) << i;
    return permissions;
}

/* @spec RS-25 RS-26 */
void
vl_mcp_answer_list(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, enum vl_mcp_sort sort)
{
    struct vl_json_view cursor = vl_rpc_param(message, VL_STR("cursor"));
    struct vl_mcp_view view = {.sort = sort, .version = turn->peer->version};
    if (!vl_mcp_is_left_out(cursor) &&
        (!vl_json_view_str(cursor).p ||
         !vl_mcp_cursor_read(vl_json_view_str(cursor), &view.after))) {
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "Unknown cursor");
        return;
    }
    view.permissions = permissions_of(turn);
    struct vl_str list = vl_mcp_catalog_get(&turn->endpoint->catalog,
                                            turn->endpoint->server, &view);
    if (list.n)
        vl_mcp_turn_result(turn, message, list);
    else
        vl_mcp_turn_error(turn, message, VL_RPC_INTERNAL,
                          "The list is too long");
}

/* @spec HT-55 */
void
vl_mcp_answer_discover(const struct vl_mcp_turn *turn,
                       const struct vl_rpc_message *message,
                       enum vl_mcp_sort sort)
{
    (void)sort;
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    vl_mcp_result_write_welcome(&out, turn->endpoint->server,
                                turn->peer->version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}
