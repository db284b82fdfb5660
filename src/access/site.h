/* SPDX-License-Identifier: Apache-2.0
 *
 * How to get a token for a protected MCP server: found by its challenge and its
 * documents (RFC 9728, RFC 8414, OpenID Connect Discovery; @spec CL-01 …
 * CL-08), in all the forms that servers have. Nothing that is found is believed
 * further than the rules go: a resource of another origin, an issuer that is
 * another than was asked, an address that no browser or program should be sent
 * to
 * (@spec CL-19 CL-20) end the search.
 */
#ifndef VL_ACCESS_SITE_H
#define VL_ACCESS_SITE_H

#include "core/arena.h"
#include "http/fetch.h"

/* How a client proves itself at the token endpoint. */
enum {
    VL_PROOF_NONE = 1,
    VL_PROOF_BASIC = 2,
    VL_PROOF_POST = 4,
    VL_PROOF_PRIVATE_KEY_JWT = 8,
};

/* Texts are of the arena, and end in NUL; NULL where nothing was said. */
struct vl_site {
    struct vl_arena arena;
    /* To be sent exactly as published (@spec CL-07); NULL: there is no metadata
     * of the resource (2025-03-26), and none is sent. */
    const char *resource;
    /* The authorization server; of 2025-03-26 without documents the origin of
     * the MCP server. Never NULL. */
    const char *issuer;
    /* The first is NULL where a person cannot sign in; `no_sign_in` says why,
     * in a sentence (no PKCE with S256: @spec CL-06). Programs may still. */
    const char *authorization_endpoint, *token_endpoint;
    const char *no_sign_in;
    const char *registration_endpoint;
    const char *resource_scopes; /* scopes_supported, separated by spaces */
    bool offers_offline_access;  /* the authorization server lists it */
    bool takes_metadata_url;     /* client_id_metadata_document_supported */
    bool sends_iss;     /* authorization_response_iss_parameter_supported */
    bool is_entra;      /* it is Entra ID itself: access/entra.h */
    bool has_documents; /* of the authorization server: else the endpoints are
                           the default ones of 2025-03-26 */
    unsigned proofs;    /* VL_PROOF_…; 0: it does not say */
    bool signs_es256, signs_rs256; /* token_endpoint_auth_signing_alg_… */
    /* For every request to what it names: vl_fetch_request's field of this
     * name. The MCP server is a public one. */
    bool only_public;
};
void vl_site_init(struct vl_site *site);
void vl_site_done(struct vl_site *site);
/* Moves it. */
struct vl_site vl_site_take(struct vl_site *site);

/* What a 401 or 403 said in its first Bearer challenge. */
struct vl_site_challenge {
    struct vl_buf resource_metadata, scope, error;
    bool is_there;
};
void vl_site_challenge_init(struct vl_site_challenge *challenge);
void vl_site_challenge_done(struct vl_site_challenge *challenge);
/* What is malformed counts as not said. */
void vl_site_challenge_read(const struct vl_headers *headers,
                            struct vl_site_challenge *ret);

struct vl_discover;
/* `site` is moved out of by who wants it. VALET_NOT_FOUND: no way is known;
 * VALET_DENIED: what was found breaks a rule; VALET_RETRY: not to be reached.
 */
typedef void vl_discover_done(valet_status status, struct vl_site *site,
                              const valet_error *err, void *ctx);
/* `url` of the MCP server; `metadata_url` of the challenge, or "". Copied. */
struct vl_discover *
vl_discover_start(struct vl_loop *loop, struct vl_fetcher *fetcher,
                  const char *url, const char *metadata_url,
                  vl_discover_done *done, void *ctx);
/* Silences and frees it; *discover becomes NULL. NULL is fine. */
void vl_discover_abort(struct vl_discover **discover);

#endif
