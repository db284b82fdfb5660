/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet allow`: which programs may use the sign-in by way of
 * `mcp-valet stdio` (@spec S-54 W-43).
 */
#include <limits.h>

#include "apps/command/local.h"
#include "apps/local/commands.h"
#include "apps/stdio/program.h"
#include "apps/stdio/programs.h"
#include "core/sys.h"

struct allow {
    const char *program;
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
        vl_auto(vl_buf) name = vl_buf_of(VL_PROGRAM_SIZE);
        char shown[VL_PROGRAM_SIZE];
        vl_buf_add(&name, row->key);
        (void)snprintf(shown, sizeof shown, "%s", vl_buf_cstr(&name));
        vl_str_tame(shown);
        vl_buf_addf(&text, "%s\n", shown);
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
    vl_auto(vl_buf) text = vl_buf_of(2 * VL_PROGRAM_SIZE);
    vl_buf_addf(&text, "%s %s\n", name, what);
    return vl_print(&text);
}

static int
permit(const char *program)
{
    char name[VL_PROGRAM_SIZE];
    valet_error err = {0};
    if (!settle_name(program, name))
        return VL_EXIT_USAGE;
    return vl_programs_allow(name, &err) == VALET_OK ? tell(name, "is allowed")
                                                     : complain_about(&err);
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

static int
allow(int argc, char **argv)
{
    struct allow allow = {.program = NULL};
    const struct vl_option options[] = {
        {.name = "--list", .flag = &allow.list},
        {.name = "--forget", .flag = &allow.forget},
    };
    /* The one argument that is no option. */
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && !allow.program) {
            allow.program = argv[i];
            memmove(&argv[i], &argv[i + 1],
                    (size_t)(argc - i) * sizeof argv[0]);
            argc--;
            break;
        }
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)))
        return VL_EXIT_USAGE;
    if (allow.program && !allow.list)
        return allow.forget ? forget(allow.program) : permit(allow.program);
    if (!allow.program && !allow.forget)
        return list();
    vl_complain(allow.forget && !allow.program
                    ? "which program is to be forgotten?"
                    : "--list takes no program");
    return VL_EXIT_USAGE;
}

const struct vl_command vl_command_allow = {
    VL_LOCAL_ALLOW,
    .usage =
        "usage: mcp-valet allow [--forget] PROGRAM\n"
        "       mcp-valet allow [--list]\n\n"
        "Lets a program use the person's sign-in when it starts mcp-valet\n"
        "stdio, which otherwise asks the person in a browser. PROGRAM is its\n"
        "path; of what an interpreter runs, both paths in one argument, as\n"
        "mcp-valet stdio names it: \"/usr/bin/node /home/me/client.js\".\n"
        "Without PROGRAM, those that are allowed are listed.\n\n"
        "  --list                those that are allowed\n"
        "  --forget              it is not allowed any more\n\n"
        "Exit codes: 0 done, 1 not done, 2 usage.\n",
    .run = allow,
};
