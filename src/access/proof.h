/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: a client proves itself at the token endpoint (RFC 6749
 * section 2.3, RFC 7523 section 2.2).
 */
#ifndef VL_ACCESS_PROOF_H
#define VL_ACCESS_PROOF_H

#include "access/token.h"

/* Escaped three times over, a secret fits. */
#define VL_PROOF_HEADER_MAX 8192

/*
 * Adds the client and its proof to `form`, or to `header` (the value of
 * Authorization; stays empty unless it is VL_PROOF_BASIC). Both were made by
 * vl_buf_of_secret(). Reads the key's file.
 */
valet_status
vl_proof_add(const struct vl_site *site, const struct vl_access_client *client,
             struct vl_buf *form, struct vl_buf *header,
             valet_error *err) VALET_CHECK;

/* The host of an issuer, for sentences. */
struct vl_str vl_issuer_host(const char *issuer);

#endif
