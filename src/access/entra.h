/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: what is different where Entra ID itself is the
 * authorization server of an MCP server (docs/adr/0019):
 *
 *   - its metadata does not say that it supports PKCE; it does
 *     (learn.microsoft.com, v2-oauth2-auth-code-flow)
 *   - it refuses `resource`, or one that the scopes do not agree with
 *     (AADSTS901002, AADSTS9010010): which API a token is for is in the scopes
 *   - programs do not register themselves; a native one comes back to
 *     http://localhost, at any port and without a path (RFC 8252)
 *   - prompt=consent asks each time, and of an administrator in many tenants;
 *     offline_access needs none
 */
#ifndef VL_ACCESS_ENTRA_H
#define VL_ACCESS_ENTRA_H

#include "access/site.h"
#include "json/read.h"

/* Is it? By the host of the issuer, one of Microsoft's clouds, or, for a
 * stand-in on this machine, by what only Entra's metadata has. */
bool vl_entra_is_issuer(const char *issuer, const struct json_t *metadata);
/*
 * The scopes of a request, of `scopes` or, if there are none, all of the MCP
 * server's own API. VALET_DENIED: one is of an API that is not the server's.
 * Without `resource` nothing else would bind the token to the server: it could
 * name another API, and would be sent a token for that. Not asked about scopes
 * that the person has chosen.
 */
valet_status
vl_entra_check_scopes(const struct vl_site *site, struct vl_str scopes,
                      struct vl_buf *ret, valet_error *err) VALET_CHECK;

#endif
