/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp-valet: the table of commands.
 */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "apps/valet/command.h"
#include "core/str.h"
#include "crypto/start.h"

static const struct vl_command *const commands[] = {
    &vl_command_serve,
    &vl_command_check,
    &vl_command_config,
};

const char *
vl_environment(const char *name)
{
    return getenv(name);
}

void
vl_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("mcp-valet: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

static const struct vl_option *
find_option(struct vl_str name, const struct vl_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vl_str_eqz(name, options[i].name))
            return &options[i];
    return NULL;
}

bool
vl_options_parse(int argc, char **argv, const struct vl_option *options,
                 size_t count)
{
    for (int i = 1; i < argc; i++) {
        struct vl_str argument = vl_str_z(argv[i]);
        size_t equals = vl_str_index(argument, '=');
        struct vl_str name = vl_str_head(argument, equals);
        const struct vl_option *option = find_option(name, options, count);
        if (!option) {
            vl_complain("unknown argument: %s", argv[i]);
            return false;
        }
        if (option->flag && equals == argument.n) {
            *option->flag = true;
        } else if (option->value && equals < argument.n) {
            *option->value = argv[i] + equals + 1;
        } else if (option->value && i + 1 < argc) {
            *option->value = argv[++i];
        } else {
            vl_complain(option->flag ? "%s takes no value" : "%s needs a value",
                        option->name);
            return false;
        }
    }
    return true;
}

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
print_help(FILE *out)
{
    (void)fputs("mcp-valet puts Microsoft Entra ID in front of MCP servers.\n\n"
                "usage: mcp-valet COMMAND [OPTION …]\n\n",
                out);
    for (size_t i = 0; i < VL_COUNT(commands); i++)
        (void)fprintf(out, "  %-8s  %s\n", commands[i]->name,
                      commands[i]->summary);
    (void)fputs("\n  help COMMAND   how a command is used\n"
                "  --version      the version\n\n"
                "No Azure tenant at hand? mcp-valet serve --dev\n",
                out);
}

static const struct vl_command *
find_command(const char *name)
{
    for (size_t i = 0; i < VL_COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int
help(const char *name)
{
    const struct vl_command *command = name ? find_command(name) : NULL;
    if (name && !command) {
        vl_complain("unknown command: %s", name);
        return VL_EXIT_USAGE;
    }
    if (command)
        (void)fputs(command->usage, stdout);
    else
        print_help(stdout);
    return VL_EXIT_OK;
}

static bool
is_any(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

int
main(int argc, char **argv)
{
    forbid_dumps();
    vl_crypto_start();
    if (argc < 2) {
        print_help(stderr);
        return VL_EXIT_USAGE;
    }
    if (is_any(argv[1], "--version", "version", "-V")) {
        (void)puts("mcp-valet " VALET_VERSION);
        return VL_EXIT_OK;
    }
    if (is_any(argv[1], "--help", "help", "-h"))
        return help(argc > 2 ? argv[2] : NULL);
    const struct vl_command *command = find_command(argv[1]);
    if (!command) {
        vl_complain("unknown command: %s (mcp-valet help lists them)", argv[1]);
        return VL_EXIT_USAGE;
    }
    if (argc > 2 && is_any(argv[2], "--help", "-h", "help"))
        return help(command->name);
    return command->run(argc - 1, argv + 1);
}
