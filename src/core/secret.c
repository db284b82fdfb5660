/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secret.h"

struct vl_secret
vl_secret_of(struct vl_str bytes)
{
    if (bytes.n == 0)
        return (struct vl_secret){NULL, 0};
    struct vl_secret secret = {vl_alloc(bytes.n), bytes.n};
    memcpy(secret.bytes, bytes.p, bytes.n);
    return secret;
}

void
vl_secret_done(struct vl_secret *secret)
{
    if (secret->bytes)
        explicit_bzero(secret->bytes, secret->size);
    free(secret->bytes);
    *secret = (struct vl_secret){NULL, 0};
}

bool
vl_secret_is_empty(const struct vl_secret *secret)
{
    return secret->size == 0;
}

bool
vl_secret_eq(const struct vl_secret *a, const struct vl_secret *b)
{
    return vl_str_same_secret(vl_secret_reveal(a), vl_secret_reveal(b));
}

struct vl_str
vl_secret_reveal(const struct vl_secret *secret)
{
    return (struct vl_str){secret->bytes, secret->size};
}

void
vl_wipe(void *bytes, size_t n)
{
    if (n)
        explicit_bzero(bytes, n);
}
