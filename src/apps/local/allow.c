/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet allow`: which programs may use the sign-in by way of
 * `mcp-valet stdio` (@spec S-54 W-43).
 */
#include <limits.h>

#include "apps/command/local.h"
#include "apps/local/commands.h"
#include "apps/stdio/grant.h"
#include "apps/stdio/program.h"
#include "apps/stdio/programs.h"
#include "core/sys.h"

struct allow {
    const char *program, *account;
    struct vl_option_list scopes;
    const char *const *command; /* or NULL */
    bool list, forget;
};

static int
complain_about(const valet_error *err)
{
    vl_complain("%s", err->message);
    return VL_EXIT_FAILED;
}

static int
list(void)
{
    vl_auto(vl_programs) programs;
    vl_auto(vl_buf) text = vl_buf_of(1024 * 1024);
    valet_error err = {0};
    if (vl_programs_read(&programs, &err) != VALET_OK)
        return complain_about(&err);
    for (size_t i = 0; i < programs.table.count; i++) {
        const struct vl_json_row *row = &programs.table.rows[i];
        char shown[VL_GRANT_SIZE];
        (void)snprintf(shown, sizeof shown, "%.*s", (int)row->key.n,
                       row->key.p);
        vl_str_tame(shown);
        vl_buf_addz(&text, shown);
        vl_buf_addc(&text, '\n');
    }
    return vl_print(&text);
}

/* As the doorman will see it: the path of what runs, without links. A name
 * with a script behind it was shown by the doorman, and is taken as it is. */
static bool
settle_name(const char *program, char ret[VL_PROGRAM_SIZE])
{
    char real[PATH_MAX];
    bool is_there = realpath(program, real) != NULL;
    if (!is_there &&
        (program[0] != '/' || strlen(program) >= VL_PROGRAM_SIZE)) {
        vl_complain("there is no program %s; it is given by its path, or as "
                    "mcp-valet stdio has named it",
                    program);
        return false;
    }
    (void)snprintf(ret, VL_PROGRAM_SIZE, "%s", is_there ? real : program);
    if (!is_there || !vl_program_is_nameless(real))
        return true;
    vl_complain("%s runs other programs: which one is meant? mcp-valet stdio "
                "names it on its standard error",
                program);
    return false;
}

static int
tell(const char *name, const char *what)
{
    vl_auto(vl_buf) text = vl_buf_of(2 * VL_GRANT_SIZE);
    vl_buf_addz(&text, name);
    vl_buf_addf(&text, " %s\n", what);
    return vl_print(&text);
}

static int
permit(const struct allow *allow)
{
    char name[VL_PROGRAM_SIZE];
    vl_auto(vl_buf) grant = vl_buf_of(VL_GRANT_SIZE);
    valet_error err = {0};
    if (!settle_name(allow->program, name))
        return VL_EXIT_USAGE;
    vl_grant_write(&(struct vl_grant){.program = name,
                                      .account = allow->account,
                                      .scopes = allow->scopes.items,
                                      .command = allow->command},
                   &grant);
    if (vl_buf_check(&grant, &err) != VALET_OK ||
        vl_programs_allow(vl_buf_cstr(&grant), &err) != VALET_OK)
        return complain_about(&err);
    return tell(vl_buf_cstr(&grant), "is allowed");
}

/* What has been removed meanwhile, or leads elsewhere, is known by the name
 * that the list shows. */
static int
forget(const char *program)
{
    char real[PATH_MAX];
    valet_error err = {0};
    valet_status status = vl_programs_forget(program, &err);
    if (status == VALET_NOT_FOUND && realpath(program, real))
        status = vl_programs_forget(real, &err);
    return status == VALET_OK ? tell(program, "is not allowed any more")
                              : complain_about(&err);
}

/* The reason why not, or NULL. */
static const char *
find_misuse(const struct allow *allow)
{
    bool says_more =
        allow->account || allow->scopes.count || allow->command != NULL;
    if (allow->forget && !allow->program)
        return "which program is to be forgotten?";
    if (allow->forget && says_more)
        return "--forget takes the program alone: all that it was allowed is "
               "forgotten";
    if (allow->list && (allow->program || says_more))
        return "--list takes no program";
    if (!allow->program && says_more)
        return "which program is to be allowed?";
    return allow->command && !allow->command[0]
               ? "which server? It stands behind the --"
               : NULL;
}

static int
allow(int argc, char **argv)
{
    struct allow allow = {.program = NULL};
    const struct vl_option options[] = {
        {.name = "", .value = &allow.program},
        {.name = "--scope", .list = &allow.scopes},
        {.name = "--account", .value = &allow.account},
        {.name = "--list", .flag = &allow.list},
        {.name = "--forget", .flag = &allow.forget},
    };
    int separator = vl_options_separator(argc, argv);
    if (separator)
        allow.command = (const char *const *)argv + separator + 1;
    if (!vl_options_parse(separator ? separator : argc, argv, options,
                          VL_COUNT(options)))
        return VL_EXIT_USAGE;
    const char *misuse = find_misuse(&allow);
    if (misuse) {
        vl_complain("%s", misuse);
        return VL_EXIT_USAGE;
    }
    return !allow.program ? list()
           : allow.forget ? forget(allow.program)
                          : permit(&allow);
}

const struct vl_command vl_command_allow = {
    VL_LOCAL_ALLOW,
    .usage =
        "usage: mcp-valet allow PROGRAM [--account NAME] [--scope SCOPE] …\n"
        "                       [-- COMMAND [ARGUMENT] …]\n"
        "       mcp-valet allow --forget PROGRAM\n"
        "       mcp-valet allow [--list]\n\n"
        "Lets a program use the person's sign-in when it starts mcp-valet\n"
        "stdio with these options and this COMMAND, which otherwise asks the\n"
        "person in a browser. PROGRAM is its path; of what an interpreter\n"
        "runs, both paths in one argument, as mcp-valet stdio names it:\n"
        "\"/usr/bin/node /home/me/client.js\". Without PROGRAM, what is "
        "allowed\n"
        "is listed.\n\n"
        "  --scope SCOPE         a scope that it may name; may be repeated\n"
        "  --account NAME        the account that it may name\n"
        "  --list                what is allowed\n"
        "  --forget              nothing is allowed to the program any more\n\n"
        "Exit codes: 0 done, 1 not done, 2 usage.\n",
    .run = allow,
};
