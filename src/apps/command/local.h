/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of mcp-valet-local that mcp-valet lists as its own: name and
 * summary. Their usage is told, and they are run, by mcp-valet-local alone.
 */
#ifndef VL_APPS_COMMAND_LOCAL_H
#define VL_APPS_COMMAND_LOCAL_H

#define VL_LOCAL_LOGIN                                                         \
    .name = "login", .summary = "sign in with Entra ID on this machine"
#define VL_LOCAL_LOGOUT                                                        \
    .name = "logout", .summary = "forget who is signed in, and their tokens"
#define VL_LOCAL_ACCOUNTS                                                      \
    .name = "accounts", .summary = "list who is signed in on this machine"
#define VL_LOCAL_TOKEN                                                         \
    .name = "token",                                                           \
    .summary = "print an access token of a person who is signed in"
#define VL_LOCAL_CONNECT                                                       \
    .name = "connect",                                                         \
    .summary = "reach a remote MCP server from standard input and output"
#define VL_LOCAL_STDIO                                                         \
    .name = "stdio",                                                           \
    .summary = "serve tools to an MCP client over stdio, with sign-in"
#define VL_LOCAL_ALLOW                                                         \
    .name = "allow", .summary = "let a program use the sign-in by way of "     \
                                "stdio"

#endif
