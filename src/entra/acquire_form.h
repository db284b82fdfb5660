/* SPDX-License-Identifier: Apache-2.0
 *
 * What is sent to the token endpoint for a token that the cache does not have:
 * a refresh token (RFC 6749 section 6), a person's assertion (RFC 7523 and
 * v2-oauth2-on-behalf-of-flow; entra-wire 1.10, 2.7), or nothing but who we
 * are (v2-oauth2-client-creds-grant-flow).
 */
#ifndef VL_ENTRA_ACQUIRE_FORM_H
#define VL_ENTRA_ACQUIRE_FORM_H

#include "core/buf.h"

/* All borrowed. Of the last two, which are secrets, one at most is there. */
struct vl_acquire_form {
    struct vl_str scopes;
    struct vl_str refresh_token, assertion;
};

/* Appends to `form`, a secret buffer; a full one shows in vl_buf_check(). */
void
vl_acquire_form_write(const struct vl_acquire_form *what, struct vl_buf *form);

#endif
