/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof Key for Code Exchange (RFC 7636), S256 alone: `plain` would let
 * whoever reads the authorization URL redeem the code (@spec W-58 AS-07).
 */
#ifndef VL_OAUTH_PKCE_H
#define VL_OAUTH_PKCE_H

#include "core/secret.h"

/* BASE64URL(SHA256(verifier)) and its NUL. */
#define VL_PKCE_CHALLENGE_SIZE 44

/* 43 to 128 unreserved characters (RFC 7636 section 4.1)? */
bool vl_pkce_verifier_is_valid(struct vl_str verifier);
/* The one canonical text of 32 bytes? */
bool vl_pkce_challenge_is_valid(struct vl_str challenge);
/* Does this verifier belong to that challenge? Malformed ones never do. */
bool vl_pkce_verify(struct vl_str verifier, struct vl_str challenge);

/* A fresh verifier: 256 random bits. */
struct vl_secret vl_pkce_new_verifier(void);
void vl_pkce_challenge(const struct vl_secret *verifier,
                       char ret[VL_PKCE_CHALLENGE_SIZE]);

#endif
