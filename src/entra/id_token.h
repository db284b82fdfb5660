/* SPDX-License-Identifier: Apache-2.0
 *
 * Who signed in: the rules for Entra's id tokens (OpenID Connect Core 3.1.3.7;
 * @spec S-51). The signature has been verified before (jose/jwt.h).
 */
#ifndef VL_ENTRA_ID_TOKEN_H
#define VL_ENTRA_ID_TOKEN_H

#include "oauth/idp.h"
#include "json/read.h"

struct vl_id_token_rules {
    struct vl_str issuer;    /* exactly, or with "{tenantid}" in it */
    struct vl_str client_id; /* the audience */
    struct vl_str tid;       /* empty: one of `tenants`, as the token says */
    /* Whose people may sign in; ends in NULL. NULL: those of `tid`. */
    const char *const *tenants;
    struct vl_str nonce; /* the one we sent with this sign-in */
    bool no_nonce;       /* its flow can send none (RFC 8628) */
    /* Whom the key set names for the key that signed: empty if nobody. May
     * hold "{tenantid}". */
    struct vl_str key_issuer;
    int64_t now_ms;
};

/* Clocks may differ by so much. */
#define VL_ID_TOKEN_SKEW_S 300

/* VALET_DENIED unless every rule holds. The slices in `ret` are the claims'. */
valet_status
vl_id_token_check(const struct json_t *claims,
                  const struct vl_id_token_rules *rules,
                  struct vl_idp_person *ret, valet_error *err) VALET_CHECK;

#endif
