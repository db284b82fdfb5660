/* SPDX-License-Identifier: Apache-2.0
 *
 * A local MCP server: it tells a person's assistant, which starts it and speaks
 * to it over standard input and output, how their computer is.
 *
 *     cc stdio_server.c $(pkg-config --cflags --libs valet)
 */
#define _DEFAULT_SOURCE /* getloadavg */
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include <valet/mcp.h>

/* A tool: the model calls it, with arguments that fit its schema, and reads
 * what is structured as text, too, or why it failed. */
static void
disk_space(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    char json[64];
    struct statvfs disk = {0};
    const char *path = valet_mcp_argument(call, "path");
    int failed = statvfs(path ? path : "/", &disk);
    snprintf(json, sizeof json, "{\"free_bytes\":%llu}",
             1ULL * disk.f_bavail * disk.f_frsize);
    valet_mcp_finish(call, failed ? &(valet_mcp_result){.text = "No such path.",
                                                        .is_error = true}
                                  : &(valet_mcp_result){.structured = json});
}

static const valet_mcp_tool disk_space_tool = {
    .name = "disk_space",
    .description = "How many bytes are free at a path of this computer.",
    .input_schema = "{\"type\":\"object\",\"properties\":{\"path\":{"
                    "\"type\":\"string\",\"default\":\"/\"}}}",
    .output_schema = "{\"type\":\"object\",\"properties\":{"
                     "\"free_bytes\":{\"type\":\"integer\"}}}",
    .permission = VALET_MCP_ANY_CALLER,
    .hints = VALET_MCP_READ_ONLY,
    .call = disk_space,
};

/* A resource: the person or their program picks it. */
static void
read_load(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    char text[128];
    double load[3] = {0};
    getloadavg(load, 3);
    snprintf(text, sizeof text, "%.2f %.2f %.2f", load[0], load[1], load[2]);
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

static const valet_mcp_resource load_resource = {
    .uri = "computer://load",
    .name = "load",
    .description = "Its average load of 1, 5 and 15 minutes.",
    .mime_type = "text/plain",
    .permission = VALET_MCP_ANY_CALLER,
    .read = read_load,
};

/* A prompt: the person begins with it. */
static void
diagnose(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const valet_mcp_content messages[] = {
        {.text = valet_mcp_argument(call, "symptom")},
        {.text = "That is what I see. Look at my computer: what is wrong?"}};
    valet_mcp_finish(
        call, &(valet_mcp_result){.content = messages, .content_count = 2});
}

static const valet_mcp_prompt diagnose_prompt = {
    .name = "diagnose",
    .description = "Find out what is wrong with this computer.",
    .arguments =
        (valet_mcp_prompt_argument[]){{.name = "symptom", .is_required = true}},
    .argument_count = 1,
    .permission = VALET_MCP_ANY_CALLER,
    .get = diagnose,
};

int
main(void)
{
    valet_mcp_server *server = NULL;
    valet_error error = {0};
    if (valet_mcp_server_new("computer", "1.0", NULL, &server, &error) ||
        valet_mcp_add_tool(server, &disk_space_tool, &error) ||
        valet_mcp_add_resource(server, &load_resource, &error) ||
        valet_mcp_add_prompt(server, &diagnose_prompt, &error) ||
        valet_mcp_serve_stdio(server, &error))
        fprintf(stderr, "%s\n", error.message); /* never on standard output */
    valet_mcp_server_free(server);
    return error.status == VALET_OK ? 0 : 1;
}
