/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to control*.c: how the control API reads and answers.
 */
#ifndef VL_TENANT_CONTROL_H
#define VL_TENANT_CONTROL_H

#include "apps/tenant/call.h"
#include "json/read.h"

void vl_tenant_control_send(struct vl_tenant_call *call, int status,
                            struct vl_str body);
void vl_tenant_control_fail(struct vl_tenant_call *call, int status,
                            const char *message);
/* The body as an object; false when it has answered. */
bool vl_tenant_control_body(struct vl_tenant_call *call, struct vl_json *ret);
/* Absent is `fallback`. */
bool vl_tenant_control_number(const struct json_t *object, const char *key,
                              int64_t fallback, int64_t *ret);

#endif
