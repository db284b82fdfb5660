/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with an MCP server of its own, served as its arguments say:
 *
 *     own-server local LISTEN [PATH]
 *     own-server signed-in CONFIG
 *
 * Writes one line of JSON when clients may come. Exits 0 when it was ended, 2
 * for what it was told wrongly, with the status's name and the sentence.
 */
#include <stdio.h>
#include <string.h>

#include "valet/mcp.h"

#define NOTHING "{\"type\":\"object\",\"properties\":{}}"

static void
say(valet_mcp_call *call, void *ctx)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = ctx});
}

static void
who(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    char text[128];
    (void)snprintf(text, sizeof text, "%s", valet_mcp_user_oid(call));
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

static char greeting[] = "Hello", note[] = "A note", secret[] = "For admins";

static const valet_mcp_tool tools[] = {
    {.name = "greet",
     .description = "Says hello.",
     .input_schema = NOTHING,
     .permission = VALET_MCP_ANY_CALLER,
     .call = say,
     .ctx = greeting},
    {.name = "who",
     .description = "Says who calls.",
     .input_schema = NOTHING,
     .permission = VALET_MCP_ANY_CALLER,
     .call = who},
    {.name = "read_note",
     .description = "Reads a note.",
     .input_schema = NOTHING,
     .permission = "notes.read",
     .call = say,
     .ctx = note},
    {.name = "read_secret",
     .description = "Reads what is for administrators.",
     .input_schema = NOTHING,
     .permission = "Mcp.Admin",
     .call = say,
     .ctx = secret},
};

static void
announce(const char *url, void *ctx)
{
    (void)ctx;
    (void)printf("{\"event\":\"ready\",\"url\":\"%s\"}\n", url);
    (void)fflush(stdout);
}

static valet_status
serve(valet_mcp_server *server, int argc, char **argv, valet_error *err)
{
    const valet_mcp_address address = {.listen = argv[2],
                                       .path = argc > 3 ? argv[3] : NULL,
                                       .ready = announce};
    const valet_mcp_service service = {.config_file = argv[2],
                                       .ready = announce};
    return strcmp(argv[1], "local") == 0
               ? valet_mcp_serve_local_http(server, &address, err)
               : valet_mcp_serve_signed_in(server, &service, err);
}

int
main(int argc, char **argv)
{
    valet_mcp_server *server = NULL;
    valet_error err = {0};
    if (argc < 3)
        return 2;
    valet_status status =
        valet_mcp_server_new("own-server", "1", NULL, &server, &err);
    for (size_t i = 0; i < sizeof tools / sizeof *tools && status == VALET_OK;
         i++)
        status = valet_mcp_add_tool(server, &tools[i], &err);
    if (status == VALET_OK)
        status = serve(server, argc, argv, &err);
    if (status != VALET_OK)
        (void)fprintf(stderr, "%s: %s\n", valet_status_name(status),
                      err.message);
    valet_mcp_server_free(server);
    return status == VALET_OK ? 0 : 2;
}
