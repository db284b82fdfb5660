/* SPDX-License-Identifier: Apache-2.0
 *
 * The program that has started us, as people know it: the path of what runs,
 * and of an interpreter the script that it runs as well.
 */
#ifndef VL_APPS_STDIO_PROGRAM_H
#define VL_APPS_STDIO_PROGRAM_H

#include <sys/types.h>

#include "core/buf.h"

/* Two paths and a few options at their longest. */
#define VL_PROGRAM_SIZE 8704

struct vl_program {
    char name[VL_PROGRAM_SIZE]; /* "/usr/bin/node /home/me/client.js" */
    /* Good for remembering: the path leads to what runs, and the script is
     * known. Else the name is for people alone. */
    bool is_sure;
};

/*
 * Of our parent, or behind it when that is a shell: who called the shell.
 * `parent` is whose child we were at the start. VALET_NOT_FOUND: that one is
 * gone, or nothing of it can be seen.
 */
valet_status vl_program_find(pid_t parent, struct vl_program *ret,
                             valet_error *err) VALET_CHECK;
/* Does a program of this path have no name of its own: an interpreter without
 * a script, a shell? */
bool vl_program_is_nameless(const char *path);
/* One process, wherever its files are: for tests. */
valet_status vl_program_look(pid_t pid, struct vl_program *ret,
                             valet_error *err) VALET_CHECK;

#endif
