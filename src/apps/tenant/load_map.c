/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/load_map.h"

#include "core/status.h"

valet_status
vl_load_fail(const struct vl_loader *l, const struct vl_yaml *node,
             valet_error *err, const char *what)
{
    struct vl_yaml_mark mark = vl_yaml_mark(node);
    struct vl_str key = vl_yaml_key(node);
    return vl_fail(err, VALET_INVALID, "", "%s:%u:%u: %.40s%s%s", l->name,
                   mark.line, mark.column, key.n ? key.p : "",
                   key.n ? ": " : "", what);
}

valet_status
vl_load_check(const struct vl_loader *l, const struct vl_yaml *node,
              enum vl_yaml_kind kind, valet_error *err)
{
    if (!node || vl_yaml_kind(node) == kind)
        return VALET_OK;
    return vl_load_fail(l, node, err,
                        kind == VL_YAML_MAP ? "write a map of keys and values"
                                            : "write a list");
}

static valet_status
read_words(const struct vl_loader *l, const struct vl_yaml *node,
           struct vl_tenant_words *ret, valet_error *err)
{
    size_t count = vl_yaml_size(node);
    if (vl_yaml_kind(node) != VL_YAML_LIST || count > VL_COUNT(ret->items))
        return vl_load_fail(l, node, err, "write a list of at most 16 texts");
    for (size_t i = 0; i < count; i++) {
        struct vl_str text = vl_yaml_text(vl_yaml_at(node, i));
        if (!text.n)
            return vl_load_fail(l, node, err, "write a list of texts");
        ret->items[i] = text.p;
    }
    ret->count = count;
    return VALET_OK;
}

valet_status
vl_load_scalar(const struct vl_loader *l, const struct vl_yaml *node,
               enum vl_load_kind kind, void *ret, valet_error *err)
{
    struct vl_str text = vl_yaml_text(node);
    if (!text.n)
        return vl_load_fail(l, node, err, "write a value");
    uint64_t number = 0;
    switch (kind) {
    case VL_LOAD_GUID:
        if (!vl_tenant_is_guid(text))
            return vl_load_fail(l, node, err, "write a GUID");
        *(const char **)ret = text.p;
        break;
    case VL_LOAD_FLAG:
        if (!vl_str_eqz(text, "true") && !vl_str_eqz(text, "false"))
            return vl_load_fail(l, node, err, "write true or false");
        *(bool *)ret = vl_str_eqz(text, "true");
        break;
    case VL_LOAD_NUMBER:
        if (!vl_str_u64(text, 100000000, &number))
            return vl_load_fail(l, node, err, "write a number");
        *(unsigned *)ret = (unsigned)number;
        break;
    case VL_LOAD_CONSENT:
        if (!vl_tenant_consent_of(text, ret))
            return vl_load_fail(l, node, err,
                                "write granted, needed or admin_required");
        break;
    case VL_LOAD_TEXT:
    case VL_LOAD_WORDS:
    case VL_LOAD_OTHER:
        *(const char **)ret = text.p;
        break;
    }
    return VALET_OK;
}

const struct vl_load_field *
vl_load_find(struct vl_load_table table, struct vl_str name)
{
    for (size_t i = 0; i < table.count; i++)
        if (vl_str_eqz(name, table.fields[i].name))
            return &table.fields[i];
    return NULL;
}

valet_status
vl_load_map(const struct vl_loader *l, const struct vl_yaml *map,
            struct vl_load_table table, void *target, valet_error *err)
{
    VL_TRY(vl_load_check(l, map, VL_YAML_MAP, err));
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        const struct vl_load_field *field =
            vl_load_find(table, vl_yaml_key(node));
        if (!field)
            return vl_load_fail(l, node, err, "there is no such key");
        char *at = (char *)target + field->offset;
        if (field->kind == VL_LOAD_OTHER)
            continue;
        if (field->kind == VL_LOAD_WORDS)
            VL_TRY(read_words(l, node, (void *)at, err));
        else
            VL_TRY(vl_load_scalar(l, node, field->kind, (void *)at, err));
    }
    for (size_t i = 0; i < table.count; i++)
        if (table.fields[i].required &&
            !vl_yaml_find(map, table.fields[i].name))
            return vl_fail(err, VALET_INVALID, "", "%s:%u:%u: %s is missing",
                           l->name, vl_yaml_mark(map).line,
                           vl_yaml_mark(map).column, table.fields[i].name);
    return VALET_OK;
}

valet_status
vl_load_home(const struct vl_loader *l, const struct vl_yaml *node,
             const char *written, const struct vl_tenant_realm **ret,
             valet_error *err)
{
    *ret = written ? vl_tenant_find_realm(l->data, vl_str_z(written))
                   : &l->data->realms[0];
    return *ret ? VALET_OK
                : vl_load_fail(l, node, err,
                               "its tenant is not among `tenants`");
}
