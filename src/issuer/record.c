/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/record.h"

#include "core/status.h"

#define TEXT(type, field)                                                      \
    {                                                                          \
#field, offsetof(struct vl_##type, field), VL_FIELD_TEXT, true         \
    }
#define MAYBE(type, field)                                                     \
    {                                                                          \
#field, offsetof(struct vl_##type, field), VL_FIELD_TEXT, false        \
    }
#define INT(type, field)                                                       \
    {                                                                          \
#field, offsetof(struct vl_##type, field), VL_FIELD_INT, true          \
    }
#define FLAG(type, field)                                                      \
    {                                                                          \
#field, offsetof(struct vl_##type, field), VL_FIELD_FLAG, true         \
    }

static const struct vl_field client_fields[] = {
    TEXT(client, name), TEXT(client, redirects), INT(client, created_ms),
    INT(client, expires_ms)};

static const struct vl_field flow_fields[] = {
    TEXT(flow, client),   TEXT(flow, redirect),  TEXT(flow, challenge),
    TEXT(flow, resource), TEXT(flow, scopes),    TEXT(flow, correlation),
    MAYBE(flow, state),   TEXT(flow, browser),   FLAG(flow, approved),
    MAYBE(flow, nonce),   MAYBE(flow, verifier), MAYBE(flow, cookie),
    MAYBE(flow, proof)};

static const struct vl_field code_fields[] = {
    TEXT(code, session),     TEXT(code, client),    TEXT(code, redirect),
    TEXT(code, challenge),   TEXT(code, resource),  TEXT(code, scopes),
    TEXT(code, correlation), INT(code, expires_ms), FLAG(code, used)};

static const struct vl_field session_fields[] = {
    TEXT(session, client),    TEXT(session, tid),
    TEXT(session, oid),       TEXT(session, name),
    TEXT(session, username),  TEXT(session, resource),
    TEXT(session, scopes),    TEXT(session, access),
    MAYBE(session, refresh),  INT(session, access_expires_ms),
    INT(session, renewed_ms), INT(session, created_ms),
    INT(session, ends_ms),    INT(session, idle_ms)};

static const struct vl_field access_fields[] = {
    TEXT(access, session),  TEXT(access, client),   TEXT(access, tid),
    TEXT(access, oid),      TEXT(access, resource), TEXT(access, scopes),
    INT(access, expires_ms)};

static const struct vl_field refresh_fields[] = {
    TEXT(refresh, session), TEXT(refresh, client),  TEXT(refresh, resource),
    TEXT(refresh, scopes),  TEXT(refresh, current), INT(refresh, expires_ms)};

static const struct vl_field grant_fields[] = {
    TEXT(grant, client), TEXT(grant, redirect), TEXT(grant, resource),
    TEXT(grant, scopes), TEXT(grant, username), INT(grant, created_ms)};

#define TYPE(kind)                                                             \
    const struct vl_record_type vl_record_##kind = {                           \
        #kind, sizeof(struct vl_##kind), kind##_fields,                        \
        VL_COUNT(kind##_fields)}

TYPE(client);
TYPE(flow);
TYPE(code);
TYPE(session);
TYPE(access);
TYPE(refresh);
TYPE(grant);

static void
write_value(struct vl_buf *out, const struct vl_field *field,
            struct vl_str value)
{
    vl_buf_addz(out, field->name);
    vl_buf_addc(out, '=');
    vl_buf_addu(out, value.n);
    vl_buf_addc(out, ':');
    vl_buf_add(out, value);
    vl_buf_addc(out, '\n');
}

static void
write_field(struct vl_buf *out, const struct vl_field *field,
            const void *record)
{
    const char *at = (const char *)record + field->offset;
    if (field->kind == VL_FIELD_TEXT) {
        struct vl_str value;
        memcpy(&value, at, sizeof value);
        if (value.p || field->required)
            write_value(out, field, value);
    } else if (field->kind == VL_FIELD_FLAG) {
        bool value;
        memcpy(&value, at, sizeof value);
        write_value(out, field, vl_str_z(value ? "1" : "0"));
    } else {
        int64_t value;
        vl_auto(vl_buf) digits = vl_buf_of(20);
        memcpy(&value, at, sizeof value);
        vl_buf_addu(&digits, value > 0 ? (uint64_t)value : 0);
        write_value(out, field, vl_buf_str(&digits));
    }
}

void
vl_record_write(struct vl_buf *out, const struct vl_record_type *type,
                const void *record)
{
    vl_buf_addz(out, type->name);
    vl_buf_addz(out, " 1\n");
    for (size_t i = 0; i < type->count; i++)
        write_field(out, &type->fields[i], record);
}

/* Cuts `name=LENGTH:VALUE\n` off the text. */
static bool
cut_field(struct vl_str *text, struct vl_str *ret_name,
          struct vl_str *ret_value)
{
    uint64_t size;
    size_t eq = vl_str_index(*text, '=');
    struct vl_str rest = vl_str_from(*text, eq + 1);
    size_t colon = vl_str_index(rest, ':');
    if (eq == text->n || colon == rest.n ||
        !vl_str_u64(vl_str_head(rest, colon), VL_LIMIT_STORE_VALUE, &size))
        return false;
    rest = vl_str_from(rest, colon + 1);
    if (size >= rest.n || rest.p[size] != '\n')
        return false;
    *ret_name = vl_str_head(*text, eq);
    *ret_value = vl_str_head(rest, (size_t)size);
    *text = vl_str_from(rest, (size_t)size + 1);
    return true;
}

static bool
read_value(const struct vl_field *field, struct vl_str value, void *record)
{
    char *at = (char *)record + field->offset;
    uint64_t number;
    if (field->kind == VL_FIELD_TEXT) {
        memcpy(at, &value, sizeof value);
        return true;
    }
    if (!vl_str_u64(value, field->kind == VL_FIELD_FLAG ? 1 : INT64_MAX,
                    &number))
        return false;
    if (field->kind == VL_FIELD_FLAG)
        memcpy(at, &(bool){number == 1}, sizeof(bool));
    else
        memcpy(at, &(int64_t){(int64_t)number}, sizeof(int64_t));
    return true;
}

static size_t
find_field(const struct vl_record_type *type, struct vl_str name)
{
    size_t i = 0;
    while (i < type->count && !vl_str_eqz(name, type->fields[i].name))
        i++;
    return i;
}

static bool
read_fields(struct vl_str text, const struct vl_record_type *type, void *record)
{
    uint32_t seen = 0;
    struct vl_str name, value;
    while (text.n > 0) {
        if (!cut_field(&text, &name, &value))
            return false;
        size_t i = find_field(type, name);
        if (i == type->count || (seen & (1u << i)) ||
            !read_value(&type->fields[i], value, record))
            return false;
        seen |= 1u << i;
    }
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].required && !(seen & (1u << i)))
            return false;
    return true;
}

valet_status
vl_record_read(struct vl_str text, const struct vl_record_type *type, void *ret,
               valet_error *err)
{
    VL_ASSERT(type->count < 32);
    size_t end = vl_str_index(text, '\n');
    struct vl_str first = vl_str_head(text, end);
    size_t name = strlen(type->name);
    memset(ret, 0, type->size);
    if (end == text.n || !vl_str_eqz(vl_str_head(first, name), type->name) ||
        !vl_str_eqz(vl_str_from(first, name), " 1") ||
        !read_fields(vl_str_from(text, end + 1), type, ret)) {
        memset(ret, 0, type->size);
        return vl_fail(err, VALET_INVALID, "", "no %s record", type->name);
    }
    return VALET_OK;
}
