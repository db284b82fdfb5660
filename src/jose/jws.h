/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Signatures in compact form (RFC 7515 section 3.1): the one place
 * that takes a signed token apart. It tells exactly what is wrong, for those
 * who write it to a log; strangers are told no more than "no".
 *
 * Which algorithms are good is the caller's choice, never the token's
 * (RFC 8725 section 3.1), and a key verifies what its kind and its `alg` say.
 */
#ifndef VL_JOSE_JWS_H
#define VL_JOSE_JWS_H

#include "jose/jwk.h"

/* In the order in which they are looked for. */
enum vl_jws_fault {
    VL_JWS_GOOD,
    VL_JWS_TOO_LONG,      /* more than VL_LIMIT_JWT bytes */
    VL_JWS_ENCRYPTED,     /* five parts: a JWE (RFC 7516 section 3.1) */
    VL_JWS_PARTS,         /* not three parts */
    VL_JWS_ENCODING,      /* a part is not base64url */
    VL_JWS_HEADER,        /* no JSON object, or a member twice */
    VL_JWS_ALGORITHM,     /* `none`, HMAC, or none of the allowed */
    VL_JWS_CRITICAL,      /* an extension that must be understood */
    VL_JWS_KEY_IN_HEADER, /* jwk, jku or x5u; with `strict` */
    VL_JWS_NONCE,         /* Graph's own kind of token; with `strict` */
    VL_JWS_TYPE,          /* `typ` is of another kind; with `strict` */
    VL_JWS_NO_KEY_ID,
    VL_JWS_UNKNOWN_KEY, /* the set has no key of this id */
    VL_JWS_UNFIT_KEY,   /* it has one, but not for this algorithm */
    VL_JWS_SIGNATURE,
    VL_JWS_FAULT_COUNT
};

struct vl_jws_rules {
    unsigned algs; /* of VL_ALG_… */
    /*
     * Also refuses a header that brings a key or says where one is, that has
     * Microsoft Graph's `nonce`, or a `typ` that is not a JWT's (JWT, at+jwt).
     */
    bool strict;
    bool only_at_jwt; /* `typ` must be at+jwt (RFC 9068 section 4) */
};

struct vl_jws {
    struct vl_buf payload; /* what was signed, decoded */
    struct vl_buf kid;
    struct vl_str key_issuer; /* borrowed from the key set; {NULL,0}: none */
};

/* Fills `ret` when it is good. Nothing but the header is read before the
 * signature is found to be right. */
enum vl_jws_fault
vl_jws_verify(struct vl_str token, const struct vl_jws_rules *rules,
              const struct vl_jwks *keys, struct vl_jws *ret) VALET_CHECK;
void vl_jws_done(struct vl_jws *jws);
/* One sentence without the period; a literal. */
const char *vl_jws_fault_text(enum vl_jws_fault fault);

#endif
