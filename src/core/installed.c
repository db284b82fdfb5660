/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* dladdr1 */
#include "core/installed.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

/* The folder as seen from that of `file`; else that of the build's prefix. */
static void
add_beside(struct vl_buf *ret, const char *file, const char *way)
{
    const char *slash = file[0] == '/' ? strrchr(file, '/') : NULL;
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    if (slash) {
        vl_buf_add(&path, vl_str_of(file, (size_t)(slash - file) + 1));
        vl_buf_addz(&path, way);
    }
    bool there = slash && !path.failed && access(vl_buf_cstr(&path), X_OK) == 0;
    vl_buf_addz(ret, there ? vl_buf_cstr(&path) : VL_MODULES);
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
    add_beside(ret, map ? map->l_name : "", VL_MODULES_FROM_LIBRARY);
}

void
vl_modules_of_program(struct vl_buf *ret)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    add_beside(ret, self, VL_MODULES_FROM_PROGRAM);
}
