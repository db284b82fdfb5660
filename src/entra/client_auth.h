/* SPDX-License-Identifier: Apache-2.0
 *
 * How an application proves who it is, one model for all (@spec S-04): a
 * public client by nothing but its id, a confidential one by a secret, a
 * certificate, or an assertion that somebody else signs (workload identity).
 */
#ifndef VL_ENTRA_CLIENT_AUTH_H
#define VL_ENTRA_CLIENT_AUTH_H

#include "core/buf.h"
#include "core/secret.h"
#include "crypto/signer.h"

enum vl_client_auth_kind {
    VL_AUTH_PUBLIC,
    VL_AUTH_SECRET,
    VL_AUTH_CERTIFICATE,
    VL_AUTH_ASSERTION,
};

struct vl_client_auth {
    enum vl_client_auth_kind kind;
    const struct vl_secret *secret; /* borrowed, as the next */
    const struct vl_signer *certificate;
    /*
     * Appends an assertion (a JWT) to the secret buffer; asked for each
     * request, since such tokens are renewed under a running program.
     */
    valet_status (*assertion)(struct vl_str token_endpoint, struct vl_buf *out,
                              void *ctx, valet_error *err);
    void *ctx;
};

/*
 * Adds client_id and the proof to a form of the token endpoint, which is the
 * audience of an assertion that we sign. VALET_INTERNAL, VALET_RETRY: there is
 * no proof to be had.
 */
valet_status
vl_client_auth_add(const struct vl_client_auth *auth, struct vl_str client_id,
                   struct vl_str token_endpoint, int64_t now_ms,
                   struct vl_buf *form, valet_error *err) VALET_CHECK;

#endif
