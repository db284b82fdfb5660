/* SPDX-License-Identifier: Apache-2.0
 *
 * Things to register, for tests of what a server holds and says.
 */
#ifndef TEST_MCP_LOT_H
#define TEST_MCP_LOT_H

#include "mcp/server.h"
#include "vl_test.h"

static inline void
do_nothing(valet_mcp_call *call, void *ctx)
{
    (void)call;
    (void)ctx;
}

static const valet_mcp_tool good_tool = {
    .name = "hello",
    .title = "Greeting",
    .description = "Says hello.",
    .input_schema = "{ \"type\": \"object\",\n \"properties\": {} }",
    .output_schema = "{\"type\":\"object\"}",
    .hints = VALET_MCP_READ_ONLY,
    .permission = "mcp.tools.read",
    .call = do_nothing,
};

static const valet_mcp_resource good_resource = {
    .uri = "note://one",
    .name = "one",
    .title = "Number one",
    .description = "A note.",
    .mime_type = "text/plain",
    .permission = VALET_MCP_ANY_CALLER,
    .size = 5,
    .read = do_nothing,
};

static const valet_mcp_template good_template = {
    .uri_template = "note://{id}/text",
    .name = "notes",
    .title = "All notes",
    .description = "Notes.",
    .mime_type = "text/markdown",
    .permission = VALET_MCP_ANY_CALLER,
    .read = do_nothing,
};

static const valet_mcp_prompt_argument good_arguments[] = {
    {.name = "who", .title = "Who", .description = "A name", true},
    {.name = "how"},
};

static const valet_mcp_prompt good_prompt = {
    .name = "greet",
    .title = "Greet",
    .description = "Greets.",
    .arguments = good_arguments,
    .argument_count = VL_COUNT(good_arguments),
    .permission = VALET_MCP_ANY_CALLER,
    .get = do_nothing,
};

static inline valet_mcp_server *
new_server(void)
{
    valet_mcp_server *server = NULL;
    assert_ok(valet_mcp_server_new("test", "1.0", NULL, &server, NULL));
    return server;
}

static inline struct vl_mcp_item *
find(const valet_mcp_server *server, enum vl_mcp_sort sort, const char *id)
{
    return vl_mcp_server_find(server, sort, vl_str_z(id));
}

#endif
