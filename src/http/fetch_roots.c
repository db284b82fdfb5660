/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose certificates are believed. Where curl (the program) looks for other
 * roots, so do we; not when the process has more rights than its caller.
 */
#define _GNU_SOURCE /* secure_getenv */
#include "core/status.h"
#include "crypto/roots.h"
#include "http/fetch_inner.h"

/* Debian's folder of the system's roots, named by their hash: the one that is
 * asked, a file at a time, when a bundle of ours takes the place of theirs. */
#define SYSTEM_FOLDER "/etc/ssl/certs"

static const char *
variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

/* The variable that names another bundle, or NULL. */
static const char *
bundle_variable(void)
{
    static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (variable(names[i]))
            return names[i];
    return NULL;
}

static valet_status
add_file(const char *path, struct vl_buf *out, valet_error *err)
{
    size_t before = vl_buf_size(out);
    valet_error why = {0};
    VL_TRY(vl_file_read(path, false, out, err));
    valet_status status =
        vl_roots_check(vl_str_from(vl_buf_str(out), before), &why);
    return status == VALET_OK
               ? VALET_OK
               : vl_fail(err, status, "", "%s: %s", path, why.message);
}

/* libcurl reads one bundle: ours has to hold the other one too. */
static valet_status
add_bundle(struct vl_buf *out, valet_error *err)
{
    const char *name = bundle_variable();
    valet_error why = {0};
    if (!name)
        return VALET_OK;
    vl_buf_addc(out, '\n');
    valet_status status = add_file(variable(name), out, &why);
    return status == VALET_OK
               ? VALET_OK
               : vl_fail(err, status, "", "%s: %s", name, why.message);
}

static valet_status
read_roots(const char *ca_file, struct vl_buf *out, valet_error *err)
{
    VL_TRY(add_file(ca_file, out, err));
    VL_TRY(add_bundle(out, err));
    return vl_buf_check(out, err);
}

valet_status
vl_fetch_check_roots(const char *ca_file, valet_error *err)
{
    vl_auto(vl_buf) roots = vl_buf_of(VL_FETCH_ROOTS_MAX);
    return read_roots(ca_file, &roots, err);
}

valet_status
vl_fetcher_trust(struct vl_fetcher *fetcher, const char *ca_file,
                 valet_error *err)
{
    vl_auto(vl_buf) roots = vl_buf_of(VL_FETCH_ROOTS_MAX);
    VL_TRY(read_roots(ca_file, &roots, err));
    vl_buf_done(&fetcher->roots);
    fetcher->roots = vl_buf_take(&roots);
    vl_fetch_distrust(fetcher);
    return VALET_OK;
}

valet_status
vl_fetch_read_roots(const struct vl_fetcher *fetcher, struct vl_buf *out,
                    valet_error *err)
{
    struct vl_str roots = vl_buf_str(&fetcher->roots);
    if (!roots.n)
        return add_bundle(out, err);
    vl_buf_add(out, roots);
    return vl_buf_check(out, err);
}

void
vl_fetch_set_roots(struct vl_fetch *fetch)
{
    struct vl_str roots = vl_buf_str(&fetch->fetcher->roots);
    const char *folder = variable("SSL_CERT_DIR");
    /* The fetcher outlives its requests, so libcurl need not copy. */
    struct curl_blob blob = {.data = fetch->fetcher->roots.p,
                             .len = roots.n,
                             .flags = CURL_BLOB_NOCOPY};
    if (roots.n)
        (void)vl_curl.easy_setopt(fetch->easy, CURLOPT_CAINFO_BLOB, &blob);
    else if (bundle_variable())
        (void)vl_curl.easy_setopt(fetch->easy, CURLOPT_CAINFO,
                                  variable(bundle_variable()));
    if (!folder && roots.n)
        folder = SYSTEM_FOLDER;
    if (folder)
        (void)vl_curl.easy_setopt(fetch->easy, CURLOPT_CAPATH, folder);
}
