/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of a test's own, and processes of its own, told apart by their ids.
 */
#ifndef VL_KEEP_FOLDER_H
#define VL_KEEP_FOLDER_H

#include <dirent.h>

#include "core/sys.h"
#include "keep/keep.h"
#include "vl_test_process.h"

struct folder {
    char name[64];
    char path[96]; /* of the keep in it */
};

static inline void
folder_make(struct folder *folder)
{
    (void)snprintf(folder->name, sizeof folder->name, "/tmp/valet-keep-XXXXXX");
    assert_non_null(mkdtemp(folder->name));
    (void)snprintf(folder->path, sizeof folder->path, "%s/cache", folder->name);
}

static inline void
folder_remove(const struct folder *folder)
{
    DIR *dir = opendir(folder->name);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    (void)closedir(dir);
    assert_int_equal(rmdir(folder->name), 0);
}

/* An edit that appends the text `ctx`. */
static inline valet_status
append(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)err;
    vl_buf_add(out, old);
    vl_buf_addz(out, ctx);
    return VALET_OK;
}

static inline void
assert_kept(struct vl_keep *keep, const char *text)
{
    vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_read(keep, &found, NULL));
    assert_str(vl_buf_str(&found), text);
}

/* Starts a process of the test; it exits with what `work` returns. */
static inline pid_t
start(int (*work)(const struct folder *folder, int number),
      const struct folder *folder, int number)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(work(folder, number));
    return child;
}

#endif
