/* SPDX-License-Identifier: Apache-2.0
 *
 * No file that we write may be named by two options: each of them would
 * overwrite what the other one keeps. One file has many names, so names alone
 * do not tell.
 */
#include <limits.h>
#include <sys/stat.h>

#include "conf/load.h"

/* The folder as the system knows it, and the name in it, which may not exist
 * yet. The text as it is when there is no such folder. */
static struct vl_buf
name_of(const char *path)
{
    struct vl_str text = vl_str_z(path);
    size_t name = text.n;
    while (name && text.p[name - 1] != '/')
        name--;
    struct vl_buf out = vl_buf_of(2 * PATH_MAX);
    vl_auto(vl_buf) folder = vl_buf_of(PATH_MAX);
    vl_buf_add(&folder, name ? vl_str_head(text, name) : VL_STR("."));
    char *real = realpath(vl_buf_cstr(&folder), NULL);
    if (real) {
        vl_buf_addz(&out, real);
        vl_buf_addc(&out, '/');
        vl_buf_add(&out, vl_str_from(text, name));
    } else {
        vl_buf_add(&out, text);
    }
    free(real);
    return out;
}

static bool
is_same(const char *a, const char *b)
{
    struct stat sa, sb;
    bool exists = stat(a, &sa) == 0, other_exists = stat(b, &sb) == 0;
    if (exists && other_exists)
        return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
    vl_auto(vl_buf) name = name_of(a);
    vl_auto(vl_buf) other = name_of(b);
    return exists == other_exists &&
           vl_str_eq(vl_buf_str(&name), vl_buf_str(&other));
}

valet_status
vl_conf_check_files(struct vl_conf_loader *loader)
{
    const struct vl_conf *conf = loader->conf;
    const struct {
        const char *path, *file;
        bool is_written;
    } files[] = {
        {"entra.client_secret_file", conf->client_secret_file, false},
        {"entra.client_certificate_file", conf->client_certificate_file, false},
        {"tls.certificate_file", conf->tls_certificate_file, false},
        {"tls.key_file", conf->tls_key_file, false},
        {"outbound.ca_file", conf->outbound_ca_file, false},
        {"store.path", conf->store_path, true},
        {"keys.path", conf->key_path, true},
        {"audit.path", conf->audit_path, true}};
    for (size_t i = 1; i < VL_COUNT(files); i++)
        for (size_t j = 0; j < i; j++)
            if (files[i].is_written && files[i].file && files[j].file &&
                is_same(files[i].file, files[j].file))
                return vl_conf_fail(
                    loader, vl_conf_place(loader, files[i].path), "same_file",
                    "%s is the same file as %s; write another one",
                    files[i].path, files[j].path);
    return VALET_OK;
}
