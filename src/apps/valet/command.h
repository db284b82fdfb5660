/* SPDX-License-Identifier: Apache-2.0
 *
 * A command of mcp-valet is one row: its name, what it is for, how it is
 * called, and the function that runs it. main.c holds the table.
 */
#ifndef VL_APPS_VALET_COMMAND_H
#define VL_APPS_VALET_COMMAND_H

#include "core/base.h"

/* Exit codes (the contract of design.md section 4). */
enum { VL_EXIT_OK = 0, VL_EXIT_FAILED = 1, VL_EXIT_USAGE = 2 };

struct vl_command {
    const char *name;
    const char *summary;               /* one line */
    const char *usage;                 /* text of `mcp-valet help NAME` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct vl_command vl_command_serve;
extern const struct vl_command vl_command_check;
extern const struct vl_command vl_command_config;

/* A variable of the environment, or NULL: what the configuration asks. */
const char *vl_environment(const char *name);

/* "mcp-valet: …" on standard error. */
void vl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Reads "--name value" and "--name=value". Fills the row's value or flag;
 * unknown options and missing values are complained about. False: usage.
 */
struct vl_option {
    const char *name;   /* with its dashes */
    const char **value; /* takes one … */
    bool *flag;         /* … or is one */
};
bool vl_options_parse(int argc, char **argv, const struct vl_option *options,
                      size_t count);

#endif
