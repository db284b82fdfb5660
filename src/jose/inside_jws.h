/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to jose/: the form of a signed token, shared by jws.c and signed.c.
 */
#ifndef VL_JOSE_INSIDE_JWS_H
#define VL_JOSE_INSIDE_JWS_H

#include "core/str.h"

/* The parts of a token, still encoded; they point into it. */
struct vl_jws_parts {
    struct vl_str header, payload, signature;
    struct vl_str signed_text; /* header "." payload */
};

/* RFC 7515 section 3.1: header "." payload "." signature, none empty. */
bool vl_jws_split(struct vl_str token, struct vl_jws_parts *ret);

#endif
