/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods, one function each, and how they answer.
 */
#ifndef VL_TALK_METHOD_H
#define VL_TALK_METHOD_H

#include "talk/dispatch.h"

/* Answers a request whose parameters are an object or left out; `sort` is of
 * the shelf that the method is about. */
typedef void
vl_mcp_method(const struct vl_mcp_turn *turn,
              const struct vl_rpc_message *message, enum vl_mcp_sort sort);

vl_mcp_method vl_mcp_answer_list, vl_mcp_answer_discover;
vl_mcp_method vl_mcp_answer_call, vl_mcp_answer_read, vl_mcp_answer_prompt,
    vl_mcp_answer_complete;
vl_mcp_method vl_mcp_answer_ping, vl_mcp_answer_level, vl_mcp_answer_subscribe,
    vl_mcp_answer_unsubscribe;
vl_mcp_method vl_mcp_answer_listen;
vl_mcp_method vl_mcp_answer_task_get, vl_mcp_answer_task_update,
    vl_mcp_answer_task_cancel;

void vl_mcp_turn_error(const struct vl_mcp_turn *turn,
                       const struct vl_rpc_message *message,
                       enum vl_rpc_code code, const char *why);
/* The same with data (JSON), and the status that HTTP has for it. */
void vl_mcp_turn_error_data(const struct vl_mcp_turn *turn,
                            const struct vl_rpc_message *message, int status,
                            enum vl_rpc_code code, const char *why,
                            struct vl_str data);
/* `result` is a JSON object. */
void
vl_mcp_turn_result(const struct vl_mcp_turn *turn,
                   const struct vl_rpc_message *message, struct vl_str result);
/* One without members, but for those that every result has. */
void vl_mcp_turn_empty(const struct vl_mcp_turn *turn,
                       const struct vl_rpc_message *message);
/* True, and answered, when a request with this id is at work in its session. */
bool vl_mcp_turn_is_taken(const struct vl_mcp_turn *turn,
                          const struct vl_rpc_message *message);
/* @spec HT-53: false, and answered, when the client lacks one of these. */
bool vl_mcp_turn_can(const struct vl_mcp_turn *turn,
                     const struct vl_rpc_message *message,
                     unsigned abilities) VALET_CHECK;
/* @spec EX-12 HT-41: the task with this id, if it is the caller's; nobody can
 * tell another's from one that does not exist. */
struct vl_mcp_task *
vl_mcp_turn_find_task(const struct vl_mcp_turn *turn, struct vl_str id);
bool vl_mcp_turn_may(const struct vl_mcp_turn *turn, const char *permission);
/* Serialisers of some clients write null for what they leave out. */
bool vl_mcp_is_left_out(struct vl_json_view value);

#endif
