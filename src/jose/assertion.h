/* SPDX-License-Identifier: Apache-2.0
 *
 * Client assertions (RFC 7523 section 2.2): how a program proves to an
 * authorization server who it is, with a key in place of a secret.
 */
#ifndef VL_JOSE_ASSERTION_H
#define VL_JOSE_ASSERTION_H

#include "crypto/signer.h"

struct vl_assertion {
    struct vl_str client_id; /* iss and sub */
    struct vl_str audience;  /* the token endpoint; the issuer (RFC 7523bis) */
    int64_t now_s, lifetime_s;
};

/* Appends a token with a jti of its own, signed as the key signs; that of one
 * with a certificate has x5t#S256, as Entra documents it (certificate
 * credentials). */
valet_status
vl_assertion_write(const struct vl_signer *signer,
                   const struct vl_assertion *assertion, struct vl_buf *out,
                   valet_error *err) VALET_CHECK;

#endif
