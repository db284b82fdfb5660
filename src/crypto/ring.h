/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to crypto/: the inside of a key ring, shared by keyring.c (which
 * fills it) and seal.c (which uses it).
 */
#ifndef VL_CRYPTO_RING_H
#define VL_CRYPTO_RING_H

#include "crypto/keyring.h"

#define VL_KEY_SIZE   32u
#define VL_KEY_ID_MAX 16u
/* Years of monthly rotation; more is a mistake in the file. */
#define VL_KEYS_MAX 64u

struct vl_master_key {
    unsigned char master[VL_KEY_SIZE];  /* never used itself, only derived */
    unsigned char sealing[VL_KEY_SIZE]; /* derived: the parent of record keys */
    char id[VL_KEY_ID_MAX];
    size_t id_size;
};

/* Lies in pages of its own: locked, and left out of core dumps. */
struct vl_keyring {
    size_t count;                           /* at least one */
    size_t mapped;                          /* bytes of the mapping */
    struct vl_master_key keys[VL_KEYS_MAX]; /* newest first */
};

/*
 * A key of the ring as a secret to compute with. It is borrowed: no copy
 * leaves the locked pages, and vl_secret_done() is not for it.
 */
static inline struct vl_secret
vl_key_borrow(const unsigned char key[VL_KEY_SIZE])
{
    return (struct vl_secret){(char *)(uintptr_t)key, VL_KEY_SIZE};
}

#endif
