/* SPDX-License-Identifier: Apache-2.0
 *
 * The challenges of a WWW-Authenticate field (RFC 9110 section 11.6.1), which
 * are told apart from their parameters by what follows a word: several
 * challenges and all their parameters stand in one list with commas.
 *
 *     struct vl_challenge challenge;
 *     while ((found = vl_challenge_next(&field, &challenge)) ==
 *            VL_CHALLENGE_FOUND)
 *         if (vl_str_ieq(challenge.scheme, VL_STR("Bearer")))
 *             …vl_challenge_get(&challenge, "claims", &out)…
 */
#ifndef VL_HTTP_CHALLENGE_H
#define VL_HTTP_CHALLENGE_H

#include "core/buf.h"

/* Slices of the field. */
struct vl_challenge {
    struct vl_str scheme;
    struct vl_str token68; /* {NULL,0} if there is none */
    struct vl_str params;  /* private */
};

enum vl_challenge_found {
    VL_CHALLENGE_FOUND,
    VL_CHALLENGE_END,    /* there are no more */
    VL_CHALLENGE_BROKEN, /* what comes now follows no grammar */
    VL_CHALLENGE_FOUND_COUNT
};

/* Cuts the next challenge off the field's value. */
enum vl_challenge_found
vl_challenge_next(struct vl_str *rest, struct vl_challenge *ret);

/*
 * Appends the parameter's value, unquoted. VALET_NOT_FOUND: there is none;
 * VALET_INVALID: there are two of this name; VALET_LIMIT: `out` is full.
 */
valet_status
vl_challenge_get(const struct vl_challenge *challenge, const char *name,
                 struct vl_buf *out, valet_error *err) VALET_CHECK;

#endif
