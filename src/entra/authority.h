/* SPDX-License-Identifier: Apache-2.0
 *
 * What a tenant publishes about itself: its OpenID configuration and its
 * signing keys, fetched at the first sign-in, kept for a day, and kept longer
 * while the authority cannot be reached.
 *
 * Nothing in the document is believed that points away from the configured
 * authority (@spec S-26): issuer, endpoints and key set have its origin, or are
 * of the same one of Microsoft's clouds, and the issuer names the configured
 * tenant. That of an external tenant (NAME.ciamlogin.com) has the tenant's id
 * for a name; that of many tenants, "{tenantid}" in place of one (entra-wire
 * 1.3, 2.4).
 */
#ifndef VL_ENTRA_AUTHORITY_H
#define VL_ENTRA_AUTHORITY_H

#include "core/arena.h"
#include "core/list.h"
#include "core/principal.h"
#include "entra/instance.h"
#include "http/fetch.h"
#include "jose/jwk.h"

struct vl_authority;

struct vl_authority_facts {
    struct vl_str issuer;   /* with "{tenantid}" in it if there are many */
    char tid[VL_GUID_SIZE]; /* "" then */
    /* Whose people may sign in; ends in NULL. NULL: those of `tid`. */
    const char *const *tenants;
    struct vl_str authorization_endpoint;
    struct vl_str token_endpoint;
    struct vl_str device_authorization_endpoint; /* {NULL,0} if there is none */
    struct vl_str jwks_uri;
    struct vl_jwks *keys;
};

/* A caller that waits for the facts; it embeds this in its own struct. */
struct vl_authority_wait {
    struct vl_list node; /* private */
    void (*ready)(valet_status status, const struct vl_authority_facts *facts,
                  const valet_error *err, void *ctx);
    void *ctx;
};

/* All is borrowed. No network yet; with `instance->metadata` the keys are all
 * that is ever fetched. */
struct vl_authority *
vl_authority_new(struct vl_loop *loop, struct vl_fetcher *fetcher,
                 const struct vl_clock *clock,
                 const struct vl_instance *instance);
void vl_authority_free(struct vl_authority *authority);

/* Calls `ready` once, later, with the facts (borrowed for the call). Many
 * waiters cause one fetch. */
void vl_authority_get(struct vl_authority *authority,
                      struct vl_authority_wait *wait);
/* The same, after fetching the keys again: for a key id that is unknown. At
 * most every five minutes; in between the present keys are the answer. */
void vl_authority_get_new_keys(struct vl_authority *authority,
                               struct vl_authority_wait *wait);
/* Silences it; harmless when it was answered. */
void vl_authority_cancel(struct vl_authority_wait *wait);
void vl_authority_wait_init(struct vl_authority_wait *wait);

/*
 * Reads an OpenID configuration (entra-wire 2.4) into `ret`, texts in `arena`,
 * by what was configured: a GUID has to be the issuer's tenant.
 */
valet_status
vl_authority_read(struct vl_str json, const struct vl_instance *instance,
                  struct vl_arena *arena, struct vl_authority_facts *ret,
                  valet_error *err) VALET_CHECK;

#endif
