/* SPDX-License-Identifier: Apache-2.0
 *
 * What a `scope` parameter asks for: the words of OpenID Connect, and scopes
 * of exactly one resource (Microsoft Graph, or an app that exposes some).
 */
#ifndef VL_TENANT_SCOPE_H
#define VL_TENANT_SCOPE_H

#include "apps/tenant/call.h"

/* Microsoft Graph's application id: the audience of its tokens. */
#define VL_TENANT_GRAPH_ID "00000003-0000-0000-c000-000000000000"

struct vl_tenant_scopes {
    bool openid, profile, email, offline;
    const struct vl_tenant_app *resource; /* NULL: Graph */
    const char *granted;                  /* as the answer says it */
    const char *scp;                      /* as the access token says it */
};

struct vl_tenant_scope_rules {
    /* On refresh the scopes of the first resource win; elsewhere scopes of a
     * second one are an error. */
    bool first_wins;
    struct vl_str resource; /* the parameter of RFC 8707, or {NULL,0} */
};

/* 0, or the AADSTS code of the fault. The texts are in the call's arena. */
unsigned
vl_tenant_scopes_resolve(const struct vl_tenant_call *call, struct vl_str text,
                         const struct vl_tenant_scope_rules *rules,
                         struct vl_tenant_scopes *ret) VALET_CHECK;

/* Graph by any of its names, ours included (NULL); else an app by URI or id.
 * False when it is neither. */
bool
vl_tenant_find_resource(const struct vl_tenant_call *call, struct vl_str name,
                        const struct vl_tenant_app **ret);
/* "api://x/y" → "api://x" and "y"; a word without '/' is all name. */
struct vl_str vl_tenant_cut_scope(struct vl_str word, struct vl_str *ret_name);

#endif
