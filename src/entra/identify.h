/* SPDX-License-Identifier: Apache-2.0
 *
 * Who signed in: an id token is checked with the keys of the tenant, which are
 * fetched anew, once, if it was signed with one that is unknown (@spec S-15).
 */
#ifndef VL_ENTRA_IDENTIFY_H
#define VL_ENTRA_IDENTIFY_H

#include "entra/authority.h"
#include "oauth/idp.h"

struct vl_identify;

struct vl_identify_in {
    struct vl_authority *authority; /* borrowed, as the next two */
    const struct vl_clock *clock;
    const char *client_id;
    struct vl_str id_token, nonce; /* copied */
    bool no_nonce;                 /* the flow can send none (RFC 8628) */
};

/* `person` is NULL unless VALET_OK: VALET_DENIED, the token does not prove
 * anybody; VALET_RETRY, the keys cannot be had. Borrowed for the call. */
typedef void
vl_identify_done(valet_status status, const struct vl_idp_person *person,
                 const valet_error *err, void *ctx);

struct vl_identify *vl_identify_start(const struct vl_identify_in *in,
                                      vl_identify_done *done, void *ctx);
/* Silences and frees it; *identify becomes NULL. NULL is fine. */
void vl_identify_abort(struct vl_identify **identify);

#endif
