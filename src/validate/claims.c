/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/claims.h"

#include "core/limits.h"

/* The last second of the year 9999: no arithmetic on it can overflow. */
#define TIME_MAX INT64_C(253402300799)

/* An absent claim is fine, one of another type is not. */
static bool
read_text(const struct vl_json_table *table, struct vl_str name,
          struct vl_str *ret)
{
    const struct vl_json_row *row = vl_json_table_find(table, name);
    *ret = (struct vl_str){NULL, 0};
    if (!row)
        return true;
    *ret = row->value;
    return row->kind == VL_JSON_STRING;
}

/* The first of these that is there. */
static bool
read_first(const struct vl_json_table *table, const char *const names[3],
           struct vl_str *ret)
{
    *ret = (struct vl_str){NULL, 0};
    for (size_t i = 0; i < 3 && !ret->p; i++)
        if (!read_text(table, vl_str_z(names[i]), ret))
            return false;
    return true;
}

static bool
copy_items(const struct json_t *array, struct vl_arena *arena,
           struct vl_words *ret)
{
    size_t count = vl_json_size(array);
    struct vl_str *items = vl_arena_alloc(arena, count * sizeof *items);
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct vl_str item = vl_json_str(vl_json_at(array, i));
        items[i] = vl_arena_dup(arena, item);
        if (!item.p || !items[i].p)
            return false;
    }
    *ret = (struct vl_words){items, count};
    return true;
}

/* One string, or an array of strings (RFC 7519 section 4.1.3). */
static bool
read_list(const struct vl_json_table *table, struct vl_str name,
          struct vl_arena *arena, struct vl_words *ret)
{
    const struct vl_json_row *row = vl_json_table_find(table, name);
    vl_auto(vl_json) list = {NULL};
    *ret = (struct vl_words){NULL, 0};
    if (!row)
        return true;
    if (row->kind == VL_JSON_STRING) {
        *ret = (struct vl_words){&row->value, 1};
        return true;
    }
    return row->kind == VL_JSON_ARRAY &&
           vl_json_parse(row->value, VL_LIMIT_JSON_DEPTH, &list, NULL) ==
               VALET_OK &&
           copy_items(list.root, arena, ret);
}

/* Some issuers write an array: the words, with a space between them. */
static bool
read_scopes(const struct vl_json_table *table, struct vl_arena *arena,
            struct vl_str *ret)
{
    struct vl_words words, others;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_JWT);
    if (!read_list(table, VL_STR("scp"), arena, &words) ||
        !read_list(table, VL_STR("scope"), arena, &others))
        return false;
    if (!words.items)
        words = others;
    *ret = words.count ? words.items[0] : (struct vl_str){NULL, 0};
    if (words.count < 2)
        return true;
    for (size_t i = 0; i < words.count; i++) {
        /* What holds a space would be two scopes. */
        if (vl_str_has(words.items[i], ' '))
            return false;
        if (i)
            vl_buf_addc(&text, ' ');
        vl_buf_add(&text, words.items[i]);
    }
    *ret = vl_arena_dup(arena, vl_buf_str(&text));
    return ret->p && vl_buf_check(&text, NULL) == VALET_OK;
}

/* RFC 7519 section 2, NumericDate: of those only whole numbers, which is what
 * issuers write. */
static bool
read_time(const struct vl_json_table *table, struct vl_str name, int64_t *ret)
{
    const struct vl_json_row *row = vl_json_table_find(table, name);
    uint64_t value;
    *ret = -1;
    if (!row)
        return true;
    if (row->kind != VL_JSON_INT || !vl_str_u64(row->value, TIME_MAX, &value))
        return false;
    *ret = (int64_t)value;
    return true;
}

valet_reason
vl_claims_read(const struct vl_json_table *table, struct vl_arena *arena,
               struct vl_claims *ret)
{
    static const char *const v1[3] = {"appid", "azp", "client_id"};
    static const char *const v2[3] = {"azp", "client_id", "appid"};
    struct vl_claims claims = {.table = table};
    if (!read_text(table, VL_STR("iss"), &claims.iss) ||
        !read_text(table, VL_STR("sub"), &claims.sub) ||
        !read_text(table, VL_STR("tid"), &claims.tid) ||
        !read_text(table, VL_STR("oid"), &claims.oid) ||
        !read_text(table, VL_STR("ver"), &claims.ver) ||
        !read_text(table, VL_STR("idtyp"), &claims.idtyp) ||
        !read_first(table, vl_str_eqz(claims.ver, "1.0") ? v1 : v2,
                    &claims.client) ||
        !read_list(table, VL_STR("aud"), arena, &claims.audiences) ||
        !read_list(table, VL_STR("roles"), arena, &claims.roles) ||
        !read_scopes(table, arena, &claims.scopes))
        return VALET_REASON_BAD_CLAIMS;
    if (!read_time(table, VL_STR("exp"), &claims.exp) ||
        !read_time(table, VL_STR("nbf"), &claims.nbf) ||
        !read_time(table, VL_STR("iat"), &claims.iat) || claims.exp < 0)
        return VALET_REASON_BAD_TIME;
    *ret = claims;
    return VALET_REASON_NONE;
}
