/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp-valet: the table of commands.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "apps/valet/command.h"
#include "crypto/start.h"

static const struct vl_command *const commands[] = {
    &vl_command_serve, &vl_command_check,  &vl_command_config,
    &vl_command_login, &vl_command_logout, &vl_command_accounts,
    &vl_command_token,
};

const char *
vl_environment(const char *name)
{
    return getenv(name);
}

/* Longer than the longest command that is printed. */
#define COMPLAINT_MAX 20000

/* What is in it may be an argument, or from afar. */
void
vl_complain(const char *format, ...)
{
    char text[COMPLAINT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vl_str_tame(text);
    (void)fprintf(stderr, "mcp-valet: %s\n", text);
}

static const struct vl_option *
find_option(struct vl_str name, const struct vl_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vl_str_eqz(name, options[i].name))
            return &options[i];
    return NULL;
}

static bool
set_value(const struct vl_option *option, const char *value)
{
    if (option->value) {
        *option->value = value;
        return true;
    }
    struct vl_option_list *list = option->list;
    if (list->count == VL_OPTION_VALUES) {
        vl_complain("%s is given too often", option->name);
        return false;
    }
    list->items[list->count++] = value;
    return true;
}

/* The option at argv[*i], and its value. */
static bool
parse_option(int argc, char **argv, int *i, const struct vl_option *options,
             size_t count)
{
    struct vl_str argument = vl_str_z(argv[*i]);
    size_t equals = vl_str_index(argument, '=');
    const struct vl_option *option =
        find_option(vl_str_head(argument, equals), options, count);
    if (!option) {
        vl_complain("unknown argument: %s", argv[*i]);
        return false;
    }
    if (option->flag && equals == argument.n) {
        *option->flag = true;
        return true;
    }
    if (!option->flag && equals < argument.n)
        return set_value(option, argv[*i] + equals + 1);
    if (!option->flag && *i + 1 < argc)
        return set_value(option, argv[++*i]);
    vl_complain(option->flag ? "%s takes no value" : "%s needs a value",
                option->name);
    return false;
}

bool
vl_options_parse(int argc, char **argv, const struct vl_option *options,
                 size_t count)
{
    for (int i = 1; i < argc; i++)
        if (!parse_option(argc, argv, &i, options, count))
            return false;
    return true;
}

bool
vl_output_choose(const char *text, const char *const *names, size_t count,
                 size_t *ret)
{
    for (*ret = 0; *ret < count; ++*ret)
        if (!text || strcmp(text, names[*ret]) == 0)
            return true;
    vl_complain("there is no --output %s here", text);
    return false;
}

int
vl_print(const struct vl_buf *text)
{
    struct vl_str rest = vl_buf_str(text);
    while (!text->failed && rest.n) {
        ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);
        if (n < 0 && errno != EINTR) {
            vl_complain("cannot write to standard output: %s", strerror(errno));
            return VL_EXIT_FAILED;
        }
        rest = vl_str_from(rest, n > 0 ? (size_t)n : 0);
    }
    if (!text->failed)
        return VL_EXIT_OK;
    vl_complain("there is too much to be written");
    return VL_EXIT_FAILED;
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
