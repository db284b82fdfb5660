/* SPDX-License-Identifier: Apache-2.0
 *
 * A UUID is made with every call of a tool, and asking the kernel for its
 * bytes would cost more than all else about it. So each thread asks for many
 * at once. Who knows one UUID learns nothing of the next, nor of the last:
 * what was given out is wiped.
 */
#include "core/sys.h"

#include <pthread.h>

#define UUID_BYTES 16
#define POOL_UUIDS 32

/* Of one thread. */
static _Thread_local struct {
    unsigned char bytes[POOL_UUIDS * UUID_BYTES];
    size_t left; /* UUIDs */
} pool;

/* In the child, in the one thread it has: parent and child must not give out
 * the same. */
static void
forget(void)
{
    explicit_bzero(&pool, sizeof pool);
}

static void
forget_in_children(void)
{
    VL_ASSERT(pthread_atfork(NULL, NULL, forget) == 0);
}

static void
take_bytes(unsigned char ret[UUID_BYTES])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pool.left == 0) {
        (void)pthread_once(&once, forget_in_children);
        vl_random(pool.bytes, sizeof pool.bytes);
        pool.left = POOL_UUIDS;
    }
    unsigned char *bytes = pool.bytes + --pool.left * UUID_BYTES;
    memcpy(ret, bytes, UUID_BYTES);
    explicit_bzero(bytes, UUID_BYTES);
}

void
vl_uuid(char ret[VL_UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char b[UUID_BYTES];
    take_bytes(b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *ret++ = '-';
        *ret++ = digits[b[i] >> 4];
        *ret++ = digits[b[i] & 15];
    }
    *ret = '\0';
}
