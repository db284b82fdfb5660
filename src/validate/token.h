/* SPDX-License-Identifier: Apache-2.0
 *
 * What a good token says, as texts of its own.
 */
#ifndef VL_VALIDATE_TOKEN_H
#define VL_VALIDATE_TOKEN_H

#include "jose/jws.h"
#include "validate/judge.h"

/*
 * Copies all of it; `ret` goes to valet_token_done(). False when it does not
 * fit, which the limit on tokens rules out.
 */
bool vl_token_make(const struct vl_claims *claims,
                   const struct vl_judgement *judgement, struct vl_str kid,
                   valet_token *ret);

#endif
