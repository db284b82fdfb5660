/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the OpenID configuration of an issuer: where its keys are.
 */
#ifndef VL_VALIDATE_DOCUMENT_H
#define VL_VALIDATE_DOCUMENT_H

#include "validate/rules.h"

/*
 * Appends the `jwks_uri` to `ret_uri`. VALET_DENIED when the document is of
 * another issuer (OpenID Connect Discovery section 4.3), or its keys are not
 * at https, or not on the authority's host where that is a rule (@spec S-26).
 */
valet_status
vl_document_read(struct vl_str json, const struct vl_rules *rules,
                 struct vl_buf *ret_uri, valet_error *err) VALET_CHECK;

#endif
