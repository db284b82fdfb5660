/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens for the bridge: access/, opened when the first message goes out. Where
 * tokens cannot be kept, a server that wants none is reached all the same, and
 * one that does is refused with the reason.
 */
#ifndef VL_APPS_CONNECT_TOKENS_H
#define VL_APPS_CONNECT_TOKENS_H

#include "access/access.h"
#include "remote/remote.h"

struct vl_connect_tokens;

/* Borrowed. */
struct vl_connect_tokens_config {
    struct vl_access_config access; /* but for `keep` and `lock_path` */
    /* Blocks. *lock: appended to; left empty: there are no other processes. */
    valet_status (*open)(struct vl_keep **ret, struct vl_buf *lock, void *ctx,
                         valet_error *err);
    /* What was told last, again and again while somebody waits for it: clients
     * give up on requests of which they hear nothing. NULL: once is enough. */
    void (*remind)(const char *text, void *ctx);
    void *ctx; /* of open and remind */
};
struct vl_connect_tokens *
vl_connect_tokens_new(const struct vl_connect_tokens_config *config);
/* After the bridge. NULL is fine. */
void vl_connect_tokens_free(struct vl_connect_tokens *tokens);

/* For struct vl_bridge_config; `ctx` is the tokens. */
const struct vl_secret *vl_connect_tokens_bearer(void *ctx);
void vl_connect_tokens_authorize(const struct vl_remote_refusal *refusal,
                                 struct vl_remote_retry *retry, void *ctx);
void vl_connect_tokens_worked(void *ctx);

#endif
