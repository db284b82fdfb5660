/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft Entra ID as identity provider, seen from a confidential client:
 * discovery, authorization code flow with PKCE, refresh, id token validation
 * (research: Entra v2.0 endpoints). One tenant, the configured one.
 */
#ifndef VL_ENTRA_ENTRA_H
#define VL_ENTRA_ENTRA_H

#include "core/sys.h"
#include "entra/client_auth.h"
#include "http/fetch.h"
#include "oauth/idp.h"

struct vl_entra;

struct vl_entra_config {
    const char *authority_host; /* https://login.microsoftonline.com */
    const char *tenant_id;      /* GUID or verified domain */
    const char *client_id;
    const struct vl_client_auth *auth; /* who we are to Entra */
    const char *redirect_uri;          /* {public_url}/auth/callback */
    const char *scopes; /* openid profile offline_access User.Read */
};

/* No network before the first sign-in (@spec S-25). All borrowed. */
struct vl_entra *vl_entra_new(struct vl_loop *loop, struct vl_fetcher *fetcher,
                              const struct vl_clock *clock,
                              const struct vl_entra_config *config);
/* Silences operations under way. NULL is fine. */
void vl_entra_free(struct vl_entra *entra);
/* The provider for the token desk; lives as long as the entra. */
struct vl_idp *vl_entra_idp(struct vl_entra *entra);

#endif
