/* SPDX-License-Identifier: Apache-2.0
 *
 * A remote MCP server for the people of one tenant: a board of notes. They sign
 * in with Entra ID; all may read it, some may pin notes to it.
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

enum { NOTES = 16, NOTE_SIZE = 4 * 200 + 1 }; /* of UTF-8 */
struct board {
    char notes[NOTES][NOTE_SIZE];
    size_t next, count;
};

static void
read_board(valet_mcp_call *call, void *ctx)
{
    const struct board *board = ctx;
    valet_mcp_content notes[NOTES] = {{.text = "There is nothing on it."}};
    for (size_t i = 0; i < board->count; i++)
        notes[i].text = board->notes[i];
    valet_mcp_finish(
        call,
        &(valet_mcp_result){.content = notes,
                            .content_count = board->count ? board->count : 1});
}

/* Handlers run one at a time: no lock. The text is there and not too long, or
 * its schema had kept the call from coming here. */
static void
pin(valet_mcp_call *call, void *ctx)
{
    struct board *board = ctx;
    snprintf(board->notes[board->next], NOTE_SIZE, "%s",
             valet_mcp_argument(call, "text"));
    board->next = (board->next + 1) % NOTES;
    board->count += board->count < NOTES;
    /* Tenant and object id together are who that is, for ever; names are not.
     * The first id stands in the audit trail, too. */
    fprintf(stderr, "%s: %s of %s pinned a note\n",
            valet_mcp_correlation_id(call), valet_mcp_user_oid(call),
            valet_mcp_user_tid(call));
    valet_mcp_finish(call, &(valet_mcp_result){.text = "It hangs there."});
}

static struct board board;
static const valet_mcp_tool tools[] = {
    {.name = "read_board",
     .description = "Reads the notes on the board that all people share.",
     .input_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
     .permission = VALET_MCP_ANY_CALLER, /* of those who have signed in */
     .hints = VALET_MCP_READ_ONLY,
     .call = read_board,
     .ctx = &board},
    /* Only people with the app role "board.write" see it; or everybody, if the
     * configuration says open_scopes: [board.write]. */
    {.name = "pin",
     .description = "Pins a note to the board. The oldest one falls down.",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":"
                     "\"string\",\"minLength\":1,\"maxLength\":200}},"
                     "\"required\":[\"text\"],\"additionalProperties\":false}",
     .permission = "board.write",
     .call = pin,
     .ctx = &board}};

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
        .config_file = argc == 2 ? argv[1] : "valet.yaml", .ready = tell_ready};
    valet_mcp_server *server = NULL;
    valet_error error = {0};
    if (valet_mcp_server_new("board", "1.0", NULL, &server, &error) ||
        valet_mcp_add_tool(server, &tools[0], &error) ||
        valet_mcp_add_tool(server, &tools[1], &error) ||
        valet_mcp_serve_signed_in(server, &service, &error))
        fprintf(stderr, "%s\n", error.message);
    valet_mcp_server_free(server);
    return error.status == VALET_OK ? 0 : 1;
}
