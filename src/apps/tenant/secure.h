/* SPDX-License-Identifier: Apache-2.0
 *
 * The https listener's certificate: of an authority that is made at start,
 * whose certificate lies in a private folder for those who shall trust it, and
 * whose key nobody ever sees. The folder goes when the program ends.
 */
#ifndef VL_TENANT_SECURE_H
#define VL_TENANT_SECURE_H

#include "core/buf.h"

struct vl_tenant_secure {
    struct vl_buf folder;               /* empty: nothing was made */
    struct vl_buf ca, certificate, key; /* paths of PEM files */
};

/* For localhost, 127.0.0.1 and ::1. Call done() after a failure, too. */
valet_status vl_tenant_secure_init(struct vl_tenant_secure *secure,
                                   valet_error *err) VALET_CHECK;
void vl_tenant_secure_done(struct vl_tenant_secure *secure);

#endif
