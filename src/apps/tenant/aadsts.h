/* SPDX-License-Identifier: Apache-2.0
 *
 * The error codes of Entra ID that the stand-in knows: HTTP status, OAuth
 * error, sub-error. The sentences are ours; clients must not read them.
 */
#ifndef VL_TENANT_AADSTS_H
#define VL_TENANT_AADSTS_H

#include "core/base.h"

struct vl_tenant_aadsts {
    unsigned code;
    int status;
    const char *error, *suberror; /* suberror may be NULL */
    const char *text;
};

/* A row for every code; unknown ones are a plain invalid_request. */
const struct vl_tenant_aadsts *vl_tenant_aadsts_find(unsigned code);

#endif
