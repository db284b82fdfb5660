/* SPDX-License-Identifier: Apache-2.0
 *
 * OAuth answers that are not pages: errors of the token, registration and
 * revocation endpoints (RFC 6749 section 5.2), and the headers that every
 * such answer carries.
 */
#ifndef VL_OAUTH_ERROR_H
#define VL_OAUTH_ERROR_H

#include "http/server.h"

/* nosniff, no framing, no referrer, and this Cache-Control (NULL: no-store). */
void vl_oauth_headers(struct vl_reply *reply, const char *cache);
/* Answers 200, 201, … with a JSON body that must not be kept. */
void vl_oauth_reply(struct vl_exchange *x, int status, struct vl_str json);

struct vl_oauth_error {
    int status;
    const char *error;
    const char *description; /* for the developer; ASCII without quotes */
    int64_t retry_ms;        /* > 0: Retry-After */
    bool basic;              /* the client tried HTTP Basic: challenge it */
};
void
vl_oauth_reply_error(struct vl_exchange *x, const struct vl_oauth_error *error);

#endif
