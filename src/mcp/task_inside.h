/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a task share (they are named in task.h).
 */
#ifndef VL_MCP_TASK_INSIDE_H
#define VL_MCP_TASK_INSIDE_H

#include "mcp/task.h"

/* Makes room for `n` more bytes and counts them as this task's; false when
 * there is none. What is over may go for it, but not this task. */
bool vl_mcp_task_charge(struct vl_mcp_task *task, size_t n) VALET_CHECK;
void vl_mcp_task_refund(struct vl_mcp_task *task, size_t n);
/* It has changed, in a way that watchers are told of. */
void
vl_mcp_task_become(struct vl_mcp_task *task, enum vl_mcp_task_status status);
/* It has changed. */
void vl_mcp_task_touch(struct vl_mcp_task *task);
/* Wiped, gone, and not counted any more. */
void vl_mcp_task_forget_questions(struct vl_mcp_task *task);
/* The member inputRequests: what is asked at the moment. */
void vl_mcp_task_write_questions(struct vl_json_out *out,
                                 const struct vl_mcp_task *task);

#endif
