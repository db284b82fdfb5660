/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/local/settings.h"

#include <limits.h>

#include "apps/command/place.h"
#include "core/status.h"
#include "core/sys.h"
#include "json/table.h"
#include "json/write.h"

/* Paths and URLs at their longest, thrice over. */
#define FILE_MAX  16384
#define FILE_NAME "login.json"
#define ARENA_MAX 65536

static const struct {
    const char *key;
    size_t at;
} members[] = {
    {"tenant", offsetof(struct vl_settings, tenant)},
    {"client_id", offsetof(struct vl_settings, client_id)},
    {"authority_host", offsetof(struct vl_settings, authority_host)},
    {"ca_file", offsetof(struct vl_settings, ca_file)},
    {"cache_file", offsetof(struct vl_settings, cache_file)},
};

static const char **
member(struct vl_settings *settings, size_t i)
{
    return (const char **)(void *)((char *)settings + members[i].at);
}

static const char *
text(const struct vl_settings *settings, size_t i)
{
    return *(const char *const *)(const void *)((const char *)settings +
                                                members[i].at);
}

/* --- where --- */

valet_status
vl_settings_path(struct vl_buf *ret, valet_error *err)
{
    return vl_place_path(FILE_NAME, ret, err);
}

/* --- reading --- */

static valet_status
take(const struct vl_json_row *row, struct vl_settings *ret, valet_error *err)
{
    size_t i = 0;
    while (i < VL_COUNT(members) && !vl_str_eqz(row->key, members[i].key))
        i++;
    if (i == VL_COUNT(members))
        return vl_fail(err, VALET_INVALID, "", "there is no \"" VL_STR_FMT "\"",
                       VL_STR_ARG(row->key));
    if (row->kind != VL_JSON_STRING || row->value.n == 0)
        return vl_fail(err, VALET_INVALID, "", "\"%s\" is no text",
                       members[i].key);
    *member(ret, i) = vl_arena_cstr(&ret->arena, row->value);
    return *member(ret, i)
               ? VALET_OK
               : vl_fail(err, VALET_LIMIT, "", "it has too much text");
}

static valet_status
parse(struct vl_str json, struct vl_settings *ret, valet_error *err)
{
    struct vl_json_table table;
    VL_TRY(vl_json_table_read(json, 1, &ret->arena, &table, err));
    for (size_t i = 0; i < table.count; i++)
        VL_TRY(take(&table.rows[i], ret, err));
    return VALET_OK;
}

valet_status
vl_settings_read(struct vl_settings *ret, valet_error *err)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_auto(vl_buf) content = vl_buf_of(FILE_MAX);
    valet_error why = {0};
    *ret = (struct vl_settings){.arena = vl_arena_of(ARENA_MAX)};
    if (vl_settings_path(&path, NULL) != VALET_OK)
        return VALET_OK; /* nor has anybody written them */
    valet_status status =
        vl_file_read(vl_buf_cstr(&path), true, &content, &why);
    if (status == VALET_NOT_FOUND)
        return VALET_OK;
    if (status == VALET_OK) {
        status = parse(vl_buf_str(&content), ret, &why);
        if (status != VALET_OK)
            return vl_fail(err, VALET_INVALID, "", "%s is damaged: %s",
                           vl_buf_cstr(&path), why.message);
    } else if (err) {
        *err = why;
    }
    return status;
}

/* --- writing --- */

static void
write_json(const struct vl_settings *settings, struct vl_buf *ret)
{
    struct vl_json_out out = {ret, false};
    vl_json_open(&out, '{');
    for (size_t i = 0; i < VL_COUNT(members); i++)
        if (text(settings, i))
            vl_json_add_z(&out, members[i].key, text(settings, i));
    vl_json_close(&out, '}');
    vl_buf_addc(ret, '\n');
}

valet_status
vl_settings_write(const struct vl_settings *settings, valet_error *err)
{
    vl_auto(vl_buf) json = vl_buf_of(FILE_MAX);
    write_json(settings, &json);
    VL_TRY(vl_buf_check(&json, err));
    return vl_place_write(FILE_NAME, vl_buf_str(&json), err);
}

bool
vl_settings_eq(const struct vl_settings *a, const struct vl_settings *b)
{
    for (size_t i = 0; i < VL_COUNT(members); i++)
        if (!text(a, i) != !text(b, i) ||
            !vl_str_eq(vl_str_z(text(a, i)), vl_str_z(text(b, i))))
            return false;
    return true;
}

void
vl_settings_done(struct vl_settings *settings)
{
    vl_arena_done(&settings->arena);
}
