/* SPDX-License-Identifier: Apache-2.0
 *
 * Which application asks for a token, and has it proven so (RFC 6749 section
 * 2.3)?
 */
#ifndef VL_TENANT_CLIENT_H
#define VL_TENANT_CLIENT_H

#include "apps/tenant/request.h"

/* How it has proven that it is this application: the claim azpacr. */
enum vl_tenant_proof {
    VL_TENANT_BY_NOTHING,
    VL_TENANT_BY_SECRET,
    VL_TENANT_BY_ASSERTION,
};

struct vl_tenant_client {
    const struct vl_tenant_app *app;
    enum vl_tenant_proof proof;
    const char *detail; /* of a refusal, or NULL */
};

/* 0, or the AADSTS code. */
unsigned vl_tenant_client_read(struct vl_tenant_call *call,
                               struct vl_tenant_client *ret) VALET_CHECK;

#endif
