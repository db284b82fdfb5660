/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tokens say (entra-wire 2.10, 2.11).
 */
#ifndef VL_TENANT_CLAIMS_H
#define VL_TENANT_CLAIMS_H

#include "apps/tenant/client.h"

struct vl_tenant_subject {
    /* NULL: the application itself, in its own name at `realm`. */
    const struct vl_tenant_user *user;
    const struct vl_tenant_realm *realm;
    const struct vl_tenant_app *app; /* the client */
    struct vl_tenant_scopes scopes;
    const char *nonce; /* NULL: none was asked for */
    const char *acrs;  /* the authentication contexts that were met, or NULL */
    int64_t signed_in; /* seconds */
    unsigned lifetime; /* of the access token, seconds */
    enum vl_tenant_proof proof;
    bool is_capable; /* the client knows claims challenges */
};

/* Signed; appended to `out`. Graph's tokens have the older shape (v1). */
valet_status
vl_tenant_access_token(const struct vl_tenant_call *call,
                       const struct vl_tenant_subject *subject,
                       struct vl_buf *out, valet_error *err) VALET_CHECK;
valet_status
vl_tenant_id_token(const struct vl_tenant_call *call,
                   const struct vl_tenant_subject *subject, struct vl_buf *out,
                   valet_error *err) VALET_CHECK;
/* base64url of {"uid":…,"utid":…}, in the arena. */
const char *vl_tenant_client_info(const struct vl_tenant_call *call,
                                  const struct vl_tenant_user *user);

#endif
