/* SPDX-License-Identifier: Apache-2.0
 *
 * What people have consented to: per person and application, or for a whole
 * tenant by its administrator. Nothing outlives the process.
 */
#ifndef VL_TENANT_CONSENT_H
#define VL_TENANT_CONSENT_H

#include "apps/tenant/scope.h"

enum vl_tenant_need {
    VL_TENANT_NEEDS_NOTHING,
    VL_TENANT_NEEDS_CONSENT, /* of this person */
    VL_TENANT_NEEDS_ADMIN,   /* of somebody else */
};

enum vl_tenant_need
vl_tenant_consent_need(const struct vl_tenant_call *call,
                       const struct vl_tenant_user *user,
                       const struct vl_tenant_app *app,
                       const struct vl_tenant_scopes *scopes);
/* `for_all`: of the person's tenant. */
void
vl_tenant_consent_give(const struct vl_tenant_call *call,
                       const struct vl_tenant_user *user,
                       const struct vl_tenant_app *app,
                       const struct vl_tenant_scopes *scopes, bool for_all);
/* What was given to this application, or (NULL) to any. */
void vl_tenant_consents_forget(struct vl_tenant *tenant,
                               const struct vl_tenant_app *app);
/* What the page asks for: the list "wishes" of {wish}, in the arena. */
struct vl_page_list
vl_tenant_consent_list(const struct vl_tenant_call *call,
                       const struct vl_tenant_scopes *scopes);

#endif
