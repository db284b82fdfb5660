/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids of what lives on one worker and is named by clients later: sessions and
 * tasks. 256 random bits in base64url (@spec HT-29 SB-22 SB-24), and two
 * hexadecimal digits that say on which worker it lives.
 */
#ifndef VL_MCP_ID_H
#define VL_MCP_ID_H

#include "core/str.h"

#define VL_MCP_ID_SIZE 46

/* `home`: the worker, below 256. */
void vl_mcp_id_make(unsigned home, char ret[VL_MCP_ID_SIZE]);
/* The worker that an id names; false when it is no id of ours. */
bool vl_mcp_id_home(struct vl_str id, unsigned *ret);

#endif
