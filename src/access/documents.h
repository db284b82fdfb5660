/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: the two documents by which a client finds its way, read
 * and judged. Without I/O.
 */
#ifndef VL_ACCESS_DOCUMENTS_H
#define VL_ACCESS_DOCUMENTS_H

#include "access/site.h"
#include "http/url.h"

/*
 * Of a protected resource (RFC 9728). Sets `resource` and `resource_scopes`,
 * and *ret_issuer to the first of its authorization servers (of the site's
 * arena; NULL: it names none). VALET_NOT_FOUND: it is no such document;
 * VALET_DENIED: it breaks a rule.
 */
valet_status
vl_document_read_resource(struct vl_str text, const struct vl_url *server,
                          struct vl_site *site, const char **ret_issuer,
                          valet_error *err) VALET_CHECK;

struct vl_document_of {
    const struct vl_url *server; /* the MCP server */
    const char *issuer;          /* that was asked */
    /* Nobody has named the issuer, it is the server's own origin (2025-03-26):
     * it may be written with a final slash, and say nothing of PKCE. */
    bool is_guessed;
};
/*
 * Of an authorization server (RFC 8414, OpenID Connect Discovery): the rest of
 * the site. VALET_NOT_FOUND: it is no such document; VALET_CONFLICT: it is that
 * of another issuer, and has to be forgotten (@spec CL-04); VALET_DENIED: it
 * breaks a rule.
 */
valet_status
vl_document_read_server(struct vl_str text, const struct vl_document_of *of,
                        struct vl_site *site, valet_error *err) VALET_CHECK;
/* In place of one: the endpoints that 2025-03-26 knows by heart (@spec CL-05).
 */
void
vl_document_guess_server(const struct vl_url *server, struct vl_site *site);

/* A word that token_endpoint_auth_method may be, as VL_PROOF_…; 0: one that is
 * not known here. */
unsigned vl_proof_of_name(struct vl_str name);
/* Its name; NULL unless it is one. */
const char *vl_proof_name(unsigned proof);

#endif
