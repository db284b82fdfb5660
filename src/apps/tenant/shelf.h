/* SPDX-License-Identifier: Apache-2.0
 *
 * What the stand-in remembers between requests: codes, refresh tokens, browser
 * sessions and devices, each kind on a shelf of its own. A shelf has room for a
 * fixed number; the oldest makes way. Nothing outlives the process.
 */
#ifndef VL_TENANT_SHELF_H
#define VL_TENANT_SHELF_H

#include "apps/tenant/data.h"
#include "core/list.h"
#include "core/map.h"

/* All texts are owned by the grant; those that were not given are NULL. */
struct vl_tenant_grant {
    struct vl_list node; /* private */
    char *handle;        /* private */
    int64_t expires_ms;
    const struct vl_tenant_user *user;
    const struct vl_tenant_app *app;
    const struct vl_tenant_realm *realm;
    unsigned epoch;    /* the user's, when it was given */
    int64_t signed_in; /* seconds: when the password was given */
    char *scope;       /* as the client wrote it */
    char *redirect_uri, *challenge, *nonce;
    char *acrs;      /* the authentication contexts that were met */
    char *user_code; /* a device's: what the person types */
    char *asked;     /* a device's: the authentication contexts to be met */
    bool challenge_is_plain;
    bool is_capable;  /* the client knows claims challenges */
    bool is_used;     /* a code that was redeemed */
    bool is_declined; /* a device's: the person did not want to */
};

struct vl_tenant_shelf {
    struct vl_map by_handle;
    struct vl_list oldest;
    size_t max;
    const char *prefix; /* of handles */
    size_t random_size;
    /* So long after its end a grant is still known as expired. */
    int64_t keep_ms;
};

void vl_tenant_shelf_init(struct vl_tenant_shelf *shelf, size_t max,
                          const char *prefix, size_t random_size);
void vl_tenant_shelf_done(struct vl_tenant_shelf *shelf);

/* Takes the grant over and names it; the handle is borrowed from it. */
struct vl_str
vl_tenant_shelf_put(struct vl_tenant_shelf *shelf,
                    const struct vl_tenant_grant *grant, int64_t now_ms);
/* Expired ones too; NULL when it is not known, or no longer. */
struct vl_tenant_grant *
vl_tenant_shelf_find(const struct vl_tenant_shelf *shelf, struct vl_str handle);

/* By what a person has typed: the case is ignored. */
struct vl_tenant_grant *
vl_tenant_shelf_find_typed(const struct vl_tenant_shelf *shelf,
                           struct vl_str user_code);

/* A copy for a grant's field; NULL for an absent or empty text. */
char *vl_tenant_dup(struct vl_str text);

#endif
