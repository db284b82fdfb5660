/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Pointers (RFC 6901): written for people, and read where a $ref has one.
 */
#include "core/enc.h"
#include "json/schema_inside.h"

#define REF_MAX 1024

typedef struct vl_schema_place place_t;

static void
write_token(struct vl_buf *buf, struct vl_str key)
{
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '~')
            vl_buf_addz(buf, "~0");
        else if (key.p[i] == '/')
            vl_buf_addz(buf, "~1");
        else
            vl_buf_addc(buf, key.p[i]);
    }
}

static void
write_pointer(struct vl_buf *buf, const place_t *place)
{
    if (!place->up)
        return;
    write_pointer(buf, place->up);
    vl_buf_addc(buf, '/');
    if (place->key.p)
        write_token(buf, place->key);
    else
        vl_buf_addu(buf, place->index);
}

void
vl_schema_place_write(struct vl_buf *buf, const place_t *place, const char *top)
{
    if (place->up)
        write_pointer(buf, place);
    else
        vl_buf_addz(buf, top);
}

/* NULL when there is nothing of this name. */
static const struct json_t *
step_down(const struct json_t *value, struct vl_str token)
{
    if (vl_json_kind(value) == VL_JSON_ARRAY) {
        uint64_t index;
        if (!vl_str_u64(token, SIZE_MAX, &index))
            return NULL;
        return vl_json_at(value, index);
    }
    vl_auto(vl_buf) key = vl_buf_of(REF_MAX);
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];
        if (c == '~' && ++i < token.n)
            c = token.p[i] == '1' ? '/' : '~';
        vl_buf_addc(&key, c);
    }
    return vl_json_get(value, vl_buf_cstr(&key));
}

const struct json_t *
vl_schema_pointer_find(const struct json_t *root, struct vl_str fragment)
{
    vl_auto(vl_buf) plain = vl_buf_of(REF_MAX);
    if (!vl_dec_percent(fragment, false, &plain))
        return NULL;
    struct vl_str rest = vl_buf_str(&plain), token;
    const struct json_t *value = root;
    /* What stands before the first slash is nothing. */
    if (!vl_str_split(&rest, '/', &token))
        return root;
    while (value && vl_str_split(&rest, '/', &token))
        value = step_down(value, token);
    return value;
}
