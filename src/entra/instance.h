/* SPDX-License-Identifier: Apache-2.0
 *
 * Which authority a client believes: judged from its options, before anything
 * is asked of the network (entra-wire 1.2, 1.3; S-22, S-26).
 */
#ifndef VL_ENTRA_INSTANCE_H
#define VL_ENTRA_INSTANCE_H

#include "core/arena.h"
#include "core/str.h"

#define VL_LIMIT_TENANTS 1000

/* As options (include/valet/entra.h says what each may be), and as judged. */
struct vl_instance {
    /* An origin: in lower case, without a '/' at its end, with its port unless
     * that is the scheme's own. */
    const char *host;
    /* A GUID or a domain; "organizations" or "common" for many. In lower case.
     */
    const char *tenant;
    const char *const *tenants; /* GUIDs; ends in NULL. NULL: `tenant` alone */
    const char *metadata;       /* the OpenID configuration; NULL: fetched */
    bool own_authority;
};

/*
 * VALET_INVALID: the code is the name of the option that is wrong. `ret` has
 * texts in `arena`; the list of tenants and the metadata stay borrowed.
 */
valet_status
vl_instance_judge(const struct vl_instance *options, struct vl_arena *arena,
                  struct vl_instance *ret, valet_error *err) VALET_CHECK;

/* The same authority, asked for another tenant (a GUID; borrowed). Metadata is
 * what was given for the first: of this one it is fetched. */
struct vl_instance
vl_instance_of_tenant(const struct vl_instance *instance, const char *tenant);
/* The name of the host in a cache: with its port, without the scheme. */
struct vl_str vl_instance_environment(const struct vl_instance *instance);
/* Of many tenants: the one of a person is known when they signed in. */
bool vl_instance_is_shared(const struct vl_instance *instance);
/* NAME of an external tenant's host, NAME.ciamlogin.com; else {NULL,0}. */
struct vl_str vl_instance_external_name(struct vl_str host);
/* Is it the tenant of all personal accounts, who cannot be told apart? */
bool vl_instance_is_personal(struct vl_str tid);
/* Is the tenant on the list? Case is ignored. */
bool vl_instance_lists(const char *const *tenants, struct vl_str tid);

#endif
