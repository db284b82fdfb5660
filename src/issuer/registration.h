/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client says of itself when it registers (RFC 7591), read strictly.
 */
#ifndef VL_ISSUER_REGISTRATION_H
#define VL_ISSUER_REGISTRATION_H

#include "core/buf.h"
#include "core/limits.h"

struct vl_registration {
    struct vl_buf name;      /* for people; never empty */
    struct vl_buf redirects; /* each ended by '\n' */
    struct vl_buf scopes;    /* those we know */
    bool has_type, is_native;
};

void vl_registration_done(struct vl_registration *registration);
/* VALET_INVALID with the OAuth error in the error's code. */
valet_status
vl_registration_read(struct vl_str body, struct vl_registration *ret,
                     valet_error *err) VALET_CHECK;

#endif
