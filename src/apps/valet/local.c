/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/valet/local.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "apps/command/command.h"
#include "core/installed.h"

int
vl_local_run(char **argv)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_helper_path(&path, "mcp-valet-local");
    if (path.failed) {
        vl_complain("the path of my program is too long");
        return VL_EXIT_FAILED;
    }
    (void)execv(vl_buf_cstr(&path), argv);
    if (errno == ENOENT)
        vl_complain("%s is missing: mcp-valet is not installed as a whole",
                    vl_buf_cstr(&path));
    else
        vl_complain("cannot run %s: %s", vl_buf_cstr(&path), strerror(errno));
    return VL_EXIT_FAILED;
}
