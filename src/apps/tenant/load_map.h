/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to load*.c: a table names the keys of a kind of thing; the reader
 * walks the YAML map, so that an unknown key is found with its line.
 */
#ifndef VL_TENANT_LOAD_MAP_H
#define VL_TENANT_LOAD_MAP_H

#include "apps/tenant/data.h"
#include "conf/yaml.h"

enum vl_load_kind {
    VL_LOAD_TEXT,
    VL_LOAD_GUID,
    VL_LOAD_WORDS,
    VL_LOAD_FLAG,
    VL_LOAD_NUMBER,
    VL_LOAD_CONSENT,
    VL_LOAD_OTHER, /* read by somebody else */
};

struct vl_load_field {
    const char *name;
    enum vl_load_kind kind;
    bool required;
    size_t offset;
};

struct vl_load_table {
    const struct vl_load_field *fields;
    size_t count;
};

struct vl_loader {
    const char *name; /* of the file, for messages */
    struct vl_arena *arena;
    struct vl_tenant_data *data;
};

#define VL_LOAD_AT(type, field) offsetof(struct type, field)
#define VL_LOAD_TABLE(fields)   ((struct vl_load_table){fields, VL_COUNT(fields)})

/* "FILE:LINE:COLUMN: key: what" */
valet_status vl_load_fail(const struct vl_loader *l, const struct vl_yaml *node,
                          valet_error *err, const char *what) VALET_CHECK;
/* What is not there is nothing; what is there has to be of this kind. */
valet_status
vl_load_check(const struct vl_loader *l, const struct vl_yaml *node,
              enum vl_yaml_kind kind, valet_error *err) VALET_CHECK;
/* NULL when the table has no such name. */
const struct vl_load_field *
vl_load_find(struct vl_load_table table, struct vl_str name);
valet_status
vl_load_scalar(const struct vl_loader *l, const struct vl_yaml *node,
               enum vl_load_kind kind, void *ret, valet_error *err) VALET_CHECK;
valet_status vl_load_map(const struct vl_loader *l, const struct vl_yaml *map,
                         struct vl_load_table table, void *target,
                         valet_error *err) VALET_CHECK;
/* The tenant that a user or an app names, or the first. */
valet_status
vl_load_home(const struct vl_loader *l, const struct vl_yaml *node,
             const char *written, const struct vl_tenant_realm **ret,
             valet_error *err) VALET_CHECK;

/* load_apps.c */
valet_status vl_load_apps(const struct vl_loader *l, const struct vl_yaml *map,
                          valet_error *err) VALET_CHECK;
/* Certificates and keys that stand in files of their own. */
valet_status
vl_load_app_files(const struct vl_loader *l, valet_error *err) VALET_CHECK;

#endif
