/* SPDX-License-Identifier: Apache-2.0
 *
 * What an application proves itself with besides a secret: certificates, and
 * tokens of other issuers that it was told to trust (federated credentials).
 */
#ifndef VL_TENANT_CREDENTIAL_H
#define VL_TENANT_CREDENTIAL_H

#include "crypto/digest.h"
#include "crypto/pkey.h"

#define VL_TENANT_CERTIFICATES_MAX 8
/* As many as Entra ID allows. */
#define VL_TENANT_FEDERATED_MAX 20

struct vl_tenant_certificate {
    struct vl_pkey *pkey;
    unsigned char sha1[VL_SHA1_SIZE], sha256[VL_SHA256_SIZE]; /* of the DER */
};

/* The texts are of the set of data. */
struct vl_tenant_federated {
    const char *issuer, *subject;
    const char *audience; /* NULL: api://AzureADTokenExchange */
    const char *key;      /* as written, or NULL: a tenant of our own issues */
    struct vl_pkey *pkey;
};

struct vl_tenant_credentials {
    struct vl_tenant_certificate certificates[VL_TENANT_CERTIFICATES_MAX];
    struct vl_tenant_federated federated[VL_TENANT_FEDERATED_MAX];
    size_t certificate_count, federated_count;
};

void vl_tenant_credentials_done(struct vl_tenant_credentials *credentials);
/* Registers a certificate (PEM); one more of the same is none. */
valet_status
vl_tenant_credentials_add(struct vl_tenant_credentials *credentials,
                          struct vl_str pem, valet_error *err) VALET_CHECK;
/* A thumbprint is a hash of 20 or 32 bytes; NULL when nothing has it. */
const struct vl_tenant_certificate *
vl_tenant_credentials_find(const struct vl_tenant_credentials *credentials,
                           struct vl_str thumbprint);
/* The issuer's key, from a public key or certificate (PEM). */
valet_status
vl_tenant_federated_take_key(struct vl_tenant_federated *federated,
                             struct vl_str pem, valet_error *err) VALET_CHECK;

#endif
