/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents by which clients find their way: of the authorization server
 * (RFC 8414, and the same shaped as OpenID discovery for clients that look
 * there) and of a protected resource (RFC 9728). No member is ever null:
 * clients' schemas refuse that.
 */
#ifndef VL_OAUTH_METADATA_H
#define VL_OAUTH_METADATA_H

#include "core/buf.h"

struct vl_server_metadata {
    struct vl_str issuer; /* without a trailing slash; endpoints hang on it */
    const char *scopes;   /* space-separated */
    bool can_register;    /* is there a /register? */
    bool oidc_shaped;     /* add what OpenID parsers insist on */
};
void vl_metadata_write_server(struct vl_buf *out,
                              const struct vl_server_metadata *in);

struct vl_resource_metadata {
    struct vl_str resource, issuer;
    const char *scopes;
};
void vl_metadata_write_resource(struct vl_buf *out,
                                const struct vl_resource_metadata *in);

#endif
