/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/local/connect_place.h"

#include <limits.h>

#include "apps/command/command.h"
#include "apps/local/settings.h"
#include "core/installed.h"
#include "core/status.h"
#include "core/sys.h"

/* The item of the Secret Service. */
#define ITEM "mcp-valet connect"

/* Of this person, whatever the session (XDG Base Directory Specification). */
static valet_status
write_lock_path(struct vl_buf *out, valet_error *err)
{
    const char *state = vl_environment("XDG_STATE_HOME");
    const char *home = vl_environment("HOME");
    if (state && state[0] == '/')
        vl_buf_addf(out, "%s/mcp-valet", state);
    else if (home && home[0] == '/')
        vl_buf_addf(out, "%s/.local/state/mcp-valet", home);
    else
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "neither XDG_STATE_HOME nor HOME is set: there is no "
                       "place for the lock of the tokens");
    VL_TRY(vl_buf_check(out, err));
    VL_TRY(vl_folder_make(vl_buf_cstr(out), err));
    vl_buf_addz(out, "/connect.lock");
    return vl_buf_check(out, err);
}

/* The sentence is all that a client shows: it says what a person can do. */
static valet_status
open_secret_service(struct vl_keep **ret, struct vl_buf *lock, valet_error *err)
{
    vl_auto(vl_buf) modules = vl_buf_of(PATH_MAX);
    valet_error why = {0};
    vl_modules_of_helper(&modules);
    VL_TRY(vl_buf_check(&modules, err));
    VL_TRY(write_lock_path(lock, err));
    valet_status status = vl_keep_open_secret_service(
        vl_buf_cstr(&modules), ITEM, vl_buf_cstr(lock), ret, &why);
    if (status == VALET_OK)
        return VALET_OK;
    return vl_fail(err, status, why.code,
                   "%.120s: tokens cannot be kept there; add --cache-file FILE "
                   "for an encrypted file, or --no-cache",
                   why.message);
}

static valet_status
open_file(const char *cache_file, struct vl_keep **ret, struct vl_buf *lock,
          valet_error *err)
{
    vl_buf_addf(lock, "%s.connect", cache_file);
    VL_TRY(vl_buf_check(lock, err));
    return vl_keep_open_file(vl_buf_cstr(lock), ret, err);
}

/* @spec S-29 W-37: nothing stands in for what is missing. */
valet_status
vl_connect_place_open(const struct vl_connect_place *place,
                      struct vl_keep **ret, struct vl_buf *lock,
                      valet_error *err)
{
    vl_auto(vl_settings) kept = {.tenant = NULL};
    const char *set = vl_environment("MCP_VALET_CACHE_FILE");
    if (place->no_cache) {
        *ret = vl_keep_open_memory();
        return VALET_OK;
    }
    if (place->secret_service)
        return open_secret_service(ret, lock, err);
    if (place->cache_file || (set && set[0]))
        return open_file(place->cache_file ? place->cache_file : set, ret, lock,
                         err);
    VL_TRY(vl_settings_read(&kept, err));
    return kept.cache_file ? open_file(kept.cache_file, ret, lock, err)
                           : open_secret_service(ret, lock, err);
}
