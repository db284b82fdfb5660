/* SPDX-License-Identifier: Apache-2.0
 *
 * Client assertions (RFC 7523 section 2.2; entra-wire 2.14): a token that the
 * application signed with its certificate, or one of another issuer that it
 * was told to trust.
 */
#ifndef VL_TENANT_ASSERTION_H
#define VL_TENANT_ASSERTION_H

#include "apps/tenant/call.h"

/* 0, or the AADSTS code with what is the matter (or NULL). */
unsigned
vl_tenant_assertion_check(struct vl_tenant_call *call,
                          const struct vl_tenant_app *app, struct vl_str token,
                          const char **ret_detail) VALET_CHECK;

#endif
