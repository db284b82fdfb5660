/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: what a client says when it registers, and is answered
 * (RFC 7591). Without I/O.
 */
#ifndef VL_ACCESS_REGISTRATION_H
#define VL_ACCESS_REGISTRATION_H

#include "access/token.h"

/* `scope` may be "". */
void vl_registration_write(const struct vl_site *site, const char *redirect_uri,
                           const char *scope, struct vl_buf *out);

/* The client of an answer; VALET_RETRY or VALET_DENIED: why there is none, and
 * what a person can do. */
valet_status vl_registration_read(const struct vl_site *site, int http_status,
                                  struct vl_str body, const char *redirect_uri,
                                  struct vl_access_client *ret,
                                  valet_error *err) VALET_CHECK;
/* The same when there is nowhere to register. */
valet_status vl_registration_missing(const struct vl_site *site,
                                     valet_error *err) VALET_CHECK;

#endif
