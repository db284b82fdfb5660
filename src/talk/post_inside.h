/* SPDX-License-Identifier: Apache-2.0
 *
 * What post.c and post_stream.c share.
 */
#ifndef VL_TALK_POST_INSIDE_H
#define VL_TALK_POST_INSIDE_H

#include "talk/post.h"

/* A message on its stream or line, without asking whether anybody reads it:
 * begins the stream if need be. */
void vl_mcp_post_write(struct vl_mcp_post *post, struct vl_str json);

#endif
