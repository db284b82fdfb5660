/* SPDX-License-Identifier: Apache-2.0
 *
 * How a task is told: that its status has changed, and all that there is to
 * say about it.
 */
#include "mcp/rpc.h"
#include "mcp/task_inside.h"

/* --- to watchers --- */

/* Watchers are hung on one by one before they are called: each may leave, and
 * take others along. */
static void
tell(struct vl_mcp_task *task)
{
    struct vl_list rest;
    vl_list_init(&rest);
    VL_LIST_EACH (it, &task->watchers) {
        vl_list_remove(it);
        vl_list_add_last(&rest, it);
    }
    while (!vl_list_is_empty(&rest)) {
        struct vl_mcp_task_watcher *watcher =
            VL_CONTAINER(rest.next, struct vl_mcp_task_watcher, in_task);
        vl_list_remove(&watcher->in_task);
        if (!vl_mcp_task_is_over(task))
            vl_list_add_last(&task->watchers, &watcher->in_task);
        watcher->changed(watcher, task);
    }
}

void
vl_mcp_task_become(struct vl_mcp_task *task, enum vl_mcp_task_status status)
{
    task->status = status;
    vl_mcp_task_touch(task);
    tell(task);
}

void
vl_mcp_task_watch(struct vl_mcp_task *task, struct vl_mcp_task_watcher *watcher)
{
    vl_list_init(&watcher->in_task);
    if (!vl_mcp_task_is_over(task))
        vl_list_add_last(&task->watchers, &watcher->in_task);
}

void
vl_mcp_task_unwatch(struct vl_mcp_task_watcher *watcher)
{
    vl_list_remove(&watcher->in_task);
}

/* --- as JSON --- */

static const char *const status_names[] = {
    [VL_MCP_TASK_WORKING] = "working",
    [VL_MCP_TASK_INPUT_REQUIRED] = "input_required",
    [VL_MCP_TASK_COMPLETED] = "completed",
    [VL_MCP_TASK_FAILED] = "failed",
    [VL_MCP_TASK_CANCELLED] = "cancelled",
};

static void
write_time(struct vl_json_out *out, const char *key, int64_t ms)
{
    char text[VL_TIME_ISO_SIZE];
    vl_time_iso(ms, text);
    vl_json_add_z(out, key, text);
}

/* An error has to be there even where none was told, or kept. */
static void
write_error(struct vl_json_out *out, const struct vl_mcp_task *task)
{
    if (vl_buf_size(&task->outcome)) {
        vl_json_add_raw(out, "error", vl_buf_str(&task->outcome));
        return;
    }
    vl_json_open_key(out, "error", '{');
    vl_json_add_int(out, "code", VL_RPC_INTERNAL);
    vl_json_add_z(out, "message",
                  task->message ? task->message : "Internal error");
    vl_json_close(out, '}');
}

/* What only one status has. */
static void
write_details(struct vl_json_out *out, const struct vl_mcp_task *task)
{
    switch (task->status) {
    case VL_MCP_TASK_INPUT_REQUIRED:
        vl_mcp_task_write_questions(out, task);
        return;
    case VL_MCP_TASK_COMPLETED:
        vl_json_add_raw(out, "result", vl_buf_str(&task->outcome));
        return;
    case VL_MCP_TASK_FAILED:
        write_error(out, task);
        return;
    case VL_MCP_TASK_WORKING:
    case VL_MCP_TASK_CANCELLED:
        return;
    }
}

/* @spec EX-12 */
void
vl_mcp_task_write(struct vl_json_out *out, const struct vl_mcp_task *task,
                  enum vl_mcp_task_form form)
{
    if (form != VL_MCP_TASK_NOTIFIED)
        vl_json_add_z(out, "resultType",
                      form == VL_MCP_TASK_CREATED ? "task" : "complete");
    vl_json_add_z(out, "taskId", task->id);
    vl_json_add_z(out, "status", status_names[task->status]);
    if (task->message)
        vl_json_add_z(out, "statusMessage", task->message);
    write_time(out, "createdAt", task->created_ms);
    write_time(out, "lastUpdatedAt", task->updated_ms);
    vl_json_add_int(out, "ttlMs", task->ttl_ms);
    vl_json_add_int(out, "pollIntervalMs", task->table->rules.poll_ms);
    if (form != VL_MCP_TASK_CREATED)
        write_details(out, task);
}
