/* SPDX-License-Identifier: Apache-2.0 */
#include "core/module.h"

#include <dlfcn.h>
#include <limits.h>

#include "core/buf.h"
#include "core/status.h"

valet_status
vl_module_load(const char *folder, const struct vl_module_name *name,
               const struct vl_module **ret, valet_error *err)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_buf_addf(&path, "%s/%s", folder, name->file);
    VL_TRY(vl_buf_check(&path, err));
    void *library =
        dlopen(vl_buf_cstr(&path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return vl_fail(err, VALET_NOT_FOUND, "", "%s needs a module: %s",
                       name->purpose, dlerror());
    const struct vl_module *module = dlsym(library, name->symbol);
    if (!module || module->abi != name->abi)
        return vl_fail(err, VALET_INTERNAL, "", "%s is of another version",
                       vl_buf_cstr(&path));
    *ret = module;
    return VALET_OK;
}
