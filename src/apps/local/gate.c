/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet stdio -- COMMAND …`: the gate in front of any local server.
 */
#include "apps/local/stdio.h"
#include "apps/stdio/gate_run.h"

static bool
is_variable(const char *name)
{
    struct vl_str text = vl_str_z(name);
    for (size_t i = 0; i < text.n; i++)
        if (!vl_is_letter(text.p[i]) && text.p[i] != '_' &&
            (i == 0 || !vl_is_digit(text.p[i])))
            return false;
    return text.n > 0 && !vl_str_starts(text, VL_STR("MCP_VALET_"));
}

static bool
check(const struct vl_stdio *stdio, const struct vl_gate_run *run)
{
    if (!run->command[0]) {
        vl_complain("which server? It stands behind the --");
        return false;
    }
    if (!run->token_env)
        return true;
    if (!stdio->scopes.count) {
        vl_complain("for what is the token in %s? --scope SCOPE",
                    run->token_env);
        return false;
    }
    if (is_variable(run->token_env))
        return true;
    vl_complain("%s is no name for a variable of a server", run->token_env);
    return false;
}

int
vl_stdio_gate(int argc, char **argv, int separator)
{
    struct vl_stdio stdio = {.account = NULL};
    struct vl_gate_run run = {.command = argv + separator + 1};
    const struct vl_option options[] = {
        VL_STDIO_OPTIONS(stdio),
        {.name = "--token-env", .value = &run.token_env},
    };
    (void)argc;
    if (!vl_options_parse(separator, argv, options, VL_COUNT(options)) ||
        !vl_stdio_settle(&stdio) || !check(&stdio, &run))
        return VL_EXIT_USAGE;
    stdio.lobby.command = (const char *const *)run.command;
    run.lobby = &stdio.lobby;
    run.gives_token = stdio.scopes.count > 0;
    int code = vl_gate_run(&run);
    vl_stdio_done(&stdio);
    return code;
}
