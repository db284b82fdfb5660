/* SPDX-License-Identifier: Apache-2.0
 *
 * The device code flow (RFC 8628; entra-wire 2.13): a program without a
 * browser shows a code, and a person types it in here.
 */
#ifndef VL_TENANT_DEVICE_H
#define VL_TENANT_DEVICE_H

#include "apps/tenant/request.h"

/* What waits behind a code that was typed; the tenant becomes that of the
 * program. Refused is a code that nobody waits for. */
struct vl_tenant_refusal
vl_tenant_device_request(struct vl_tenant_call *call, struct vl_str typed,
                         struct vl_tenant_request *ret);
/* The person of this session has said yes. */
void vl_tenant_device_approve(struct vl_tenant_call *call,
                              const struct vl_tenant_request *r,
                              const struct vl_tenant_grant *session);
/* It came to nothing: 65004 tells the device, others only the person. */
void vl_tenant_device_end(struct vl_tenant_call *call,
                          const struct vl_tenant_request *r, unsigned code,
                          const char *detail);

#endif
