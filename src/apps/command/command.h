/* SPDX-License-Identifier: Apache-2.0
 *
 * A command of mcp-valet is one row: its name, what it is for, how it is
 * called, and the function that runs it. Each program has a table of them.
 */
#ifndef VL_APPS_COMMAND_COMMAND_H
#define VL_APPS_COMMAND_COMMAND_H

#include "core/buf.h"

/* Exit codes (the contract of design.md section 4). */
enum { VL_EXIT_OK = 0, VL_EXIT_FAILED = 1, VL_EXIT_USAGE = 2 };

struct vl_command {
    const char *name;
    const char *summary;               /* one line */
    const char *usage;                 /* text of `mcp-valet help NAME` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* All that a program has. */
struct vl_commands {
    const struct vl_command *const *rows;
    size_t count;
    /* Runs those without `run`, which have no usage either; gets all the
     * arguments of the program. */
    int (*elsewhere)(char **argv);
};
/* What main() does: the exit code. */
int vl_commands_main(const struct vl_commands *commands, int argc, char **argv);

/* A variable of the environment, or NULL: what the configuration asks. */
const char *vl_environment(const char *name);

/* "mcp-valet: …" on standard error, one line that cannot steer a terminal. */
void vl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The values of an option that may be given several times; ends in NULL. */
#define VL_OPTION_VALUES 32
struct vl_option_list {
    const char *items[VL_OPTION_VALUES + 1];
    size_t count;
};

/*
 * Reads "--name value" and "--name=value". Fills what the row has; unknown
 * options and missing values are complained about. False: usage.
 */
struct vl_option {
    const char *name;            /* with its dashes; "": the one argument that
                                    is no option */
    const char **value;          /* takes one … */
    bool *flag;                  /* … or is one … */
    struct vl_option_list *list; /* … or takes one each time */
};
bool vl_options_parse(int argc, char **argv, const struct vl_option *options,
                      size_t count);
/* Where a "--" stands, behind which a command begins; 0: nowhere. */
int vl_options_separator(int argc, char **argv);
/* Which of the names is it? NULL is the first one. False: none, which has been
 * complained about. */
bool vl_output_choose(const char *text, const char *const *names, size_t count,
                      size_t *ret);

/* Writes it to standard output, and leaves no copy in memory: it may be secret.
 * VL_EXIT_FAILED: it could not be, which has been complained about. */
int vl_print(const struct vl_buf *text);

#endif
