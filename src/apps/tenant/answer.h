/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to an authorization request: what the browser brings to the
 * application's redirect URI, in the query, in the fragment, or in a form
 * that is posted there.
 */
#ifndef VL_TENANT_ANSWER_H
#define VL_TENANT_ANSWER_H

#include "apps/tenant/request.h"

struct vl_tenant_answer {
    struct vl_page_var fields[6];
    size_t count;
};

/* Name and value are borrowed until it is sent; an absent value is left out. */
void vl_tenant_answer_add(struct vl_tenant_answer *answer, const char *name,
                          struct vl_str value);
void vl_tenant_answer_send(struct vl_tenant_call *call,
                           const struct vl_tenant_request *r,
                           const struct vl_tenant_answer *answer);
/* The error of this code; `detail` may be NULL. */
void vl_tenant_answer_error(struct vl_tenant_call *call,
                            const struct vl_tenant_request *r, unsigned code,
                            const char *detail);

/* Sends the browser to a URL that was checked. */
void vl_tenant_send_away(struct vl_tenant_call *call, struct vl_str url);

#endif
