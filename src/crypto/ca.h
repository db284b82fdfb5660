/* SPDX-License-Identifier: Apache-2.0
 *
 * A certificate authority that is made at start and gone at the end: for
 * servers on this machine that speak https to programs which are told to trust
 * it, and for tests. Keys are EC P-256; certificates last a year.
 */
#ifndef VL_CRYPTO_CA_H
#define VL_CRYPTO_CA_H

#include "core/buf.h"

struct vl_ca;

valet_status vl_ca_new(const char *common_name, struct vl_ca **ret,
                       valet_error *err) VALET_CHECK;
void vl_ca_free(struct vl_ca *ca); /* NULL is fine */

/* Its certificate as PEM, appended. */
valet_status vl_ca_certificate(const struct vl_ca *ca, struct vl_buf *out,
                               valet_error *err) VALET_CHECK;
/*
 * A fresh key and a certificate for a TLS server with these names (host names
 * or addresses; the first is the common name too): PEM, appended. `ret_key`
 * was made by vl_buf_of_secret(). VALET_INVALID for names that are none.
 */
valet_status vl_ca_issue(const struct vl_ca *ca, const char *const *names,
                         size_t count, struct vl_buf *ret_certificate,
                         struct vl_buf *ret_key, valet_error *err) VALET_CHECK;

#endif
