/* SPDX-License-Identifier: Apache-2.0
 *
 * A signed token of somebody whose key is chosen by what the token says: client
 * assertions (RFC 7523). It is read first and proven afterwards; whoever only
 * believes their own key set takes jose/jwt.h.
 */
#ifndef VL_JOSE_SIGNED_H
#define VL_JOSE_SIGNED_H

#include "crypto/pkey.h"
#include "json/read.h"

/* Until it is verified, claims are only what somebody says. */
struct vl_signed {
    struct vl_json header, claims;
    struct vl_buf signature;
    struct vl_str signed_text; /* borrowed from the token */
};

/* Three parts of base64url, the first two objects of JSON; VALET_DENIED
 * otherwise. At most VL_LIMIT_JWT bytes. */
valet_status vl_signed_read(struct vl_str token, struct vl_signed *ret,
                            valet_error *err) VALET_CHECK;
void vl_signed_done(struct vl_signed *shown);

/* Signed by this key, by RS256 or PS256 as the header says? */
valet_status
vl_signed_verify(const struct vl_signed *shown, const struct vl_pkey *key,
                 valet_error *err) VALET_CHECK;

#endif
