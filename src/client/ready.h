/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens that were given before, by the very words of the request: what a
 * program asks for again and again is answered on its own thread, without the
 * client's. Only a shortcut: it is emptied when somebody signs in or out, when
 * others have changed what is kept, and when a token was not good
 * enough for who asks. Any thread looks into it; the client's thread alone
 * changes it, in the same turn in which it has found the token.
 */
#ifndef VL_CLIENT_READY_H
#define VL_CLIENT_READY_H

#include "client/result.h"
#include "keep/keep.h"

struct vl_ready;

/* Longer requests take the long way. */
#define VL_READY_KEY_MAX 1024

/* The words of a request. Empty for one that wants a new token, or whose texts
 * are secrets. */
struct vl_ready_key {
    size_t n;
    char bytes[VL_READY_KEY_MAX];
};
void vl_ready_key(const valet_request *request, struct vl_ready_key *ret);

struct vl_ready *vl_ready_new(void);
void vl_ready_free(struct vl_ready *ready); /* NULL is fine */
/* What is put from now on is of what the keep is known to hold, and good as
 * long as it holds that. `keep` is borrowed until the end. */
void vl_ready_follow(struct vl_ready *ready, const struct vl_keep *keep);
/* One more hold on a fresh token; NULL: there is none. The keep is looked at
 * once in a millisecond. */
struct vl_auth_inside *
vl_ready_find(struct vl_ready *ready, const struct vl_ready_key *key,
              int64_t now_ms);
void vl_ready_put(struct vl_ready *ready, const struct vl_ready_key *key,
                  struct vl_auth_inside *inside);
void vl_ready_empty(struct vl_ready *ready);

#endif
