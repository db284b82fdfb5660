/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is signed in with this browser. It may be several people: the cookie
 * holds one handle for each, the last who signed in first.
 */
#ifndef VL_TENANT_SESSION_H
#define VL_TENANT_SESSION_H

#include "apps/tenant/request.h"

#define VL_TENANT_ACCOUNTS_MAX 5

struct vl_tenant_accounts {
    const struct vl_tenant_grant *items[VL_TENANT_ACCOUNTS_MAX];
    size_t count;
};

/* Those whose session is alive; borrowed until somebody signs in. */
struct vl_tenant_accounts
vl_tenant_accounts_read(const struct vl_tenant_call *call);
/* Of them, those who may answer this request. */
struct vl_tenant_accounts
vl_tenant_accounts_fitting(const struct vl_tenant_call *call,
                           const struct vl_tenant_request *r);
/* NULL when this person is not among them. */
const struct vl_tenant_grant *
vl_tenant_accounts_find(const struct vl_tenant_accounts *accounts,
                        struct vl_str username);

/* Signs a person in; whatever is answered brings the cookie. `acrs`: what they
 * have proven with it, besides what they had before. */
const struct vl_tenant_grant *
vl_tenant_account_add(struct vl_tenant_call *call,
                      const struct vl_tenant_user *user, const char *acrs);
/* Signs everybody out. */
void vl_tenant_accounts_end(struct vl_tenant_call *call);

/* May people of this person's home sign in at the tenant that was asked? */
bool vl_tenant_may_sign_in(const struct vl_tenant_call *call,
                           const struct vl_tenant_user *user);

/* authorize.c: asks the person behind a request what there is to ask, from who
 * they are to what they consent to. */
void vl_tenant_ask_person(struct vl_tenant_call *call,
                          const struct vl_tenant_request *r);

#endif
