/* SPDX-License-Identifier: Apache-2.0
 *
 * The `claims` parameter of requests to Entra ID (OpenID Connect Core section
 * 5.5; learn.microsoft.com, claims-challenge): what an API or a policy wants
 * to see in the next token, and what the program can do (entra-wire 2.15).
 *
 * What the program can do is told with every request and changes nothing in
 * what the cache may give. A challenge says that the token in the cache does
 * not do: who has one asks past the cache.
 */
#ifndef VL_ENTRA_CLAIMS_H
#define VL_ENTRA_CLAIMS_H

#include "core/buf.h"
#include "valet/entra.h"

/* Of a challenge, and of what is sent: an authorization request has to fit
 * into a URL, where most of it needs three bytes for one. */
#define VL_LIMIT_CLAIMS 2048
/* A challenge and capabilities that are each within that, together. */
#define VL_CLAIMS_MERGED_MAX (2 * VL_LIMIT_CLAIMS)

/*
 * Appends the JSON for `challenge` (JSON; may be empty) and `capabilities`
 * ("cp1"; ends in NULL, may be NULL): the challenge, with its xms_cc for access
 * tokens replaced by ours. Nothing is appended when there is neither.
 * VALET_INVALID: the challenge is no object of JSON; VALET_LIMIT: too long.
 */
valet_status
vl_claims_merge(struct vl_str challenge, const char *const *capabilities,
                struct vl_buf *out, valet_error *err) VALET_CHECK;
/* The same as the parameter of a form or a query, if there is anything. */
valet_status
vl_claims_add(struct vl_str challenge, const char *const *capabilities,
              struct vl_buf *form, valet_error *err) VALET_CHECK;

#endif
