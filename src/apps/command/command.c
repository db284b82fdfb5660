/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/command/command.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "crypto/start.h"

/* @spec S-56, lesson 3.8: no core file, no debugger of another process of
 * ours may show keys and tokens. */
static void
forbid_dumps(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

static void
print_help(const struct vl_commands *commands, FILE *out)
{
    (void)fputs("mcp-valet puts Microsoft Entra ID in front of MCP servers.\n\n"
                "usage: mcp-valet COMMAND [OPTION …]\n\n",
                out);
    for (size_t i = 0; i < commands->count; i++)
        (void)fprintf(out, "  %-8s  %s\n", commands->rows[i]->name,
                      commands->rows[i]->summary);
    (void)fputs("\n  help COMMAND   how a command is used\n"
                "  --version      the version\n\n"
                "No Azure tenant at hand? mcp-valet serve --dev\n",
                out);
}

static const struct vl_command *
find_command(const struct vl_commands *commands, const char *name)
{
    for (size_t i = 0; i < commands->count; i++)
        if (strcmp(commands->rows[i]->name, name) == 0)
            return commands->rows[i];
    return NULL;
}

static bool
is_any(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static bool
asks_for_help(const char *word)
{
    return is_any(word, "--help", "help", "-h");
}

/* `asked`: for its usage, instead of being run. */
static int
run_command(const struct vl_commands *commands,
            const struct vl_command *command, bool asked, int argc, char **argv)
{
    if (!command->run)
        return commands->elsewhere(argv);
    if (asked || (argc > 2 && asks_for_help(argv[2]))) {
        (void)fputs(command->usage, stdout);
        return VL_EXIT_OK;
    }
    vl_crypto_start();
    return command->run(argc - 1, argv + 1);
}

int
vl_commands_main(const struct vl_commands *commands, int argc, char **argv)
{
    forbid_dumps();
    if (argc < 2) {
        print_help(commands, stderr);
        return VL_EXIT_USAGE;
    }
    if (is_any(argv[1], "--version", "version", "-V")) {
        (void)puts("mcp-valet " VALET_VERSION);
        return VL_EXIT_OK;
    }
    bool asked = asks_for_help(argv[1]);
    if (asked && argc == 2) {
        print_help(commands, stdout);
        return VL_EXIT_OK;
    }
    const char *name = argv[asked ? 2 : 1];
    const struct vl_command *command = find_command(commands, name);
    if (command)
        return run_command(commands, command, asked, argc, argv);
    vl_complain("unknown command: %s%s", name,
                asked ? "" : " (mcp-valet help lists them)");
    return VL_EXIT_USAGE;
}
