/* SPDX-License-Identifier: Apache-2.0
 *
 * The grants of the token endpoint (entra-wire 2.7): each says whether there
 * is a token, for whom, and for what. token.c writes it.
 */
#ifndef VL_TENANT_GRANT_H
#define VL_TENANT_GRANT_H

#include "apps/tenant/challenge.h"
#include "apps/tenant/client.h"

struct vl_tenant_redemption {
    struct vl_tenant_call *call;
    struct vl_tenant_client client;
    struct vl_tenant_asked asked; /* by the parameter `claims` */
    /* In whose name; borrowed. NULL: the application's own. */
    const struct vl_tenant_grant *grant;
    struct vl_tenant_scopes scopes;
    const char *detail; /* of a refusal, or NULL */
    /* The first tokens of a sign-in: with its nonce, and a refresh token only
     * if that was asked for. */
    bool is_first;
};

/* These return 0, or the AADSTS code. */
unsigned vl_tenant_redeem_code(struct vl_tenant_redemption *r) VALET_CHECK;
unsigned
vl_tenant_redeem_refresh_token(struct vl_tenant_redemption *r) VALET_CHECK;
unsigned vl_tenant_redeem_device(struct vl_tenant_redemption *r) VALET_CHECK;
unsigned vl_tenant_redeem_client(struct vl_tenant_redemption *r) VALET_CHECK;
unsigned vl_tenant_redeem_assertion(struct vl_tenant_redemption *r) VALET_CHECK;

/* 900144 unless the form has it. */
unsigned vl_tenant_require(struct vl_tenant_redemption *r, const char *name,
                           struct vl_str *ret) VALET_CHECK;
/* May the person of the grant still have tokens, with what was asked for? */
unsigned
vl_tenant_check_person(const struct vl_tenant_redemption *r) VALET_CHECK;
/* Reads `text` as scopes that this person has consented to. */
unsigned
vl_tenant_grant_scopes(struct vl_tenant_redemption *r, struct vl_str text,
                       bool first_wins) VALET_CHECK;

/* Of a `grant_type`; VL_TENANT_ANY_GRANT for one that is not known. */
enum vl_tenant_grant_type vl_tenant_grant_type_of(struct vl_str text);

#endif
