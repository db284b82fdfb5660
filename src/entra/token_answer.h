/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what Entra's token endpoint answers (RFC 6749 sections 5.1 and 5.2,
 * with Entra's additions: AADSTS codes, suberror, correlation id).
 */
#ifndef VL_ENTRA_TOKEN_ANSWER_H
#define VL_ENTRA_TOKEN_ANSWER_H

#include "http/fetch.h"
#include "oauth/idp.h"
#include "json/read.h"

/*
 * The tokens (into an empty `ret`), and the id token as a slice of `document`,
 * which the caller owns; {NULL,0} if there is none. VALET_DENIED: the grant or
 * the sign-in is over (invalid_grant and the errors that ask for the user);
 * VALET_RETRY: throttled or broken for the moment; VALET_INTERNAL: our
 * registration or credential was refused, or the answer makes no sense.
 * err->code is "AADSTS50173" or the OAuth error.
 */
valet_status
vl_token_answer_read(const struct vl_fetch_answer *answer, int64_t now_ms,
                     struct vl_json *document, struct vl_idp_tokens *ret,
                     struct vl_str *ret_id_token, valet_error *err) VALET_CHECK;

#endif
