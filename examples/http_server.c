/* SPDX-License-Identifier: Apache-2.0
 *
 * A remote MCP server for the people of one tenant: they sign in with Entra ID,
 * and what one may do another may not.
 *
 *     cc http_server.c $(pkg-config --cflags --libs valet)
 *     ./a.out valet.yaml
 *
 * The file is that of `mcp-valet serve --config` without `servers`; it says who
 * we are to Entra ID and where to listen. Prints where it is and ends with 0 on
 * SIGTERM, with 1 if it could not serve.
 */
#include <stdio.h>

#include <valet/mcp.h>

/* What both tools take: nothing. */
#define NOTHING "{\"type\":\"object\",\"additionalProperties\":false}"

/* Only who has its permission sees a tool and may call it. Tenant and object id
 * together are who that is, for ever; names are not. */
static void
greet(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    char text[256];
    snprintf(text, sizeof text, "Hello, %s of tenant %s.",
             valet_mcp_user_oid(call), valet_mcp_user_tid(call));
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

/* `*ctx` is what there is to change. Handlers run one at a time: no lock. */
static void
count_up(valet_mcp_call *call, void *ctx)
{
    int *count = ctx;
    char json[32];
    /* The id stands in the audit trail, too, beside the person's. */
    fprintf(stderr, "%s: counted up\n", valet_mcp_correlation_id(call));
    snprintf(json, sizeof json, "{\"count\":%d}", ++*count);
    valet_mcp_finish(call, &(valet_mcp_result){.structured = json});
}

static valet_status
add_tools(valet_mcp_server *server, int *count, valet_error *error)
{
    const valet_mcp_tool greeter = {
        .name = "greet",
        .description = "Greets whoever has signed in.",
        .input_schema = NOTHING,
        .permission = "mcp.tools.read",
        .hints = VALET_MCP_READ_ONLY,
        .call = greet,
    };
    const valet_mcp_tool counter = {
        .name = "count_up",
        .description = "Adds one to the count that all people share.",
        .input_schema = NOTHING,
        .output_schema = "{\"type\":\"object\",\"properties\":{"
                         "\"count\":{\"type\":\"integer\"}}}",
        .permission = "mcp.tools.write",
        .call = count_up,
        .ctx = count,
    };
    valet_status status = valet_mcp_add_tool(server, &greeter, error);
    if (status == VALET_OK)
        status = valet_mcp_add_tool(server, &counter, error);
    return status;
}

static void
tell_ready(const char *url, void *ctx)
{
    (void)ctx;
    printf("{\"event\":\"ready\",\"url\":\"%s\"}\n", url);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    const valet_mcp_service service = {
        .config_file = argc == 2 ? argv[1] : "valet.yaml",
        .ready = tell_ready,
    };
    int count = 0;
    valet_mcp_server *server = NULL;
    valet_error error = {0};
    if (valet_mcp_server_new("counter", "1.0", NULL, &server, &error) ||
        add_tools(server, &count, &error) ||
        valet_mcp_serve_signed_in(server, &service, &error))
        fprintf(stderr, "%s\n", error.message);
    valet_mcp_server_free(server);
    return error.status == VALET_OK ? 0 : 1;
}
