/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to conf/: what the loader and the rules for several options share.
 */
#ifndef VL_CONF_LOAD_H
#define VL_CONF_LOAD_H

#include "conf/conf.h"
#include "conf/yaml.h"

struct vl_conf_loader {
    const char *name;     /* for messages; NULL when there is no file */
    struct vl_str folder; /* with its slash, or empty */
    const struct vl_yaml *root;
    vl_conf_env *env;
    struct vl_conf *conf;
    struct vl_arena tree; /* of the file; gone after loading */
    valet_error *err;
};

/* "FILE:LINE:COLUMN: …" with a code of our own; the mark may be {1,1}. */
valet_status
vl_conf_fail(struct vl_conf_loader *loader, struct vl_yaml_mark mark,
             const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5))) VALET_CHECK;
/* What the file says about "section.key" or "key"; NULL if nothing. */
const struct vl_yaml *
vl_conf_written(const struct vl_conf_loader *loader, const char *path);
/* Its place, or that of its section. */
struct vl_yaml_mark
vl_conf_place(const struct vl_conf_loader *loader, const char *path);
/* NULL for unset and for empty. */
const char *
vl_conf_variable(const struct vl_conf_loader *loader, const char *name);

/* Fills `conf` with what the table's options are set to. */
valet_status vl_conf_walk(struct vl_conf_loader *loader) VALET_CHECK;
/* The rules that join several options, and the secret. */
valet_status vl_conf_check(struct vl_conf_loader *loader) VALET_CHECK;
/* Of these, the one that no file is named twice. */
valet_status vl_conf_check_files(struct vl_conf_loader *loader) VALET_CHECK;

#endif
