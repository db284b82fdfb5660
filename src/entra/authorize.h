/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a browser is sent for a code (RFC 6749 section 4.1.1 with PKCE;
 * entra-wire 2.6), for a server behind its own page (begin.c) and for a
 * program with a browser beside it (code.c).
 */
#ifndef VL_ENTRA_AUTHORIZE_H
#define VL_ENTRA_AUTHORIZE_H

#include "entra/authority.h"

struct vl_authorize {
    struct vl_str client_id;
    const char *response_mode;
    struct vl_str redirect_uri, scope;
    struct vl_str state, nonce, code_challenge;
    /* Those that are empty are not sent. */
    struct vl_str prompt, login_hint, domain_hint, claims;
    bool client_info;
};

/* The parameters, into an empty buffer. */
void vl_authorize_write(struct vl_buf *query, const struct vl_authorize *in);
/* The URL with them. VALET_LIMIT when either did not fit. */
valet_status vl_authorize_url(const struct vl_authority_facts *facts,
                              const struct vl_buf *query, struct vl_buf *url,
                              valet_error *err) VALET_CHECK;

#endif
