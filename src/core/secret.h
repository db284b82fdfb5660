/* SPDX-License-Identifier: Apache-2.0
 *
 * A token, key, verifier or password. It owns its bytes, wipes them, and has
 * no formatter: to put it on the wire one has to call vl_secret_reveal(),
 * which a reviewer can grep for.
 */
#ifndef VL_CORE_SECRET_H
#define VL_CORE_SECRET_H

#include "core/str.h"

struct vl_secret {
    char *bytes; /* private: see vl_secret_reveal() */
    size_t size;
};

/* A copy of `bytes`; wiped by vl_secret_done(). Empty input: empty secret. */
struct vl_secret vl_secret_of(struct vl_str bytes);
/* Wipes, frees, leaves the empty secret. */
void vl_secret_done(struct vl_secret *secret);

bool vl_secret_is_empty(const struct vl_secret *secret);
/* Compares without telling by its time where they differ. Two empty ones are
 * not the same: nothing proves nothing. */
bool vl_secret_eq(const struct vl_secret *a, const struct vl_secret *b);
/* The bytes, borrowed, to be sent to whom they are meant for, never to a log.
 */
struct vl_str vl_secret_reveal(const struct vl_secret *secret);
/* Wipes bytes on the stack so that the compiler does not optimise it away. */
void vl_wipe(void *bytes, size_t n);

#endif
