/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/programs.h"

#include <limits.h>
#include <sys/stat.h>

#include "apps/command/place.h"
#include "apps/stdio/grant.h"
#include "core/status.h"
#include "core/sys.h"
#include "json/write.h"

/* Grants at their usual length, as many as there may be. */
#define FILE_MAX  262144
#define FILE_NAME "programs.json"

/* --- reading --- */

static valet_status
parse(struct vl_programs *ret, valet_error *err)
{
    VL_TRY(vl_json_table_read(vl_buf_str(&ret->content), 1, &ret->arena,
                              &ret->table, err));
    for (size_t i = 0; i < ret->table.count; i++)
        if (ret->table.rows[i].kind != VL_JSON_INT ||
            (!vl_str_starts(ret->table.rows[i].key, VL_STR("/")) &&
             !vl_str_starts(ret->table.rows[i].key, VL_STR("'/"))))
            return vl_fail(err, VALET_INVALID, "",
                           "row %zu is no program and the time since when",
                           i + 1);
    return VALET_OK;
}

valet_status
vl_programs_read(struct vl_programs *ret, valet_error *err)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    valet_error why = {0};
    *ret = (struct vl_programs){.arena = vl_arena_of(FILE_MAX),
                                .content = vl_buf_of(FILE_MAX)};
    valet_status status = vl_place_path(FILE_NAME, &path, &why);
    if (status == VALET_OK)
        status = vl_file_read(vl_buf_cstr(&path), true, &ret->content, &why);
    if (status == VALET_NOT_FOUND)
        return VALET_OK;
    if (status == VALET_OK) {
        status = parse(ret, &why);
        if (status != VALET_OK) {
            ret->table.count = 0;
            return vl_fail(err, VALET_INVALID, "", "%s is damaged: %s",
                           vl_buf_cstr(&path), why.message);
        }
    } else if (err) {
        *err = why;
    }
    return status;
}

bool
vl_programs_has(const struct vl_programs *programs, const char *grant)
{
    return vl_json_table_find(&programs->table, vl_str_z(grant)) != NULL;
}

/* A file is replaced, never written into. */
struct vl_programs_mark
vl_programs_look(void)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    struct stat st;
    if (vl_place_path(FILE_NAME, &path, NULL) != VALET_OK ||
        stat(vl_buf_cstr(&path), &st) != 0)
        return (struct vl_programs_mark){.inode = 0};
    return (struct vl_programs_mark){.seconds = st.st_mtim.tv_sec,
                                     .nanoseconds = st.st_mtim.tv_nsec,
                                     .size = st.st_size,
                                     .inode = st.st_ino};
}

bool
vl_programs_is_same(struct vl_programs_mark a, struct vl_programs_mark b)
{
    return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds &&
           a.size == b.size && a.inode == b.inode;
}

void
vl_programs_done(struct vl_programs *programs)
{
    vl_arena_done(&programs->arena);
    vl_buf_done(&programs->content);
}

/* --- writing --- */

static void
add_row(struct vl_json_out *out, struct vl_str grant, struct vl_str since)
{
    vl_auto(vl_buf) key = vl_buf_of(VL_GRANT_SIZE);
    vl_buf_add(&key, grant);
    vl_json_add_raw(out, vl_buf_cstr(&key), since);
}

/* The list without what `without` was allowed, if it is not NULL, and with
 * `grant` at the end, if that is not. */
static valet_status
change(const struct vl_programs *programs, const char *without,
       const char *grant, valet_error *err)
{
    vl_auto(vl_buf) json = vl_buf_of(FILE_MAX);
    struct vl_json_out out = {&json, false};
    char since[32];
    vl_json_open(&out, '{');
    for (size_t i = 0; i < programs->table.count; i++) {
        const struct vl_json_row *row = &programs->table.rows[i];
        if (!without || !vl_grant_is_of(row->key, without))
            add_row(&out, row->key, row->value);
    }
    (void)snprintf(since, sizeof since, "%lld",
                   (long long)(vl_clock_now(&vl_clock_system) / 1000));
    if (grant)
        add_row(&out, vl_str_z(grant), vl_str_z(since));
    vl_json_close(&out, '}');
    vl_buf_addc(&json, '\n');
    VL_TRY(vl_buf_check(&json, err));
    return vl_place_write(FILE_NAME, vl_buf_str(&json), err);
}

valet_status
vl_programs_allow(const char *grant, valet_error *err)
{
    vl_auto(vl_programs) programs;
    VL_TRY(vl_programs_read(&programs, err));
    if (vl_programs_has(&programs, grant))
        return VALET_OK;
    if (programs.table.count == VL_PROGRAMS_MAX)
        return vl_fail(err, VALET_LIMIT, "",
                       "too many programs are allowed: forget some with "
                       "mcp-valet allow --forget PROGRAM");
    return change(&programs, NULL, grant, err);
}

valet_status
vl_programs_forget(const char *program, valet_error *err)
{
    vl_auto(vl_programs) programs;
    VL_TRY(vl_programs_read(&programs, err));
    for (size_t i = 0; i < programs.table.count; i++)
        if (vl_grant_is_of(programs.table.rows[i].key, program))
            return change(&programs, program, NULL, err);
    return vl_fail(err, VALET_NOT_FOUND, "", "this program was not allowed");
}
