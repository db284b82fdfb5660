/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* dladdr1 */
#include "core/installed.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

/* What lies `way` from the folder that `file` is in. False: nobody knows. */
static bool
add_way(struct vl_buf *ret, const char *file, const char *way)
{
    const char *slash = file[0] == '/' ? strrchr(file, '/') : NULL;
    if (!slash)
        return false;
    vl_buf_add(ret, vl_str_of(file, (size_t)(slash - file) + 1));
    vl_buf_addz(ret, way);
    return true;
}

/* The folder as seen from that of `file`; else that of the build's prefix. */
static void
add_beside(struct vl_buf *ret, const char *file, const char *way)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    bool there = add_way(&path, file, way) && !path.failed &&
                 access(vl_buf_cstr(&path), X_OK) == 0;
    vl_buf_addz(ret, there ? vl_buf_cstr(&path) : VL_HELPERS "/modules");
}

void
vl_modules_of_library(struct vl_buf *ret)
{
    /* The linker's name of a program is empty, whatever its file is called. */
    static const char inside = 0;
    const struct link_map *map = NULL;
    Dl_info info;
    void *found = NULL;
    if (dladdr1(&inside, &info, &found, RTLD_DL_LINKMAP) != 0)
        map = found;
    add_beside(ret, map ? map->l_name : "", VL_HELPERS_FROM_LIBRARY "/modules");
}

/* The file of this program, however it was called; empty: nobody knows. */
static void
find_self(char ret[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
    ret[n > 0 ? n : 0] = '\0';
}

void
vl_modules_of_helper(struct vl_buf *ret)
{
    char self[PATH_MAX];
    find_self(self);
    add_beside(ret, self, "modules");
}

void
vl_helper_path(struct vl_buf *ret, const char *name)
{
    char self[PATH_MAX];
    find_self(self);
    if (!add_way(ret, self, VL_HELPERS_FROM_PROGRAM))
        vl_buf_addz(ret, VL_HELPERS);
    vl_buf_addf(ret, "/%s", name);
}
