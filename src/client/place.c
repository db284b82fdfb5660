/* SPDX-License-Identifier: Apache-2.0 */
#include "client/place.h"

#include <limits.h>
#include <stdlib.h>

#include "core/installed.h"
#include "core/status.h"
#include "core/sys.h"

/*
 * The file that processes lock: of this person, whatever the session, since
 * the Secret Service's items outlive sessions too (XDG Base Directory
 * Specification: state).
 */
static valet_status
write_lock_path(const char *name, struct vl_buf *out, valet_error *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        vl_buf_addf(out, "%s/mcp-valet", state);
    else if (home && home[0] == '/')
        vl_buf_addf(out, "%s/.local/state/mcp-valet", home);
    else
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "neither XDG_STATE_HOME nor HOME is set: there is no "
                       "place for the token cache's lock");
    VL_TRY(vl_buf_check(out, err));
    VL_TRY(vl_folder_make(vl_buf_cstr(out), err));
    vl_buf_addf(out, "/%s.lock", name);
    return vl_buf_check(out, err);
}

void
vl_place_modules(const struct vl_client_config *config, struct vl_buf *out)
{
    if (config->modules)
        vl_buf_addz(out, config->modules);
    else
        vl_modules_of_library(out);
}

static valet_status
open_secret_service(const struct vl_client_config *config, struct vl_keep **ret,
                    valet_error *err)
{
    vl_auto(vl_buf) lock = vl_buf_of(PATH_MAX);
    vl_auto(vl_buf) modules = vl_buf_of(PATH_MAX);
    vl_place_modules(config, &modules);
    VL_TRY(vl_buf_check(&modules, err));
    VL_TRY(write_lock_path(config->cache_name, &lock, err));
    return vl_keep_open_secret_service(vl_buf_cstr(&modules),
                                       config->cache_name, vl_buf_cstr(&lock),
                                       ret, err);
}

/* @spec S-29 W-37: nothing stands in for what is missing. */
valet_status
vl_place_open(const struct vl_client_config *config, struct vl_keep **ret,
              valet_error *err)
{
    *ret = NULL;
    switch (config->cache) {
    case VALET_CACHE_FILE:
        return vl_keep_open_file(config->cache_file, ret, err);
    case VALET_CACHE_SECRET_SERVICE:
        return open_secret_service(config, ret, err);
    default:
        return VALET_OK;
    }
}
