/* SPDX-License-Identifier: Apache-2.0
 *
 * An MCP server whose tools say more than anybody wants to hear, for the tests
 * of what is bounded:
 *
 *     loud-server               to the client at standard input and output
 *     loud-server LISTEN        over HTTP, to this machine
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "valet/mcp.h"

#define COUNT                                                                  \
    "{\"type\":\"object\",\"properties\":{\"count\":{\"type\":\"integer\"}},"  \
    "\"required\":[\"count\"]}"
#define WATCHED "loud://watched"

static int
count_of(const valet_mcp_call *call)
{
    int64_t count = 0;
    (void)valet_mcp_argument_int(call, "count", &count);
    return (int)count;
}

static void
say(valet_mcp_call *call, const char *text)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

/* Progress and messages, of a thousand bytes each. */
static void
shout(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    char text[900];
    memset(text, '!', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < count_of(call) && !valet_mcp_is_cancelled(call); i++) {
        valet_mcp_progress(call, i, 0, text);
        valet_mcp_log(call, VALET_MCP_ERROR, "loud", text);
    }
    say(call, "shouted");
}

/* A resource changes, again and again. */
static void
touch(valet_mcp_call *call, void *ctx)
{
    for (int i = 0; i < count_of(call); i++)
        valet_mcp_resource_updated(ctx, WATCHED);
    say(call, "touched");
}

/* A text so long. */
static void
fill(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    size_t size = (size_t)count_of(call);
    char *text = calloc(1, size + 1);
    if (!text)
        abort();
    memset(text, 'x', size);
    say(call, text);
    free(text);
}

/* What handlers print belongs on standard error. */
static void
mutter(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    for (int i = 0; i < count_of(call); i++)
        (void)fprintf(stderr, "{\"jsonrpc\":\"2.0\",\"method\":\"mutter\"}\n");
    say(call, "muttered");
}

static void
read_watched(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    say(call, "loud");
}

static const valet_mcp_tool tools[] = {
    {.name = "shout", .flags = VALET_MCP_ON_THREAD, .call = shout},
    {.name = "touch", .call = touch},
    {.name = "fill", .call = fill},
    {.name = "mutter", .call = mutter},
};

static valet_status
add_all(valet_mcp_server *server, valet_error *err)
{
    const valet_mcp_resource watched = {.uri = WATCHED,
                                        .name = "watched",
                                        .permission = VALET_MCP_ANY_CALLER,
                                        .read = read_watched};
    valet_status status = valet_mcp_add_resource(server, &watched, err);
    for (size_t i = 0; i < sizeof tools / sizeof *tools && status == VALET_OK;
         i++) {
        valet_mcp_tool tool = tools[i];
        tool.description = "Is loud.";
        tool.input_schema = COUNT;
        tool.permission = VALET_MCP_ANY_CALLER;
        tool.ctx = server;
        status = valet_mcp_add_tool(server, &tool, err);
    }
    return status;
}

static void
announce(const char *url, void *ctx)
{
    (void)ctx;
    (void)printf("{\"event\":\"ready\",\"url\":\"%s\"}\n", url);
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    valet_mcp_server *server = NULL;
    valet_error err = {0};
    valet_status status =
        valet_mcp_server_new("loud-server", "1", NULL, &server, &err);
    if (status == VALET_OK)
        status = add_all(server, &err);
    if (status == VALET_OK && argc > 1)
        status = valet_mcp_serve_local_http(
            server, &(valet_mcp_address){.listen = argv[1], .ready = announce},
            &err);
    else if (status == VALET_OK)
        status = valet_mcp_serve_stdio(server, &err);
    if (status != VALET_OK)
        (void)fprintf(stderr, "%s\n", err.message);
    valet_mcp_server_free(server);
    return status == VALET_OK ? 0 : 1;
}
