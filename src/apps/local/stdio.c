/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet stdio`: a local MCP server, started by an MCP client. Nothing is
 * looked up, and nobody asked, before the first call.
 */
#include "apps/local/stdio.h"

#include <signal.h>
#include <unistd.h>

#include "apps/command/local.h"
#include "apps/local/commands.h"
#include "apps/stdio/serve.h"
#include "entra/graph_user.h"

/* A call that has not answered after five minutes is given up (talk/): who
 * waits for a person is to hear why before that. */
#define TIMEOUT_S     270
#define TIMEOUT_MAX_S 285
#define TTL_MAX_S     86400

/* --- what was said --- */

/* @spec S-08: we answer claims challenges (user_tool.c). */
static const char *const capabilities[] = {"cp1", NULL};
static const char *const usual_scopes[] = {"User.Read", NULL};

static valet_status
find_whom(struct vl_lobby_whom *ret, valet_error *err, void *ctx)
{
    struct vl_whom *whom = ctx;
    if (!whom->client) {
        valet_status status = vl_whom_find(whom, err);
        if (status != VALET_OK) {
            vl_whom_close(whom);
            return status;
        }
    }
    *ret = (struct vl_lobby_whom){.client = whom->client,
                                  .authority_host = whom->now.authority_host,
                                  .ca_file = whom->now.ca_file};
    return VALET_OK;
}

static bool
read_number(const char *option, const char *text, uint64_t max, uint64_t *ret)
{
    if (!text || vl_str_u64(vl_str_z(text), max, ret))
        return true;
    vl_complain("%s is a number of seconds, at most %llu", option,
                (unsigned long long)max);
    return false;
}

static bool
read_consent(const char *text, enum vl_consent *ret)
{
    static const struct {
        const char *name;
        enum vl_consent consent;
    } names[] = {{"first-use", VL_CONSENT_FIRST_USE},
                 {"always", VL_CONSENT_ALWAYS},
                 {"never", VL_CONSENT_NEVER}};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (!text || strcmp(text, names[i].name) == 0) {
            *ret = names[i].consent;
            return true;
        }
    vl_complain("--consent is first-use, always or never");
    return false;
}

static bool
read_select(const char *text, const char **ret)
{
    *ret = !text ? VL_GRAPH_SELECT_USUAL : strcmp(text, "all") == 0 ? "" : text;
    if (!text || !(*ret)[0] || vl_graph_select_is_valid(vl_str_z(text)))
        return true;
    vl_complain("--select is all, or names of properties with commas between "
                "them");
    return false;
}

static bool
read_graph_url(const char *url)
{
    valet_error err = {0};
    if (!url || vl_graph_check_url(url, false, &err) == VALET_OK)
        return true;
    vl_complain("--graph-url: %s", err.message);
    return false;
}

static bool
read_methods(const struct vl_stdio *stdio, unsigned *ret)
{
    *ret = stdio->broker        ? VALET_METHOD_BROKER
           : stdio->browser     ? VALET_METHOD_BROWSER
           : stdio->device_code ? VALET_METHOD_DEVICE_CODE
                                : 0;
    if (stdio->broker + stdio->browser + stdio->device_code <= 1)
        return true;
    vl_complain("only one of --broker, --browser and --device-code can be "
                "forced");
    return false;
}

bool
vl_stdio_settle(struct vl_stdio *stdio)
{
    uint64_t timeout_s = TIMEOUT_S, ttl_s = 0;
    struct vl_lobby_config *lobby = &stdio->lobby;
    stdio->whom.capabilities = capabilities;
    *lobby = (struct vl_lobby_config){
        .whom = find_whom,
        .ctx = &stdio->whom,
        .scopes = stdio->scopes.count ? stdio->scopes.items : usual_scopes,
        .named_scopes = stdio->scopes.count ? stdio->scopes.items : NULL,
        .account = stdio->account,
        .parent = getppid(),
        .graph_url = stdio->graph_url,
    };
    if (!read_number("--timeout", stdio->timeout, TIMEOUT_MAX_S, &timeout_s) ||
        !read_number("--cache-ttl", stdio->cache_ttl, TTL_MAX_S, &ttl_s) ||
        !read_consent(stdio->consent, &lobby->consent) ||
        !read_select(stdio->select, &lobby->select) ||
        !read_graph_url(stdio->graph_url) ||
        !read_methods(stdio, &lobby->methods))
        return false;
    lobby->timeout_s = timeout_s ? (int)timeout_s : TIMEOUT_S;
    lobby->ttl_ms = (int64_t)ttl_s * 1000;
    return true;
}

void
vl_stdio_done(struct vl_stdio *stdio)
{
    vl_whom_done(&stdio->whom);
}

/* --- the command --- */

static int
serve(int argc, char **argv)
{
    struct vl_stdio stdio = {.account = NULL};
    const struct vl_option options[] = {VL_STDIO_OPTIONS(stdio),
                                        VL_STDIO_OPTIONS_TOOLS(stdio)};
    valet_error err = {0};
    int separator = vl_options_separator(argc, argv);
    if (separator)
        return vl_stdio_gate(argc, argv, separator);
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)) ||
        !vl_stdio_settle(&stdio))
        return VL_EXIT_USAGE;
    valet_status status = vl_stdio_serve(&stdio.lobby, &err);
    if (status != VALET_OK)
        vl_complain("%s", err.message);
    vl_stdio_done(&stdio);
    return status == VALET_OK ? VL_EXIT_OK : VL_EXIT_FAILED;
}

const struct vl_command vl_command_stdio = {
    VL_LOCAL_STDIO,
    .usage =
        "usage: mcp-valet stdio [OPTION] …\n"
        "       mcp-valet stdio [OPTION] … -- COMMAND [ARGUMENT] …\n\n"
        "Serves MCP over standard input and output, to the client that starts\n"
        "it. Its tool GetUserDetailsFromGraph reads the profile of the person\n"
        "who is signed in; the first call asks them to sign in, and later "
        "ones\n"
        "are silent. With a COMMAND that one is the server, and none of its\n"
        "tools answers before the person has signed in; it is told who that\n"
        "is, and with --scope it gets a token of these scopes.\n\n"
        "  --scope SCOPE         what is consented to (User.Read); may be\n"
        "                        repeated\n"
        "  --account NAME        a username or an account id, if several are\n"
        "                        signed in\n"
        "  --select NAMES        properties of the profile, or all\n"
        "                        (displayName,mail,userPrincipalName)\n"
        "  --graph-url URL       Microsoft Graph (that of the authority's\n"
        "                        cloud)\n"
        "  --cache-ttl SECONDS   for how long a profile is not asked for "
        "again\n"
        "                        (0: it always is)\n"
        "  --device-code         sign in this way or not at all …\n"
        "  --browser             … or this way …\n"
        "  --broker              … or this one\n"
        "  --timeout SECONDS     for how long a person is waited for (270)\n"
        "  --consent WHEN        first-use: each program that starts this one\n"
        "                        has to be allowed by the person once; "
        "always:\n"
        "                        each time; never: any may\n"
        "  --token-env VARIABLE  with a COMMAND: it also gets the token once, "
        "at\n"
        "                        its start, in this variable; it is not\n"
        "                        renewed\n\n" //
    VL_WHOM_USAGE "\nExit codes: 0 the client has ended it, 1 failure, 2 usage "
        "or configuration;\na COMMAND that ends by itself gives its own.\n",
    .run = serve,
};
