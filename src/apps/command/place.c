/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/command/place.h"

#include <limits.h>
#include <unistd.h>

#include "apps/command/command.h"
#include "core/status.h"
#include "core/sys.h"

static valet_status
folder_of(struct vl_buf *ret, valet_error *err)
{
    const char *config = vl_environment("XDG_CONFIG_HOME");
    const char *home = vl_environment("HOME");
    if (config && config[0] == '/')
        vl_buf_addf(ret, "%s/mcp-valet", config);
    else if (home && home[0] == '/')
        vl_buf_addf(ret, "%s/.config/mcp-valet", home);
    else
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "neither XDG_CONFIG_HOME nor HOME is set: there is no "
                       "place for what is remembered");
    return vl_buf_check(ret, err);
}

valet_status
vl_place_path(const char *name, struct vl_buf *ret, valet_error *err)
{
    VL_TRY(folder_of(ret, err));
    vl_buf_addf(ret, "/%s", name);
    return vl_buf_check(ret, err);
}

valet_status
vl_place_write(const char *name, struct vl_str content, valet_error *err)
{
    vl_auto(vl_buf) folder = vl_buf_of(PATH_MAX);
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_auto(vl_buf) aside = vl_buf_of(PATH_MAX);
    VL_TRY(folder_of(&folder, err));
    VL_TRY(vl_folder_make(vl_buf_cstr(&folder), err));
    VL_TRY(vl_place_path(name, &path, err));
    vl_buf_addf(&aside, "%s.new-%d", vl_buf_cstr(&path), (int)getpid());
    VL_TRY(vl_buf_check(&aside, err));
    return vl_file_replace(vl_buf_cstr(&path), vl_buf_cstr(&aside), content,
                           err);
}
