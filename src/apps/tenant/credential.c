/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/credential.h"

#include "core/status.h"
#include "crypto/pem.h"

#define DER_MAX 16384

void
vl_tenant_credentials_done(struct vl_tenant_credentials *credentials)
{
    for (size_t i = 0; i < credentials->certificate_count; i++)
        vl_pkey_free(credentials->certificates[i].pkey);
    for (size_t i = 0; i < credentials->federated_count; i++)
        vl_pkey_free(credentials->federated[i].pkey);
    credentials->certificate_count = credentials->federated_count = 0;
}

const struct vl_tenant_certificate *
vl_tenant_credentials_find(const struct vl_tenant_credentials *credentials,
                           struct vl_str thumbprint)
{
    for (size_t i = 0; i < credentials->certificate_count; i++) {
        const struct vl_tenant_certificate *certificate =
            &credentials->certificates[i];
        if (vl_str_eq(thumbprint, vl_str_of(certificate->sha1, VL_SHA1_SIZE)) ||
            vl_str_eq(thumbprint,
                      vl_str_of(certificate->sha256, VL_SHA256_SIZE)))
            return certificate;
    }
    return NULL;
}

valet_status
vl_tenant_credentials_add(struct vl_tenant_credentials *credentials,
                          struct vl_str pem, valet_error *err)
{
    struct vl_tenant_certificate certificate = {.pkey = NULL};
    vl_auto(vl_buf) der = vl_buf_of(DER_MAX);
    VL_TRY(vl_pem_read_public(pem, &der, &certificate.pkey, err));
    vl_sha1_thumbprint(vl_buf_str(&der), certificate.sha1);
    vl_sha256(vl_buf_str(&der), certificate.sha256);
    struct vl_str thumbprint = vl_str_of(certificate.sha256, VL_SHA256_SIZE);
    bool known = vl_tenant_credentials_find(credentials, thumbprint) != NULL;
    bool full = credentials->certificate_count == VL_TENANT_CERTIFICATES_MAX;
    if (!vl_buf_size(&der) || known || full)
        vl_pkey_free(certificate.pkey);
    if (!vl_buf_size(&der))
        return vl_fail(err, VALET_INVALID, "", "it is no certificate");
    if (known)
        return VALET_OK;
    if (full)
        return vl_fail(err, VALET_LIMIT, "", "an app has at most %d of them",
                       VL_TENANT_CERTIFICATES_MAX);
    credentials->certificates[credentials->certificate_count++] = certificate;
    return VALET_OK;
}

valet_status
vl_tenant_federated_take_key(struct vl_tenant_federated *federated,
                             struct vl_str pem, valet_error *err)
{
    vl_auto(vl_buf) der = vl_buf_of(DER_MAX);
    return vl_pem_read_public(pem, &der, &federated->pkey, err);
}
