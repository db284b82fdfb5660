/* SPDX-License-Identifier: Apache-2.0
 *
 * The programs that a person has allowed to use their sign-in, by name
 * (program.h): $XDG_CONFIG_HOME/mcp-valet/programs.json, else in ~/.config.
 * No secret is in it; yet who can change it lets programs in, hence it is
 * theirs alone.
 */
#ifndef VL_APPS_STDIO_PROGRAMS_H
#define VL_APPS_STDIO_PROGRAMS_H

#include "core/arena.h"
#include "core/buf.h"
#include "json/table.h"

#define VL_PROGRAMS_MAX VL_JSON_TABLE_MAX

struct vl_programs {
    struct vl_arena arena;
    struct vl_buf content;      /* of the file; rows point into it */
    struct vl_json_table table; /* name, and since when (seconds since 1970) */
};

/* `ret` goes to vl_programs_done() in any case. No file: none are. One that is
 * not exactly as it should be is refused, by its name. */
valet_status
vl_programs_read(struct vl_programs *ret, valet_error *err) VALET_CHECK;
bool vl_programs_has(const struct vl_programs *programs, const char *name);
void vl_programs_done(struct vl_programs *programs);

/* Each reads the list anew. VALET_NOT_FOUND: it was not on it. */
valet_status vl_programs_allow(const char *name, valet_error *err) VALET_CHECK;
valet_status vl_programs_forget(const char *name, valet_error *err) VALET_CHECK;

#endif
