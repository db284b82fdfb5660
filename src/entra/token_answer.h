/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what Entra's token endpoint answers (RFC 6749 sections 5.1 and 5.2,
 * with Entra's additions: AADSTS codes, suberror, correlation id).
 */
#ifndef VL_ENTRA_TOKEN_ANSWER_H
#define VL_ENTRA_TOKEN_ANSWER_H

#include "http/fetch.h"
#include "oauth/idp.h"
#include "valet/entra.h"
#include "json/read.h"

/* Slices are of the document; times are milliseconds since 1970, 0: not told.
 */
struct vl_token_answer {
    struct vl_idp_tokens tokens;
    struct vl_str id_token, scope, client_info, family_id;
    int64_t extended_ms; /* good until then while Entra cannot be reached */
    int64_t refresh_ms;  /* better renewed from then on */
};

/*
 * An answer of the token endpoint into an empty `ret`, or why there is none:
 * false. The caller owns `document` and the tokens.
 */
bool vl_token_answer_read(const struct vl_fetch_answer *answer, int64_t now_ms,
                          struct vl_json *document, struct vl_token_answer *ret,
                          valet_entra_error *ret_failure) VALET_CHECK;

#endif
