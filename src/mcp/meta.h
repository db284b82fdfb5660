/* SPDX-License-Identifier: Apache-2.0
 *
 * The names that MCP keeps for itself: in "_meta" (2026-07-28, basic), and of
 * extensions.
 */
#ifndef VL_MCP_META_H
#define VL_MCP_META_H

#define VL_MCP_META(name)        "io.modelcontextprotocol/" name
#define VL_MCP_META_VERSION      VL_MCP_META("protocolVersion")
#define VL_MCP_META_CAPABILITIES VL_MCP_META("clientCapabilities")
#define VL_MCP_META_CLIENT       VL_MCP_META("clientInfo")
#define VL_MCP_META_SERVER       VL_MCP_META("serverInfo")
#define VL_MCP_META_LEVEL        VL_MCP_META("logLevel")
#define VL_MCP_META_SUBSCRIPTION VL_MCP_META("subscriptionId")
/* The extension, by its name. */
#define VL_MCP_TASKS VL_MCP_META("tasks")

#endif
