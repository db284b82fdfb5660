/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/secure.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/status.h"
#include "core/sys.h"
#include "crypto/ca.h"

#define PATH_MAX_SIZE 4096
#define PEM_MAX       8192

/* A folder that only we can enter, below $TMPDIR or /tmp. */
static valet_status
make_folder(struct vl_buf *ret, valet_error *err)
{
    const char *below = getenv("TMPDIR");
    char path[PATH_MAX_SIZE];
    int n = snprintf(path, sizeof path, "%s/mcp-valet-tenant-XXXXXX",
                     below && below[0] == '/' ? below : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path || !mkdtemp(path))
        return vl_fail(err, VALET_INTERNAL, "",
                       "cannot make a temporary folder: %s", strerror(errno));
    vl_buf_addz(ret, path);
    return vl_buf_check(ret, err);
}

static valet_status
write_file(const struct vl_tenant_secure *secure, const char *name,
           const struct vl_buf *content, struct vl_buf *ret_path,
           valet_error *err)
{
    vl_buf_add(ret_path, vl_buf_str(&secure->folder));
    vl_buf_addz(ret_path, name);
    VL_TRY(vl_buf_check(ret_path, err));
    return vl_file_create(vl_buf_cstr(ret_path), vl_buf_str(content), err);
}

static valet_status
write_files(struct vl_tenant_secure *secure, const struct vl_ca *authority,
            valet_error *err)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    vl_auto(vl_buf) ca = vl_buf_of(PEM_MAX), leaf = vl_buf_of(PEM_MAX);
    vl_auto(vl_buf) key = vl_buf_of_secret(PEM_MAX);
    VL_TRY(vl_ca_certificate(authority, &ca, err));
    VL_TRY(vl_ca_issue(authority, names, VL_COUNT(names), &leaf, &key, err));
    VL_TRY(write_file(secure, "/ca.pem", &ca, &secure->ca, err));
    VL_TRY(write_file(secure, "/server.pem", &leaf, &secure->certificate, err));
    return write_file(secure, "/server.key", &key, &secure->key, err);
}

valet_status
vl_tenant_secure_init(struct vl_tenant_secure *secure, valet_error *err)
{
    struct vl_ca *authority = NULL;
    *secure = (struct vl_tenant_secure){
        vl_buf_of(PATH_MAX_SIZE), vl_buf_of(PATH_MAX_SIZE),
        vl_buf_of(PATH_MAX_SIZE), vl_buf_of(PATH_MAX_SIZE)};
    VL_TRY(make_folder(&secure->folder, err));
    VL_TRY(vl_ca_new("mcp-valet-tenant (made up, this machine only)",
                     &authority, err));
    valet_status status = write_files(secure, authority, err);
    vl_ca_free(authority);
    return status;
}

void
vl_tenant_secure_done(struct vl_tenant_secure *secure)
{
    struct vl_buf *files[] = {&secure->ca, &secure->certificate, &secure->key};
    for (size_t i = 0; i < VL_COUNT(files); i++) {
        if (vl_buf_size(files[i]))
            (void)unlink(vl_buf_cstr(files[i]));
        vl_buf_done(files[i]);
    }
    if (vl_buf_size(&secure->folder))
        (void)rmdir(vl_buf_cstr(&secure->folder));
    vl_buf_done(&secure->folder);
}
