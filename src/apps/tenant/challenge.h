/* SPDX-License-Identifier: Apache-2.0
 *
 * The parameter `claims` (entra-wire 2.15): what a client says it can deal
 * with, and what a resource has told it to bring.
 */
#ifndef VL_TENANT_CHALLENGE_H
#define VL_TENANT_CHALLENGE_H

#include "apps/tenant/call.h"

struct vl_tenant_asked {
    const char *acrs; /* authentication contexts, space-separated; or "" */
    bool is_capable;  /* xms_cc has cp1: it knows what a challenge is */
};

/* 0, or the AADSTS code. An absent parameter asks for nothing. */
unsigned vl_tenant_asked_read(struct vl_tenant_call *call, struct vl_str text,
                              struct vl_tenant_asked *ret) VALET_CHECK;
/* Is each word of `asked` one of `had` (NULL is none)? */
bool vl_tenant_acrs_met(const char *asked, const char *had);
/* The words of both, each once. */
const char *vl_tenant_acrs_join(const struct vl_tenant_call *call,
                                const char *a, const char *b);
/* {"access_token":{"acrs":{"essential":true,"value":…}}} of the first word */
const char *
vl_tenant_acrs_challenge(const struct vl_tenant_call *call, const char *acrs);

#endif
