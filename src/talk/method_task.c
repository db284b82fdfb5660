/* SPDX-License-Identifier: Apache-2.0
 *
 * tasks/get, tasks/update, tasks/cancel (the extension
 * io.modelcontextprotocol/tasks; @spec EX-12).
 */
#include "mcp/result.h"
#include "mcp/task.h"
#include "talk/method.h"

struct vl_mcp_task *
vl_mcp_turn_find_task(const struct vl_mcp_turn *turn, struct vl_str id)
{
    struct vl_mcp_task *task = NULL;
    if (!id.n)
        return NULL;
    valet_status status =
        vl_mcp_task_find(&turn->endpoint->tasks, id, turn->principal, &task);
    if (status == VALET_DENIED)
        vl_mcp_endpoint_note_session(turn->endpoint, VL_MCP_SESSION_HIJACK,
                                     turn->principal, "not_the_owner",
                                     vl_mcp_post_peer(turn->post));
    if (status != VALET_OK || !vl_mcp_turn_may(turn, task->permission))
        return NULL;
    return task;
}

/* NULL: answered. */
static struct vl_mcp_task *
find(const struct vl_mcp_turn *turn, const struct vl_rpc_message *message)
{
    if (!vl_mcp_turn_can(turn, message, VL_MCP_KNOWS_TASKS))
        return NULL;
    struct vl_mcp_task *task = vl_mcp_turn_find_task(
        turn, vl_rpc_param_str(message, VL_STR("taskId")));
    if (!task)
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS,
                          "Task not found");
    return task;
}

void
vl_mcp_answer_task_get(const struct vl_mcp_turn *turn,
                       const struct vl_rpc_message *message,
                       enum vl_mcp_sort sort)
{
    (void)sort;
    const struct vl_mcp_task *task = find(turn, message);
    if (!task)
        return;
    struct vl_buf *text = vl_mcp_scratch(turn->endpoint);
    struct vl_json_out out = {text, false};
    vl_rpc_open_answer(&out, message->id);
    vl_json_open_key(&out, "result", '{');
    vl_mcp_task_write(&out, task, VL_MCP_TASK_GOT);
    vl_mcp_result_write_meta(&out, turn->endpoint->server, turn->peer->version);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_mcp_post_answer(turn->post, vl_buf_str(text));
}

/* The task works on before this is answered: what it says next is about
 * something else. */
void
vl_mcp_answer_task_update(const struct vl_mcp_turn *turn,
                          const struct vl_rpc_message *message,
                          enum vl_mcp_sort sort)
{
    (void)sort;
    valet_error err;
    struct vl_mcp_task *task = find(turn, message);
    if (!task)
        return;
    switch (vl_mcp_task_take_answers(
        task, vl_json_get(vl_rpc_params(message), "inputResponses"), &err)) {
    case VALET_OK:
        vl_mcp_turn_empty(turn, message);
        return;
    case VALET_LIMIT:
        vl_mcp_turn_error(turn, message, VL_RPC_INTERNAL, err.message);
        return;
    default:
        vl_mcp_turn_error(turn, message, VL_RPC_INVALID_PARAMS, err.message);
    }
}

void
vl_mcp_answer_task_cancel(const struct vl_mcp_turn *turn,
                          const struct vl_rpc_message *message,
                          enum vl_mcp_sort sort)
{
    (void)sort;
    struct vl_mcp_task *task = find(turn, message);
    if (!task)
        return;
    vl_mcp_task_cancel(task);
    vl_mcp_turn_empty(turn, message);
}
