/* SPDX-License-Identifier: Apache-2.0
 *
 * The encrypted file: PATH is the sealed document, PATH.key its key ring,
 * PATH.lock the lock, PATH.new a document that is being written.
 */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/status.h"
#include "core/sys.h"
#include "crypto/keyring.h"
#include "keep/driver.h"

/* Sealed, it is a header and a tag longer. */
#define SEALED_MAX (VL_LIMIT_KEEP + 256)
/* What a record of this key is: a file of another kind does not open. */
#define CONTEXT VL_STR("mcp-valet keep v1")

struct file {
    struct vl_keep keep; /* first: a keep is cast to its place */
    struct vl_buf path, key, aside;
};

/* Who may write the folder may put another file there, and keep a copy of the
 * key; where it is sticky (/tmp), they can do so with their own files only. */
static valet_status
check_folder(const char *path, valet_error *err)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    vl_auto(vl_buf) folder = vl_buf_of(PATH_MAX);
    vl_buf_add(&folder, slash ? vl_str_of(path, (size_t)(slash - path) + 1)
                              : VL_STR("."));
    VL_TRY(vl_buf_check(&folder, err));
    const char *name = vl_buf_cstr(&folder);
    if (stat(name, &st) != 0 || !S_ISDIR(st.st_mode))
        return vl_fail(err, VALET_NOT_FOUND, "", "there is no folder %s", name);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return vl_fail(err, VALET_DENIED, "", "%s belongs to another user",
                       name);
    if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
        return vl_fail(err, VALET_DENIED, "",
                       "%s may be written by others (mode %03o)", name,
                       st.st_mode & 0777u);
    return VALET_OK;
}

static valet_status
file_read(struct vl_keep *keep, struct vl_buf *out, valet_error *err)
{
    struct file *file = (struct file *)keep;
    struct vl_keyring *ring = NULL;
    const char *path = vl_buf_cstr(&file->path);
    vl_auto(vl_buf) sealed = vl_buf_of(SEALED_MAX);
    valet_status status = vl_file_read(path, true, &sealed, err);
    if (status == VALET_NOT_FOUND)
        return VALET_OK;
    VL_TRY(status);
    status = vl_keyring_open(vl_buf_cstr(&file->key), false, NULL, &ring, err);
    if (status == VALET_NOT_FOUND)
        return vl_fail(err, VALET_DENIED, "damaged_cache",
                       "the key of %s is gone", path);
    VL_TRY(status);
    status = vl_unseal(ring, CONTEXT, vl_buf_str(&sealed), out, err);
    vl_keyring_free(ring);
    if (status == VALET_DENIED)
        return vl_fail(err, VALET_DENIED, "damaged_cache",
                       "%s was changed, or its key is another one's", path);
    return status;
}

static valet_status
file_write(struct vl_keep *keep, struct vl_str document, valet_error *err)
{
    struct file *file = (struct file *)keep;
    struct vl_keyring *ring = NULL;
    vl_auto(vl_buf) sealed = vl_buf_of(SEALED_MAX);
    VL_TRY(vl_keyring_open(vl_buf_cstr(&file->key), true, NULL, &ring, err));
    valet_status status = vl_seal(ring, CONTEXT, document, &sealed, err);
    vl_keyring_free(ring);
    VL_TRY(status);
    return vl_file_replace(vl_buf_cstr(&file->path), vl_buf_cstr(&file->aside),
                           vl_buf_str(&sealed), err);
}

static valet_status
remove_file(struct vl_buf *path, valet_error *err)
{
    const char *name = vl_buf_cstr(path);
    if (unlink(name) == 0 || errno == ENOENT)
        return VALET_OK;
    return vl_fail(err, VALET_INTERNAL, "", "cannot remove %s: %s", name,
                   strerror(errno));
}

/* The key last: a document without its key is an error, a key without its
 * document is not. */
static valet_status
file_forget(struct vl_keep *keep, valet_error *err)
{
    struct file *file = (struct file *)keep;
    VL_TRY(remove_file(&file->path, err));
    VL_TRY(remove_file(&file->aside, err));
    return remove_file(&file->key, err);
}

static void
file_free(struct vl_keep *keep)
{
    struct file *file = (struct file *)keep;
    vl_buf_done(&file->path);
    vl_buf_done(&file->key);
    vl_buf_done(&file->aside);
}

static struct vl_buf
name_beside(const char *path, const char *suffix)
{
    struct vl_buf name = vl_buf_of(PATH_MAX);
    vl_buf_addz(&name, path);
    vl_buf_addz(&name, suffix);
    return name;
}

/* @spec S-29 S-101 */
valet_status
vl_keep_open_file(const char *path, struct vl_keep **ret, valet_error *err)
{
    static const struct vl_keep_ops ops = {file_read, file_write, file_forget,
                                           file_free};
    VL_TRY(check_folder(path, err));
    struct file *file = vl_alloc(sizeof *file);
    *file = (struct file){
        .keep = {.ops = &ops,
                 .lock = name_beside(path, ".lock"),
                 .seen = vl_strdup(path)},
        .path = name_beside(path, ""),
        .key = name_beside(path, ".key"),
        .aside = name_beside(path, ".new"),
    };
    /* The longest of them. */
    valet_status status = vl_buf_check(&file->keep.lock, err);
    if (status == VALET_OK)
        *ret = &file->keep;
    else
        vl_keep_close(&file->keep);
    return status;
}
