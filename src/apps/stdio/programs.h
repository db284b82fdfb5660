/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person has allowed programs to use their sign-in for (grant.h):
 * $XDG_CONFIG_HOME/mcp-valet/programs.json, else in ~/.config. No secret is in
 * it; yet who can change it lets programs in, hence it is theirs alone.
 */
#ifndef VL_APPS_STDIO_PROGRAMS_H
#define VL_APPS_STDIO_PROGRAMS_H

#include "core/arena.h"
#include "core/buf.h"
#include "json/table.h"

#define VL_PROGRAMS_MAX VL_JSON_TABLE_MAX

struct vl_programs {
    struct vl_arena arena;
    struct vl_buf content; /* of the file; rows point into it */
    struct vl_json_table
        table; /* a grant, and since when (seconds since 1970) */
};

/* `ret` goes to vl_programs_done() in any case. No file: none are. One that is
 * not exactly as it should be is refused, by its name. */
valet_status
vl_programs_read(struct vl_programs *ret, valet_error *err) VALET_CHECK;
bool vl_programs_has(const struct vl_programs *programs, const char *grant);
void vl_programs_done(struct vl_programs *programs);

/* A state of the list, to be told from others without reading it. */
struct vl_programs_mark {
    int64_t seconds, nanoseconds, size;
    uint64_t inode;
};
struct vl_programs_mark vl_programs_look(void);
bool vl_programs_is_same(struct vl_programs_mark a, struct vl_programs_mark b);

/* Each reads the list anew. */
valet_status vl_programs_allow(const char *grant, valet_error *err) VALET_CHECK;
/* All that this program was allowed. VALET_NOT_FOUND: nothing was. */
valet_status
vl_programs_forget(const char *program, valet_error *err) VALET_CHECK;

#endif
