/* SPDX-License-Identifier: Apache-2.0
 *
 * May this token come in? The rules alone: no I/O, no clock of its own.
 */
#ifndef VL_VALIDATE_JUDGE_H
#define VL_VALIDATE_JUDGE_H

#include "validate/claims.h"

struct vl_judgement {
    valet_token_kind kind;
    int entra_version; /* 0 for other issuers */
};

/*
 * The first rule that does not hold, or VALET_REASON_NONE. `key_issuer` is
 * whom the key set names for the key that signed; empty: nobody.
 */
valet_reason
vl_judge(const struct vl_rules *rules, const struct vl_claims *claims,
         struct vl_str key_issuer, int64_t now_s, struct vl_judgement *ret);

#endif
