/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/idp.h"

void
vl_idp_tokens_done(struct vl_idp_tokens *tokens)
{
    vl_secret_done(&tokens->access.secret);
    vl_secret_done(&tokens->refresh.secret);
    tokens->expires_ms = 0;
}
