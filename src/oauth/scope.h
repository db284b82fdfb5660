/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of scopes as OAuth writes them: words with single spaces between them
 * (RFC 6749 section 3.3). What a scope allows is guard/policy's business.
 */
#ifndef VL_OAUTH_SCOPE_H
#define VL_OAUTH_SCOPE_H

#include "core/buf.h"

/* scope = scope-token *( SP scope-token ), at most VL_LIMIT_SCOPE bytes. */
bool vl_scope_is_valid(struct vl_str scopes);
/* Appends the words that `keep` agrees with, each once, in their order. */
void vl_scope_filter(struct vl_buf *out, struct vl_str scopes,
                     bool (*keep)(struct vl_str scope, const void *ctx),
                     const void *ctx);

#endif
