/* SPDX-License-Identifier: Apache-2.0
 *
 * What a caller asks for, checked against its flow and copied.
 */
#ifndef VL_CLIENT_REQUEST_H
#define VL_CLIENT_REQUEST_H

#include "client/config.h"

struct vl_client_request {
    struct vl_arena arena; /* of the texts; wiped */
    valet_flow flow;
    struct vl_str scopes;  /* separated by spaces */
    struct vl_str account; /* empty: not told, as the rest */
    struct vl_str tenant, claims, assertion;
    bool renew;
    unsigned methods; /* never 0 in a sign-in; silent: BROKER or 0 */
    bool forced;      /* the one method was asked for by name */
    struct vl_str login_hint, domain_hint, prompt;
    int64_t timeout_ms;
    valet_tell *tell;
    valet_open *open;
    void *ctx;
};

/* Into a zeroed `ret`, which is to be freed whatever the status. VALET_INVALID
 * says what does not belong to the flow, or what it lacks (@spec S-04). */
valet_status vl_client_request_read(const struct vl_client_config *config,
                                    const valet_request *request,
                                    struct vl_client_request *ret,
                                    valet_error *err) VALET_CHECK;
void vl_client_request_done(struct vl_client_request *request);

#endif
