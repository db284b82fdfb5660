/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: a person signs in at an authorization server with a
 * browser, which comes back to a port of this machine with a code (RFC 8252).
 */
#ifndef VL_ACCESS_SIGN_IN_H
#define VL_ACCESS_SIGN_IN_H

#include "access/token.h"

struct vl_access;
struct vl_access_sign_in;

/*
 * VALET_OK: with a code, borrowed; else `err`, whose code is the error's word
 * (RFC 6749 section 4.1.2.1) if the authorization server has sent one.
 * VALET_CANCELLED: the person did not come, or said no.
 */
typedef void vl_access_signed_in(valet_status status, struct vl_str code,
                                 const valet_error *err, void *ctx);

/* Listens, so that the redirect URI is known; `port` 0: a free one.
 * VALET_CONFLICT: it is taken. `access` is borrowed. */
valet_status vl_access_sign_in_new(const struct vl_access *access,
                                   unsigned port, vl_access_signed_in *done,
                                   void *ctx, struct vl_access_sign_in **ret,
                                   valet_error *err) VALET_CHECK;
/* Both live as long as it. */
const char *
vl_access_sign_in_redirect_uri(const struct vl_access_sign_in *sign_in);
const struct vl_secret *
vl_access_sign_in_verifier(const struct vl_access_sign_in *sign_in);

/* Borrowed. */
struct vl_access_visit {
    const struct vl_site *site;
    const char *client_id, *scope; /* the second may be "" */
    const char *redirect_uri;      /* of the sign-in, if it is one */
};
/* Appends the URL of the authorization endpoint. */
void
vl_access_sign_in_url(struct vl_buf *out, const struct vl_access_visit *visit,
                      struct vl_str state, const struct vl_secret *verifier);
/* Once. The site is borrowed until it ends. */
valet_status vl_access_sign_in_go(struct vl_access_sign_in *sign_in,
                                  const struct vl_access_visit *visit,
                                  valet_error *err) VALET_CHECK;
/* Closes the port, silences and frees it; *sign_in becomes NULL. NULL is fine.
 */
void vl_access_sign_in_abort(struct vl_access_sign_in **sign_in);

#endif
