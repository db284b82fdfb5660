/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a browser may be sent with a code: which URIs may be registered, when
 * a requested one is a registered one, and how the answer is added to it.
 */
#ifndef VL_OAUTH_REDIRECT_H
#define VL_OAUTH_REDIRECT_H

#include "core/buf.h"

/*
 * May this URI be registered? https; http on this computer (localhost,
 * 127.0.0.1, [::1]); or a private-use scheme (RFC 8252 section 7.1), written
 * as a reversed domain or with an authority (cursor://…). Never a scheme that
 * a browser runs or reads as content, no user info, no fragment (@spec W-17
 * RS-22). The error's code is "invalid_redirect_uri".
 */
valet_status vl_redirect_check(struct vl_str uri, valet_error *err) VALET_CHECK;

/*
 * The same, byte for byte; but the port of an http URI on this computer is
 * the program's choice of the moment (RFC 8252 section 7.3, @spec AS-18).
 * localhost, 127.0.0.1 and [::1] are three different hosts.
 */
bool vl_redirect_matches(struct vl_str registered, struct vl_str requested);

/* Does the answer stay on this computer: loopback, or a private scheme? */
bool vl_redirect_is_local(struct vl_str uri);
/* What to show to people: the host, or "scheme:" of a private scheme. */
struct vl_str vl_redirect_host(struct vl_str uri);

/* One answer of the authorization endpoint (RFC 6749 sections 4.1.2 and
 * 4.1.2.1, RFC 9207): either `code` or `error`. */
struct vl_redirect_answer {
    struct vl_str code;
    const char *error;       /* or NULL */
    const char *description; /* or NULL */
    struct vl_str state;     /* {NULL,0}: the client sent none */
    struct vl_str iss;       /* always sent (@spec AS-25) */
};
/* Appends the redirect URI with the answer in its query (@spec W-71). */
void vl_redirect_write(struct vl_buf *out, struct vl_str uri,
                       const struct vl_redirect_answer *answer);

#endif
