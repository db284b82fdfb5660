/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of a sign-in. They keep nothing here: their forms carry the
 * authorization request in the address they post to, and all is checked again.
 */
#ifndef VL_TENANT_PAGES_H
#define VL_TENANT_PAGES_H

#include "apps/tenant/session.h"

/* Name and password; `message` may be NULL. */
void vl_tenant_show_sign_in(struct vl_tenant_call *call,
                            const struct vl_tenant_request *r,
                            struct vl_str username, const char *message);
/* Who of those that are signed in? */
void vl_tenant_show_accounts(struct vl_tenant_call *call,
                             const struct vl_tenant_request *r,
                             const struct vl_tenant_accounts *accounts);
/* What the application asks for, to be accepted or not. */
void vl_tenant_show_consent(struct vl_tenant_call *call,
                            const struct vl_tenant_request *r,
                            const struct vl_tenant_user *user);
/* Only an administrator could accept. */
void vl_tenant_show_admin_needed(struct vl_tenant_call *call,
                                 const struct vl_tenant_request *r,
                                 const struct vl_tenant_user *user);

/* Is the program that showed the code theirs? */
void vl_tenant_show_device(struct vl_tenant_call *call,
                           const struct vl_tenant_request *r,
                           const struct vl_tenant_user *user);

#endif
