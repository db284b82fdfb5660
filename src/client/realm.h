/* SPDX-License-Identifier: Apache-2.0
 *
 * One tenant (or "organizations") as this client asks it: its documents, its
 * token endpoint, its tokens. Made when first needed; two tenants share the
 * cache and nothing else.
 */
#ifndef VL_CLIENT_REALM_H
#define VL_CLIENT_REALM_H

#include "client/engine.h"

struct vl_realm {
    struct vl_list node;
    char *tenant; /* as it is asked for */
    struct vl_instance instance;
    struct vl_authority *authority;
    struct vl_grant_desk desk;
    struct vl_acquirer acquirer; /* its tenant_id is empty until it is known */
    char tenant_id[VL_GUID_SIZE];
};

/* `tenant` empty: the configured one. */
struct vl_realm *vl_realm_get(struct vl_engine *engine, struct vl_str tenant);
/* What a domain's documents told. */
void vl_realm_is(struct vl_realm *realm, const char *tenant_id);
/* The runs are gone by then; renewals that nobody waits for are ended. */
void vl_realm_free(struct vl_realm *realm);

#endif
