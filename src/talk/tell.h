/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is told that something has changed: listeners (listen.h), and the
 * sessions of the revisions before them.
 */
#ifndef VL_TALK_TELL_H
#define VL_TALK_TELL_H

#include "talk/inside.h"

/* To all who are to hear of it. */
void vl_mcp_tell_list(struct vl_mcp_endpoint *endpoint, enum vl_mcp_sort sort);
void vl_mcp_tell_updated(struct vl_mcp_endpoint *endpoint, const char *uri);
/* Now and then: to sessions that read again what they have missed. */
void vl_mcp_tell_missed(struct vl_mcp_endpoint *endpoint);

#endif
