/* SPDX-License-Identifier: Apache-2.0
 *
 * What ask.c and ask_send.c share.
 */
#ifndef VL_TALK_ASK_INSIDE_H
#define VL_TALK_ASK_INSIDE_H

#include "talk/ask.h"

/* What is asked and known in this call; made when it is first needed. */
struct vl_mcp_talk *vl_mcp_talk_of(struct vl_mcp_call *call);
/* What a question asks for, without the details. */
unsigned vl_mcp_ask_kind(unsigned needs);
/* The requestState: the answers so far, and what the handler keeps. `ret` has
 * failed when they are too long. */
void vl_mcp_talk_seal(const struct vl_mcp_call *call, struct vl_buf *ret);

#endif
