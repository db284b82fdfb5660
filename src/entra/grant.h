/* SPDX-License-Identifier: Apache-2.0
 *
 * One exchange at the token endpoint, whatever the flow: who asks
 * (client_auth), not again at once (throttle), the answer or why there is none
 * (failure). The flows differ in their parameters alone.
 */
#ifndef VL_ENTRA_GRANT_H
#define VL_ENTRA_GRANT_H

#include "entra/authority.h"
#include "entra/client_auth.h"
#include "entra/throttle.h"
#include "entra/token_answer.h"

/* All borrowed, and outlive the grants. */
struct vl_grant_desk {
    struct vl_fetcher *fetcher;
    struct vl_authority *authority;
    const struct vl_clock *clock;
    struct vl_throttle *throttle; /* NULL: nothing is held back */
    const struct vl_client_auth *auth;
    const char *client_id;
    /* What the program can do ("cp1"), for who writes a form that asks for
     * claims (vl_claims_add()); ends in NULL. NULL: nothing. */
    const char *const *capabilities;
};

/* Of a form: a token and an assertion, escaped, and the rest. */
#define VL_LIMIT_GRANT_FORM (4 * (VL_LIMIT_UPSTREAM_TOKEN + VL_LIMIT_JWT))

struct vl_grant;

/* Exactly one of the two is not NULL; both are borrowed for the call, but the
 * tokens may be moved out. */
typedef void vl_grant_done(struct vl_token_answer *answer,
                           const valet_entra_error *error, void *ctx);
/*
 * `form` is grant_type and what belongs to it (copied): the client and its
 * proof are added. One that got too long is VALET_LIMIT, and nothing is sent.
 * A code works once and is sent once; what may be asked for again is, if the
 * network breaks, `attempts` times in all.
 */
struct vl_grant *
vl_grant_start(const struct vl_grant_desk *desk, const struct vl_buf *form,
               unsigned attempts, vl_grant_done *done, void *ctx);
/* Silences and frees it; *grant becomes NULL. NULL is fine. */
void vl_grant_abort(struct vl_grant **grant);

#endif
