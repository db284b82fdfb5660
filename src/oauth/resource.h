/* SPDX-License-Identifier: Apache-2.0
 *
 * Resource indicators (RFC 8707): which MCP server a token is for.
 */
#ifndef VL_OAUTH_RESOURCE_H
#define VL_OAUTH_RESOURCE_H

#include "core/str.h"

/*
 * Do both name the same resource? Scheme and host compare without case, the
 * default port may be written or not, one final slash may be there or not:
 * clients differ in all of these (@spec RS-21). What is not an absolute http
 * or https URL names nothing.
 */
bool vl_resource_same(struct vl_str a, struct vl_str b);

#endif
