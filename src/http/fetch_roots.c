/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose certificates are believed. Where curl (the program) looks for other
 * roots, so do we; not when the process has more rights than its caller.
 */
#define _GNU_SOURCE /* secure_getenv, memmem */
#include "core/status.h"
#include "http/fetch_inner.h"

/* Debian's folder of the system's roots, named by their hash: the one that is
 * asked, a file at a time, when a bundle of ours takes the place of theirs. */
#define SYSTEM_FOLDER "/etc/ssl/certs"

#define BEGIN "-----BEGIN CERTIFICATE-----"

static const char *
variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

static const char *
bundle(void)
{
    const char *file = variable("CURL_CA_BUNDLE");
    return file ? file : variable("SSL_CERT_FILE");
}

valet_status
vl_fetch_read_roots(const char *ca_file, struct vl_buf *out, valet_error *err)
{
    size_t before = vl_buf_size(out);
    VL_TRY(vl_file_read(ca_file, false, out, err));
    struct vl_str text = vl_str_from(vl_buf_str(out), before);
    if (memmem(text.p, text.n, BEGIN, sizeof BEGIN - 1))
        return VALET_OK;
    return vl_fail(err, VALET_INVALID, "", "%s: there is no certificate in it",
                   ca_file);
}

valet_status
vl_fetcher_trust(struct vl_fetcher *fetcher, const char *ca_file,
                 valet_error *err)
{
    vl_auto(vl_buf) roots = vl_buf_of(VL_FETCH_ROOTS_MAX);
    VL_TRY(vl_fetch_read_roots(ca_file, &roots, err));
    vl_buf_addc(&roots, '\n');
    /* libcurl reads one bundle: ours has to hold the other one too. */
    if (bundle())
        VL_TRY(vl_fetch_read_roots(bundle(), &roots, err));
    VL_TRY(vl_buf_check(&roots, err));
    vl_buf_done(&fetcher->roots);
    fetcher->roots = vl_buf_take(&roots);
    return VALET_OK;
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
    else if (bundle())
        (void)vl_curl.easy_setopt(fetch->easy, CURLOPT_CAINFO, bundle());
    if (!folder && roots.n)
        folder = SYSTEM_FOLDER;
    if (folder)
        (void)vl_curl.easy_setopt(fetch->easy, CURLOPT_CAPATH, folder);
}
